"""Telegram's published limits, checked as its servers check them.

Sources: core.telegram.org/bots/api for the figures; the wording of the errors is Telegram's own.
Setting names and hosts are checked here too, because they are limits of the playground itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.playground.refusals import PlaygroundRefused, bad_request

TEXT = 4096  # characters after the markup is parsed
CAPTION = 1024
CALLBACK_DATA = 64  # bytes of UTF-8, at least one
BUTTONS = 100  # in one keyboard
COPY_TEXT = 256
TOAST = 200  # answerCallbackQuery
TOAST_FOR = 150  # seconds in which a tap can be answered
START_PAYLOAD = 64  # of A-Z a-z 0-9 _ -
COMMANDS = 100
DESCRIPTION = 512
SHORT_DESCRIPTION = 120
PLACEHOLDER = 64
POLL_BATCH = 100  # updates in one getUpdates answer
POLL_FOR = 50  # seconds that one getUpdates call may wait
UPLOAD = 50 * 1024 * 1024  # bytes

TOKEN = "1000000001:playground"  # noqa: S105  the stand-in's own, worth nothing anywhere else
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def check_token(token: str) -> None:
    """Refuse every token but the playground's own, so that no real bot is ever driven here."""
    if token != TOKEN:
        raise PlaygroundRefused(
            "the playground works with its own made-up token only; "
            "unset TELEGRAM_BOT_TOKEN to use it, or run the bot on Telegram with it"
        )


def check_host(host: str) -> None:
    """Refuse to listen where another machine could reach the playground."""
    if host not in LOOPBACK:
        raise PlaygroundRefused(
            f"HTTP_HOST must be 127.0.0.1, localhost or ::1 for the playground, got {host!r}: "
            "it has no passwords and must not be reachable from other machines"
        )


def check_text(text: str) -> None:
    """Refuse a message that Telegram would not send."""
    if not text:
        raise bad_request("message text is empty")
    if len(text) > TEXT:
        raise bad_request("message is too long")


def check_caption(caption: str) -> None:
    """Refuse a caption over the limit; an empty one is fine."""
    if len(caption) > CAPTION:
        raise bad_request("message caption is too long")


def check_inline_keyboard(rows: Sequence[Sequence[Mapping[str, object]]]) -> None:
    """Refuse an inline keyboard with too many buttons or a button that cannot work."""
    if sum(len(row) for row in rows) > BUTTONS:
        raise bad_request("reply markup is too long")
    for row in rows:
        for button in row:
            _check_button(button)


def _check_button(button: Mapping[str, object]) -> None:
    if not str(button.get("text", "")).strip():
        raise bad_request("can't parse inline keyboard button: Text buttons must be non-empty")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= CALLBACK_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
    copied = button.get("copy_text")
    if isinstance(copied, dict) and not 1 <= len(str(copied.get("text", ""))) <= COPY_TEXT:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
    url = button.get("url")
    if url is not None and not str(url).startswith(("https://", "http://", "tg://", "mailto:")):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")
    if not {"callback_data", "url", "copy_text", "web_app", "switch_inline_query"} & set(button):
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed")
