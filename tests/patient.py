"""A patient for tests: talks to the stand-in over HTTP and waits for the bot as a person would.

What the bot "said" is every message it wrote, edited or tried to edit since the patient's last
action. Waiting ends with the event itself; `WITHIN` only bounds it.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp

from flows.events import Media

WITHIN = 60.0  # seconds a patient waits for the bot before the test fails
QUIET_FOR = 1.0  # seconds without news after which an older keyboard may be used
WAIT_FOR = 5.0  # seconds of one long poll for a change of the chat

Json = dict[str, Any]
T = TypeVar("T")


class NotSeen(AssertionError):
    """The bot did not say or offer what the patient waited for."""


@dataclass(frozen=True, slots=True)
class Button:
    """One inline button and where it is."""

    message_id: int
    row: int
    column: int
    text: str
    data: str | None  # None for links and copy buttons
    raw: Json = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the chat, as the patient sees it."""

    raw: Json = field(repr=False)

    @property
    def message_id(self) -> int:
        """Return its id."""
        return int(self.raw["message_id"])

    @property
    def from_bot(self) -> bool:
        """Tell whether the bot wrote it."""
        return bool(self.raw["from_bot"])

    @property
    def text(self) -> str:
        """Return the words, or the caption."""
        return str(self.raw.get("text") or self.raw.get("caption") or "")

    @property
    def buttons(self) -> tuple[Button, ...]:
        """Return the inline buttons, row by row."""
        rows = self.raw.get("reply_markup", {}).get("inline_keyboard", [])
        return tuple(
            Button(self.message_id, y, x, b["text"], b.get("callback_data"), b)
            for y, row in enumerate(rows)
            for x, b in enumerate(row)
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the words on the buttons."""
        return tuple(button.text for button in self.buttons)

    @property
    def has_photo(self) -> bool:
        """Tell whether it shows a picture."""
        return "photo" in self.raw

    @property
    def has_document(self) -> bool:
        """Tell whether it carries a file."""
        return "document" in self.raw


class Patient:
    """One person with one chat. Make it with `new_patient`; close it or use `async with`."""

    def __init__(self, url: str, session: aiohttp.ClientSession, snapshot: Json) -> None:
        self.url = url
        self.chat_id = int(snapshot["chat_id"])
        self.name = str(snapshot["first_name"])
        self.tap_count = 0
        self.typed_count = 0
        self._session = session
        self._chat = snapshot
        self._acted_at = 0  # the chat's change after which the bot's answers count

    @classmethod
    async def again(cls, url: str, chat_id: int) -> Patient:
        """Return a patient who has a chat already."""
        session = aiohttp.ClientSession()
        async with session.get(f"{url}/playground/patients/{chat_id}") as answer:
            answer.raise_for_status()
            return cls(url, session, await answer.json())

    async def __aenter__(self) -> Patient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up. Repeated calls do nothing."""
        await self._session.close()

    # What the patient does -------------------------------------------------------------------

    async def starts(self, payload: str = "") -> None:
        """Press Start, with a deep link's payload when there is one."""
        self.tap_count += 1
        await self._act("start", {"payload": payload})

    async def says(self, text: str) -> None:
        """Type and send words."""
        self.typed_count += 1
        await self._act("text", {"text": text})

    async def taps(self, label: str) -> Button:
        """Tap the newest button whose words contain `label` (exact matches first)."""
        button = await self._offered(label)
        await self.presses(button)
        return button

    async def presses(self, button: Button) -> None:
        """Tap a button kept from earlier, which may be stale by now."""
        self.tap_count += 1
        place = {"message_id": button.message_id, "row": button.row, "column": button.column}
        await self._act("tap", place)

    async def edits(self, text: str, of: str | None = None) -> None:
        """Edit the patient's last message, or the last one that says `of`."""
        mine = [s for s in self.said if not s.from_bot and s.text and of in (None, s.text)]
        await self._act("edit", {"message_id": mine[-1].message_id, "text": text})

    async def sends(self, media: Media | str, caption: str = "") -> None:
        """Send a photo, voice note, sticker, document, video or location."""
        await self._act("media", {"kind": str(media), "caption": caption})

    async def shares_contact(self) -> None:
        """Wait for the button that asks for the phone number, and press it."""

        def asked() -> bool:
            rows = (self._chat["keyboard"] or {}).get("keyboard", [])
            return any(button.get("request_contact") for row in rows for button in row)

        await self._until(asked, "a keyboard that asks for the phone number")
        self.tap_count += 1
        await self._act("contact", {})

    async def shares_contact_of_someone_else(self) -> None:
        """Send another person's contact card."""
        await self._act("contact", {"of_someone_else": True})

    async def blocks(self) -> None:
        """Block the bot."""
        await self._act("block", {})

    async def unblocks(self) -> None:
        """Unblock the bot."""
        await self._act("unblock", {})

    # What the patient sees -------------------------------------------------------------------

    async def sees(self, text: str, *, within: float = WITHIN) -> Said:
        """Wait until something the bot said since the last action contains `text`."""

        def found() -> Said | None:
            return next((s for s in reversed(self.news) if _contains(s, text)), None)

        return await self._until(found, f"words containing {text!r}", within)

    async def still_sees(self, text: str) -> Said:
        """Find `text` in any message of the bot that is in the chat now."""
        await self._refresh()
        found = [s for s in self.said if s.from_bot and _contains(s, text)]
        if not found:
            raise NotSeen(self._complaint(f"words containing {text!r} anywhere in the chat"))
        return found[-1]

    async def sees_photo(self, *, within: float = WITHIN) -> Said:
        """Wait for a picture from the bot."""

        def found() -> Said | None:
            return next((s for s in reversed(self.news) if s.has_photo), None)

        return await self._until(found, "a photo", within)

    async def sees_document(self, *, within: float = WITHIN) -> Said:
        """Wait for a file from the bot."""

        def found() -> Said | None:
            return next((s for s in reversed(self.news) if s.has_document), None)

        return await self._until(found, "a document", within)

    async def sees_toast(self, text: str, *, within: float = WITHIN) -> str:
        """Wait for a toast: the small answer to a tap."""

        def found() -> str | None:
            return next((t for t in self.toasts if text.lower() in t.lower()), None)

        return await self._until(found, f"a toast containing {text!r}", within)

    async def sees_button(self, label: str, *, within: float = WITHIN) -> Button:
        """Wait for a button, without tapping it."""
        return await self._offered(label, within)

    async def downloads(self, said: Said) -> bytes:
        """Return the bytes of a message's photo or document."""
        part = said.raw["photo"][-1] if said.has_photo else said.raw["document"]
        async with self._session.get(f"{self.url}/playground/files/{part['file_id']}") as answer:
            answer.raise_for_status()
            return await answer.read()

    @property
    def said(self) -> tuple[Said, ...]:
        """Return every message of the chat as last read."""
        return tuple(Said(raw) for raw in self._chat["messages"])

    @property
    def news(self) -> tuple[Said, ...]:
        """Return what the bot wrote, edited or tried to edit since the last action."""
        return tuple(s for s in self.said if s.from_bot and s.raw["touched"] > self._acted_at)

    @property
    def last(self) -> Said:
        """Return the bot's newest message."""
        return [s for s in self.said if s.from_bot][-1]

    @property
    def buttons(self) -> tuple[str, ...]:
        """Return the words on the newest inline keyboard."""
        return next((s.labels for s in reversed(self.said) if s.buttons), ())

    @property
    def photos(self) -> tuple[Said, ...]:
        """Return the bot's pictures."""
        return tuple(s for s in self.said if s.from_bot and s.has_photo)

    @property
    def documents(self) -> tuple[Said, ...]:
        """Return the bot's files."""
        return tuple(s for s in self.said if s.from_bot and s.has_document)

    @property
    def toasts(self) -> tuple[str, ...]:
        """Return the toasts since the last action."""
        return tuple(t["text"] for t in self._chat["toasts"] if t["change"] > self._acted_at)

    def transcript(self) -> str:
        """Return the chat as text, newest last, for reading in a failed test."""
        return "\n".join(line for said in self.said for line in _lines(said, self.name))

    # Waiting ---------------------------------------------------------------------------------

    async def _offered(self, label: str, within: float = WITHIN) -> Button:
        loop = asyncio.get_running_loop()
        quiet_since, seen = loop.time(), self._chat["changes"]

        def found() -> Button | None:
            nonlocal quiet_since, seen
            if self._chat["changes"] != seen:
                quiet_since, seen = loop.time(), self._chat["changes"]
            fresh = _match(self.news, label)
            if fresh is None and loop.time() - quiet_since >= QUIET_FOR:
                return _match([s for s in self.said if s.from_bot], label)
            return fresh

        return await self._until(found, f"a button {label!r}", within, wait_for=QUIET_FOR)

    async def _until(
        self,
        found: Callable[[], T | None],
        wanted: str,
        within: float = WITHIN,
        *,
        wait_for: float = WAIT_FOR,
    ) -> T:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while not (result := found()):
            left = deadline - loop.time()
            if left <= 0:
                raise NotSeen(self._complaint(wanted))
            await self._refresh(min(wait_for, left))
        return result

    async def _refresh(self, wait_for: float = 0) -> None:
        query = {"since": str(self._chat["changes"]), "wait": str(wait_for)} if wait_for else {}
        address = f"{self.url}/playground/patients/{self.chat_id}"
        async with self._session.get(address, params=query) as answer:
            self._chat = await answer.json()

    async def _act(self, action: str, body: Json) -> None:
        address = f"{self.url}/playground/patients/{self.chat_id}/{action}"
        # What the bot said before this moment is old; its own answer may come at once.
        await self._refresh()
        acted_at = self._chat["changes"]
        async with self._session.post(address, json=body) as answer:
            if answer.status != 200:
                raise NotSeen(f"{self.name} cannot {action}: {await answer.text()}")
        self._acted_at = acted_at
        await self._refresh()

    def _complaint(self, wanted: str) -> str:
        return f"{self.name} waited for {wanted}; the chat is:\n\n{self.transcript()}\n"


async def new_patient(url: str, name: str = "Maya", language: str = "en") -> Patient:
    """Add a patient to the stand-in at `url`."""
    session = aiohttp.ClientSession()
    body = {"first_name": name, "language": language}
    async with session.post(f"{url}/playground/patients", json=body) as answer:
        answer.raise_for_status()
        return Patient(url, session, await answer.json())


def _contains(said: Said, text: str) -> bool:
    return html.unescape(text).lower() in said.text.lower()


def _match(said: Iterable[Said], label: str) -> Button | None:
    buttons = [b for s in reversed(list(said)) for b in s.buttons if b.data is not None]
    wanted = label.lower()
    for fits in (str.__eq__, str.startswith, str.__contains__):
        for button in buttons:
            if fits(button.text.lower(), wanted):
                return button
    return None


def _lines(said: Said, name: str) -> list[str]:
    kinds = ("photo", "document", "voice", "sticker", "contact", "video", "location")
    parts = [f"<{kind}>" for kind in kinds if kind in said.raw]
    words = " ".join([*parts, said.text]).replace("\n", "\n        ")
    lines = [f"{'bot' if said.from_bot else name:>6}: {words}"]
    if said.buttons:
        lines.append("        " + " ".join(f"[{label}]" for label in said.labels))
    return lines
