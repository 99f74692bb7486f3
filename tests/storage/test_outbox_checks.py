"""What came to stand against a message while it waited for the morning: it is not sent then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from flows.effects import (
    CancelAppointment,
    Effect,
    HandOffLead,
    LeadKind,
    MoveAppointment,
    PauseVisit,
    StopNudges,
)
from flows.follow_up import NudgeKind
from flows.quiet_hours import NIGHT
from storage import conversations, nudge_work, outbox, staff_bookings, turns
from storage.clerks import Clerk, Seen
from storage.database import Database
from storage.lead_work import Whose
from storage.models import Outbox
from storage.nudge_work import Sending
from tests.builders import MONDAY, a_confirmation, a_conversation, a_slot, a_turn
from tests.storage.desk_world import Desk, a_desk
from tests.storage.test_follow_ups import AGREED, DECIDED
from tests.storage.test_waitlist import ADA, BO, NOW, two_wait

LEASE = timedelta(minutes=1)
LATE = MONDAY.replace(day=6, hour=22)  # the evening before the reminder is due
OFFERED_AT = NOW.replace(hour=20, minute=30)
RED_FLAG: dict[str, Any] = {"state": "urgent", "red_flag": "self_harm"}

Happens = tuple[tuple[Effect, ...], dict[str, Any]]


async def turn(database: Database, chat: int, happens: Happens, now: Any) -> None:
    effects, changes = happens
    known = await database.read(conversations.load, chat)
    before = known.conversation.revision if known else None
    conversation = a_conversation(chat, **{"answers": AGREED, "state": "booked", **changes})
    writes = a_turn(*effects, before=before, conversation=conversation, now=now)
    assert await database.write(turns.commit, writes) == turns.Committed()


async def sent_at(database: Database, now: Any, token: str) -> int:
    """Claim and arm what is due; return how many messages would be sent."""
    rows = await database.write(outbox.claim, 5, now, LEASE, token)
    armed = [await database.write(outbox.arm, r.id, token, now, LEASE, NIGHT) for r in rows]
    return sum(row is not None for row in armed)


async def nudges(database: Database) -> list[tuple[str, str | None]]:
    def read(connection: Connection) -> list[tuple[str, str | None]]:
        of_patient = select(Outbox.state, Outbox.last_error).where(Outbox.kind == "nudge")
        return [tuple(row) for row in connection.execute(of_patient.order_by(Outbox.id))]

    return await database.read(read)


@pytest.fixture
async def queued(database: Database) -> Desk:
    """Return a desk that sent Ada the reminder of Monday's visit at ten on Friday evening."""
    desk = await a_desk(database)
    booked = (DECIDED, a_confirmation(a_slot()), HandOffLead(LeadKind.BOOKED, 80))
    await turn(database, ADA, (booked, {}), NOW)
    whose = Whose(desk.clinic_id, desk.ann, 1, LATE)
    assert await database.write(nudge_work.send, whose, "reminder") is Sending.QUEUED
    assert await sent_at(database, LATE, "evening") == 0
    return desk


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (((CancelAppointment("series-1"),), {}), "Cancelled"),
        (((StopNudges(NudgeKind.REMINDER),), {}), "Unwanted"),
        (((), RED_FLAG), "RedFlag"),
        (((PauseVisit("series-1"),), {}), "SomethingChanged"),
        (((MoveAppointment("series-1", a_slot(MONDAY + timedelta(weeks=1))),), {}), "Outdated"),
        (((), {"state": "no_consent"}), "Withdrawn"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_staff_sent_in_the_evening_is_looked_at_again_in_the_morning(
    queued: Desk, happens: Happens, why: str
) -> None:
    await turn(queued.database, ADA, happens, LATE + timedelta(minutes=20))

    assert await sent_at(queued.database, LATE + timedelta(hours=10, minutes=1), "morning") == 0
    assert (await nudges(queued.database))[0] == ("cancelled", why)


async def test_what_staff_sent_in_the_evening_arrives_in_the_morning(queued: Desk) -> None:
    assert await sent_at(queued.database, LATE + timedelta(hours=10, minutes=1), "morning") == 1


async def test_a_reminder_of_a_visit_that_staff_cancel_is_taken_back(queued: Desk) -> None:
    clerk = Clerk(queued.clinic_id, queued.ann, LATE + timedelta(minutes=20))

    await queued.database.write(staff_bookings.cancel, clerk, Seen("series-1", 1))

    assert await nudges(queued.database) == [("cancelled", "Cancelled")]


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (((), RED_FLAG), "RedFlag"),
        (((StopNudges(NudgeKind.WAITLIST_OFFER),), {}), "Unwanted"),
        (((PauseVisit("8-1"),), {}), "SomethingChanged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_offer_that_waits_for_the_morning_is_looked_at_again(
    willow: Database, happens: Happens, why: str
) -> None:
    clinic = await two_wait(willow)
    await clinic.turn(ADA, CancelAppointment("7-1"), now=OFFERED_AT)

    await turn(willow, BO, happens, OFFERED_AT + timedelta(minutes=30))

    assert await sent_at(willow, OFFERED_AT + timedelta(hours=11, minutes=31), "morning") == 0
    assert await nudges(willow) == [("cancelled", why)]


async def test_an_offer_that_nothing_stands_against_arrives_in_the_morning(
    willow: Database,
) -> None:
    clinic = await two_wait(willow)
    await clinic.turn(ADA, CancelAppointment("7-1"), now=OFFERED_AT)

    assert await sent_at(willow, OFFERED_AT + timedelta(hours=11, minutes=31), "morning") == 1


async def test_nothing_earlier_is_offered_before_the_clinic_has_looked_at_what_changed(
    willow: Database,
) -> None:
    clinic = await two_wait(willow)
    await clinic.turn(BO, PauseVisit("8-1"))

    await clinic.turn(ADA, CancelAppointment("7-1"))

    assert [chat for chat, _ in await clinic.offers()] == [9]
