"""A clinic's people in Telegram: who comes, time off, cards, a way into the console.

What is done is done once for an update, whatever is sent again: time off has the update's number
in its UID, a card's button names the status, and the update is settled after the answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from telegram import Bot, BotCommand, BotCommandScopeChat
from telegram.error import TelegramError

from bot import staff_time_off
from bot.markup import Screen
from bot.scenery import Scenery
from bot.sender import Sender, Undelivered, Unreachable
from bot.staff_time_off import Person
from bot.staff_words import COMMANDS, StaffWords
from bot.updates import StaffCall
from storage import calendar_store, clinics, inbox, staff, staff_cards, time_off
from storage.bookings import SlotsGone
from storage.clerks import ChangedMeanwhile, Clerk, NotAllowed
from storage.database import Database
from storage.staff import Member
from storage.time_off import Clashes, TimeOff

logger = structlog.get_logger(__name__)

Members = Sequence[Member]

#: What the buttons of `/off` mean, as it would be written.
_WHEN = {"afternoon": "this afternoon", "today": "today", "tomorrow": "tomorrow"}


class StaffDesk:
    """Deals with what staff do in their own chats."""

    def __init__(
        self, database: Database, bot: Bot, sender: Sender, scenery: Scenery, console_url: str
    ) -> None:
        self._database = database
        self._bot = bot
        self._sender = sender
        self._scenery = scenery
        self._console_url = console_url
        self._commands: Mapping[str, Callable[[StaffCall, Members], Awaitable[None]]] = {
            "today": self._today,
            "week": self._week,
            "off": self._off,
            "console": self._console,
            "cards": self._cards,
            "leave": self._leave,
            "help": self._help,
            "press": self._press,
        }
        self._presses: Mapping[str, Callable[[StaffCall, Members, list[str]], Awaitable[None]]] = {
            "lead": self._settle_lead,
            "when": self._choose_when,
            "off": self._choose_who,
            "back": self._take_back,
        }

    async def take(self, call: StaffCall) -> bool:
        """Deal with a call; False when it comes from nobody of a clinic. Raises StorageError."""
        arrival = call.arrival
        settled = await self._database.read(
            inbox.is_settled, arrival.update_id, bot_id=self._bot.id
        )
        if settled:
            return True
        members = await self._database.read(staff.of_chat, arrival.chat_id)
        if call.name == "join":
            await self._join(call, members)
        elif members:
            await self._commands[call.name](call, members)
        else:
            return False
        await self._settle(call)
        return True

    async def _settle(self, call: StaffCall) -> None:
        number, now = call.arrival.update_id, self._now()
        await self._database.write(inbox.claim, number, now, bot_id=self._bot.id)

    async def _join(self, call: StaffCall, members: Members) -> None:
        chat_id = call.arrival.chat_id
        joined = await self._database.write(staff.join, call.rest, chat_id, self._now())
        if joined is None and members:  # the same invitation again: they are in already
            joined = members[-1]
        if joined is None:
            words = StaffWords(self._scenery.catalogues, call.arrival.locale, "UTC")
            await self._show(call, Screen(words.say("bad_invitation")))
            return
        words = self._words(joined)
        await self._show(
            call, Screen(words.say("joined", name=joined.name, clinic=joined.clinic_name))
        )
        await self._set_commands(chat_id, words)

    async def _today(self, call: StaffCall, members: Members) -> None:
        parts = []
        for member in members:
            words, midnight = self._words(member), self._midnight(member)
            rows = await self._agenda(member, midnight, 1)
            names = await self._names(member)
            parts.append(words.agenda(member.clinic_name, words.day(midnight), rows, names))
        await self._show(call, Screen("\n\n".join(parts)))

    async def _week(self, call: StaffCall, members: Members) -> None:
        for member in members:
            words, midnight = self._words(member), self._midnight(member)
            zone = ZoneInfo(member.zone)
            rows = await self._agenda(member, midnight, 7)
            days = []
            for number in range(7):
                start = (midnight.astimezone(zone) + timedelta(days=number)).astimezone(UTC)
                on = start.astimezone(zone).date()
                days.append((start, [r for r in rows if r.starts_at.astimezone(zone).date() == on]))
            names = await self._names(member)
            await self._show(call, Screen(words.week(member.clinic_name, days, names)))

    async def _off(self, call: StaffCall, members: Members) -> None:
        words = self._words(members[0])
        if not call.rest:
            await self._show(call, words.ask_when())
            return
        people = await self._people(members)
        text, named = staff_time_off.named(call.rest, people)
        await self._off_at(call, members, text, named)

    async def _off_at(
        self, call: StaffCall, members: Members, text: str, named: Sequence[Person]
    ) -> None:
        member, words = members[0], self._words(members[0])
        span = staff_time_off.read(text, words.catalogue.locale, self._now(), member.zone)
        if span is None:
            await self._show(call, Screen(words.say("off.example")))
            return
        people = named or _themselves(await self._people(members), members)
        if people:
            await self._block(call, members, people, span)
        else:
            await self._show(call, words.ask_who(await self._people(members), *span))

    async def _block(
        self,
        call: StaffCall,
        members: Members,
        people: Sequence[Person],
        span: tuple[datetime, datetime],
    ) -> None:
        member = next((m for m in members if m.clinic_id == people[0].clinic_id), None)
        if member is None:
            return
        words, number = self._words(member), call.arrival.update_id
        theirs = [each for each in people if each.clinic_id == member.clinic_id]
        wanted = [TimeOff(self._uid(number, each.slug), each.slug, *span) for each in theirs]
        when = words.span(*span)
        try:
            await self._database.write(time_off.block_all, self._clerk(member), wanted)
        except Clashes as found:
            screen = Screen(words.clashes(when, found.clashing))
        except SlotsGone:
            screen = Screen(words.say("off.taken"))
        except NotAllowed:
            screen = Screen(words.say("off.past"))
        else:
            screen = words.off_done(theirs, when, f"{member.clinic_id}.{number}")
        await self._show(call, screen)

    async def _console(self, call: StaffCall, members: Members) -> None:
        for member in members:
            words = self._words(member)
            if not self._console_url:
                await self._show(call, Screen(words.say("no_console")))
                return
            token = self._scenery.new_token() + self._scenery.new_token()
            link = await self._database.write(
                staff.sign_in_link, member.id, self._console_url, token, self._now()
            )
            await self._show(call, words.sign_in(member.clinic_name, link))

    async def _cards(self, call: StaffCall, members: Members) -> None:
        words, wish = self._words(members[0]), call.rest.strip().lower()
        wanted = wish == "on" if wish in ("on", "off") else members[0].wants_cards
        if wish in ("on", "off"):
            for member in members:
                await self._database.write(staff.set_cards, member.id, wanted=wanted)
        await self._show(call, Screen(words.say("cards_on" if wanted else "cards_off")))

    async def _help(self, call: StaffCall, members: Members) -> None:
        await self._show(call, self._words(members[0]).help())

    async def _leave(self, call: StaffCall, members: Members) -> None:
        # Settled first: sent again to nobody of a clinic, it would be taken for a patient's.
        await self._settle(call)
        for member in members:
            await self._database.write(staff.leave, member.id, self._now())
            words = self._words(member)
            await self._show(call, Screen(words.say("left", clinic=member.clinic_name)))
        try:
            scope = BotCommandScopeChat(call.arrival.chat_id)
            await self._bot.delete_my_commands(scope=scope)
        except TelegramError as error:
            _log_failure(error)

    async def _press(self, call: StaffCall, members: Members) -> None:
        name, *words = call.rest.split(".")
        press = self._presses.get(name)
        try:
            if press is not None:
                await press(call, members, words)
        except (ValueError, IndexError, OverflowError):  # a payload that none of ours could be
            logger.info("staff button not understood", action="staff_press_unknown")
        finally:
            await self._sender.answer(call.arrival.callback_query_id or "")

    async def _settle_lead(self, call: StaffCall, members: Members, rest: list[str]) -> None:
        wanted, lead_id = rest[0], int(rest[1])
        for member in members:
            facts = await self._database.read(staff_cards.facts, lead_id, member.id, self._now())
            if facts is None:
                continue
            if wanted == "confirmed":
                done = await self._confirm(member, lead_id, int(rest[2]))
            else:
                done = await self._database.write(
                    staff_cards.settle, member, lead_id, "".join(rest[2:]), wanted, self._now()
                )
            await self._answer_press(call, member, lead_id, wanted, done=done)
            return
        words = self._words(members[0])
        await self._show(call, Screen(words.say("card.gone")))

    async def _confirm(self, member: Member, lead_id: int, asked: int) -> bool:
        """Confirm the visits that a card shows; the patient is told once."""
        try:
            return await self._database.write(
                staff_cards.confirm, member, lead_id, asked, self._now()
            )
        except (ChangedMeanwhile, NotAllowed):
            return False

    async def _answer_press(
        self, call: StaffCall, member: Member, lead_id: int, wanted: str, *, done: bool
    ) -> None:
        """Say what became of a press, and show at once on its card how the lead stands now.

        The outbox draws all cards of the lead anew, this one too.
        """
        now = self._now()
        facts = await self._database.read(staff_cards.facts, lead_id, member.id, now)
        if facts is None:
            return
        words = self._words(member)
        if done:
            toast = words.done(facts)
        elif wanted == "confirmed":  # the visits are others now, whoever set the status
            toast = words.say("card.changed")
        else:
            toast = words.overtaken(facts, now)
        await self._sender.answer(call.arrival.callback_query_id or "", toast)
        await self._show(call, words.card(facts, self._console_url))

    async def _choose_when(self, call: StaffCall, members: Members, rest: list[str]) -> None:
        if rest[0] in _WHEN:
            await self._off_at(call, members, _WHEN[rest[0]], ())

    async def _choose_who(self, call: StaffCall, members: Members, rest: list[str]) -> None:
        clinic_id, slug, start, end = int(rest[0]), rest[1], int(rest[2]), int(rest[3])
        people = [
            each
            for each in await self._people(members)
            if each.clinic_id == clinic_id and slug in ("*", each.slug)
        ]
        if people:
            span = (datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
            await self._block(call, members, people, span)

    async def _take_back(self, call: StaffCall, members: Members, rest: list[str]) -> None:
        clinic_id, number = int(rest[0]), int(rest[1])
        for member in members:
            if member.clinic_id != clinic_id:
                continue
            clerk, prefix = self._clerk(member), self._uid(number, "")
            try:
                freed = await self._database.write(time_off.take_back, clerk, prefix)
            except ChangedMeanwhile:
                freed = 0
            key = "off.undone" if freed else "off.not_undone"
            await self._show(call, Screen(self._words(member).say(key)))

    async def _show(self, call: StaffCall, screen: Screen) -> None:
        """Answer: in the place of the message whose button was pressed, or below the command."""
        arrival = call.arrival
        try:
            if call.name == "press" and arrival.message_id is not None:
                await self._sender.replace(arrival.chat_id, arrival.message_id, screen)
            else:
                await self._sender.show(arrival.chat_id, screen)
        except (Unreachable, Undelivered) as error:
            _log_failure(error)

    async def _set_commands(self, chat_id: int, words: StaffWords) -> None:
        commands = [BotCommand(name, words.say(f"command.{name}")) for name in COMMANDS]
        try:
            await self._bot.set_my_commands(commands, scope=BotCommandScopeChat(chat_id))
        except TelegramError as error:
            _log_failure(error)

    async def _agenda(
        self, member: Member, midnight: datetime, days: int
    ) -> list[calendar_store.AgendaRow]:
        zone = ZoneInfo(member.zone)
        until = (midnight.astimezone(zone) + timedelta(days=days)).astimezone(UTC)
        rows = await self._database.read(calendar_store.agenda, member.clinic, midnight, until)
        now = self._now()
        return [row for row in rows if row.hold_until is None or row.hold_until > now]

    async def _names(self, member: Member) -> dict[str, str]:
        known = await self._database.read(clinics.load_all)
        return dict(known[member.clinic].practitioners)

    async def _people(self, members: Members) -> tuple[Person, ...]:
        known = await self._database.read(clinics.load_all)
        return tuple(
            person
            for member in members
            for person in staff_time_off.people_of(member.clinic_id, known[member.clinic])
        )

    def _midnight(self, member: Member) -> datetime:
        zone = ZoneInfo(member.zone)
        today = self._now().astimezone(zone).date()
        return datetime.combine(today, time(), zone).astimezone(UTC)

    def _words(self, member: Member) -> StaffWords:
        return StaffWords(self._scenery.catalogues, member.locale, member.zone)

    def _clerk(self, member: Member) -> Clerk:
        return Clerk(member.clinic_id, member.id, self._now())

    def _uid(self, update_id: int, slug: str) -> str:
        return f"off-{self._bot.id}-{update_id}-{slug}"

    def _now(self) -> datetime:
        return self._scenery.clock.now()


def _themselves(people: Sequence[Person], members: Members) -> tuple[Person, ...]:
    """Return who a member is among those who treat, or the only one there is."""
    if len(people) == 1:
        return tuple(people)
    names = {(member.clinic_id, member.name.casefold()) for member in members}
    return tuple(each for each in people if (each.clinic_id, each.name.casefold()) in names)


def _log_failure(error: Exception) -> None:
    logger.info("staff not answered", action="staff_failed", error=type(error).__name__)
