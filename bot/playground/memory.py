"""Keeps the playground's chats between two runs, in one file beside the database.

The bot remembers every conversation; without its chats the page would forget them. The file holds
what made-up patients typed on this machine, and is replaced in one step, so it is never half
written.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from dataclasses import asdict, fields
from datetime import timedelta
from pathlib import Path

from bot.clock import MovableClock
from bot.playground.chats import Chat, Message, Patient, StoredFile
from bot.playground.standin import StandIn
from bot.playground.update_queue import Update

Json = dict[str, object]

FORMAT = 1
ID_MARGIN = 1000  # updates that a crash may have kept from the file
QUIET_FOR = 0.4  # seconds after a change before it is written, so that a burst is written once


class Memory:
    """One file that follows a stand-in."""

    def __init__(self, path: Path, standin: StandIn, clock: MovableClock) -> None:
        self._path = path
        self._standin = standin
        self._clock = clock

    def recall(self) -> None:
        """Fill the stand-in from the file. A missing or unreadable file is an empty playground."""
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
            if known["format"] != FORMAT:
                raise ValueError(known["format"])
            self._fill(known)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._start_afresh()

    async def keep(self) -> None:
        """Write the file after every change until the stand-in closes."""
        written = self._standin.feed.number
        async for _ in self._standin.feed.follow(written, idle_for=60):
            await asyncio.sleep(QUIET_FOR)
            await asyncio.to_thread(self._write, self._text())

    def write(self) -> None:
        """Write the file now."""
        self._write(self._text())

    def _write(self, text: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, self._path)

    def _text(self) -> str:
        standin = self._standin
        return json.dumps(
            {
                "format": FORMAT,
                "moved": self._clock.offset.total_seconds(),
                "last_update_id": standin.queue.last_id,
                "pending": [asdict(update) for update in standin.queue.pending],
                "chats": [_chat_json(chat) for chat in standin.chats],
                "files": [_file_json(stored) for stored in standin.chats.files()],
            }
        )

    def _fill(self, known: Json) -> None:
        chats = [_chat(one) for one in _list(known["chats"])]
        files = [_file(one) for one in _list(known["files"])]
        pending = [Update(**one) for one in _list(known["pending"])]  # type: ignore[arg-type]  # own file
        last_id = int(str(known["last_update_id"])) + ID_MARGIN
        moved = timedelta(seconds=float(str(known["moved"])))
        self._standin.chats.restore(chats, files)
        self._standin.queue.pending.extend(pending)
        self._standin.queue.jump(last_id)
        self._clock.move(moved)

    def _start_afresh(self) -> None:
        # The database may know an earlier playground: never repeat its update or chat ids.
        seconds = self._standin.chats.now()
        self._standin.queue.jump(seconds)
        self._standin.chats.start_after(seconds)


def _chat_json(chat: Chat) -> Json:
    plain = {
        name: getattr(chat, name)
        for name in ("chat_instance", "keyboard", "blocked", "started", "changes", "taps")
    }
    messages = [asdict(message) for message in chat.messages.values()]
    return {**plain, "patient": asdict(chat.patient), "messages": messages}


def _chat(known: Json) -> Chat:
    patient = Patient(**known.pop("patient"))  # type: ignore[arg-type]  # own file
    messages = [Message(**one) for one in _list(known.pop("messages"))]  # type: ignore[arg-type]  # own file
    chat = Chat(patient, **known)  # type: ignore[arg-type]  # own file
    chat.messages = {message.message_id: message for message in messages}
    return chat


def _file_json(stored: StoredFile) -> Json:
    plain = {one.name: getattr(stored, one.name) for one in fields(stored)}
    return {**plain, "content": base64.b64encode(stored.content).decode()}


def _file(known: Json) -> StoredFile:
    content = base64.b64decode(str(known.pop("content")))
    return StoredFile(content=content, **known)  # type: ignore[arg-type]  # own file


def _list(value: object) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError("a list was expected")
    return value
