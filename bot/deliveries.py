"""What the outbox holds for Telegram, sent: each message with one call, its words made now.

Whether a message is sent again is the outbox's decision alone (`bot.worker`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram import Bot

from bot import nudge_messages, patient_messages
from bot.clock import Clock
from bot.markup import Screen
from bot.pace import Pace
from bot.request import AiohttpRequest, base_urls
from bot.sender import Sender
from bot.staff_words import StaffWords
from bot.worker import Deliver
from flows.follow_up import NudgeKind
from flows.texts import Catalogue
from storage import (
    clashes,
    crash_points,
    erasure_cards,
    message_facts,
    nudge_facts,
    staff_cards,
)
from storage.database import Database
from storage.deliveries import GiveUp, Unwanted
from storage.outbox import OutboxRow
from storage.outbox_policy import Kind


class NothingToSay(Unwanted):
    """What the message was about is gone, and nobody misses the message."""

    def __init__(self, words: str) -> None:
        super().__init__(type(self).__name__)
        self.args = (words,)


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Sends the kinds of message that go to Telegram chats."""

    database: Database
    sender: Sender
    clock: Clock
    catalogues: Mapping[str, Catalogue]
    console_url: str = ""

    def by_kind(self) -> Mapping[Kind, Deliver]:
        """Return how each kind is sent."""
        return {
            Kind.CONFIRMATION: self._to_patient(self._about_visit),
            Kind.NUDGE: self._to_patient(self._nudge),
            Kind.REPLY: self._to_patient(self._reply),
            Kind.CARD: self._card,
        }

    def _to_patient(self, made: Callable[[int, OutboxRow], Awaitable[Screen]]) -> Deliver:
        async def deliver(row: OutboxRow) -> int:
            if row.chat_id is None:
                raise NothingToSay("a message to a patient must name a chat")
            return await self.sender.once(row.chat_id, await made(row.chat_id, row))

        return deliver

    async def _about_visit(self, chat_id: int, row: OutboxRow) -> Screen:
        facts = await self.database.read(message_facts.of_visit, chat_id, row.ref_id)
        key = str(row.payload.get("text", ""))
        if facts is None:
            raise NothingToSay("the appointment is gone")
        if not all(each.has(key) for each in self.catalogues.values()):
            raise GiveUp("UnknownText")
        return patient_messages.visit(key, facts, self.catalogues, self.clock.now())

    async def _nudge(self, chat_id: int, row: OutboxRow) -> Screen:
        uid, ref = str(row.payload.get("uid", "")), str(row.payload.get("ref", ""))
        facts = await self.database.read(nudge_facts.load, chat_id, uid, ref)
        kind = next((kind for kind in NudgeKind if kind == row.payload.get("nudge")), None)
        if facts is None or kind is None:
            raise NothingToSay("whom or what the message is about is gone")
        return nudge_messages.nudge(kind, facts, self.catalogues, self.clock.now())

    async def _reply(self, chat_id: int, row: OutboxRow) -> Screen:
        message_id = int(row.payload.get("message", 0))
        facts = await self.database.read(message_facts.of_reply, chat_id, message_id)
        if facts is None:
            raise NothingToSay("what staff wrote is gone")
        return patient_messages.reply(facts, self.catalogues, self.clock.now())

    async def _card(self, row: OutboxRow) -> int | None:
        if "clash" in row.payload:
            return await self._clash(int(row.payload["clash"]), int(row.ref_id))
        if "erased" in row.payload:
            return await self._erased(row)
        lead_id, member_id = int(row.payload["lead"]), int(row.ref_id)
        facts = await self.database.read(staff_cards.facts, lead_id, member_id, self.clock.now())
        if facts is None or facts.chat_id is None:
            raise NothingToSay("the lead or the member is gone")
        words = StaffWords(self.catalogues, facts.locale, facts.zone)
        if "redraw" in row.payload:
            card = words.card(facts, self.console_url)
            await self.sender.redraw_once(facts.chat_id, int(row.payload["redraw"]), card)
            return None  # no card of its own
        kind = str(row.payload.get("kind", ""))
        return await self.sender.once(facts.chat_id, words.card(facts, self.console_url, kind))

    async def _erased(self, row: OutboxRow) -> int:
        reader = await self.database.read(erasure_cards.reader, int(row.ref_id))
        if reader is None:
            raise NothingToSay("the member is gone")
        words = StaffWords(self.catalogues, reader.locale, reader.zone)
        lead, visits = row.payload["erased"], row.payload["visits"]
        said = words.say("card.erased", lead=lead, clinic=reader.clinic, count=visits)
        return await self.sender.once(reader.chat_id, Screen(said))

    async def _clash(self, clash_id: int, member_id: int) -> int:
        card = await self.database.read(clashes.card, clash_id, member_id)
        if card is None:
            raise NothingToSay("the clash was settled, or the member is gone")
        words = StaffWords(self.catalogues, card.locale, card.zone)
        return await self.sender.once(card.chat_id, Screen(words.outside_change(card)))


@asynccontextmanager
async def delivering(  # noqa: PLR0913 - what differs between Telegram, the playground and the tests
    *,
    token: str,
    api_url: str | None,
    database: Database,
    clock: Clock,
    pace: Pace,
    catalogues: Mapping[str, Catalogue],
    console_url: str = "",
    passed: crash_points.Passed = crash_points.unwatched,
) -> AsyncIterator[Mapping[Kind, Deliver]]:
    """Lend what sends each kind of message to Telegram until the block ends.

    `pace` is the one that the process's replies keep to, so that these go first.
    """
    request = AiohttpRequest(connections=8, passed=passed)
    bot = Bot(token, *base_urls(api_url), request=request, get_updates_request=request)
    await request.initialize()
    try:
        sender = Sender(bot, pace, asyncio.sleep, _noted_by_the_outbox)
        yield Deliveries(database, sender, clock, catalogues, console_url).by_kind()
    finally:
        await request.shutdown()


async def _noted_by_the_outbox(_chat_id: int) -> None:
    """`Sender.once` never reports a lost patient: `outbox.block` notes it with the message."""
