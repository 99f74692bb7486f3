"""What the outbox holds for Telegram arrives once, in the words of the moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from bot import deliveries
from bot.app import a_pace
from bot.pace import UNLIMITED
from bot.playground.faults import FaultKind
from bot.worker import Deliver, Terms, Worker
from flows.effects import HandOffLead, LeadKind
from storage import card_redraws, models, outbox, turns, withdrawals
from storage.database import Database
from storage.outbox import Message
from storage.outbox_policy import Kind
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_conversation,
    a_decision,
    a_slot,
    a_turn,
    four_weekly,
)
from tests.flows.chat import catalogues
from tests.patient import Patient
from tests.standin import RunningStandIn, StoppedClock, running_standin

#: PTB warns of a change to come whenever it makes this error.
ignore_ptb = pytest.mark.filterwarnings("ignore:.*retry_after")

SERIES = four_weekly(a_slot(), 3)


@dataclass
class World:
    """A patient with three visits, and a worker that writes to them."""

    standin: RunningStandIn
    patient: Patient
    database: Database
    by_kind: Mapping[Kind, Deliver]

    @property
    def chat_id(self) -> int:
        return self.patient.chat_id

    async def queues(self, message: Message) -> None:
        await self.database.write(outbox.enqueue, message, NOW)

    async def tells(self, text: str, uid: str = "series-1", **more: Any) -> None:
        await self.queues(
            Message(
                f"{text}:{uid}",
                Kind.CONFIRMATION,
                NOW,
                self.chat_id,
                more.get("ref_type", withdrawals.APPOINTMENT),
                uid,
                {"text": text},
            )
        )

    async def works(self) -> list[str]:
        """Send what is due and return the states of all messages."""
        terms = Terms(kinds=tuple(self.by_kind))
        worker = Worker(self.database, self._deliver, StoppedClock(NOW), lambda: "t", terms)
        await worker.once()
        query = select(models.Outbox.state).order_by(models.Outbox.id)
        return await self.database.read(lambda c: list(c.execute(query).scalars()))

    async def _deliver(self, row: outbox.OutboxRow) -> int | None:
        return await self.by_kind[row.kind](row)


@pytest.fixture
async def world(willow: Database) -> AsyncIterator[World]:
    async with (
        running_standin() as standin,
        await standin.new_patient() as patient,
        delivering(standin, willow) as by_kind,
    ):
        await patient.starts()
        conversation = a_conversation(patient.chat_id)
        effects = (a_decision(), a_confirmation(*SERIES))
        await willow.write(turns.commit, a_turn(*effects, conversation=conversation))
        yield World(standin, patient, willow, by_kind)


@asynccontextmanager
async def delivering(
    standin: RunningStandIn, database: Database
) -> AsyncIterator[Mapping[Kind, Deliver]]:
    async with deliveries.delivering(
        token=standin.token,
        api_url=standin.url,
        database=database,
        clock=StoppedClock(NOW),
        pace=a_pace(UNLIMITED),
        catalogues=catalogues(),
    ) as by_kind:
        yield by_kind


async def test_a_confirmed_visit_is_told_with_its_time_and_a_way_on(world: World) -> None:
    await world.tells("message.confirmed")

    assert await world.works() == ["sent"]

    said = await world.patient.sees("Your visit is confirmed")
    assert "Mon 9 Mar 2026, 10:00 (London time), with Amara Osei" in said.text
    assert said.labels == ("Find a new time", "Talk to a person")


async def test_a_visit_that_staff_booked_is_told_with_all_that_the_chat_s_own_booking_says(
    world: World,
) -> None:
    await world.tells("message.booked")

    assert await world.works() == ["sent"]

    said = await world.patient.sees("A visit is booked for you.")
    assert "confirmed" not in said.text
    assert said.text.splitlines() == [
        "A visit is booked for you.",
        "Willow Skin Clinic has booked it: Mon 9 Mar 2026, 10:00 (London time), with Amara Osei.",
        "",
        "What: Micro-needling session, 60 minutes, £180",
        "Where: Willow Skin Clinic, 12 Osier Lane, London N1 0XX",
        "Booking code: AB12",
        "",
        "If that does not suit you, you can change it, or call +44 20 7946 0000.",
    ]


async def test_the_words_are_those_of_the_moment_of_sending(world: World) -> None:
    await world.tells("message.moved")
    later = {"starts_at": MONDAY + timedelta(hours=1), "ends_at": MONDAY + timedelta(hours=2)}
    later |= {"blocks_until": MONDAY + timedelta(hours=3)}
    table = models.Appointment
    await world.database.write(
        lambda c: c.execute(update(table).where(table.uid == "series-1").values(**later)) and None
    )

    await world.works()

    await world.patient.sees("Mon 9 Mar 2026, 11:00")


async def test_all_visits_of_a_series_are_named_together(world: World) -> None:
    await world.tells("message.moved_all")

    await world.works()

    said = await world.patient.sees("Your visits have new times")
    assert [line[:2] for line in said.text.splitlines() if "2026" in line] == ["1.", "2.", "3."]


async def test_a_cancelled_visit_is_told_though_it_no_longer_stands(world: World) -> None:
    table = models.Appointment
    await world.database.write(
        lambda c: (
            c.execute(update(table).where(table.uid == "series-1").values(state="cancelled"))
            and None
        )
    )
    await world.tells("message.cancelled", ref_type=withdrawals.ENDED)

    assert await world.works() == ["sent"]

    await world.patient.sees("Your visit on Mon 9 Mar 2026, 10:00 is cancelled")


async def a_reply(world: World, body: str) -> int:
    def write(connection: Any) -> int:
        clinic = select(models.Clinic.id).where(models.Clinic.slug == "willow").scalar_subquery()
        thread = connection.execute(
            insert(models.Thread)
            .values(
                clinic_id=clinic,
                chat_id=world.chat_id,
                is_open=True,
                opened_at=NOW,
                updated_at=NOW,
            )
            .returning(models.Thread.id)
        ).scalar_one()
        row = {"thread_id": thread, "author": "staff", "body": body, "at": NOW}
        added = insert(models.ThreadMessage).values(**row).returning(models.ThreadMessage.id)
        return int(connection.execute(added).scalar_one())

    return await world.database.write(write)


async def test_what_staff_wrote_comes_from_the_clinic_and_says_how_to_answer(world: World) -> None:
    message_id = await a_reply(world, "Is 5 < 6 & do you <b>agree</b>?")
    row = Message("r", Kind.REPLY, NOW, world.chat_id, payload={"message": message_id})
    await world.queues(row)

    assert await world.works() == ["sent"]

    said = await world.patient.sees("You have a new message")
    assert "Is 5 < 6 & do you <b>agree</b>?" in said.text
    assert "To answer, tap “Talk to a person” first, or call" in said.text


async def test_a_very_long_reply_still_arrives(world: World) -> None:
    message_id = await a_reply(world, "<" * 5000)
    row = Message("r", Kind.REPLY, NOW, world.chat_id, payload={"message": message_id})
    await world.queues(row)

    assert await world.works() == ["sent"]


@pytest.mark.parametrize(
    "payload", [{"text": "message.unheard_of"}, {}], ids=["unknown text", "no text"]
)
async def test_a_message_without_words_is_given_up(world: World, payload: dict[str, str]) -> None:
    message = Message("x", Kind.CONFIRMATION, NOW, world.chat_id, "", "series-1", payload)
    await world.queues(message)

    assert await world.works() == ["dead"]


async def test_what_is_gone_meanwhile_is_not_missed(world: World) -> None:
    row = Message("r", Kind.REPLY, NOW, world.chat_id, payload={"message": 404})
    await world.queues(row)

    assert await world.works() == ["cancelled"]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (FaultKind.RESET_AFTER_DELIVERY, "pending"),
        (FaultKind.BAD_GATEWAY, "pending"),
        (FaultKind.BLOCKED, "blocked"),
    ],
)
async def test_a_failed_send_is_left_to_the_outbox(
    world: World, kind: FaultKind, state: str
) -> None:
    await world.tells("message.confirmed")
    world.standin.fault(kind, "sendMessage")

    assert await world.works() == [state]
    assert [method for method, _ in world.standin.state.calls].count("sendMessage") <= 1


@pytest.mark.parametrize("wants", [True, False])
async def test_staff_are_told_by_number_that_a_patient_deleted_their_data(
    world: World, wants: bool
) -> None:
    member = {"clinic_id": 1, "name": "Robin", "role": "owner", "wants_cards": wants}
    values = {**member, "chat_id": world.chat_id, "created_at": NOW}
    await world.database.write(
        lambda c: c.execute(insert(models.StaffMember).values(values)) and None
    )
    said = {"erased": 7, "visits": 2}
    await world.queues(
        Message("c", Kind.CARD, NOW, ref_type=withdrawals.STAFF, ref_id="1", payload=said)
    )

    assert await world.works() == ["sent" if wants else "cancelled"]
    if wants:
        card = await world.patient.sees("A patient deleted their data here.")
        assert "Lead 7, " in card.text
        assert card.text.endswith("Visits cancelled: 2")


@ignore_ptb
async def test_telegrams_wish_to_wait_is_passed_on_and_the_chat_is_left_alone(
    world: World,
) -> None:
    await world.tells("message.confirmed")
    world.standin.fault(FaultKind.TOO_MANY_REQUESTS, "sendMessage", seconds=7)

    assert await world.works() == ["pending"]

    query = select(models.Outbox.due_at, models.Outbox.attempt)
    due_at, attempt = await world.database.read(lambda c: c.execute(query).one())
    assert (due_at, attempt) == (NOW + timedelta(seconds=7), 0)


async def redraws(world: World, message_id: int) -> None:
    """Let Robin of Willow's team have a card of lead 1 drawn anew."""
    member = {"clinic_id": 1, "name": "Robin", "role": "owner", "wants_cards": True}
    values = {**member, "chat_id": world.chat_id, "created_at": NOW}
    await world.database.write(
        lambda c: c.execute(insert(models.StaffMember).values(values)) and None
    )
    handed_off = a_turn(
        HandOffLead(LeadKind.BOOKED, 80), before=0, conversation=a_conversation(world.chat_id)
    )
    await world.database.write(turns.commit, handed_off)
    of_card = update(models.Outbox).where(models.Outbox.kind == "card")
    sent = of_card.values(state="sent", message_id=message_id)
    await world.database.write(lambda c: c.execute(sent) and None)
    await world.database.write(card_redraws.enqueue, 1, 1, NOW)


async def test_a_card_that_is_gone_is_not_sent_again(world: World) -> None:
    await redraws(world, 99_999)

    assert await world.works() == ["sent", "sent"]

    assert not any("Lead 1" in said.text for said in world.patient.said)


@ignore_ptb
async def test_drawing_a_card_anew_waits_when_telegram_says_so(world: World) -> None:
    await redraws(world, 99_999)
    world.standin.fault(FaultKind.TOO_MANY_REQUESTS, "editMessageText", seconds=7)

    assert await world.works() == ["sent", "pending"]
