"""Any mix of holds, bookings, moves and cancellations, against a plain calendar in memory.

The plain calendar decides by looking at every row, at a day that staff close and open, and at the
notice that the clinic wants; after each step the database must have given the same answer and hold
the same rows. At the end the judge of histories reads the whole log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection, delete, insert, select, update

from flows.effects import CancelSeries, ConfirmSeries, HoldSeries, MoveAppointment, ReleaseHold
from flows.slots import Slot
from storage import bookings, clinics, patients
from storage.bookings import Booker, NoSuchAppointment, SlotsGone
from storage.database import Database, connect
from storage.models import Appointment, Clinic, Closure
from tests.builders import MONDAY, NOW, a_slot, open_always, sessions
from tests.faults.histories import OCCUPYING, Ask, Deed, Row, Rules, Told, complaints
from tests.faults.racers import rows_of

RULES = Rules(after=timedelta(minutes=15))
CHATS = (1, 2)
HOLD_FOR = timedelta(minutes=10)

#: Few times, close together, so that bookers meet; the first is soon past.
TIMES = [
    a_slot(start, practitioner=who)
    for start in (
        NOW + timedelta(minutes=20),
        *(MONDAY + timedelta(minutes=minutes) for minutes in (0, 30, 75, 150)),
        MONDAY + timedelta(days=7),
    )
    for who in ("amara", "rowan")
]


class Desk:
    """A database that is asked one thing after another, from synchronous code.

    Its clinic is open day and night, but for what the machine sets.
    """

    def __init__(self, database_url: str) -> None:
        self._runner = asyncio.Runner()
        self._database: Database = connect(database_url)
        self._do(clinics.import_clinic, open_always(), "demo_clinic.toml")
        for chat in CHATS:
            self._do(patients.save, chat, first_name="Ada", locale="en", now=NOW)

    def close(self) -> None:
        """Leave the database."""
        self._runner.run(self._database.close())
        self._runner.close()

    def clear(self) -> None:
        """Forget every appointment and what was set."""
        self._do(_forget)
        self.sets_notice(timedelta(0))

    def closes_monday(self) -> None:
        """Close the day on which most times are."""
        self._do(_close)

    def opens_monday(self) -> None:
        """Open it again."""
        self._do(_open)

    def sets_notice(self, notice: timedelta) -> None:
        """Let nobody book for sooner."""
        self._do(_set_notice, notice)

    def rows(self) -> list[Row]:
        """Return every appointment."""
        return self._runner.run(self._database.read(rows_of))

    def asked(self, what: Callable[..., None], booker: Booker, effect: object) -> Told:
        """Ask for one change of the calendar; return the answer."""
        try:
            self._do(what, booker, effect)
        except SlotsGone:
            return Told.TAKEN
        except NoSuchAppointment:
            return Told.ABSENT
        return Told.DONE

    def _do(self, what: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return self._runner.run(self._database.write(what, *args, **more))


def _forget(connection: Connection) -> None:
    connection.execute(delete(Appointment))
    _open(connection)


def _close(connection: Connection) -> None:
    clinic_id = connection.execute(select(Clinic.id).where(Clinic.slug == "willow")).scalar_one()
    day = {"clinic_id": clinic_id, "from_on": MONDAY.date(), "until_on": MONDAY.date(), "note": ""}
    connection.execute(insert(Closure), day)


def _open(connection: Connection) -> None:
    connection.execute(delete(Closure))


def _set_notice(connection: Connection, notice: timedelta) -> None:
    connection.execute(update(Clinic).values(notice_minutes=notice // timedelta(minutes=1)))


@dataclass
class PlainCalendar:
    """What a clinic with a pencil would know: one row for each appointment, and the time."""

    now: datetime
    rows: dict[str, Row]
    is_monday_closed: bool = False
    notice: timedelta = timedelta(0)

    def takes(self, rows: list[Row]) -> bool:
        """Write rows down in place of the patient's holds; False and nothing when one clashes."""
        chat = rows[0].chat
        if any(map(self.refuses, rows)):
            return False
        others = [row for row in self.rows.values() if (row.chat, row.state) != (chat, "held")]
        for number, row in enumerate(rows):
            known = any(row.uid == other.uid for other in others)
            if known or self.clashes(row, [*others, *rows[:number]]):
                return False
        self.rows = {row.uid: row for row in [*others, *rows]}
        return True

    def moves(self, row: Row, slot: Slot) -> bool:
        """Write another time down; False and nothing when it clashes."""
        moved = replace(blocking(row, slot), sequence=row.sequence + 1, version=row.version + 1)
        if self.refuses(moved) or self.clashes(
            moved, [other for other in self.rows.values() if other.uid != row.uid]
        ):
            return False
        self.rows[row.uid] = moved
        return True

    def refuses(self, row: Row) -> bool:
        """Say whether the clinic would not offer a time now; what its patient holds was promised.

        Not even that is kept on a day that was closed.
        """
        if self.is_monday_closed and row.slot.starts_at.date() == MONDAY.date():
            return True
        held = [r for r in self.rows.values() if (r.chat, r.state) == (row.chat, "held")]
        promised = [other.slot for other in held if self.counts(other)]
        return row.slot.starts_at < self.now + self.notice and row.slot not in promised

    def clashes(self, row: Row, others: list[Row]) -> bool:
        """Say whether somebody or something stands in the way; holds that ended do not."""
        if row.slot.starts_at <= self.now:
            return True
        return any(self.counts(other) and _meet(row, other) for other in others)

    def counts(self, row: Row) -> bool:
        """Say whether a row takes up time now."""
        ended = row.hold_until is not None and row.hold_until <= self.now
        return row.state in OCCUPYING and not ended


def _meet(row: Row, other: Row) -> bool:
    same_room = row.slot.practitioner == other.slot.practitioner
    if same_room and row.blocks_from < other.blocks_until and other.blocks_from < row.blocks_until:
        return True
    return row.chat == other.chat and slot_meets(row.slot)(other.slot)


def slot_meets(slot: Slot) -> Callable[[Slot], bool]:
    """Return what says of another slot whether both are at the same time, wherever."""
    return lambda other: slot.starts_at < other.ends_at and other.starts_at < slot.ends_at


def blocking(row: Row, slot: Slot) -> Row:
    """Return the row at another time, with its buffer."""
    until = slot.ends_at + RULES.after
    return replace(row, slot=slot, blocks_from=slot.starts_at, blocks_until=until)


class CalendarMachine(RuleBasedStateMachine):
    """Patients of one clinic, in any order. `desk` is set by `on`."""

    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.plain = PlainCalendar(NOW, {})
        self.asks: list[Ask] = []
        self.series = 0

    @initialize()
    def empty(self) -> None:
        self.desk.clear()

    @rule(
        chat=st.sampled_from(CHATS),
        slots=st.one_of(
            st.sampled_from(TIMES).map(lambda slot: [slot]),
            st.lists(st.sampled_from(TIMES), min_size=2, max_size=3, unique=True),
        ),
        deed=st.sampled_from((Deed.HOLD, Deed.HOLD, Deed.BOOK)),
        pending=st.booleans(),
    )
    def takes_times(self, chat: int, slots: list[Slot], deed: Deed, *, pending: bool) -> None:
        self.series += 1
        ask = self._ask(chat, deed, f"s{self.series}", tuple(slots), pending=pending)
        self._take(ask)

    @rule(data=st.data())
    @precondition(lambda self: self._has("held"))
    def confirms_what_was_held(self, data: st.DataObject) -> None:
        """Also when the hold has ended or was given back, and when it was confirmed before."""
        held = [ask for ask in self.asks if ask.deed is Deed.HOLD and ask.told is Told.DONE]
        if held:
            hold = data.draw(st.sampled_from(held[-4:]))
            self._take(self._ask(hold.chat, Deed.BOOK, hold.series, hold.slots))

    @rule(data=st.data(), anyone=st.sampled_from(CHATS))
    @precondition(lambda self: self._has("held"))
    def gives_back(self, data: st.DataObject, anyone: int) -> None:
        chat, series = self._some_series(data, "held", anyone)
        told = self._told(bookings.release, chat, ReleaseHold(series))
        gone = [row.uid for row in self._mine(chat, series) if row.state == "held"]
        self._note(self._ask(chat, Deed.RELEASE, series), told, Told.DONE)
        for uid in gone:
            del self.plain.rows[uid]

    @rule(data=st.data(), anyone=st.sampled_from(CHATS))
    @precondition(lambda self: self._has("booked"))
    def cancels(self, data: st.DataObject, anyone: int) -> None:
        chat, series = self._some_series(data, "booked", anyone)
        told = self._told(bookings.cancel, chat, CancelSeries(series))
        self._note(self._ask(chat, Deed.CANCEL, series), told, Told.DONE)
        for row in self._mine(chat, series):
            if row.state == "held":
                del self.plain.rows[row.uid]
            elif row.state in ("pending", "booked") and row.slot.starts_at > self.plain.now:
                more = {"sequence": row.sequence + 1, "version": row.version + 1}
                self.plain.rows[row.uid] = replace(row, state="cancelled", **more)

    @rule(data=st.data())
    @precondition(lambda self: self._has("booked"))
    def moves(self, data: st.DataObject) -> None:
        """Mostly onto what stands in the way, or should not."""
        booked = [row for row in self.plain.rows.values() if row.state == "booked"]
        row = data.draw(st.sampled_from(booked))
        others = [other.slot for other in self.plain.rows.values() if other.uid != row.uid]
        near = [slot for slot in TIMES if any(map(slot_meets(slot), others))]
        self._move(row, data.draw(st.sampled_from(near or TIMES)), row.chat)

    @rule(data=st.data(), slot=st.sampled_from(TIMES), by=st.sampled_from((0, *CHATS)))
    @precondition(lambda self: self.plain.rows)
    def moves_anything(self, data: st.DataObject, slot: Slot, by: int) -> None:
        """Also what is held, cancelled, over or another patient's, which must be refused."""
        row = self.plain.rows[data.draw(st.sampled_from(sorted(self.plain.rows)))]
        self._move(row, slot, by or row.chat)

    def _move(self, row: Row, slot: Slot, chat: int) -> None:
        told = self._told(bookings.move, chat, MoveAppointment(row.uid, slot))
        may = row.chat == chat and row.state in ("pending", "booked")
        wanted = Told.ABSENT
        if may and row.slot.starts_at > self.plain.now:
            wanted = Told.DONE if self.plain.moves(row, slot) else Told.TAKEN
        ask = self._ask(chat, Deed.MOVE, row.series, (slot,))
        self._note(replace(ask, uids=(row.uid,)), told, wanted)

    @rule()
    @precondition(lambda self: len(self.asks) > 8)
    def monday_closes_or_opens(self) -> None:
        self.plain.is_monday_closed = not self.plain.is_monday_closed
        (self.desk.closes_monday if self.plain.is_monday_closed else self.desk.opens_monday)()

    @rule(minutes=st.sampled_from((0, 15, 30)))
    def the_notice_changes(self, minutes: int) -> None:
        self.plain.notice = timedelta(minutes=minutes)
        self.desk.sets_notice(self.plain.notice)

    @rule(minutes=st.sampled_from((1, 10, 11)))
    def time_passes(self, minutes: int) -> None:
        self.plain.now += timedelta(minutes=minutes)

    @rule(days=st.sampled_from((1, 3)))
    @precondition(lambda self: len(self.asks) > 32)
    def days_pass(self, days: int) -> None:
        self.plain.now += timedelta(days=days)

    @invariant()
    def both_calendars_agree(self) -> None:
        found = {row.uid: row for row in self.desk.rows()}
        ours = self.plain.rows
        ended = {uid for uid, row in ours.items() if row.state == "held" and uid not in found}
        assert all(not self.plain.counts(ours[uid]) for uid in ended)
        assert found == {uid: row for uid, row in ours.items() if uid not in ended}

    def teardown(self) -> None:
        """Have the whole history judged."""
        assert complaints(self.asks, self.desk.rows(), RULES) == []

    def _take(self, ask: Ask) -> None:
        wanted = sessions(*ask.slots, uid=ask.series)
        if ask.deed is Deed.HOLD:
            effect = HoldSeries(ask.series, "treatment", wanted, self.plain.now + HOLD_FOR)
            told = self._told(bookings.hold, ask.chat, effect)
        else:
            booked = ConfirmSeries(ask.series, "AB12", "treatment", wanted, pending=ask.pending)
            told = self._told(bookings.confirm, ask.chat, booked)
        done = self.plain.takes([*map(_row_of, (ask,) * len(wanted), range(len(wanted)))])
        self._note(ask, told, Told.DONE if done else Told.TAKEN)

    def _told(self, what: Callable[..., None], chat: int, effect: object) -> Told:
        return self.desk.asked(what, Booker(chat, 1, "willow", self.plain.now), effect)

    def _note(self, ask: Ask, told: Told, wanted: Told) -> None:
        tick = float(len(self.asks))
        self.asks.append(replace(ask, told=told, asked=tick, heard=tick + 0.5))
        assert told == wanted, f"{ask.deed} was answered {told}, but should be {wanted}"

    def _ask(
        self, chat: int, deed: Deed, series: str, slots: tuple[Slot, ...] = (), **more: Any
    ) -> Ask:
        return Ask(
            chat,
            deed,
            series,
            Told.NOTHING,
            self.plain.now,
            slots=slots,
            uids=tuple(session.uid for session in sessions(*slots, uid=series)),
            hold_until=self.plain.now + HOLD_FOR if deed is Deed.HOLD else None,
            **more,
        )

    def _mine(self, chat: int, series: str) -> list[Row]:
        return [r for r in self.plain.rows.values() if (r.chat, r.series) == (chat, series)]

    def _has(self, state: str) -> bool:
        return any(row.state == state for row in self.plain.rows.values())

    def _some_series(self, data: st.DataObject, state: str, anyone: int) -> tuple[int, str]:
        """Return whose series is meant: mostly one's own in this state, else anybody's."""
        fitting = sorted({(r.chat, r.series) for r in self.plain.rows.values() if r.state == state})
        fitting += [(anyone, series) for _, series in fitting]
        return data.draw(st.sampled_from(fitting or [(anyone, "s1")]))


def _row_of(ask: Ask, number: int) -> Row:
    held = ask.deed is Deed.HOLD
    booked = "pending" if ask.pending else "booked"
    slot = ask.slots[number]
    row = Row(
        ask.uids[number],
        ask.chat,
        ask.series,
        slot,
        slot.starts_at,
        slot.ends_at,
        state="held" if held else booked,
        hold_until=ask.hold_until,
    )
    return blocking(row, slot)


def on(desk: Desk) -> type[CalendarMachine]:
    """Return the machine that works at this desk."""
    return type("CalendarMachine", (CalendarMachine,), {"desk": desk})
