"""The sender against the Bot API stand-in: what Telegram may answer, and what becomes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from telegram import Bot
from telegram.error import RetryAfter

from bot.canvas import Canvas
from bot.markup import Button, ContactRequest, Screen
from bot.pace import UNLIMITED, Pace, Priority
from bot.playground.faults import FaultKind
from bot.request import AiohttpRequest
from bot.sender import Sender, Undelivered, Unreachable, Upload
from flows.events import AskedHelp
from tests.bot.test_request import unused_port
from tests.patient import Patient
from tests.standin import RunningStandIn, running_standin

HELP = Screen("<b>Question</b>", ((Button("Help", AskedHelp()),),), revision=3)

#: PTB warns of a change to come whenever it makes this error.
ignore_ptb = pytest.mark.filterwarnings("ignore:.*retry_after")


@dataclass
class World:
    """A sender, the patient it writes to, and what was waited for."""

    standin: RunningStandIn
    patient: Patient
    bot: Bot
    slept: list[float] = field(default_factory=list)
    unreachable: list[int] = field(default_factory=list)
    now: float = 0.0

    @property
    def sender(self) -> Sender:
        pace = Pace(UNLIMITED, lambda: self.now, self.sleep)
        return Sender(self.bot, pace, self.sleep, self.lose)

    @property
    def chat_id(self) -> int:
        return self.patient.chat_id

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def lose(self, chat_id: int) -> None:
        self.unreachable.append(chat_id)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with running_standin() as standin, await standin.new_patient() as patient:
        await patient.starts()
        request, polls = AiohttpRequest(), AiohttpRequest()
        bot = Bot(
            standin.token,
            base_url=f"{standin.url}/bot",
            request=request,
            get_updates_request=polls,
        )
        async with bot:
            yield World(standin, patient, bot)


async def test_a_screen_arrives_with_its_buttons(world: World) -> None:
    await world.sender.show(world.chat_id, HELP)

    said = await world.patient.sees("Question")
    assert said.buttons[0].data == "3.h"


async def test_links_and_copy_buttons_are_not_presses(world: World) -> None:
    rows = ((Button("Map", url="https://m.example/"), Button("Copy", copy_text="AB12")),)

    await world.sender.show(world.chat_id, Screen("x", rows))

    raw = [button.raw for button in (await world.patient.sees("x")).buttons]
    assert raw[0]["url"] == "https://m.example/"
    assert raw[1]["copy_text"] == {"text": "AB12"}


async def test_a_button_that_does_nothing_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="must press, copy or open"):
        await world.sender.show(world.chat_id, Screen("x", ((Button("Dead"),),)))


async def test_a_screen_is_replaced_in_place(world: World) -> None:
    first = await world.sender.show(world.chat_id, HELP)

    same = await world.sender.replace(world.chat_id, first, Screen("Other", HELP.rows))

    assert same == first
    await world.patient.sees("Other")


async def test_replacing_with_the_same_changes_nothing_and_is_no_error(world: World) -> None:
    first = await world.sender.show(world.chat_id, HELP)

    assert await world.sender.replace(world.chat_id, first, HELP) == first


async def test_a_message_that_is_gone_is_sent_anew(world: World) -> None:
    new = await world.sender.replace(world.chat_id, 9999, HELP)

    assert (await world.patient.sees("Question")).message_id == new


async def test_a_receipt_and_a_stripped_message_have_no_buttons(world: World) -> None:
    first = await world.sender.show(world.chat_id, HELP)
    second = await world.sender.show(world.chat_id, Screen("Two", HELP.rows))

    await world.sender.close(world.chat_id, first, "<b>Age</b>: 22")
    await world.sender.strip(world.chat_id, second)
    await world.sender.strip(world.chat_id, second)

    await world.patient.sees("Age: 22")
    assert world.patient.buttons == ()


async def test_markup_that_telegram_cannot_read_arrives_as_plain_text(world: World) -> None:
    first = await world.sender.show(world.chat_id, Screen("<b>1 &amp; 2"))
    await world.patient.sees("1 & 2")

    await world.sender.replace(world.chat_id, first, Screen("<i>3 &lt; 4"))
    await world.patient.sees("3 < 4")


async def test_the_contact_button_comes_and_goes(world: World) -> None:
    await world.sender.ask_contact(world.chat_id, ContactRequest("Number?", "Share", "Phone"))
    await world.patient.shares_contact()

    await world.sender.drop_contact(world.chat_id, "Thanks")
    await world.patient.sees("Thanks")


async def test_a_picture_can_be_sent_again_by_its_id(world: World) -> None:
    upload = Upload("dot.png", Canvas(8, 8).png(), caption="A <b>dot</b>")

    file_id = await world.sender.picture(world.chat_id, upload)
    await world.sender.picture(world.chat_id, Upload("dot.png", file_id=file_id))

    await world.patient.sees_photo()
    assert len(world.patient.photos) == 2


async def test_a_caption_that_is_too_long_is_cut(world: World) -> None:
    await world.sender.document(world.chat_id, Upload("a.ics", b"BEGIN", caption="x" * 2000))

    said = await world.patient.sees_document()
    assert len(said.text) == 1024


@ignore_ptb
async def test_a_wait_is_kept_for_as_long_as_telegram_asks(world: World) -> None:
    world.standin.fault(FaultKind.TOO_MANY_REQUESTS, "sendMessage", seconds=7)

    await world.sender.say(world.chat_id, "hello")

    assert sum(world.slept) >= 7
    await world.patient.sees("hello")


@ignore_ptb
async def test_endless_waits_end_as_undelivered(world: World) -> None:
    world.standin.fault(FaultKind.TOO_MANY_REQUESTS, "sendMessage", count=50)

    with pytest.raises(Undelivered, match="RetryAfter"):
        await world.sender.say(world.chat_id, "hello")


async def test_a_patient_who_blocked_the_bot_is_marked(world: World) -> None:
    await world.patient.blocks()

    with pytest.raises(Unreachable):
        await world.sender.say(world.chat_id, "hello")

    assert world.unreachable == [world.chat_id]


async def test_a_chat_that_does_not_exist_is_marked_too(world: World) -> None:
    with pytest.raises(Unreachable):
        await world.sender.say(424242, "hello")

    assert world.unreachable == [424242]


async def test_a_reply_that_perhaps_arrived_is_tried_once_more(world: World) -> None:
    world.standin.fault(FaultKind.RESET_AFTER_DELIVERY, "sendMessage")

    await world.sender.say(world.chat_id, "hello")

    await world.patient.sees("hello")
    assert sum(said.text == "hello" for said in world.patient.said) == 2


@ignore_ptb
async def test_what_may_not_be_sent_within_its_turn_is_put_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sender._TURN_WITHIN", 0.05)
    pace = Pace(UNLIMITED, time.monotonic, asyncio.sleep)
    pace.hold(world.chat_id, 60)
    sender = Sender(world.bot, pace, asyncio.sleep, world.lose)

    with pytest.raises(RetryAfter):
        await sender.once(world.chat_id, HELP)
    with pytest.raises(RetryAfter):
        await sender.redraw_once(world.chat_id, 1, HELP)


async def test_a_nudge_that_perhaps_arrived_is_never_sent_twice(world: World) -> None:
    world.standin.fault(FaultKind.RESET_AFTER_DELIVERY, "sendMessage")

    with pytest.raises(Undelivered):
        await world.sender.say(world.chat_id, "hello", Priority.NUDGE)

    await world.patient.sees("hello")
    assert sum(said.text == "hello" for said in world.patient.said) == 1


async def test_an_edit_is_tried_again_because_it_can_do_no_harm(world: World) -> None:
    first = await world.sender.show(world.chat_id, HELP)
    world.standin.fault(FaultKind.RESET_AFTER_DELIVERY, "editMessageText", count=2)

    assert await world.sender.replace(world.chat_id, first, Screen("Other")) == first


async def test_a_gateway_error_passes(world: World) -> None:
    world.standin.fault(FaultKind.BAD_GATEWAY, "sendMessage")

    await world.sender.say(world.chat_id, "hello")

    await world.patient.sees("hello")


async def test_a_refused_message_says_its_kind_and_no_more(world: World) -> None:
    world.standin.fault(FaultKind.BAD_REQUEST, "sendMessage")

    with pytest.raises(Undelivered) as refused:
        await world.sender.say(world.chat_id, "hello")

    assert str(refused.value) == "BadRequest"


async def test_a_server_that_is_away_is_tried_for_a_while(world: World) -> None:
    request = AiohttpRequest()
    bot = Bot("1:A", base_url=f"http://127.0.0.1:{unused_port()}/bot", request=request)
    await request.initialize()
    world.bot = bot

    with pytest.raises(Undelivered, match="NotSent"):
        await world.sender.say(world.chat_id, "hello")

    await request.shutdown()
    assert len(world.slept) == 8


async def test_a_callback_is_answered_and_a_late_one_does_not_matter(world: World) -> None:
    await world.sender.answer("no such query", "hello")

    assert world.slept == []


async def test_a_token_that_is_revoked_is_undelivered(world: World) -> None:
    request = AiohttpRequest()
    await request.initialize()
    world.bot = Bot("1:A", base_url=f"{world.standin.url}/bot", request=request)

    with pytest.raises(Undelivered, match="InvalidToken"):
        await world.sender.say(world.chat_id, "hello")

    await request.shutdown()
