"""Many bookers at once, through databases opened apart as by two processes: one winner each."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise

from sqlalchemy import Connection, select

from flows.effects import MoveAppointment
from storage import models, turns
from storage.database import Database, connect
from storage.turns import Committed, SlotTaken
from tests.builders import (
    MONDAY,
    a_confirmation,
    a_conversation,
    a_decision,
    a_hold,
    a_slot,
    a_turn,
    four_weekly,
)

RACERS = 20
SLOTS = 10


def spans(connection: Connection) -> list[tuple[object, object]]:
    table = models.Appointment
    rows = connection.execute(
        select(table.blocks_from, table.blocks_until)
        .where(table.state.in_(models.OCCUPYING))
        .order_by(table.practitioner_id, table.blocks_from)
    )
    return [tuple(row) for row in rows]


async def test_of_twenty_who_want_overlapping_times_one_wins_each(willow: Database) -> None:
    other = connect(willow.url.render_as_string(hide_password=False))
    doors = (willow, other)

    async def book(racer: int, day: int) -> turns.Outcome:
        # Ranges that overlap without being the same are what made plain inserts deadlock.
        start = MONDAY + timedelta(weeks=day, minutes=racer % 3 * 15)
        chat = 1000 * (day + 1) + racer
        turn = a_turn(
            a_decision(),
            a_hold(a_slot(start), series=f"{chat}"),
            conversation=a_conversation(chat),
        )
        return await doors[racer % 2].write(turns.commit, turn)

    outcomes = await asyncio.gather(
        *(book(racer, day) for racer in range(RACERS) for day in range(SLOTS))
    )

    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds == {Committed: SLOTS, SlotTaken: (RACERS - 1) * SLOTS}
    assert all(a[1] <= b[0] for a, b in pairwise(await willow.read(spans)))
    await other.close()


async def test_series_that_cross_each_other_are_whole_or_absent(willow: Database) -> None:
    other = connect(willow.url.render_as_string(hide_password=False))
    doors = (willow, other)

    async def book(racer: int) -> turns.Outcome:
        first = a_slot(MONDAY + timedelta(weeks=4 * (racer % 5)))
        series = four_weekly(first)
        ordered = series if racer % 2 else tuple(reversed(series))
        turn = a_turn(
            a_decision(),
            a_confirmation(*ordered, series=f"{racer}"),
            conversation=a_conversation(1 + racer),
        )
        return await doors[racer % 2].write(turns.commit, turn)

    outcomes = await asyncio.gather(*(book(racer) for racer in range(RACERS)))

    booked = await willow.read(spans)
    assert {type(outcome) for outcome in outcomes} <= {Committed, SlotTaken}
    assert len(booked) == 4 * outcomes.count(Committed()) > 0
    await other.close()


async def test_movers_who_want_the_same_time_do_not_share_it(willow: Database) -> None:
    other = connect(willow.url.render_as_string(hide_password=False))
    doors = (willow, other)
    wanted = a_slot(MONDAY + timedelta(days=60))
    for racer in range(SLOTS):
        start = MONDAY + timedelta(weeks=racer)
        turn = a_turn(
            a_decision(),
            a_confirmation(a_slot(start), series=f"{racer}"),
            conversation=a_conversation(1 + racer),
        )
        await willow.write(turns.commit, turn)

    async def move(racer: int) -> turns.Outcome:
        effect = MoveAppointment(f"{racer}-1", wanted)
        turn = a_turn(effect, before=0, conversation=a_conversation(1 + racer))
        return await doors[racer % 2].write(turns.commit, turn)

    outcomes = await asyncio.gather(*(move(racer) for racer in range(SLOTS)))

    kinds = Counter(type(outcome) for outcome in outcomes)
    assert kinds == {Committed: 1, SlotTaken: SLOTS - 1}
    await other.close()


async def test_one_new_patient_met_by_two_processes_is_met_once(willow: Database) -> None:
    other = connect(willow.url.render_as_string(hide_password=False))

    outcomes = await asyncio.gather(
        willow.write(turns.commit, a_turn(update_id=1)),
        other.write(turns.commit, a_turn(update_id=2)),
    )

    assert Counter(type(outcome) for outcome in outcomes) == {
        Committed: 1,
        turns.Stale: 1,
    }
    await other.close()
