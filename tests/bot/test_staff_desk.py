"""What staff do in Telegram is done once, however often the update comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from telegram import Bot

from bot.app import a_pace
from bot.pace import UNLIMITED
from bot.request import AiohttpRequest
from bot.scenery import Scenery
from bot.sender import Sender
from bot.staff_desk import StaffDesk
from bot.staff_words import COMMANDS, StaffWords
from bot.updates import Arrival, StaffCall
from flows.events import AskedHelp
from storage import inbox, models, staff
from storage.database import Database
from storage.staff_cards import CardFacts
from tests.builders import NOW
from tests.flows.chat import catalogues
from tests.patient import Patient
from tests.standin import StoppedClock, running_standin


class Died(BaseException):
    """The process is gone."""


@dataclass
class Dying:
    """A database whose process ends right before one kind of write."""

    database: Database
    before: Callable[..., Any] | None = None

    async def read(self, fn: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return await self.database.read(fn, *args, **more)

    async def write(self, fn: Callable[..., Any], *args: Any, **more: Any) -> Any:
        if fn is self.before:
            self.before = None
            raise Died
        return await self.database.write(fn, *args, **more)


@dataclass
class World:
    """Noor of Willow, and the desk that serves her."""

    desk: StaffDesk
    database: Dying
    chat: Patient
    bot: Bot

    def call(self, name: str, rest: str = "", number: int = 50) -> StaffCall:
        arrival = Arrival(number, self.chat.chat_id, AskedHelp(), typed=True)
        return StaffCall(arrival, name, rest)

    async def states(self) -> list[str]:
        query = select(models.Appointment.state).order_by(models.Appointment.uid)
        return await self.database.read(lambda c: list(c.execute(query).scalars()))


async def _no_clinics(_held: object) -> dict[str, Any]:
    return {}


@pytest.fixture
async def world(willow: Database) -> AsyncIterator[World]:
    async with running_standin() as standin, await standin.new_patient("Noor") as chat:
        await chat.starts()
        bot = Bot(
            standin.token,
            base_url=f"{standin.url}/bot",
            request=AiohttpRequest(),
            get_updates_request=AiohttpRequest(),
        )
        async with bot:
            dying = Dying(willow)
            sender = Sender(bot, a_pace(UNLIMITED), _no_sleep, _no_matter)
            scenery = Scenery(StoppedClock(NOW), lambda: "t" * 32, {}, catalogues(), _no_clinics)
            desk = StaffDesk(dying, bot, sender, scenery, "https://console.example")  # type: ignore[arg-type]  # reads and writes alike
            staff_id = await willow.write(staff.add, "willow", "Noor", "owner", NOW)
            await willow.write(staff.invite, staff_id, "token", NOW)
            yield World(desk, dying, chat, bot)


async def _no_sleep(_seconds: float) -> None:
    return


async def _no_matter(_chat_id: int) -> None:
    return


async def test_time_off_is_blocked_once_over_a_crash(world: World) -> None:
    await world.desk.take(world.call("join", "token", 49))
    call = world.call("off", "amara tomorrow 14:00-18:00")
    world.database.before = inbox.claim

    with pytest.raises(Died):
        await world.desk.take(call)
    assert await world.desk.take(call)
    assert await world.desk.take(call)

    assert await world.states() == ["blocked"]
    await world.chat.sees("Amara Osei: off")
    answers = [said for said in world.chat.said if "Amara Osei: off" in said.text]
    assert len(answers) == 2  # once before the crash, once after it; the third time it is settled


async def test_an_invitation_is_answered_again_after_a_crash(world: World) -> None:
    call = world.call("join", "token", 49)
    world.database.before = inbox.claim

    with pytest.raises(Died):
        await world.desk.take(call)
    assert await world.desk.take(call)

    await world.chat.sees("Hello Noor! You are connected to Willow Skin Clinic")
    assert not any("cannot be used" in said.text for said in world.chat.said)


async def test_who_is_of_no_clinic_is_left_to_the_dialogue(world: World) -> None:
    assert not await world.desk.take(world.call("today"))
    assert not await world.desk.take(world.call("press", "lead.accepted.1"))


@pytest.mark.parametrize(
    "data",
    [
        "",
        "lead",
        "lead.accepted.x",
        "lead.nonsense.1",
        "when.never",
        "off.1.amara.99999999999999999999.1",
        "off.1.nobody.1.2",
        "off.77.*.1.2",
        "back.1",
        "back.77.5",
        "unheard.of",
    ],
)
async def test_a_made_up_button_changes_nothing(world: World, data: str) -> None:
    await world.desk.take(world.call("join", "token", 49))

    assert await world.desk.take(world.call("press", data))

    assert await world.states() == []


async def test_a_sign_in_link_is_fresh_and_for_one_clinic(world: World) -> None:
    await world.desk.take(world.call("join", "token", 49))

    await world.desk.take(world.call("console"))

    said = await world.chat.sees("https://console.example/sign-in/")
    assert "It works once, for 5 minutes" in said.text
    assert "on the machine that runs the bot" not in said.text


async def test_an_invited_member_is_told_of_the_console_and_of_help(world: World) -> None:
    await world.desk.take(world.call("join", "token", 49))

    said = await world.chat.sees("You are connected")
    assert all(command in said.text for command in ("/today", "/console", "/help"))


async def test_help_tells_staff_each_command_and_leaves_patients_theirs(world: World) -> None:
    assert not await world.desk.take(world.call("help", number=48))
    await world.desk.take(world.call("join", "token", 49))

    assert await world.desk.take(world.call("help"))

    said = await world.chat.sees("What you can send here")
    lines = [line for line in said.text.splitlines() if line.startswith("/")]
    assert [line.partition(":")[0] for line in lines] == [f"/{name}" for name in COMMANDS[:-1]]
    assert "as a patient does, send /start or /my" in said.text


def test_a_link_of_the_machine_itself_says_where_it_opens() -> None:
    words = StaffWords(catalogues(), "en", "UTC")

    here = words.sign_in("Willow", "http://127.0.0.1:8081/sign-in/x").html
    elsewhere = words.sign_in("Willow", "https://desk.example/sign-in/x").html

    assert "in a browser on the machine that runs the bot" in here
    assert "CONSOLE_URL" in here
    assert "CONSOLE_URL" not in elsewhere


def test_a_card_says_where_an_address_of_the_machine_itself_opens() -> None:
    words = StaffWords(catalogues(), "en", "UTC")
    lead = CardFacts(
        lead_id=7,
        clinic="Willow",
        zone="UTC",
        locale="en",
        kind="review",
        verdict=None,
        band="",
        wants_person=False,
        booked=(),
        next_booked=None,
        has_paused=False,
        asked=0,
        status="new",
        by="",
        at=None,
        chat_id=1,
    )

    here, elsewhere = (
        words.card(lead, url) for url in ("http://[::1]:8081", "https://desk.example")
    )

    assert "on the machine that runs the bot: http://[::1]:8081/leads/7" in here.html
    assert "the machine that runs" not in elsewhere.html
    assert elsewhere.rows[-1][0].url == "https://desk.example/leads/7"
