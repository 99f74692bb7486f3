"""The judge of histories, on histories made by hand: the sound ones pass, each bad one is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flows.slots import Slot
from tests.builders import MONDAY, NOW, a_slot
from tests.faults.histories import Ask, Deed, Row, Rules, Told, complaints

ADA, BO = 1, 2
RULES = Rules(after=timedelta(minutes=15), gaps=(timedelta(weeks=3), timedelta(weeks=5)))
MINUTE = timedelta(minutes=1)
FOUR_WEEKS = timedelta(weeks=4)


def later(by: timedelta) -> Slot:
    return a_slot(MONDAY + by)


def an_ask(deed: Deed, at: float, *slots: Slot, chat: int = ADA, **changes: Any) -> Ask:
    """Return a wish that was granted at once; holds last ten minutes."""
    series = f"series-{chat}"
    ask = Ask(
        chat,
        deed,
        series,
        Told.DONE,
        NOW,
        asked=at,
        heard=at + 0.5,
        slots=slots,
        uids=tuple(f"{series}-{number}" for number in range(1, len(slots) + 1)),
        hold_until=NOW + 10 * MINUTE if deed is Deed.HOLD else None,
    )
    return replace(ask, **changes)


def a_row(slot: Slot, *, chat: int = ADA, number: int = 1, **changes: Any) -> Row:
    """Return a booked appointment."""
    series = f"series-{chat}"
    row = Row(
        uid=f"{series}-{number}",
        chat=chat,
        series=series,
        slot=slot,
        blocks_from=slot.starts_at,
        blocks_until=slot.ends_at + 15 * MINUTE,
        state="booked",
    )
    return replace(row, **changes)


HELD = an_ask(Deed.HOLD, 1, a_slot())
BOOKED = an_ask(Deed.BOOK, 2, a_slot())
TOO_SOON = an_ask(Deed.BOOK, 3, later(30 * MINUTE), chat=BO)


def test_a_course_that_was_booked_and_moved_is_sound() -> None:
    course = (a_slot(), later(FOUR_WEEKS))
    moved = an_ask(Deed.MOVE, 3, later(timedelta(days=1)), uids=("series-1-1",))
    rows = [
        a_row(moved.slots[0], sequence=1, version=2),
        a_row(course[1], number=2),
    ]

    assert complaints([an_ask(Deed.BOOK, 1, *course), moved], rows, RULES) == []


def test_a_time_given_back_is_free_for_the_next() -> None:
    back = an_ask(Deed.RELEASE, 2)

    assert complaints([HELD, back, TOO_SOON], [a_row(TOO_SOON.slots[0], chat=BO)], RULES) == []


def test_a_time_held_too_long_is_free_for_the_next() -> None:
    late = replace(TOO_SOON, now=NOW + 10 * MINUTE)

    assert complaints([HELD, late], [a_row(late.slots[0], chat=BO)], RULES) == []


def test_of_two_at_the_same_moment_either_may_come_first() -> None:
    crossing = replace(TOO_SOON, asked=1.2, heard=2.6)
    back = an_ask(Deed.RELEASE, 2)

    assert complaints([HELD, back, crossing], [a_row(crossing.slots[0], chat=BO)], RULES) == []


@pytest.mark.parametrize("rows", [[], [a_row(a_slot())]])
def test_an_answer_that_never_came_leaves_it_open_what_was_done(rows: list[Row]) -> None:
    assert complaints([replace(BOOKED, told=Told.NOTHING)], rows, RULES) == []


BAD: dict[str, tuple[list[Ask], list[Row]]] = {
    "practitioner amara has series-1-1 and series-2-1 at once": (
        [BOOKED, TOO_SOON],
        [a_row(a_slot()), a_row(later(70 * MINUTE), chat=BO)],
    ),
    "patient 1 has series-1-1 and series-1-2 at once": (
        [],
        [a_row(a_slot()), a_row(a_slot(practitioner="rowan"), number=2)],
    ),
    "series-1-1 does not block its buffers": (
        [BOOKED],
        [a_row(a_slot(), blocks_until=a_slot().ends_at)],
    ),
    "series series-1 has a gap of 14 days, 0:00:00": (
        [],
        [a_row(a_slot()), a_row(later(timedelta(weeks=2)), number=2)],
    ),
    "a time of amara was of 1 and 2 at once": (
        [HELD, TOO_SOON],
        [a_row(TOO_SOON.slots[0], chat=BO)],
    ),
    "chat 1: was told of series-1-1, which is not there": ([BOOKED], []),
    "chat 1: has series-1-1, which nobody was told of": (
        [replace(BOOKED, told=Told.TAKEN)],
        [a_row(a_slot())],
    ),
    "chat 1: series-1-1 is not as told: sequence, version": (
        [BOOKED],
        [a_row(a_slot(), sequence=1, version=2)],
    ),
    "chat 1: series-1-1 is not as told: version": (
        [BOOKED, an_ask(Deed.CANCEL, 3)],
        [a_row(a_slot(), state="cancelled", sequence=1, version=1)],
    ),
    "chat 1: series-1-1 is not as told: slot": (
        [BOOKED],
        [a_row(later(timedelta(days=1)))],
    ),
    "chat 1: series-1-1 is not as told: state, hold_until": (
        [HELD],
        [a_row(a_slot())],
    ),
}


@pytest.mark.parametrize("named", BAD)
def test_a_bad_history_is_named(named: str) -> None:
    asks, rows = BAD[named]

    assert named in complaints(asks, rows, RULES)


def test_half_a_course_is_not_what_was_told() -> None:
    course = an_ask(Deed.BOOK, 1, a_slot(), later(FOUR_WEEKS))

    assert complaints([course], [a_row(a_slot())], RULES) == [
        "chat 1: was told of series-1-2, which is not there"
    ]
