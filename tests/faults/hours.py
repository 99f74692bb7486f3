"""Every hour of a year in four time zones: offered, stored, shown, written to a file, reminded of.

The clock to compare with is a plain table of when the offsets change, made by hand from the rules
of each place, so that no library of time zones judges itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.calendar_file import REMIND_BEFORE, calendar_file
from bot.page import Page
from flows import slots
from flows.conversation import BookedSession, Booking, Conversation
from flows.effects import ConfirmSeries
from flows.quiet_hours import QuietHours
from flows.slots import CalendarView, Slot
from flows.turn import Scene
from storage import bookings, calendar_store, clinics
from storage.bookings import Booker
from storage.database import Database, connect
from storage.turns import commit
from tests.builders import a_conversation, a_turn
from tests.flows.chat import catalogues

YEAR = 2027
NOW = datetime(2026, 12, 30, 12, tzinfo=UTC)
HALF = timedelta(minutes=30)
DAY = timedelta(days=1)
MIDNIGHTS = tuple(datetime(YEAR, 1, 1) + n * DAY for n in range(365))  # noqa: DTZ001 - wall clocks
QUIET = QuietHours(time(20), time(8))
CHAT = 7


@dataclass(frozen=True, slots=True)
class PlainClock:
    """Offsets of one place over the year: the first one, and at which instants it changes."""

    zone: str
    first: float  # hours east of UTC on 1 January
    changes: tuple[tuple[datetime, float], ...] = ()

    def wall(self, instant: datetime) -> datetime:
        """Return what a clock on the wall shows, without a zone."""
        offset = self.first
        for at, then in self.changes:
            offset = then if instant >= at else offset
        return (instant + timedelta(hours=offset)).replace(tzinfo=None)

    def instants(self, wall: datetime) -> list[datetime]:
        """Return when the clock shows this: once, never or twice, soonest first."""
        offsets = {self.first, *(then for _, then in self.changes)}
        guesses = sorted(wall.replace(tzinfo=UTC) - timedelta(hours=each) for each in offsets)
        return [guess for guess in guesses if self.wall(guess) == wall]


def _utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(YEAR, month, day, hour, minute, tzinfo=UTC)


CLOCKS = (
    PlainClock("Europe/Berlin", 1, ((_utc(3, 28, 1), 2), (_utc(10, 31, 1), 1))),
    PlainClock("America/New_York", -5, ((_utc(3, 14, 7), -4), (_utc(11, 7, 6), -5))),
    PlainClock("Australia/Lord_Howe", 11, ((_utc(4, 3, 15), 10.5), (_utc(10, 2, 15, 30), 11))),
    PlainClock("Asia/Kolkata", 5.5),
)


@dataclass
class Checked:
    """What was compared and what differed."""

    hours: int = 0
    gaps: int = 0  # hours that the clocks leave out
    differing: tuple[str, ...] = ()

    def compare(self, what: str, found: object, wanted: object) -> None:
        """Note a difference; of lists the first places that differ."""
        if isinstance(found, list) and isinstance(wanted, list):
            found, wanted = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
            if found or wanted:
                self.compare(what, str(found[:3]), f"{wanted[:3]}")
        elif found != wanted:
            self.differing = (*self.differing, f"{what}: {found}, should be {wanted}")


async def check(database_url: str, every: int) -> Checked:
    """Check what is offered in the whole year in every zone, and book each `every`-th hour.

    The hours on both sides of a change of the clocks are always among them.
    """
    checked = Checked()
    database = connect(database_url)
    try:
        await database.write(clinics.import_clinic, "\n".join(map(_clinic, CLOCKS)), "hours.toml")
        await database.write(commit, a_turn(conversation=a_conversation(CHAT)))
        for clock in CLOCKS:
            await _check_zone(database, clock, every, checked)
    finally:
        await database.close()
    return checked


async def _check_zone(database: Database, clock: PlainClock, every: int, checked: Checked) -> None:
    walls = [midnight + timedelta(hours=hour) for midnight in MIDNIGHTS for hour in range(24)]
    times = [clock.instants(wall) for wall in walls]
    wanted = [each[0] for each in times if each]
    checked.hours += len(walls)
    checked.gaps += len(walls) - len(wanted)
    offered = await _offered(database, clock)
    checked.compare(f"{clock.zone} offers", _starts(offered), wanted)
    near = {at + n * HALF for at, _ in clock.changes for n in range(-6, 7)}
    chosen = [slot for n, slot in enumerate(offered) if n % every == 0 or slot.starts_at in near]
    await _store(database, clock, chosen)
    slug = _slug(clock)
    rows = await database.read(calendar_store.agenda, slug, wanted[0] - DAY, wanted[-1] + DAY)
    checked.compare(f"{clock.zone} stored", [row.starts_at for row in rows], _starts(chosen))
    free = sorted(set(wanted) - set(_starts(chosen)))
    checked.compare(f"{clock.zone} offers again", _starts(await _offered(database, clock)), free)
    scene = await _scene(database)
    _check_words(chosen, clock, scene, checked)
    _check_file(chosen, clock, scene, checked)
    _check_quiet_hours(clock, checked)


async def _offered(database: Database, clock: PlainClock) -> list[Slot]:
    first, last = date(YEAR, 1, 1), date(YEAR, 12, 31)
    view: CalendarView = await database.read(
        calendar_store.view, _slug(clock), "treatment", first, last, NOW, CHAT
    )
    return list(slots.free_slots(view, view.timetables[0], first, last))


def _starts(offered: Iterable[Slot]) -> list[datetime]:
    return [slot.starts_at for slot in offered]


async def _store(database: Database, clock: PlainClock, offered: Sequence[Slot]) -> None:
    booker = Booker(CHAT + 1 + CLOCKS.index(clock), 1, _slug(clock), NOW)
    met = a_turn(conversation=a_conversation(booker.chat_id))
    await database.write(commit, met)

    async def store(number: int) -> None:
        taken = _sessions(offered[number : number + 24], f"{_slug(clock)}-{number}")
        series = ConfirmSeries(f"{number}", "AB12", "treatment", taken, pending=False)
        await database.write(bookings.confirm, booker, series)

    await asyncio.gather(*map(store, range(0, len(offered), 24)))


def _sessions(chosen: Sequence[Slot], uid: str) -> tuple[BookedSession, ...]:
    return tuple(BookedSession(f"{uid}-{n}", slot, n) for n, slot in enumerate(chosen, 1))


async def _scene(database: Database) -> Scene:
    known = await database.read(clinics.load_all)
    return Scene(NOW, "0f3a9c5be1d24786aa01", {}, known, catalogues())


def _check_words(chosen: Iterable[Slot], clock: PlainClock, scene: Scene, checked: Checked) -> None:
    page = Page(Conversation(CHAT, "booked", clinic=_slug(clock)), scene)
    for slot in chosen:
        wall = clock.wall(slot.starts_at)
        said = f"{wall:%a} {wall.day} {wall:%b %Y, %H:%M}"
        checked.compare(f"{clock.zone} shows", page.when(slot), said)


def _check_file(chosen: Sequence[Slot], clock: PlainClock, scene: Scene, checked: Checked) -> None:
    """Read the times back out of the file as a calendar would, and the reminders with them."""
    booking = Booking(service="treatment", sessions=_sessions(chosen, "file"))
    written = calendar_file(scene.clinics[_slug(clock)], booking, catalogues()["en"], NOW).decode()
    found = [
        datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        for stamp in re.findall(r"DTSTART:(\w+)\r\n", written)
    ]
    checked.compare(
        f"{clock.zone} writes",
        list(map(clock.wall, found)),
        [clock.wall(s.starts_at) for s in chosen],
    )
    triggers = re.findall(r"TRIGGER:(\S+)\r\n", written)
    checked.compare(f"{clock.zone} reminds", set(triggers), {"-P1D"})
    checked.compare("the reminder", REMIND_BEFORE, DAY)


def _check_quiet_hours(clock: PlainClock, checked: Checked) -> None:
    """A nudge of any hour goes out by day on the clinic's clock, and never earlier than due."""
    for number in range(365 * 24):
        due = datetime(YEAR, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        sent = QUIET.until(due, clock.zone) or due
        at = clock.wall(sent)
        by_day = 8 <= at.hour < 20
        late = sent - due
        # A night on which the clocks go back has thirteen quiet hours.
        fits = by_day and timedelta(0) <= late <= timedelta(hours=13)
        checked.compare(f"{clock.zone} sends what is due at {due}", fits or at, True)


def _slug(clock: PlainClock) -> str:
    return clock.zone.rpartition("/")[2].replace("_", "").lower()


def _clinic(clock: PlainClock) -> str:
    days = "\n".join(f'{day} = ["00:00-23:45"]' for day in _weekdays())
    return f"""
[[clinics]]
slug = "{_slug(clock)}"
name = "Every Hour"
zone = "{clock.zone}"
locale = "en"
address = "1 Long Road"
phone = "+44 20 7946 0000"
emergency = "112"
crisis_line = "112"
[clinics.booking]
notice_hours = 0
horizon_days = 730
[clinics.services.treatment]
name = "Visit"
minutes = 30
step_minutes = 60
[clinics.services.consultation]
name = "Talk"
minutes = 30
[[clinics.practitioners]]
slug = "ana"
name = "Ana"
[clinics.practitioners.hours]
{days}
"""


def _weekdays() -> Iterator[str]:
    return iter(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
