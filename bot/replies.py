"""How a committed turn reaches the patient: receipt, picture, screen, file, in that order.

Each chat's replies go out one after the other; chats do not wait for each other.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from bot import screens
from bot.apologies import Apologies
from bot.calendar_file import calendar_file, cancellation_file
from bot.drawings import Drawings
from bot.log import place_of
from bot.markup import Screen
from bot.pace import Sleep
from bot.page import Page
from bot.sender import Sender, Undelivered, Unreachable, Upload
from bot.turns import Reply
from flows.conversation import Stage
from flows.effects import SavePhone
from flows.events import WentBack
from storage.faults import StorageError

logger = structlog.get_logger(__name__)

NoteShown = Callable[[int, int, int], Awaitable[None]]
Again = Callable[[int], Awaitable[Reply | None]]
Claim = Callable[[int, int, float], Awaitable[bool]]

_CHATS_REMEMBERED = 50_000
_RETRIES = 6
_CLAIMED_FOR = 20.0  # seconds; longer than any call of the Bot API takes
_RETRY_AFTER = 15.0  # seconds, doubled with each failure
_KEPT = (Stage.PLAN, Stage.CONSULT)  # worth reading again after booking


@dataclass(frozen=True, slots=True)
class Others:
    """How processes that serve the same chats keep out of each other's way."""

    patience: float  # seconds that another one gets to show what it committed
    claim: Claim  # takes it on to show a chat a revision, for so many seconds; False: another has


@dataclass(slots=True)
class _Chat:
    """The messages of one chat that later replies change."""

    current: int | None = None  # the message with the buttons
    closed: int | None = None  # the one before it, now a receipt
    revision: int = -1  # what `current` shows


class Replies:
    """Shows replies and remembers which message is the current one."""

    def __init__(  # noqa: PLR0913 - who is asked and told, each by its own name
        self,
        sender: Sender,
        drawings: Drawings,
        note_shown: NoteShown,
        again: Again,
        sleep: Sleep,
        apologies: Apologies,
        others: Others | None = None,
    ) -> None:
        """`others`: the processes that serve the same chats; None when there are none."""
        self._apologies = apologies
        self._sender = sender
        self._drawings = drawings
        self._note_shown = note_shown
        self._again = again
        self._sleep = sleep
        self._others = others
        self._late: dict[int, int] = {}  # chat -> how often its reply could not be delivered
        self._retries: set[asyncio.Task[None]] = set()
        self._tails: dict[int, asyncio.Task[None]] = {}
        self._chats: OrderedDict[int, _Chat] = OrderedDict()

    def submit(self, reply: Reply) -> None:
        """Show a reply as soon as the chat's earlier ones are shown."""
        if reply.turn.silent:
            return
        task = asyncio.create_task(self._in_order(reply, self._tails.get(reply.chat_id)))
        self._tails[reply.chat_id] = task
        task.add_done_callback(lambda done: self._forget(reply.chat_id, done))

    async def settled(self, chat_id: int, within: float) -> None:
        """Wait until the chat's replies are shown, but not longer than `within` seconds."""
        if tail := self._tails.get(chat_id):
            await asyncio.wait({tail}, timeout=within)

    async def finish(self, within: float) -> None:
        """Wait for the replies under way; those that take longer are shown after a restart."""
        for retry in self._retries:
            retry.cancel()
        pending = set(self._tails.values())
        if pending:
            await asyncio.wait(pending, timeout=within)
        for task in set(self._tails.values()):
            task.cancel()

    def _forget(self, chat_id: int, done: asyncio.Task[None]) -> None:
        if self._tails.get(chat_id) is done:
            del self._tails[chat_id]

    async def _in_order(self, reply: Reply, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            await asyncio.wait({earlier})
        try:
            if (wanted := await self._still_wanted(reply)) is not None:
                await self._show(wanted)
            self._late.pop(reply.chat_id, None)
        except Unreachable:
            logger.info("patient is unreachable", action="unreachable")
        except Undelivered as error:
            logger.warning("reply not delivered", action="reply_undelivered", error=str(error))
            self._retry_later(reply.chat_id)
        except Exception as error:  # noqa: BLE001 - one chat must never stop the others
            name, at = type(error).__name__, place_of(error)
            logger.error("reply failed", action="reply_failed", error=name, at=at)
            await self._apologise(reply, error)

    async def _apologise(self, reply: Reply, error: Exception) -> None:
        """Say how to reach a person when a screen cannot be made; once, not at every start."""
        if reply.is_reminder or isinstance(error, StorageError):  # the screen itself was sent
            return
        words = await self._apologies.prepare(reply.chat_id)
        await self._apologies.say(reply.chat_id, words)

    async def _still_wanted(self, reply: Reply) -> Reply | None:
        """Look again whether a chat is without an answer, once whoever owes it had their time."""
        if not reply.is_reminder:
            return reply
        if self._others is None:
            return await self._again(reply.chat_id)
        await self._sleep(self._others.patience)
        while (wanted := await self._again(reply.chat_id)) is not None:
            revision = wanted.turn.conversation.revision
            if await self._others.claim(reply.chat_id, revision, _CLAIMED_FOR):
                return wanted
            await self._sleep(_CLAIMED_FOR)  # whoever took it on has shown it by then, or is dead
        return None

    def _retry_later(self, chat_id: int) -> None:
        """Show the screen when Telegram may be back; a restart tries again what is given up."""
        failures = self._late[chat_id] = self._late.get(chat_id, 0) + 1
        if failures > _RETRIES:
            return
        retry = asyncio.create_task(self._retry(chat_id, _RETRY_AFTER * 2.0**failures))
        self._retries.add(retry)
        retry.add_done_callback(self._retries.discard)

    async def _retry(self, chat_id: int, after: float) -> None:
        await self._sleep(after)
        try:
            reply = await self._again(chat_id)
        except StorageError:
            self._retry_later(chat_id)
            return
        if reply is not None and chat_id not in self._tails:
            self.submit(reply)

    async def _show(self, reply: Reply) -> None:
        conversation = reply.turn.conversation
        shown = screens.is_same(reply.before, conversation)
        screen = screens.render(conversation, reply.turn.notes, reply.scene, shown=shown)
        chat = self._chat(reply)
        picture = _picture(reply, screen)
        if picture is None and _stays_in_place(reply, chat, screen):
            assert chat.current is not None  # noqa: S101 - part of staying in place
            chat.current = await self._sender.replace(reply.chat_id, chat.current, screen)
        else:
            old, closing = chat.current, asyncio.create_task(self._close(reply, chat.current))
            chat.current = await self._send(reply, screen, picture)
            await closing
            chat.closed = old
        chat.revision = conversation.revision
        if "calendar" in reply.turn.files:  # before the note: what is noted was sent in full
            await self._send_calendar(reply)
        if "cancelled" in reply.turn.files:
            await self._send_cancellation(reply)
        await self._note_shown(reply.chat_id, conversation.revision, chat.current)

    async def _send(self, reply: Reply, screen: Screen, picture: str | None) -> int:
        if _left_contact(reply):
            key = "screen.contact.thanks" if _gave_number(reply) else "screen.contact.closed"
            words = Page(reply.turn.conversation, reply.scene).say(key)
            await self._sender.drop_contact(reply.chat_id, words)
        if picture is not None:
            await self._send_picture(reply, picture)
        if screen.contact is not None and not _is_at(reply, Stage.CONTACT):
            await self._sender.ask_contact(reply.chat_id, screen.contact)
        return await self._sender.show(reply.chat_id, screen)

    async def _close(self, reply: Reply, message_id: int | None) -> None:
        """Take the buttons off the old message, and shorten it when it was answered."""
        if message_id is None:
            return
        try:
            words = screens.closing(reply.before, reply.turn, reply.scene)
            if words:
                await self._sender.close(reply.chat_id, message_id, words)
            else:
                await self._sender.strip(reply.chat_id, message_id)
        except (Unreachable, Undelivered):
            logger.info("old message left as it was", action="close_failed")

    async def _send_picture(self, reply: Reply, name: str) -> None:
        page = Page(reply.turn.conversation, reply.scene)
        try:
            upload = await self._drawings.upload(name, page)
            file_id = await self._sender.picture(reply.chat_id, upload)
            self._drawings.remember(name, page, file_id)
        except Undelivered as error:
            # The words below say the same, so the chat goes on without the picture.
            self._drawings.forget(name, page)
            logger.warning("picture not delivered", action="picture_failed", error=str(error))

    async def _send_calendar(self, reply: Reply) -> None:
        page = Page(reply.turn.conversation, reply.scene)
        booking = page.conversation.booking
        if page.clinic is None or not booking.sessions:
            return
        content = calendar_file(page.clinic, booking, page.catalogue, page.scene.now)
        caption = page.say("screen.booked.calendar_caption")
        await self._send_file(reply, Upload("appointments.ics", content, caption=caption))

    async def _send_cancellation(self, reply: Reply) -> None:
        """Send what takes the times out of the patient's own calendar again."""
        page = Page(reply.turn.conversation, reply.scene)
        before = reply.before.booking.booked if reply.before else ()
        kept = {each.uid for each in reply.turn.conversation.booking.booked}
        gone = [
            each for each in before if each.uid not in kept and each.slot.starts_at > page.scene.now
        ]
        if page.clinic is None or not gone:
            return
        content = cancellation_file(page.clinic, gone, page.catalogue, page.scene.now)
        caption = page.say("screen.cancel.calendar_caption")
        await self._send_file(reply, Upload("cancelled.ics", content, caption=caption))

    async def _send_file(self, reply: Reply, upload: Upload) -> None:
        try:
            await self._sender.document(reply.chat_id, upload)
        except Undelivered as error:
            # What is booked has a button for its file; what is cancelled was said in words.
            logger.warning("file not delivered", action="file_failed", error=str(error))

    def _chat(self, reply: Reply) -> _Chat:
        chat = self._chats.setdefault(reply.chat_id, _Chat(current=reply.message_id))
        if reply.shown_revision is not None and reply.shown_revision > chat.revision:
            # Another process showed the latest screen.
            chat.current, chat.closed, chat.revision = reply.message_id, None, reply.shown_revision
        self._chats.move_to_end(reply.chat_id)
        if len(self._chats) > _CHATS_REMEMBERED:
            self._chats.popitem(last=False)
        return chat


def _stays_in_place(reply: Reply, chat: _Chat, screen: Screen) -> bool:
    """Say whether the screen replaces the message that the patient pressed."""
    arrival = reply.arrival
    if chat.current is None or arrival is None or arrival.typed:
        return False
    if screen.aside or reply.turn.receipt is not None:
        return False
    if _left_contact(reply) or (screen.contact and not _is_at(reply, Stage.CONTACT)):
        return False  # the button under the writing field comes and goes with a message
    if reply.turn.conversation.state == Stage.BOOKED and any(_is_at(reply, s) for s in _KEPT):
        return False
    # A second tap on a question that has just become a receipt: its successor is right below.
    return arrival.message_id in (chat.current, chat.closed)


def _picture(reply: Reply, screen: Screen) -> str | None:
    if "timeline" in reply.turn.files:
        return "timeline"
    went_back = reply.arrival is not None and isinstance(reply.arrival.event, WentBack)
    if went_back or _is_at(reply, reply.turn.conversation.state):
        return None
    return screen.picture


def _is_at(reply: Reply, state: str) -> bool:
    """Say whether the chat stood there before the turn."""
    return reply.before is not None and reply.before.state == state


def _left_contact(reply: Reply) -> bool:
    return _is_at(reply, Stage.CONTACT) and reply.turn.conversation.state != Stage.CONTACT


def _gave_number(reply: Reply) -> bool:
    return any(isinstance(effect, SavePhone) for effect in reply.turn.effects)
