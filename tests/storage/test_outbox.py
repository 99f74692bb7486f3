"""A message goes out once, to someone who still wants it, whoever crashes on the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from flows.effects import CancelAppointment, CancelSeries
from flows.quiet_hours import QuietHours
from storage import outbox, patients, turns
from storage.database import Database, connect
from storage.models import Outbox
from storage.outbox import Lag, Message, OutboxRow, Rescued
from storage.outbox_policy import POLICIES, Kind
from tests.builders import NOW, a_confirmation, a_decision, a_slot, a_turn

ADA = 7
LEASE = timedelta(seconds=30)
LATER = NOW + timedelta(minutes=5)
NIGHT = QuietHours(time(20), time(9))

CONFIRMATION = Message(
    "confirmation:series-1:1",
    Kind.CONFIRMATION,
    NOW,
    ADA,
    "appointment",
    "series-1",
    {"text": "confirmed.one", "uid": "series-1"},
)
NUDGE = Message("nudge:1:plan:1", Kind.NUDGE, NOW, ADA)
LEAD = Message("lead:1:1", Kind.LEAD, NOW)


@pytest.fixture
async def ada(willow: Database) -> Database:
    """Return a database in which Ada has booked one session at the willow clinic."""
    booked = a_turn(a_decision(), a_confirmation(a_slot()))
    await willow.write(turns.commit, booked)
    return willow


async def claimed(database: Database, message: Message, now: datetime = NOW) -> OutboxRow:
    await database.write(outbox.enqueue, message, now)
    (row,) = await database.write(outbox.claim, 10, now, LEASE, "mine")
    return row


async def armed(database: Database, message: Message) -> int:
    row = await claimed(database, message)
    assert await database.write(outbox.arm, row.id, "mine", NOW, LEASE)
    return row.id


async def stored(database: Database) -> Any:
    return await database.read(lambda c: c.execute(select(Outbox)).one())


async def test_a_key_is_kept_once_even_after_the_message_was_sent(ada: Database) -> None:
    number = await armed(ada, NUDGE)
    await ada.write(outbox.finish, number, "mine", 55, NOW)

    assert not await ada.write(outbox.enqueue, NUDGE, LATER)
    row = await stored(ada)
    assert (row.state, row.message_id, row.sent_at, row.lease_token) == ("sent", 55, NOW, None)


async def test_a_message_cannot_hold_what_a_person_wrote(ada: Database) -> None:
    with pytest.raises(ValueError, match="ids and text keys only"):
        await ada.write(outbox.enqueue, replace(NUDGE, payload={"x": "my skin itches"}), NOW)
    with pytest.raises(ValueError, match="ids and text keys only"):
        await ada.write(outbox.enqueue, replace(NUDGE, payload={"x": "ada@example.org"}), NOW)


async def test_a_message_can_hold_the_uid_of_an_appointment(ada: Database) -> None:
    uid = {"uid": "0f1e2d-1@resurface"}

    assert await ada.write(outbox.enqueue, replace(NUDGE, payload=uid), NOW)


async def test_what_was_enqueued_comes_back_when_it_is_due(ada: Database) -> None:
    await ada.write(outbox.enqueue, replace(CONFIRMATION, due_at=LATER), NOW)

    assert await ada.write(outbox.claim, 10, NOW, LEASE, "early") == []
    (row,) = await ada.write(outbox.claim, 10, LATER, LEASE, "mine")
    assert (row.kind, row.chat_id, row.state) == (Kind.CONFIRMATION, ADA, "claimed")
    assert row.payload == {"text": "confirmed.one", "uid": "series-1"}
    assert await ada.write(outbox.claim, 10, LATER, LEASE, "other") == []


async def test_the_oldest_come_first_and_of_the_wanted_kinds(ada: Database) -> None:
    for minute in (3, 1, 2):
        at = NOW + timedelta(minutes=minute)
        await ada.write(outbox.enqueue, replace(NUDGE, key=f"{minute}", due_at=at), NOW)
    await ada.write(outbox.enqueue, LEAD, NOW)

    rows = await ada.write(outbox.claim, 2, LATER, LEASE, "mine", [Kind.NUDGE])

    assert [row.key for row in rows] == ["1", "2"]


async def test_a_claim_that_is_released_waits_again(ada: Database) -> None:
    await claimed(ada, NUDGE)

    assert await ada.write(outbox.release, "mine") == 1
    assert len(await ada.write(outbox.claim, 1, NOW, LEASE, "other")) == 1


@pytest.mark.parametrize("message", [CONFIRMATION, NUDGE], ids=lambda m: m.kind)
async def test_nothing_is_sent_after_a_stop(ada: Database, message: Message) -> None:
    row = await claimed(ada, message)
    await ada.write(patients.stop_messages, ADA, NOW)
    await ada.write(outbox.enqueue, replace(message, key="later"), NOW)
    (later,) = await ada.write(outbox.claim, 1, NOW, LEASE, "mine")

    assert await ada.write(outbox.arm, row.id, "mine", NOW, LEASE) is None
    assert await ada.write(outbox.arm, later.id, "mine", NOW, LEASE) is None
    assert await ada.read(states) == ["cancelled", "cancelled"]


async def test_nothing_is_sent_to_someone_out_of_reach(ada: Database) -> None:
    await ada.write(outbox.enqueue, NUDGE, NOW)
    await ada.write(patients.mark_unreachable, ADA, NOW)

    assert (await stored(ada)).last_error == "Unreachable"
    row = await claimed(ada, replace(NUDGE, key="later"))
    assert await ada.write(outbox.arm, row.id, "mine", NOW, LEASE) is None


async def test_a_clinic_hears_of_a_lead_whatever_the_patient_wants(ada: Database) -> None:
    await ada.write(patients.stop_messages, ADA, NOW)

    assert await armed(ada, LEAD)


async def test_a_cancelled_booking_takes_its_messages_back(ada: Database) -> None:
    await ada.write(outbox.enqueue, CONFIRMATION, NOW)
    await ada.write(outbox.enqueue, replace(NUDGE, ref_id="series-1"), NOW)

    await ada.write(turns.commit, a_turn(CancelSeries("series"), before=0))

    assert await ada.read(states) == ["cancelled", "pending"]


async def test_one_cancelled_visit_takes_its_own_messages_back(ada: Database) -> None:
    await ada.write(outbox.enqueue, CONFIRMATION, NOW)

    await ada.write(turns.commit, a_turn(CancelAppointment(CONFIRMATION.ref_id), before=0))

    assert await ada.read(states) == ["cancelled"]


async def test_a_message_about_an_appointment_that_is_gone_is_not_sent(ada: Database) -> None:
    row = await claimed(ada, replace(CONFIRMATION, ref_id="another"))

    assert await ada.write(outbox.arm, row.id, "mine", NOW, LEASE) is None
    assert (await stored(ada)).last_error == "AppointmentGone"


async def test_a_message_that_is_too_late_is_not_sent(ada: Database) -> None:
    row = await claimed(ada, replace(NUDGE, not_after=NOW))
    late = NOW + timedelta(seconds=1)

    assert await ada.write(outbox.arm, row.id, "mine", late, LEASE) is None
    assert (await stored(ada)).last_error == "TooLate"


async def test_a_nudge_waits_for_the_morning_where_the_clinic_is(ada: Database) -> None:
    evening = datetime(2026, 7, 1, 19, 30, tzinfo=UTC)  # 20:30 in London
    row = await claimed(ada, NUDGE, evening)

    assert await ada.write(outbox.arm, row.id, "mine", evening, LEASE, NIGHT) is None

    kept = await stored(ada)
    assert (kept.state, kept.due_at) == ("pending", datetime(2026, 7, 2, 8, tzinfo=UTC))
    assert kept.lease_token is None


async def test_a_message_waits_again_when_the_clock_goes_back_before_its_send(
    ada: Database,
) -> None:
    row = await claimed(ada, NUDGE)

    assert await ada.write(outbox.arm, row.id, "mine", NOW - timedelta(hours=1), LEASE) is None

    kept = await stored(ada)
    assert (kept.state, kept.due_at, kept.attempt, kept.lease_token) == ("pending", NOW, 0, None)


async def test_a_confirmation_does_not_wait_for_the_morning(ada: Database) -> None:
    night = NOW.replace(hour=23)
    row = await claimed(ada, CONFIRMATION, night)

    assert await ada.write(outbox.arm, row.id, "mine", night, LEASE, NIGHT)


async def test_a_nudge_about_an_appointment_goes_by_its_clinics_clock(ada: Database) -> None:
    row = await claimed(ada, replace(CONFIRMATION, kind=Kind.NUDGE))
    night = QuietHours(time(8, 30), time(9, 30))  # it is nine in London

    assert await ada.write(outbox.arm, row.id, "mine", NOW, LEASE, night) is None


@pytest.mark.parametrize(
    ("now", "quiet", "until"),
    [
        (datetime(2026, 3, 2, 19, 59, tzinfo=UTC), NIGHT, None),
        (datetime(2026, 3, 2, 20, 0, tzinfo=UTC), NIGHT, datetime(2026, 3, 3, 9, tzinfo=UTC)),
        (datetime(2026, 3, 2, 8, 59, tzinfo=UTC), NIGHT, datetime(2026, 3, 2, 9, tzinfo=UTC)),
        (datetime(2026, 3, 2, 9, 0, tzinfo=UTC), NIGHT, None),
        # The clocks go forward in the night to 29 March: nine is an hour earlier in UTC.
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), NIGHT, datetime(2026, 3, 29, 8, tzinfo=UTC)),
        (
            datetime(2026, 3, 2, 13, 0, tzinfo=UTC),
            QuietHours(time(12), time(14)),
            datetime(2026, 3, 2, 14, tzinfo=UTC),
        ),
    ],
)
def test_quiet_hours_end_on_the_clinics_clock(
    now: datetime, quiet: QuietHours, until: datetime | None
) -> None:
    assert quiet.until(now, "Europe/London") == until


async def test_a_worker_that_lost_its_lease_can_change_nothing(ada: Database) -> None:
    number = await armed(ada, CONFIRMATION)
    late = NOW + LEASE + timedelta(seconds=1)
    assert await ada.write(outbox.rescue, late) == Rescued(freed=0, doubted=1)
    (again,) = await ada.write(outbox.claim, 1, late, LEASE, "other")
    assert await ada.write(outbox.arm, again.id, "other", late, LEASE)

    assert not await ada.write(outbox.finish, number, "mine", 5, late)
    assert not await ada.write(outbox.fail, number, "mine", "NotSent", late)
    assert not await ada.write(outbox.uncertain, number, "mine", "TimedOut", late)
    assert not await ada.write(outbox.block, number, "mine", "Forbidden", late)
    assert await ada.write(outbox.arm, number, "mine", late, LEASE) is None
    assert await ada.write(outbox.release, "mine") == 0
    assert (await stored(ada)).state == "sending"
    assert await ada.write(outbox.finish, number, "other", 6, late)


async def test_a_message_is_armed_once(ada: Database) -> None:
    number = await armed(ada, NUDGE)

    assert await ada.write(outbox.arm, number, "mine", NOW, LEASE) is None


async def test_what_was_claimed_only_waits_again_after_its_lease(ada: Database) -> None:
    await claimed(ada, NUDGE)

    assert await ada.write(outbox.rescue, NOW + LEASE) == Rescued(0, 0)
    assert await ada.write(outbox.rescue, NOW + LEASE + timedelta(seconds=1)) == Rescued(1, 0)
    assert (await stored(ada)).state == "pending"


@pytest.mark.parametrize(
    ("message", "copies"), [(CONFIRMATION, 2), (NUDGE, 1), (LEAD, 16)], ids=lambda m: str(m)[:9]
)
async def test_a_message_in_doubt_is_sent_as_often_as_its_policy_allows(
    ada: Database, message: Message, copies: int
) -> None:
    await ada.write(outbox.enqueue, message, NOW)
    sent = 0
    while rows := await ada.write(outbox.claim, 1, NOW, LEASE, "mine"):
        assert await ada.write(outbox.arm, rows[0].id, "mine", NOW, LEASE)
        sent += 1
        assert sent <= copies, "it never ends"
        await ada.write(outbox.uncertain, rows[0].id, "mine", "TimedOut", NOW)

    assert sent == copies == POLICIES[message.kind].copies
    assert (await stored(ada)).state == "uncertain"


async def test_failures_that_are_certain_do_not_use_up_the_second_copy(ada: Database) -> None:
    number = await armed(ada, CONFIRMATION)
    await ada.write(outbox.fail, number, "mine", "NotSent", LATER)
    await ada.write(outbox.claim, 1, LATER, LEASE, "second")
    await ada.write(outbox.arm, number, "second", LATER, LEASE)

    await ada.write(outbox.uncertain, number, "second", "TimedOut", LATER)

    row = await stored(ada)
    assert (row.state, row.attempt, row.doubts) == ("pending", 2, 1)


async def test_a_message_that_is_never_sent_is_dead_in_the_end(ada: Database) -> None:
    await ada.write(outbox.enqueue, NUDGE, NOW)
    tries = 0
    while rows := await ada.write(outbox.claim, 1, NOW, LEASE, "mine"):
        await ada.write(outbox.arm, rows[0].id, "mine", NOW, LEASE)
        await ada.write(outbox.fail, rows[0].id, "mine", "NotSent", NOW)
        tries += 1
        assert tries <= POLICIES[Kind.NUDGE].attempts, "it never ends"

    (row,) = await ada.read(outbox.dead)
    assert (tries, row.state, row.last_error) == (5, "dead", "NotSent")


async def test_a_message_that_was_given_up_says_when_it_was_last_tried(ada: Database) -> None:
    soon = NOW + timedelta(minutes=3)
    await ada.write(outbox.enqueue, NUDGE, NOW)
    (row,) = await ada.write(outbox.claim, 1, soon, LEASE, "mine")
    await ada.write(outbox.arm, row.id, "mine", soon, LEASE)
    await ada.write(outbox.uncertain, row.id, "mine", "TimedOut", LATER)

    (row,) = await ada.read(outbox.dead)
    assert (row.state, row.due_at) == ("uncertain", soon)


async def test_a_refused_message_is_dead_at_once_and_can_be_replayed(ada: Database) -> None:
    number = await armed(ada, NUDGE)
    await ada.write(outbox.fail, number, "mine", "BadRequest", None)

    assert await ada.read(outbox.lag, LATER) == Lag(0, timedelta(0), 1)
    assert await ada.write(outbox.replay, number, LATER)
    assert await ada.read(outbox.dead) == []
    assert await ada.read(outbox.lag, LATER + LEASE) == Lag(1, LEASE, 0)
    assert not await ada.write(outbox.replay, number, LATER)


async def test_what_is_too_late_cannot_be_replayed(ada: Database) -> None:
    number = await armed(ada, replace(NUDGE, not_after=NOW))
    await ada.write(outbox.fail, number, "mine", "BadRequest", None)

    assert not await ada.write(outbox.replay, number, LATER)


async def test_a_blocked_patient_gets_nothing_else(ada: Database) -> None:
    await ada.write(outbox.enqueue, replace(CONFIRMATION, due_at=LATER), NOW)
    number = await armed(ada, NUDGE)

    assert await ada.write(outbox.block, number, "mine", "Forbidden", NOW)

    assert await ada.read(states) == ["cancelled", "blocked"]
    await ada.write(patients.save, ADA, first_name="Ada", locale="en", now=LATER)
    assert await ada.write(outbox.claim, 9, LATER, LEASE, "mine") == []


async def test_a_lead_that_is_blocked_has_no_patient_to_note_it_of(ada: Database) -> None:
    number = await armed(ada, LEAD)

    assert await ada.write(outbox.block, number, "mine", "Forbidden", NOW)


async def test_two_processes_never_claim_the_same_message(ada: Database) -> None:
    other = connect(ada.url.render_as_string(hide_password=False))
    for number in range(60):
        await ada.write(outbox.enqueue, replace(NUDGE, key=f"{number}"), NOW)

    found: list[int] = []
    for turn in range(20):
        both = await asyncio.gather(
            ada.write(outbox.claim, 2, NOW, LEASE, f"a{turn}"),
            other.write(outbox.claim, 2, NOW, LEASE, f"b{turn}"),
        )
        found += [row.id for rows in both for row in rows]

    assert len(found) == len(set(found)) == 60
    await other.close()


def states(connection: Connection) -> list[str]:
    return list(connection.execute(select(Outbox.state).order_by(Outbox.id)).scalars())


async def test_what_nobody_wants_any_more_is_dropped_and_not_given_up(ada: Database) -> None:
    number = await armed(ada, LEAD)

    assert await ada.write(outbox.drop, number, "mine", "lead_gone")
    row = await stored(ada)
    assert (row.state, row.last_error, row.lease_token) == ("cancelled", "lead_gone", None)
    assert await ada.read(outbox.dead) == []


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 3.75), (0.5, 5.0), (1.0, 6.25)])
def test_a_pause_is_spread_by_a_quarter(chance: float, seconds: float) -> None:
    assert POLICIES[Kind.LEAD].pause(1, chance) == timedelta(seconds=seconds)


def test_a_clinics_own_system_may_be_away_for_most_of_a_day() -> None:
    policy = POLICIES[Kind.LEAD]
    pauses = [policy.pause(attempt, 0.5) for attempt in range(1, policy.attempts)]

    assert pauses == sorted(pauses)
    assert timedelta(hours=20) < sum(pauses, timedelta()) < timedelta(days=2)
