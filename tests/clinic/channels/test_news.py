"""Offers of freed times and recalls as channels get them: beside the visit and the lead, no why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clinic.channels.desk import FOR_A_MAILBOX
from clinic.channels.mail import postbox
from flows.effects import CancelSeries, HandOffLead, LeadKind, MoveAppointment
from storage import lead_events
from storage.lead_events import EventType, OfRecall
from tests.builders import MONDAY, NOW, a_slot
from tests.clinic.channels.mailbox import SENDER, mailbox
from tests.clinic.channels.receiver import Receiver
from tests.clinic.channels.world import CONSOLE, WILLOW, World
from tests.storage.test_waitlist import ADA, BO, WEEK, Waiting

SINCE = NOW - timedelta(days=1)
DUE = EventType.RECALL_DUE


@pytest.fixture
async def waiting(world: World) -> Waiting:
    """Return a clinic in which Bo, who is the first lead, waits for something before his visit."""
    here = Waiting(world.database)
    await here.books(ADA, a_slot())
    await here.waits(BO, a_slot(MONDAY + 2 * WEEK))
    await here.turn(BO, HandOffLead(LeadKind.BOOKED, 80))
    return here


async def test_an_offer_is_told_beside_the_visit_that_may_move(
    world: World, waiting: Waiting, receiver: Receiver
) -> None:
    receiver.secret = (await world.channels.add(WILLOW, receiver.url, ["waitlist.*"])).secret or ""
    await waiting.turn(ADA, CancelSeries("7"))
    await waiting.turn(BO, MoveAppointment("8-1", a_slot()))

    await world.send()

    told = {event["type"]: event["data"] for event in receiver.events}
    assert set(told) == {"waitlist.offered", "waitlist.accepted"}
    offered, accepted = told["waitlist.offered"], told["waitlist.accepted"]
    assert offered["offer"] == accepted["offer"]
    assert offered["offer"] == {
        "starts_at": "2026-03-09T10:00:00Z",
        "ends_at": "2026-03-09T11:00:00Z",
        "practitioner": "amara",
        "until": "2026-03-02T11:00:00Z",
    }
    assert offered["lead"] == {"id": 1, "link": f"{CONSOLE}/leads/1"}
    starts = [each["booking"]["starts_at"] for each in (offered, accepted)]
    assert starts == ["2026-03-23T10:00:00Z", "2026-03-09T10:00:00Z"]


async def test_a_recall_is_told_with_its_day_and_without_why_or_answer(
    world: World, receiver: Receiver
) -> None:
    added = await world.channels.add(WILLOW, receiver.url, ["recall.*"])
    receiver.secret = added.secret or ""
    await world.lead()
    await world.database.write(lead_events.tell, WILLOW, DUE, OfRecall(1, SINCE), NOW)

    await world.send()

    (event,) = receiver.events
    assert (event["type"], set(event["data"])) == ("recall.due", {"clinic", "lead", "recall"})
    assert event["data"]["recall"] == {"since": "2026-03-01T09:00:00Z"}
    assert event["data"]["lead"]["score_band"] == "high"


async def test_a_mail_says_it_on_the_clinic_s_clock(world: World, waiting: Waiting) -> None:
    async with mailbox() as mails:
        world.box = postbox(mails.url, SENDER)
        await world.channels.add(WILLOW, "desk@willow.example", ["waitlist.offered", "recall.due"])
        await waiting.turn(ADA, CancelSeries("7"))
        await world.database.write(lead_events.tell, WILLOW, DUE, OfRecall(1, SINCE), NOW)
        await world.send()

    texts = {mail["Subject"]: mail.get_content().splitlines() for mail in mails.mails}
    assert texts["A freed time was offered to somebody who waits (lead 1)"][4:7] == [
        "Offered: Mon 09 Mar 2026, 10:00",
        "To be answered by: Mon 02 Mar 2026, 11:00",
        "Visit 1: Mon 23 Mar 2026, 10:00",
    ]
    assert (
        "Due since: Sun 01 Mar 2026, 09:00"
        in texts["A patient is due for a call or a message (lead 1)"]
    )


def test_a_mailbox_hears_of_recalls_and_not_of_offers_unless_it_asks() -> None:
    left_out = [event.value for event in EventType if event not in FOR_A_MAILBOX]

    assert left_out == [
        "booking.held",
        "waitlist.offered",
        "waitlist.accepted",
        "waitlist.declined",
        "waitlist.expired",
    ]
