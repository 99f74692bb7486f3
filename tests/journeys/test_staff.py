"""A clinic's people in Telegram: cards, the day, time off, and answers to patients."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from bot.app import a_pace
from bot.deliveries import delivering
from bot.pace import UNLIMITED
from bot.worker import Deliver, Terms, Worker
from storage import audit, lead_work, models, outbox, staff
from storage.database import Database
from storage.lead_work import Change, Whose
from storage.outbox import Message, OutboxRow
from storage.outbox_policy import Kind
from tests.flows.chat import catalogues
from tests.journeys.guide import Guide
from tests.journeys.world import World
from tests.patient import NotSeen, Patient

PHONE = re.compile(r"\+?\d[\d ]{7,}")


@dataclass
class Clinic:
    """The journey's world with a worker, and people of Willow."""

    here: World
    deliveries: dict[Kind, Deliver]

    async def sends(self) -> None:
        """Send what is due."""
        terms = Terms(kinds=tuple(self.deliveries))
        worker = Worker(self.here.database, self._deliver, self.here.clock, lambda: "t", terms)
        while await worker.once():
            pass

    async def invites(self, name: str, role: str = "staff") -> Patient:
        """Let somebody join Willow's team with a link."""
        database, now = self.here.database, self.here.clock.now()
        staff_id = await database.write(staff.add, "willow", name, role, now)
        payload = await database.write(staff.invite, staff_id, f"token-of-{name}", now)
        chat = await self.here.standin.new_patient(name)
        self.here.patients.append(chat)
        await chat.starts(payload)
        await chat.sees("You are connected to Willow Skin Clinic")
        return chat

    async def lead(self) -> Any:
        """Return the only lead."""
        (lead,) = await rows(self.here.database, models.Lead)
        return lead

    async def makes_the_lead(self, expected: str, wanted: str) -> None:
        """Let Joe, the second of the team, give the only lead a status in the console."""
        lead = await self.lead()
        whose = Whose(lead.clinic_id, 2, lead.id, self.here.clock.now())
        changed = await self.here.database.write(lead_work.set_status, whose, expected, wanted)
        assert changed is Change.DONE

    async def _deliver(self, row: OutboxRow) -> int | None:
        return await self.deliveries[row.kind](row)


@pytest.fixture
async def clinic(here: World) -> AsyncIterator[Clinic]:
    async with worker_parts(here) as deliveries:
        yield Clinic(here, deliveries)


@asynccontextmanager
async def worker_parts(here: World) -> AsyncIterator[dict[Kind, Deliver]]:
    async with AsyncExitStack() as stack:
        deliveries = await stack.enter_async_context(
            delivering(
                token=here.standin.token,
                api_url=here.standin.url,
                database=here.database,
                clock=here.clock,
                pace=a_pace(UNLIMITED),
                catalogues=catalogues(),
                console_url="https://console.example",
            )
        )
        yield dict(deliveries)


async def book(guide: Guide) -> str:
    """Book the first offer and return the booking code."""
    await guide.answers()
    await guide.taps("All correct")
    await guide.taps("Book all")
    await guide.taps("Here in Telegram")
    return (await guide.conversation()).booking.code


async def rows(database: Database, model: type[models.Model]) -> list[Any]:
    return await database.read(lambda c: list(c.execute(select(model)).all()))


async def test_a_card_of_a_new_lead_is_accepted_by_the_first_who_presses(clinic: Clinic) -> None:
    noor, iris = await clinic.invites("Noor"), await clinic.invites("Iris")
    maya = await clinic.here.meets("Maya")
    code = await book(maya)
    await clinic.sends()

    card = await noor.sees("Lead 1")
    assert "Verdict: suitable" in card.text
    assert f"({code})" in card.text
    assert "Maya" not in card.text
    assert not PHONE.search(card.text.replace(code, ""))
    await iris.sees("Lead 1")

    await noor.taps("Accept")
    await noor.sees("Accepted by Noor")
    await clinic.sends()
    await iris.sees("Accepted by Noor")
    (lead,) = await rows(clinic.here.database, models.Lead)
    assert (lead.status, lead.staff_id) == ("accepted", 1)
    entries = await clinic.here.database.read(audit.entries, lead.clinic_id)
    assert [(entry.staff, entry.what) for entry in entries] == [("Noor", "lead.accepted")]


async def test_a_card_follows_what_is_done_in_the_console(clinic: Clinic) -> None:
    noor = await clinic.invites("Noor")
    await clinic.invites("Joe")
    await book(await clinic.here.meets("Maya"))
    await clinic.sends()
    await noor.sees("Lead 1")

    await clinic.makes_the_lead("new", "accepted")
    await clinic.sends()

    card = await noor.sees("Accepted by Joe")
    assert card.labels == ("Contacted", "Not suitable", "Open in the console")
    assert sum("Lead 1" in said.text for said in noor.said) == 1


async def test_a_press_on_a_stale_card_is_refused_and_shows_how_the_lead_stands(
    clinic: Clinic,
) -> None:
    noor = await clinic.invites("Noor")
    await clinic.invites("Joe")
    await book(await clinic.here.meets("Maya"))
    await clinic.sends()
    await clinic.makes_the_lead("new", "accepted")

    await noor.taps("Not suitable")
    await noor.sees_toast(f"Joe accepted this at {clinic.here.clock.now():%H:%M}.")
    await noor.sees("Accepted by Joe")
    assert (await clinic.lead()).status == "accepted"

    await noor.taps("Not suitable")
    card = await noor.sees("Not suitable, says Noor")
    lead = await clinic.lead()
    assert (lead.status, lead.declined_why) == ("declined", None)
    assert "But Tue 24 Nov, 09:00 is still booked." in card.text
    await noor.sees_toast("is still booked: to cancel it, open the console.")


async def test_a_card_of_a_request_confirms_every_visit_and_the_patient_reads_it_once(
    clinic: Clinic,
) -> None:
    database = clinic.here.database
    by_request = update(models.Clinic).values(booking_mode="request")
    await database.write(lambda c: c.execute(by_request) and None)
    noor, maya = await clinic.invites("Noor"), await clinic.here.meets("Maya")
    await book(maya)
    await clinic.sends()
    visits = len(await rows(database, models.Appointment))

    await noor.taps(f"Confirm all {visits} visits")
    await noor.sees("Accepted by Noor")
    await clinic.sends()

    assert {row.state for row in await rows(database, models.Appointment)} == {"booked"}
    await maya.patient.sees("confirmed")
    kinds = [row.key for row in await rows(database, models.Outbox) if row.kind == "confirmation"]
    assert len([key for key in kinds if "confirmed" in key]) == 1


async def test_confirming_what_was_moved_meanwhile_blames_nobody(clinic: Clinic) -> None:
    database = clinic.here.database
    by_request = update(models.Clinic).values(booking_mode="request")
    await database.write(lambda c: c.execute(by_request) and None)
    noor = await clinic.invites("Noor")
    await clinic.invites("Joe")
    await book(await clinic.here.meets("Maya"))
    await clinic.sends()
    visits = len(await rows(database, models.Appointment))
    await clinic.makes_the_lead("new", "contacted")
    moved = update(models.Appointment).values(version=models.Appointment.version + 1)
    await database.write(lambda c: c.execute(moved) and None)

    await noor.taps(f"Confirm all {visits} visits")

    await noor.sees_toast("Something has changed meanwhile.")


async def test_a_patient_who_wants_a_person_is_told_of_first(clinic: Clinic) -> None:
    noor = await clinic.invites("Noor")
    maya = await clinic.here.meets("Maya")
    await maya.answers()
    await maya.taps("All correct")
    await maya.taps("Talk to a person")
    await clinic.sends()

    card = await noor.sees("Somebody would like to talk to a person")
    assert card.text.startswith("Somebody would like")
    assert "Answer under Messages in the console." in card.text
    (link,) = [each.raw["url"] for each in card.buttons if "url" in each.raw]
    assert link == "https://console.example/leads/1/messages"


async def test_a_card_comes_once_however_often_a_person_is_asked_for(clinic: Clinic) -> None:
    noor = await clinic.invites("Noor")
    maya = await clinic.here.meets("Maya")
    await maya.says("person")
    await maya.taps("Back")
    await maya.says("person")
    await clinic.sends()

    await noor.sees("Somebody would like to talk to a person")
    assert sum("Lead" in said.text for said in noor.said) == 1


async def test_whoever_turned_cards_off_or_left_gets_none(clinic: Clinic) -> None:
    noor, iris = await clinic.invites("Noor"), await clinic.invites("Iris")
    await noor.says("/cards off")
    await noor.sees("You get no cards")
    await book(await clinic.here.meets("Maya"))
    await iris.says("/leave")
    await iris.sees("You have left Willow Skin Clinic")

    await clinic.sends()

    with pytest.raises(NotSeen):
        await noor.sees("Lead", within=0.3)
    assert not any("Lead" in said.text for said in iris.said)
    await iris.says("/today")
    await iris.sees("Which clinic would you like to talk to?")


async def test_the_day_names_codes_and_never_a_patient(clinic: Clinic) -> None:
    noor = await clinic.invites("Noor")
    maya = await clinic.here.meets("Maya")
    code = await book(maya)
    session = (await maya.conversation()).booking.sessions[0]
    clinic.here.clock.move(session.slot.starts_at - clinic.here.clock.now() - timedelta(hours=1))

    await noor.says("/today")
    today = await noor.sees(code)
    await noor.says("/week")
    await noor.sees(code)

    assert "booked" in today.text
    assert not any("Maya" in said.text for said in noor.said)


async def test_time_off_is_not_offered_and_can_be_taken_back(clinic: Clinic) -> None:
    noor = await clinic.invites("Noor")
    maya = await clinic.here.meets("Maya")
    await maya.answers()
    await maya.taps("All correct")
    first = (await maya.conversation()).booking.offers[0].slots[0]
    who = {"amara": "Amara", "rowan": "Rowan"}[first.practitioner]
    day = first.starts_at.strftime("%-d %B")

    await noor.says(f"/off {who} {day}")
    await noor.sees("Patients are offered other times")
    await maya.taps("Book all")

    held = (await maya.conversation()).booking.sessions
    assert first not in [session.slot for session in held]
    await noor.taps("Take it back")
    await noor.sees("patients can book that time again")
    states = {row.state for row in await rows(clinic.here.database, models.Appointment)}
    assert "blocked" not in states


async def test_time_off_on_a_visit_says_which_one(clinic: Clinic) -> None:
    noor = await clinic.invites("Noor")
    maya = await clinic.here.meets("Maya")
    code = await book(maya)
    session = (await maya.conversation()).booking.sessions[0]

    await noor.says(f"/off everyone {session.slot.starts_at:%-d %B}")

    said = await noor.sees("somebody is booked then")
    assert code in said.text
    states = {row.state for row in await rows(clinic.here.database, models.Appointment)}
    assert "blocked" not in states


async def test_time_off_is_chosen_with_buttons(clinic: Clinic) -> None:
    noor = await clinic.invites("Noor")

    await noor.says("/off")
    await noor.taps("Tomorrow")
    await noor.taps("Everyone")

    said = await noor.sees("off")
    assert "Tue 24 Nov" in said.text
    appointments = await rows(clinic.here.database, models.Appointment)
    assert [row.state for row in appointments] == ["blocked", "blocked"]


async def test_a_patient_who_is_no_staff_gets_the_usual_answer(clinic: Clinic) -> None:
    maya = await clinic.here.meets("Maya")

    await maya.says("/today")
    await maya.patient.sees("I ask a few questions about your skin")


async def test_an_invitation_works_once_and_makes_nobody_a_patient(clinic: Clinic) -> None:
    await clinic.invites("Noor")
    other = await clinic.here.standin.new_patient("Eve")
    clinic.here.patients.append(other)

    await other.starts("staff_token-of-Noor")
    await other.sees("This invitation cannot be used any more")

    assert await rows(clinic.here.database, models.Patient) == []


async def write_reply(clinic: Clinic, chat_id: int, body: str) -> None:
    now = clinic.here.clock.now()

    def write(connection: Any) -> None:
        found = select(models.Clinic.id).where(models.Clinic.slug == "willow")
        thread = {
            "clinic_id": connection.execute(found).scalar(),
            "chat_id": chat_id,
            "is_open": True,
            "opened_at": now,
            "updated_at": now,
        }
        added = insert(models.Thread).values(**thread).returning(models.Thread.id)
        thread_id = connection.execute(added).scalar()
        row = {"thread_id": thread_id, "author": "staff", "body": body, "at": now}
        message = insert(models.ThreadMessage).values(**row).returning(models.ThreadMessage.id)
        message_id = connection.execute(message).scalar()
        reply = Message(f"reply:{message_id}", Kind.REPLY, now, chat_id)
        outbox.enqueue(
            connection,
            Message(reply.key, Kind.REPLY, now, chat_id, payload={"message": message_id}),
            now,
        )

    await clinic.here.database.write(write)


class Died(BaseException):
    """The worker's process is gone."""


async def test_a_reply_reaches_the_patient_once_also_over_a_crash(clinic: Clinic) -> None:
    maya = await clinic.here.meets("Maya")
    await write_reply(clinic, maya.patient.chat_id, "Yes, come at <3> please")

    async def dies(_row: OutboxRow) -> int | None:
        raise Died

    terms = Terms(kinds=(Kind.REPLY,))
    dying = Worker(clinic.here.database, dies, clinic.here.clock, lambda: "dead", terms)
    with pytest.raises(Died):
        await dying.once()
    clinic.here.moves_clock(minutes=10)
    await clinic.sends()

    await maya.patient.sees("Yes, come at <3> please")
    replies = [said for said in maya.patient.said if "You have a new message" in said.text]
    assert len(replies) == 1
    assert replies[0].labels == ("Talk to a person",)
