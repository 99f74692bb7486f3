"""The only caller of the Bot API's send, edit and answer methods.

Keeps Telegram's pace, waits when told to, and sorts failures once: gone for good, not sent,
perhaps sent, or of no importance.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog
from telegram import (
    Bot,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputFile,
    KeyboardButton,
    LinkPreviewOptions,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError

from bot.callback_data import pack
from bot.markup import CAPTION_LIMIT, Button, ContactRequest, Rows, Screen, cut, plain
from bot.pace import Pace, Priority, Sleep
from bot.request import NotSent

logger = structlog.get_logger(__name__)

T = TypeVar("T")
ReplyMarkup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove

_NOT_SENT_TRIES = 8
_WAITS = 5  # how often Telegram may ask one call to wait
_TURN_WITHIN = 30.0  # seconds a message that nobody waits for may wait for its turn
_GONE = ("message to edit not found", "message can't be edited")
_NOTHING_TO_EDIT = ("not modified", *_GONE)
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

Gate = Callable[[int, Priority], Awaitable[None]]  # a way through the pace


class Unreachable(Exception):
    """The patient blocked the bot or deleted the chat: nothing more can be said to them."""


class Undelivered(Exception):
    """Telegram could not be reached, or refused the message."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture or document. `file_id` names one that Telegram already holds."""

    filename: str
    content: bytes = b""
    file_id: str = ""
    caption: str = ""  # HTML

    @property
    def source(self) -> InputFile | str:
        """Return what PTB sends: the stored file's id, or the bytes."""
        return self.file_id or InputFile(self.content, filename=self.filename)


class Sender:
    """Sends to patients. Raises `Unreachable` and `Undelivered`, nothing else of Telegram's."""

    def __init__(
        self,
        bot: Bot,
        pace: Pace,
        sleep: Sleep,
        on_unreachable: Callable[[int], Awaitable[None]],
    ) -> None:
        self._bot = bot
        self._pace = pace
        self._sleep = sleep
        self._on_unreachable = on_unreachable

    async def show(self, chat_id: int, screen: Screen, priority: Priority = Priority.REPLY) -> int:
        """Send a screen as a new message; return its id."""
        return await self._send_text(
            chat_id, screen.html, _inline(screen.rows, screen.revision), priority
        )

    async def say(self, chat_id: int, html: str, priority: Priority = Priority.REPLY) -> int:
        """Send plain words; return the message's id."""
        return await self._send_text(chat_id, html, None, priority)

    async def once(self, chat_id: int, screen: Screen) -> int:
        """Send a screen with a single call, after the replies that wait; return the message's id.

        For the outbox, which decides itself about another try: raises Telegram's own errors.
        """
        async with self._one_call(chat_id, self._pace.new_message):
            message = await self._bot.send_message(
                chat_id,
                screen.html,
                parse_mode=ParseMode.HTML,
                reply_markup=_inline(screen.rows, screen.revision),
                link_preview_options=_NO_PREVIEW,
            )
        return message.message_id

    async def redraw_once(self, chat_id: int, message_id: int, screen: Screen) -> None:
        """Put a screen in the place of a message with a single call; a message that is gone stays.

        For the outbox, as `once` is: raises Telegram's own errors.
        """
        try:
            async with self._one_call(chat_id, self._pace.change):
                await self._bot.edit_message_text(
                    screen.html,
                    chat_id=chat_id,
                    message_id=message_id,
                    parse_mode=ParseMode.HTML,
                    reply_markup=_inline(screen.rows, screen.revision),
                    link_preview_options=_NO_PREVIEW,
                )
        except BadRequest as refusal:
            if not any(words in refusal.message.lower() for words in _NOTHING_TO_EDIT):
                raise

    @asynccontextmanager
    async def _one_call(self, chat_id: int, gate: Gate) -> AsyncIterator[None]:
        """Let one call of the outbox through, after what patients wait for and within its lease."""
        try:
            async with asyncio.timeout(_TURN_WITHIN):
                await gate(chat_id, Priority.NUDGE)
        except TimeoutError:
            raise RetryAfter(int(_TURN_WITHIN)) from None  # nothing was sent: put off, not failed
        try:
            yield
        except RetryAfter as wait:
            self._pace.hold(chat_id, _seconds(wait))
            raise

    async def replace(self, chat_id: int, message_id: int, screen: Screen) -> int:
        """Put a screen in the place of a message; send a new one when that cannot be edited."""
        markup = _inline(screen.rows, screen.revision)
        if await self._edit(chat_id, message_id, screen.html, markup):
            return message_id
        return await self.show(chat_id, screen)

    async def close(self, chat_id: int, message_id: int, receipt: str) -> None:
        """Turn an answered question into its one-line receipt, without buttons."""
        await self._edit(chat_id, message_id, receipt, None)

    async def strip(self, chat_id: int, message_id: int) -> None:
        """Take the buttons off a message that is no longer the current one."""

        async def call() -> object:
            return await self._bot.edit_message_reply_markup(chat_id=chat_id, message_id=message_id)

        await self._changed(chat_id, call)

    async def ask_contact(self, chat_id: int, request: ContactRequest) -> int:
        """Offer the button under the writing field that shares the phone number."""
        markup = ReplyKeyboardMarkup(
            [[KeyboardButton(request.label, request_contact=True)]],
            resize_keyboard=True,
            one_time_keyboard=True,
            input_field_placeholder=request.placeholder,
        )
        return await self._send_text(chat_id, request.html, markup, Priority.REPLY)

    async def drop_contact(self, chat_id: int, html: str) -> int:
        """Say something that takes the contact button away again."""
        return await self._send_text(chat_id, html, ReplyKeyboardRemove(), Priority.REPLY)

    async def picture(self, chat_id: int, upload: Upload) -> str:
        """Send a photo; return the id under which Telegram keeps it."""
        caption = _caption(upload.caption)

        async def call() -> str:
            message = await self._bot.send_photo(
                chat_id, upload.source, caption=caption, parse_mode=ParseMode.HTML
            )
            return message.photo[-1].file_id if message.photo else ""

        return await self._sent(chat_id, call, Priority.REPLY)

    async def document(self, chat_id: int, upload: Upload) -> None:
        """Send a file."""
        caption = _caption(upload.caption)

        async def call() -> object:
            return await self._bot.send_document(
                chat_id, upload.source, caption=caption, parse_mode=ParseMode.HTML
            )

        await self._sent(chat_id, call, Priority.REPLY)

    async def answer(self, callback_query_id: str, text: str = "") -> None:
        """Stop the button's spinner. Failures do not matter: an old query is simply too old."""
        try:
            await self._bot.answer_callback_query(callback_query_id, text=text or None)
        except TelegramError as error:
            logger.debug("callback not answered", action="answer_failed", error=_name(error))

    async def _send_text(
        self, chat_id: int, html: str, markup: ReplyMarkup | None, priority: Priority
    ) -> int:
        async def call(*, marked: bool = True) -> int:
            message = await self._bot.send_message(
                chat_id,
                html if marked else plain(html),
                parse_mode=ParseMode.HTML if marked else None,
                reply_markup=markup,
                link_preview_options=_NO_PREVIEW,
            )
            return message.message_id

        try:
            return await self._sent(chat_id, call, priority)
        except _Unparsable:
            return await self._sent(chat_id, lambda: call(marked=False), priority)

    async def _edit(
        self, chat_id: int, message_id: int, html: str, markup: InlineKeyboardMarkup | None
    ) -> bool:
        """Edit a message; False when it is gone or may not be edited."""

        async def call(*, marked: bool = True) -> object:
            return await self._bot.edit_message_text(
                html if marked else plain(html),
                chat_id=chat_id,
                message_id=message_id,
                parse_mode=ParseMode.HTML if marked else None,
                reply_markup=markup,
                link_preview_options=_NO_PREVIEW,
            )

        try:
            return await self._changed(chat_id, call)
        except _Unparsable:
            return await self._changed(chat_id, lambda: call(marked=False))

    async def _changed(self, chat_id: int, call: Callable[[], Awaitable[object]]) -> bool:
        try:
            # An edit that is made twice leaves the same message, so it may always be tried again.
            await self._carried_out(chat_id, call, self._pace.change, Priority.REPLY, ambiguous=3)
        except _Gone:
            return False
        return True

    async def _sent(self, chat_id: int, call: Callable[[], Awaitable[T]], priority: Priority) -> T:
        # A reply that arrives twice is better than none; a nudge must never come twice.
        again = 1 if priority is Priority.REPLY else 0
        try:
            done = await self._carried_out(
                chat_id, call, self._pace.new_message, priority, ambiguous=again
            )
        except _Gone as gone:
            raise Undelivered("the message to answer is gone") from gone
        if done is None:
            raise Undelivered("Telegram says that nothing changed")
        return done

    async def _carried_out(
        self,
        chat_id: int,
        call: Callable[[], Awaitable[T]],
        gate: Gate,
        priority: Priority,
        *,
        ambiguous: int,
    ) -> T | None:
        """Make one call, again where that is safe. None: Telegram says nothing has changed."""
        left = _Left(ambiguous)
        while True:
            await gate(chat_id, priority)
            try:
                return await call()
            except RetryAfter as wait:
                self._pace.hold(chat_id, left.wait(wait))
            except Forbidden:
                await self._on_unreachable(chat_id)
                raise Unreachable from None
            except BadRequest as refusal:
                if await self._is_harmless(chat_id, refusal):
                    return None
            except NetworkError as failure:
                await self._sleep(left.pause(failure))
            except TelegramError as refusal:
                raise Undelivered(_name(refusal)) from None

    async def _is_harmless(self, chat_id: int, refusal: BadRequest) -> bool:
        """Say that nothing had to change; raise what the refusal means otherwise."""
        reason = refusal.message.lower()
        if "not modified" in reason:
            return True
        if "can't parse entities" in reason:
            raise _Unparsable
        if any(words in reason for words in _GONE):
            raise _Gone
        if "chat not found" in reason:
            await self._on_unreachable(chat_id)
            raise Unreachable
        # The reason may quote the message, so only its kind is kept.
        raise Undelivered("BadRequest") from None


class _Unparsable(Exception):
    """Telegram cannot read the markup."""


class _Gone(Exception):
    """The message is not there any more, or may not be edited."""


class _Left:
    """How often one call may still be tried again."""

    def __init__(self, ambiguous: int) -> None:
        self._ambiguous = ambiguous
        self._not_sent = _NOT_SENT_TRIES
        self._waits = _WAITS

    def wait(self, error: RetryAfter) -> float:
        """Return the seconds Telegram asks for."""
        self._waits -= 1
        if self._waits < 0:
            raise Undelivered("RetryAfter") from None
        return _seconds(error)

    def pause(self, error: NetworkError) -> float:
        """Return the seconds to wait before the next try; raise `Undelivered` when none is left."""
        if isinstance(error, NotSent):
            self._not_sent -= 1
            tries, left = _NOT_SENT_TRIES - self._not_sent, self._not_sent
        else:
            self._ambiguous -= 1
            tries, left = 1, self._ambiguous
        if left < 0:
            raise Undelivered(_name(error)) from None
        return float(min(0.5 * 2**tries, 15.0))


def _inline(rows: Rows, revision: int) -> InlineKeyboardMarkup | None:
    if not rows:
        return None
    return InlineKeyboardMarkup([[_button(each, revision) for each in row] for row in rows])


def _button(button: Button, revision: int) -> InlineKeyboardButton:
    if button.copy_text:
        return InlineKeyboardButton(button.label, copy_text=CopyTextButton(button.copy_text))
    if button.url:
        return InlineKeyboardButton(button.label, url=button.url)
    if button.data:
        return InlineKeyboardButton(button.label, callback_data=button.data)
    if button.press is None:
        raise ValueError(f"button {button.label!r} must press, copy or open something")
    return InlineKeyboardButton(button.label, callback_data=pack(revision, button.press))


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return float(after if isinstance(after, (int, float)) else after.total_seconds())


def _caption(html: str) -> str | None:
    if len(plain(html)) > CAPTION_LIMIT:
        return cut(html, CAPTION_LIMIT)
    return html or None


def _name(error: Exception) -> str:
    return type(error).__name__
