"""The funnel in the console: told in words and bars, and nobody can be picked out of it."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from clinic.console import small_numbers
from clinic.console.bars import Bar, chart
from storage.models import Conversation, Intake, Patient, StepVisit
from tests.clinic.console.world import Browser, ConsoleWorld
from tests.flows.chat import protocol


async def come(world: ConsoleWorld, many: int, *, answered: int, campaign: str = "") -> None:
    """Let people begin, and some of them answer the consent."""
    clinic_id = world.people["willow", "owner"].clinic_id
    await world.database.write(_come, clinic_id, many, answered, campaign, world)


def _come(
    connection: Connection,
    clinic_id: int,
    many: int,
    answered: int,
    campaign: str,
    world: ConsoleWorld,
) -> None:
    now = world.clock()
    first = 5000 + 1000 * len(campaign)
    for number in range(many):
        chat = {"chat_id": first + number}
        connection.execute(
            insert(Patient).values(**chat, first_name="Hidden", locale="en", created_at=now)
        )
        row = {**chat, "run": 1, "protocol": protocol().key}
        at = now.replace(day=now.day - 3)
        connection.execute(
            insert(Conversation).values(
                **row, clinic="willow", state="age", revision=1, document="{}", updated_at=at
            )
        )
        connection.execute(
            insert(Intake).values(
                **row, clinic_id=clinic_id, campaign=campaign or None, started_at=at
            )
        )
        visit = {**chat, "run": 1, "passed_over": False, "backs": 0, "changes": 0}
        told = at if number < answered else None
        connection.execute(
            insert(StepVisit).values(**visit, step="consent", reached_at=at, answered_at=told)
        )


async def test_few_people_are_not_counted_at_all(world: ConsoleWorld, member: Browser) -> None:
    await come(world, 4, answered=4)
    page = (await member.get("/funnel")).text

    assert "Fewer than 5 people so far" in page
    assert '<svg class="bars"' not in page


async def test_the_questions_are_told_in_words_and_bars(
    world: ConsoleWorld, member: Browser
) -> None:
    await come(world, 43, answered=31)
    page = (await member.get("/funnel")).text

    row = re.search(r"<tr><th scope=\"row\">Your agreement.*?</tr>", page, flags=re.DOTALL)
    assert row
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row.group(), flags=re.DOTALL)
    plain = [re.sub(r"<[^>]*>", "", cell) for cell in cells]
    assert plain == ["40", "30", "10 about 30 %", "fewer than 5", "fewer than 5"]
    assert "Hidden" not in page


async def test_every_drawing_has_a_name_and_a_description(
    world: ConsoleWorld, member: Browser
) -> None:
    await come(world, 20, answered=20)
    page = (await member.get("/funnel")).text
    drawings = re.findall(r'<svg class="bars".*?</svg>', page, flags=re.DOTALL)

    assert len(drawings) == 2
    for drawing in drawings:
        root = ElementTree.fromstring(drawing)  # noqa: S314 - our own page
        assert [child.tag for child in root][:2] == ["title", "desc"]
        assert root.get("aria-labelledby", "").split() == [root[0].get("id"), root[1].get("id")]


async def test_people_are_told_apart_by_source(world: ConsoleWorld, member: Browser) -> None:
    await come(world, 10, answered=0)
    await come(world, 25, answered=0, campaign="poster")

    async def started(query: str) -> str:
        page = (await member.get(f"/funnel?{query}")).text
        found = re.search(r"Started</th><td[^>]*>([^<]*)", page)
        assert found
        return found.group(1)

    assert [await started(q) for q in ("", "campaign=poster", "campaign=-", "campaign=x")] == [
        "35",
        "25",
        "10",
        "35",
    ]


async def test_another_clinic_sees_none_of_it(world: ConsoleWorld) -> None:
    await come(world, 30, answered=30, campaign="poster")
    page = (await (await world.signed_in_client("owner", "harbour")).get("/funnel")).text

    assert ("Fewer than 5 people" in page, "poster" in page) == (True, False)


def could_be(shown: int) -> range:
    """Return every count that a shown number can stand for."""
    return range(shown, shown + small_numbers.LEAST)


@given(whole=st.integers(5, 200), part=st.integers(0, 200))
def test_no_difference_of_two_numbers_tells_the_size_of_a_small_group(
    whole: int, part: int
) -> None:
    part = min(whole, part)
    shown = small_numbers.rounded(whole), small_numbers.rounded(part)
    rest = {a - b for a, b in itertools.product(*map(could_be, shown)) if a >= b}
    small = {size for size in rest if size < small_numbers.LEAST}

    assert whole - part in rest
    assert len(small) != 1


@given(whole=st.integers(0, 500), part=st.integers(0, 500))
def test_a_share_tells_no_more_than_the_numbers_beside_it(whole: int, part: int) -> None:
    part = min(whole, part)
    alike = {
        small_numbers.share(b, a)
        for a in could_be(small_numbers.rounded(whole))
        for b in could_be(small_numbers.rounded(part))
    }

    assert len(alike) == 1


def test_bars_are_as_long_as_their_numbers_and_inside_the_drawing() -> None:
    drawn = chart([Bar("a", 20, "20", inner=10), Bar("b", 10, "10", is_part=True)], most=20)
    first, second = drawn.bars

    assert (first.width, first.inner, second.width) == (360, 180, 173)
    assert second.x + second.width <= drawn.width
    assert second.y + 16 <= drawn.height


def test_nobody_at_all_can_be_drawn() -> None:
    assert chart([Bar("a", 0, "fewer than 5")], most=0).bars[0].width == 0
