"""An error in the rules: at every step the patient reads how to reach a person, staff are told."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, select

from flows import eligibility, wording
from flows.conversation import Stage
from storage import leads, staff
from storage.models import Appointment, Outbox
from tests.flows.chat import CLEAR
from tests.journeys.world import World

NUMBERS = ("Willow Skin Clinic: +44 20 7946 0000", "If you are in danger", "999", "116 123")


def fails(*_: Any, **__: Any) -> None:
    raise ZeroDivisionError("a rule is broken")


def _cards(connection: Connection) -> list[str]:
    return list(connection.execute(select(Outbox.key).where(Outbox.kind == "card")).scalars())


async def test_words_that_cannot_be_looked_through_lead_to_a_person_at_every_step(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await here.database.write(staff.add, "willow", "Noor", "owner", here.clock.now())
    await here.database.write(staff.invite, member, "token", here.clock.now())
    await here.database.write(staff.join, "token", 99, here.clock.now())
    maya = await here.meets()
    for step in CLEAR:
        before = await maya.conversation()
        assert before.state == step
        with monkeypatch.context() as broken:
            broken.setattr(wording, "red_flag", fails)
            await maya.patient.says("I want to die")
            said = await maya.patient.sees("Sorry, something went wrong on our side.")
        assert [each for each in NUMBERS if each not in said.text] == []
        assert await maya.conversation() == before
        await maya.gives(here.protocol.step(step), CLEAR[step])

    (lead,) = await here.database.read(leads.all_leads)
    assert (lead.kind, lead.wants_person) == ("person", True)
    assert len(await here.database.read(_cards)) == 1


async def test_a_verdict_that_cannot_be_reached_books_nothing_and_names_a_person(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    maya = await here.meets()
    await maya.answers()
    monkeypatch.setattr(eligibility, "assess", fails)

    await maya.patient.taps("All correct")
    said = await maya.patient.sees("Sorry, something went wrong on our side.")

    assert [each for each in NUMBERS if each not in said.text] == []
    assert (await maya.conversation()).state == Stage.REVIEW
    assert await here.database.read(lambda c: c.execute(select(Appointment.uid)).all()) == []
    (lead,) = await here.database.read(leads.all_leads)
    assert lead.wants_person
