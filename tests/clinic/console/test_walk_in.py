"""A visit that staff write in."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.builders import a_slot
from tests.clinic.console.world import Browser, ConsoleWorld


def times(page: str) -> list[str]:
    """Return the times that a page offers, as its form says them."""
    return re.findall(r'name="slot" value="([^"]+)"', page)


async def test_free_times_begin_now_without_the_patients_notice(member: Browser) -> None:
    offered = times((await member.get("/today/walk-in")).text)

    assert offered[0] == "amara 2026-11-24T10:30:00+00:00"
    assert any(time.startswith("rowan 2026-11-24") for time in offered)


async def test_a_taken_time_is_not_offered(world: ConsoleWorld, member: Browser) -> None:
    await world.books(a_slot(world.clock() + timedelta(minutes=10)))

    assert "amara 2026-11-24T10:30:00+00:00" not in times((await member.get("/today/walk-in")).text)


async def test_somebody_at_the_desk_is_booked(member: Browser) -> None:
    page = (await member.get("/today/walk-in?service=consultation")).text
    fields = {"service": "consultation", "slot": times(page)[0], "name": "Tom", "phone": "020 7946"}

    answer = await member.follows(await member.post("/today/walk-in", fields))

    assert "Tom is booked." in answer.text
    assert all(words in answer.text for words in ("Skin consultation · walk-in", "020 7946"))


async def test_of_two_who_want_a_time_one_gets_it(member: Browser) -> None:
    slot = times((await member.get("/today/walk-in")).text)[0]
    fields = {"service": "treatment", "slot": slot, "name": "Tom"}

    assert (await member.post("/today/walk-in", fields)).status_code == 303
    second = await member.post("/today/walk-in", {**fields, "name": "Ann"})
    assert (second.status_code, "not free any more" in second.text) == (422, True)
    assert 'value="Ann"' in second.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "Write down a name"),
        ({"name": " \t"}, "Write down a name"),
        ({"name": "x" * 81}, "The name is too long"),
        ({"name": "Tom", "phone": "1" * 41}, "The phone is too long"),
        ({"name": "Tom", "slot": "amara 2026-11-24T03:00:00+00:00"}, "not free any more"),
        ({"name": "Tom", "slot": "ines 2026-11-24T10:30:00+00:00"}, "not free any more"),
        ({"name": "Tom", "service": "none"}, "not free any more"),
        ({"name": "Tom", "slot": ""}, "not free any more"),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(
    member: Browser, fields: dict[str, str], words: str
) -> None:
    slot = times((await member.get("/today/walk-in")).text)[0]

    answer = await member.post("/today/walk-in", {"service": "treatment", "slot": slot, **fields})

    assert (answer.status_code, words in answer.text) == (422, True)


async def test_another_service_keeps_what_was_typed(member: Browser) -> None:
    typed = {"name": "Tom", "phone": "+44 20 7946 0111", "note": "from the <street>"}

    answer = await member.post(
        "/today/walk-in", {**typed, "service": "consultation", "act": "times"}
    )

    assert answer.status_code == 200
    assert '<option value="consultation" selected>' in answer.text
    assert ('value="Tom"' in answer.text, "&lt;street&gt;" in answer.text) == (True, True)
    assert 'role="alert"' not in answer.text
