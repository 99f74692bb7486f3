"""A patient asks a person: it reaches the clinic, is answered, and no question is lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bot.app import a_pace
from bot.deliveries import delivering
from bot.pace import UNLIMITED
from bot.worker import Terms, Worker
from flows.conversation import Overlay, Stage
from storage import desk, staff
from storage.desk import ThreadStory
from storage.outbox import OutboxRow
from tests.flows.chat import catalogues
from tests.journeys.world import World, bot_on

ASKED = "Do you have parking?"


@dataclass
class Clinic:
    """The journey's world with somebody at Willow's desk."""

    here: World
    clinic_id: int
    staff_id: int

    async def thread(self) -> ThreadStory:
        """Return the only thread."""
        (row,) = await self.here.database.read(desk.threads, self.clinic_id)
        story = await self.here.database.read(desk.thread, self.clinic_id, row.id)
        assert story is not None
        return story

    async def answers(self, words: str) -> None:
        """Answer in the only thread, and let it be sent."""
        thread = (await self.thread()).row.id
        now = self.here.clock.now()
        await self.here.database.write(
            desk.answer, self.clinic_id, self.staff_id, thread, words, now
        )
        async with delivering(
            token=self.here.standin.token,
            api_url=self.here.standin.url,
            database=self.here.database,
            clock=self.here.clock,
            pace=a_pace(UNLIMITED),
            catalogues=catalogues(),
        ) as by_kind:

            async def deliver(row: OutboxRow) -> int | None:
                return await by_kind[row.kind](row)

            terms = Terms(kinds=tuple(by_kind))
            await Worker(self.here.database, deliver, self.here.clock, lambda: "t", terms).once()


@pytest.fixture
async def clinic(here: World) -> Clinic:
    noor = await here.database.write(staff.add, "willow", "Noor", "staff", here.clock.now())
    (member,) = await here.database.read(staff.members, "willow")
    return Clinic(here, member.clinic_id, noor)


async def test_a_question_to_a_person_is_answered_and_the_place_is_kept(clinic: Clinic) -> None:
    maya = await clinic.here.meets("Maya")
    await maya.follows("Yes, let", "Help")
    assert await maya.taps("Talk to a person") == "age"
    await maya.patient.sees("What would you like to ask Willow Skin Clinic?")

    assert await maya.says(ASKED) == "age"
    sent = await maya.patient.sees("Sent to Willow Skin Clinic. They answer here, in working hours")
    assert "To add something, just write it." in sent.text
    assert await maya.taps("Back to where I was") == "age"
    assert await maya.taps("22 or older") == "acne_now"

    await clinic.answers("Yes, in Mill Lane.")
    said = await maya.patient.sees("Yes, in Mill Lane.")
    assert "To answer, tap “Talk to a person” first, or call" in said.text
    assert [said.body for said in (await clinic.thread()).messages] == [
        ASKED,
        "Yes, in Mill Lane.",
    ]


async def test_the_button_under_an_answer_never_grows_old(clinic: Clinic) -> None:
    maya = await clinic.here.meets("Maya")
    await maya.follows("Help", "Talk to a person")
    await maya.says(ASKED)
    await clinic.answers("Yes. Anything else?")
    said = await maya.patient.sees("Yes. Anything else?")
    assert "To answer, just write here, or call" in said.text
    await maya.says("No, thank you")
    assert (await clinic.thread()).messages[-1].body == "No, thank you"
    await maya.taps("Back to where I was")
    await maya.taps("Yes, let")

    await maya.presses(next(b for b in said.buttons if "person" in b.text))
    await maya.says("Is it free?")

    assert (await maya.conversation()).overlay is Overlay.ASK
    assert (await clinic.thread()).messages[-1].body == "Is it free?"


async def test_while_the_thread_is_open_words_that_are_no_answer_reach_the_clinic(
    clinic: Clinic,
) -> None:
    maya = await clinic.here.meets("Maya")
    await maya.follows("Help", "Talk to a person")
    await maya.says(ASKED)
    await maya.taps("Back to where I was")
    await maya.taps("Yes, let")

    assert await maya.says("I will come by the blue bus") == "age"
    await maya.patient.sees("I could not use that as an answer here")
    assert (await clinic.thread()).row.messages == 2


async def test_after_the_thread_is_closed_such_words_are_not_understood_again(
    clinic: Clinic,
) -> None:
    maya = await clinic.here.meets("Maya")
    await maya.follows("Help", "Talk to a person")
    await maya.says(ASKED)
    await maya.taps("Back to where I was")
    thread, now = (await clinic.thread()).row.id, clinic.here.clock.now()
    write = clinic.here.database.write
    await write(desk.set_open, clinic.clinic_id, clinic.staff_id, thread, now, is_open=False)

    await maya.says("I will come by the blue bus")
    await maya.patient.sees("I did not get that")


async def test_red_flag_words_to_a_person_show_where_help_is(clinic: Clinic) -> None:
    maya = await clinic.here.meets("Maya")
    await maya.follows("Help", "Talk to a person")

    assert await maya.says("I cant breathe and my face is swelling") == Stage.URGENT
    assert await clinic.here.database.read(desk.threads, clinic.clinic_id) == []


async def test_a_bot_that_restarts_while_words_are_on_their_way_keeps_them_once(
    clinic: Clinic,
) -> None:
    maya = await clinic.here.meets("Maya")
    await maya.follows("Help", "Talk to a person")
    await clinic.here.stop_bot()
    await maya.patient.says(ASKED)

    async with bot_on(clinic.here):
        await maya.arrives()
    assert [said.body for said in (await clinic.thread()).messages] == [ASKED]
