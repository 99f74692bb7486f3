"""Updates that nobody should send, through the real bot: real parsing, real HTTP, a real database.

Words of every dangerous sort, buttons that never were, updates with parts missing or of kinds that
do not exist. Afterwards every chat must still lead somewhere.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random  # noqa: TID251 - chance comes from a seed that is printed
import resource
from collections import Counter
from collections.abc import AsyncIterator, MutableMapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from bot.clock import MovableClock
from bot.playground import patients
from bot.playground.app import create_app
from bot.playground.chats import Chat
from bot.playground.limits import TOKEN
from bot.playground.listening import bind, listening
from bot.playground.standin import StandIn
from bot.playground.update_queue import Update
from bot.unreadable import UNREADABLE
from storage import clinics, conversations
from storage.database import Database
from storage.models import Inbox
from tests.faults.hostile_updates import LONE, LONE_ESCAPED, Hostile
from tests.journeys.guide import Tour
from tests.journeys.world import World, bot_on
from tests.standin import RunningStandIn, StoppedClock

CHATS = 20
BATCH = 50
WITHIN = 60.0  # seconds that a batch may take before it counts as stuck

#: What Telegram says when nothing is wrong with our words.
HARMLESS = (
    "query is too old",
    "message is not modified",
    "message to edit not found",
    "message can't be edited",
    "chat not found",
)

#: Lines about updates that are none: their parts are missing, so the library cannot read them.
FORESEEN = frozenset({"update_unreadable"})


@dataclass
class Ordeal:
    """What came of it."""

    sent: int = 0
    failed: int = 0  # updates on which a handler failed
    parked: int = 0
    unreadable: int = 0  # by the library: parts are missing
    errors: Counter[str] = field(default_factory=Counter)  # by action and class
    refused: Counter[str] = field(default_factory=Counter)  # what Telegram refused, by its reason
    stuck: list[int] = field(default_factory=list)
    grown_mb: float = 0.0


async def endure(database: Database, count: int, seed: int) -> Ordeal:
    """Send `count` hostile updates to a bot on an empty database, then look at every chat."""
    ordeal = Ordeal()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, seen: ordeal.errors.update([_unhandled(seen)]))
    library = logging.getLogger("telegram.ext.ExtBot")  # quotes what it cannot read
    library.addFilter(_nothing)
    try:
        with capture_logs() as lines:
            async with _bot(database, ordeal) as here:
                await _suffer(here, count, seed, ordeal)
    finally:
        library.removeFilter(_nothing)
    unreadable = {line["update_id"] for line in lines if line.get("action") in FORESEEN}
    ordeal.unreadable = len(unreadable)
    for line in lines:
        if line.get("action") not in FORESEEN and line["log_level"] in ("error", "critical"):
            ordeal.errors[_named(line)] += 1
    ordeal.failed, ordeal.parked = await database.read(_failures)
    return ordeal


async def _suffer(here: World, count: int, seed: int, ordeal: Ordeal) -> None:
    state = here.standin.state
    chats = [state.chats.open(name) for name in Hostile.names(CHATS)]
    for chat in chats:
        patients.start(state, chat, "willow")
    await _served(here)
    sender = Hostile(random.Random(seed), chats)
    before = _memory()
    while ordeal.sent < count:
        for _ in range(min(BATCH, count - ordeal.sent)):
            kind, chat, body = sender.update()
            state.queue.last_id += 1
            state.queue._append(Update(state.queue.last_id, kind, chat.patient.chat_id, body))
            ordeal.sent += 1
        await _served(here)
    ordeal.grown_mb = _memory() - before
    for chat in chats:
        if not await _goes_on(here, chat):
            ordeal.stuck.append(chat.patient.chat_id)


async def _served(here: World) -> None:
    """Wait until the bot has confirmed every update and shown what it has to show."""
    queue = here.standin.state.queue
    async with asyncio.timeout(WITHIN):
        while queue.pending:  # noqa: ASYNC110 - the stand-in tells nobody what is confirmed
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.02)


async def _goes_on(here: World, chat: Chat) -> bool:
    """Start, then press the first button that is offered; both must be answered."""
    chat.blocked = False
    state = here.standin.state
    before = await _revision(here, chat)
    patients.start(state, chat, "willow")
    after = await _answered(here, chat, before)
    for message in sorted(chat.messages.values(), key=lambda m: m.message_id, reverse=True):
        for row, buttons in enumerate(message.inline_keyboard):
            for column, button in enumerate(buttons):
                if message.from_bot and "callback_data" in button:
                    patients.tap(state, chat, message.message_id, row, column)
                    return after > before and await _answered(here, chat, after) > after
    return False


async def _answered(here: World, chat: Chat, revision: int) -> int:
    """Return the chat's revision once it is past `revision` and shown, else as it stayed."""
    for _ in range(500):
        loaded = await here.database.read(conversations.load, chat.patient.chat_id)
        if loaded and loaded.shown_revision == loaded.conversation.revision > revision:
            break
        await asyncio.sleep(0.01)
    return await _revision(here, chat)


async def _revision(here: World, chat: Chat) -> int:
    loaded = await here.database.read(conversations.load, chat.patient.chat_id)
    return loaded.conversation.revision if loaded else -1


@asynccontextmanager
async def _bot(database: Database, ordeal: Ordeal) -> AsyncIterator[World]:
    await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    clock = MovableClock(StoppedClock())
    state = StandIn(clock)
    app = create_app(token=TOKEN, clock=clock, standin=state)
    app.add_middleware(Watched, refused=ordeal.refused)
    async with AsyncExitStack() as bot, listening(app, bind("127.0.0.1", 0)) as url:
        here = World(RunningStandIn(url, TOKEN, state, clock), database, clock, Tour(), bot)
        async with bot_on(here):
            yield here


class Watched:
    """Counts what the stand-in refuses, and puts lone surrogates into what it sends.

    They cannot be encoded, only written as JSON's escapes, which is how they would arrive.
    """

    def __init__(self, app: ASGIApp, refused: Counter[str]) -> None:
        self._app = app
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at its answer."""
        if scope["type"] != "http" or "/bot" not in scope["path"]:
            await self._app(scope, receive, send)
            return
        head: list[Message] = []
        parts: list[bytes] = []

        async def looked_at(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.append(message)
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._answer(scope["path"], head[0], b"".join(parts), send)

        await self._app(scope, receive, looked_at)

    async def _answer(self, path: str, head: Message, body: bytes, send: Send) -> None:
        if head["status"] == 400:
            reason = json.loads(body)["description"]
            if not any(words in reason for words in HARMLESS):
                self._refused[f"{path.rpartition('/')[2]}: {reason}"] += 1
        body = body.replace(LONE.encode(), LONE_ESCAPED)
        kept = [pair for pair in head["headers"] if pair[0] != b"content-length"]
        head["headers"] = [*kept, (b"content-length", str(len(body)).encode())]
        await send(head)
        await send({"type": "http.response.body", "body": body})


def _failures(connection: Connection) -> tuple[int, int]:
    """Return how many updates failed at least once, and how many were put aside.

    What the library cannot read is put aside too; that is as it should be.
    """
    failed = select(func.count()).where(Inbox.tries > 0, Inbox.why != UNREADABLE)
    parked = select(func.count()).where(Inbox.state == "parked", Inbox.why != UNREADABLE)
    return connection.execute(failed).scalar_one(), connection.execute(parked).scalar_one()


def _nothing(_record: logging.LogRecord) -> bool:
    return False


def _named(line: MutableMapping[str, Any]) -> str:
    parts = (line.get("action", line["event"]), line.get("error", ""), line.get("at", ""))
    return " ".join(map(str, parts)).strip()


def _unhandled(seen: dict[str, Any]) -> str:
    return f"unhandled {type(seen.get('exception')).__name__}"


def _memory() -> float:
    """Return the most memory that this process has held so far, in MB; the stand-in's included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
