"""What happens to one update: read it, take its turn, hand on the reply. Never raises.

A turn that fails is tried again, then put aside, so that it blocks nobody; the patient keeps their
place, is told how to reach a person, and the clinic's people are told too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog
from telegram import Update
from telegram.ext import Application, ContextTypes, TypeHandler

from bot.apologies import Apologies, Switchboard
from bot.log import place_of
from bot.markup import Button, Screen, escaped
from bot.pace import Sleep
from bot.replies import Replies
from bot.sender import Sender, Undelivered, Unreachable
from bot.turns import Overtaken, Turns
from bot.updates import Arrival, Blocked, GroupMessage, StaffCall, UpdateReader, chat_of
from flows.texts import Catalogue
from storage.faults import DatabaseFault, StorageError

logger = structlog.get_logger(__name__)

_TRIES = 3
_FIRST_PAUSE = 0.2  # seconds; doubles with each try
_LONGEST_PAUSE = 4.0  # so that nobody waits long once the database is back
_LATE_AFTER = 8.0  # seconds after which a patient hears that the answer will be late

PtbApplication = Application[Any, Any, Any, Any, Any, Any]


class Inbox(Switchboard, Protocol):
    """Where failed updates are counted, and put aside for good."""

    async def fail(self, update_id: int, why: str) -> int:
        """Count a failed try; return how many there were, in earlier processes too."""
        ...

    async def park(self, update_id: int, why: str, payload: str) -> None:
        """Put the update aside; `payload` is all of it, so that it can be taken again."""
        ...

    async def note_blocked(self, update_id: int, chat_id: int) -> None:
        """Note that the patient cannot be reached, unless this update said so before."""
        ...


class Desk(Protocol):
    """Where what staff do in Telegram is dealt with."""

    async def take(self, call: StaffCall) -> bool:
        """Deal with a call; False when it comes from nobody of a clinic."""
        ...


class Intake:
    """Takes updates from the poller through PTB's application to the turns."""

    def __init__(
        self,
        reader: UpdateReader,
        turns: Turns,
        replies: Replies,
        sender: Sender,
        inbox: Inbox,
        catalogues: Mapping[str, Catalogue],
    ) -> None:
        self._reader = reader
        self._turns = turns
        self._replies = replies
        self._sender = sender
        self._inbox = inbox
        self._apologies = Apologies(sender, inbox, catalogues)
        self._catalogues = catalogues
        self._catalogue = catalogues["en"]
        self._errors: dict[int, Exception] = {}
        self._greeted: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._application: PtbApplication | None = None
        self._desk: Desk | None = None
        self._sleep: Sleep = asyncio.sleep

    def attach(
        self,
        application: PtbApplication,
        sleep: Sleep = asyncio.sleep,
        desk: Desk | None = None,
    ) -> None:
        """Register with PTB: one handler for everything, one for errors. `desk` serves staff."""
        self._desk = desk
        application.add_handler(TypeHandler(Update, self._on_update))
        application.add_error_handler(self._on_error)
        self._application = application
        self._sleep = sleep

    async def handle(self, update: Update) -> None:
        """Deal with one update; return when it is committed, or put aside.

        What the same chat sends meanwhile waits for it, so a patient hears once of a database that
        is away, from each process that has something of theirs.
        """
        late = asyncio.get_running_loop().call_later(
            _LATE_AFTER, lambda: self._start(self._say_late(update))
        )
        try:
            await self._deal_with(update)
        finally:
            late.cancel()

    async def _deal_with(self, update: Update) -> None:
        pause = _FIRST_PAUSE
        while (error := await self._attempt(update)) is not None:
            # A database that cannot be used is no fault of this update: it waits, unconfirmed.
            # Neither is another process that is faster with the same chat.
            innocent = isinstance(error, DatabaseFault | Overtaken)
            if not innocent and await self._put_aside(update, error):
                return
            await self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def finish(self) -> None:
        """Wait for what was started beside the turns."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=1)

    async def _on_update(self, update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        match self._reader.read(update):
            case Arrival() as arrival:
                await self._take(arrival)
            case StaffCall() as call:
                if self._desk is None or not await self._desk.take(call):
                    await self._take(call.arrival)
            case GroupMessage(chat_id=chat_id):
                self._start(self._to_private(chat_id, update))
            case Blocked(update_id=number, chat_id=chat_id):
                await self._inbox.note_blocked(number, chat_id)

    async def _on_error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        error = context.error
        if isinstance(update, Update) and error is not None:
            # Class and place only: the error's words may quote the patient. A fault of the
            # database is in our own words, and says what to do.
            what = {"why": str(error)} if isinstance(error, DatabaseFault) else {}
            logger.error(
                "turn failed",
                action="turn_failed",
                update_id=update.update_id,
                error=type(error).__name__,
                at=place_of(error),
                **what,
            )
            self._errors[update.update_id] = error

    async def _attempt(self, update: Update) -> Exception | None:
        if self._application is None:
            raise RuntimeError("the intake must be attached to an application first")
        await self._application.process_update(update)
        return self._errors.pop(update.update_id, None)

    async def _take(self, arrival: Arrival) -> None:
        noticed = _once(lambda stale: self._answer(arrival, stale=stale))
        try:
            reply = await self._turns.take(arrival, noticed)
        finally:
            noticed(False)
        if reply is not None:
            self._replies.submit(reply)

    def _answer(self, arrival: Arrival, *, stale: bool) -> None:
        if arrival.callback_query_id is None:
            return
        # The same words stand above the screen: a toast alone is not read out by every phone.
        catalogue = self._catalogues.get(arrival.locale, self._catalogue)
        words = catalogue.text("error.stale") if stale else ""
        self._start(self._sender.answer(arrival.callback_query_id, words))

    async def _say_late(self, update: Update) -> None:
        try:
            arrival = self._reader.read(update)
        except Exception:  # noqa: BLE001 - whatever cannot be read is put aside elsewhere
            return
        if isinstance(arrival, StaffCall) and arrival.name == "help":  # a patient's word as well
            arrival = arrival.arrival
        if isinstance(arrival, Arrival):  # staff and groups have no answer to wait for
            await self._apologies.say_late(arrival.chat_id)

    async def _put_aside(self, update: Update, error: Exception) -> bool:
        """Count the failure; after the last try tell staff and patient, and put it aside."""
        why = type(error).__name__
        try:
            if await self._inbox.fail(update.update_id, why) < _TRIES:
                return False
            words = await self._apologies.prepare(chat_of(update))
            await self._inbox.park(update.update_id, why, update.to_json())
        except StorageError as failure:
            name = type(failure).__name__
            logger.error("failure not counted", action="inbox_failed", error=name)
            return not isinstance(failure, DatabaseFault)
        logger.error("update put aside", action="update_parked", update_id=update.update_id)
        self._start(self._apologies.say(chat_of(update), words))
        return True

    async def _to_private(self, chat_id: int, update: Update) -> None:
        if chat_id in self._greeted or self._application is None:
            return
        self._greeted.add(chat_id)
        link = f"https://t.me/{self._application.bot.username}?start"
        button = Button(self._catalogue.text("error.group_button"), url=link)
        screen = Screen(escaped(self._catalogue.text("error.group")), ((button,),))
        try:
            await self._sender.show(chat_id, screen)
        except (Unreachable, Undelivered):
            logger.info("group not answered", action="group_failed", update_id=update.update_id)

    def _start(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _once(call: Callable[[bool], None]) -> Callable[[bool], None]:
    done = False

    def first(value: bool) -> None:
        nonlocal done
        if not done:
            done = True
            call(value)

    return first
