"""The whole bot over real HTTP against the stand-in: what a patient sees, and what survives."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs
from telegram.error import InvalidToken

from bot.app import COMMANDS, Serving, serve
from bot.faults import BotFault
from bot.pace import UNLIMITED
from bot.playground.faults import Fault, FaultKind
from flows.events import Media
from storage import clinics, conversations
from storage.database import Database, connect
from storage.models import Patient as PatientRow
from tests.bot.test_request import unused_port
from tests.flows.chat import catalogues
from tests.patient import Patient
from tests.standin import RunningStandIn, running_standin

CLEAR = (
    "let’s start",
    "22 or older",
    "No spots now",
    "Soft waves",
    "flat when",
    "Face",
    "None of these",
    "None of these",
    "Softer",
    "All fine",
    "Within a month",
)


@dataclass
class Town:
    """A stand-in, a clinic's database, and the bot when it runs."""

    standin: RunningStandIn
    database: Database

    def bot(self, **changes: str) -> AbstractAsyncContextManager[Serving]:
        return serve(
            token=changes.get("token", self.standin.token),
            api_url=changes.get("api_url", self.standin.url),
            database=self.database,
            clock=self.standin.clock,
            new_token=lambda: secrets.token_hex(16),
            catalogues=catalogues(),
            limits=UNLIMITED,
            jitter=lambda: 0.0,
        )


@pytest.fixture
async def town(sqlite_url: str) -> AsyncIterator[Town]:
    database = connect(sqlite_url)
    await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    async with running_standin() as standin:
        yield Town(standin, database)
    await database.close()


@asynccontextmanager
async def maya(town: Town) -> AsyncIterator[Patient]:
    async with town.bot(), await town.standin.new_patient() as patient:
        await patient.starts("willow")
        await patient.sees("computer program")
        yield patient


async def answers(patient: Patient, labels: tuple[str, ...]) -> None:
    for label in labels:
        await patient.taps(label)


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not ready():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


async def test_a_clear_patient_books_a_whole_series(town: Town) -> None:
    async with maya(town) as patient:
        await answers(patient, (*CLEAR, "All correct"))
        await patient.sees_photo()
        await patient.sees("Times that fit your plan")
        await answers(patient, ("Book all 4",))
        await patient.sees("How can Willow Skin Clinic reach you")
        await patient.taps("Here in Telegram")
        await patient.sees("You are booked!")
        document = await patient.sees_document()

        assert b"BEGIN:VEVENT" in await patient.downloads(document)
        await patient.still_sees("Times that fit your plan")
        await patient.still_sees("Times chosen")


async def test_sharing_the_own_number_books_too(town: Town) -> None:
    async with maya(town) as patient:
        await answers(patient, (*CLEAR, "All correct", "Book all 4"))
        await patient.shares_contact()

        await patient.sees("You are booked!")

    rows = await town.database.read(lambda c: c.execute(PatientRow.__table__.select()).all())
    assert rows[0].phone


async def test_an_answered_question_becomes_a_receipt_without_buttons(town: Town) -> None:
    async with maya(town) as patient:
        await answers(patient, ("let’s start", "22 or older"))
        await patient.sees("Question 2")
        receipt = await patient.still_sees("Age: 22 or older")

    assert not receipt.buttons


async def test_the_scar_pictures_come_once_right_before_their_question(town: Town) -> None:
    async with maya(town) as patient:
        await answers(patient, CLEAR[:4])
        await patient.sees("Question 4")
        picture, question = patient.photos[0], await patient.still_sees("Type of scar")
        await patient.taps("Back")
        await patient.sees("Question 3")

        assert question.message_id == picture.message_id + 1
        assert len(patient.photos) == 1


async def test_pictures_are_uploaded_once_for_all_patients(town: Town) -> None:
    async with maya(town) as first, await town.standin.new_patient("Tom") as second:
        await answers(first, CLEAR[:3])
        await first.sees_photo()
        await second.starts("willow")
        await answers(second, CLEAR[:3])
        await second.sees_photo()

        one, two = (p.photos[0].raw["photo"][-1]["file_id"] for p in (first, second))

    assert one == two


async def test_a_tick_changes_the_same_message(town: Town) -> None:
    async with maya(town) as patient:
        await answers(patient, CLEAR[:6])
        before = (await patient.sees_button("Retinol")).message_id
        await patient.taps("Retinol")
        done = await patient.sees_button("Done (1)")

    assert done.message_id == before


async def test_typed_answers_take_the_buttons_off_the_old_question(town: Town) -> None:
    async with maya(town) as patient:
        await patient.says("yes")
        await patient.sees("How old are you")
        await patient.says("27")
        await patient.sees("Question 2")
        receipt = await patient.still_sees("Age: 22 or older")

    assert not receipt.buttons
    assert len([said for said in patient.said if said.buttons]) == 1


async def test_a_button_pressed_twice_changes_nothing_and_repeats_nothing(town: Town) -> None:
    async with maya(town) as patient:
        start = await patient.sees_button("let’s start")
        town.standin.state.faults.plan(Fault(FaultKind.DELAY, "editMessageText", seconds=0.2))
        await asyncio.gather(patient.presses(start), patient.presses(start))
        await patient.sees("Here is where we are")
        await patient.sees_toast("older question")
        await patient.taps("22 or older")
        await patient.sees("Question 2")

        assert len([said for said in patient.said if said.from_bot]) == 3


async def test_an_old_button_says_so_in_the_chat_and_in_a_toast(town: Town) -> None:
    async with maya(town) as patient:
        old = await patient.sees_button("let’s start")
        town.standin.state.faults.plan(Fault(FaultKind.BAD_REQUEST, "editMessageText"))
        await patient.presses(old)  # its receipt is refused, so the old buttons stay
        await patient.sees("How old are you")
        await patient.presses(old)

        await patient.sees_toast("older question")
        await patient.sees("from an earlier question")
        await patient.taps("22 or older")
        await patient.sees("Question 2")


async def test_the_spinner_stops_before_the_screen_changes(town: Town) -> None:
    async with maya(town) as patient:
        town.standin.state.calls.clear()
        await patient.taps("let’s start")
        await patient.sees("How old are you")

    methods = [name.lower() for name, chat in town.standin.state.calls if name != "getUpdates"]
    assert methods[0] == "answercallbackquery"


async def test_who_was_left_without_a_reply_gets_it_after_a_restart(town: Town) -> None:
    async with await town.standin.new_patient() as patient:
        async with town.bot():
            town.standin.fault(FaultKind.BAD_REQUEST, "sendMessage")
            await patient.starts("willow")
            await until(lambda: not town.standin.state.faults.planned)
        assert await town.database.read(conversations.unanswered) == [patient.chat_id]

        async with town.bot():
            await patient.sees("computer program")
            await patient.taps("let’s start")
            await patient.sees("How old are you")


async def test_a_restart_in_the_middle_changes_nothing(town: Town) -> None:
    async with await town.standin.new_patient() as patient:
        async with town.bot():
            await patient.starts("willow")
            await answers(patient, CLEAR[:2])
            await patient.sees("Question 2")
        await patient.taps("No spots now")

        async with town.bot():
            await patient.sees("Which picture")
            await patient.still_sees("Acne now: No spots now")


async def test_a_redelivered_update_changes_nothing(town: Town) -> None:
    async with maya(town) as patient:
        await patient.taps("let’s start")
        await patient.sees("How old are you")
        count = len(patient.said)

        town.standin.state.queue.redeliver()
        await patient.taps("22 or older")
        await patient.sees("Question 2")

        assert len(patient.said) == count + 1


async def test_a_blocked_bot_is_noted_and_a_return_is_welcome(town: Town) -> None:
    async with maya(town) as patient:
        await patient.blocks()
        await patient.unblocks()
        await patient.says("/start")
        await patient.sees("computer program")


async def test_a_block_that_is_told_again_after_the_return_does_not_count(town: Town) -> None:
    async with maya(town) as patient:
        await patient.blocks()
        block = town.standin.state.queue.sent[-1]
        await patient.unblocks()
        await patient.says("/start")
        await patient.sees("computer program")

        town.standin.state.queue.redeliver(block.update_id)
        await patient.taps("let’s start")
        await patient.sees("How old are you")

        unreachable = select(PatientRow.unreachable_at)
        assert await town.database.read(lambda c: c.execute(unreachable).scalar()) is None


async def test_photos_get_one_kind_reply(town: Town) -> None:
    async with maya(town) as patient:
        await patient.sends(Media.PHOTO)
        await patient.sees("Thank you for the photo")
        count = len(patient.said)
        await patient.sends(Media.PHOTO)
        await patient.says("yes")
        await patient.sees("How old are you")

        assert len(patient.said) == count + 3  # two of the patient's, one of the bot's


async def test_a_picture_that_is_refused_does_not_stop_the_chat(town: Town) -> None:
    async with maya(town) as patient:
        town.standin.fault(FaultKind.BAD_REQUEST, "sendPhoto")
        await answers(patient, CLEAR[:3])

        await patient.sees("Which picture")


async def test_commands_and_descriptions_are_announced(town: Town) -> None:
    profile = town.standin.state.profile
    profile.menu_button = {"type": "default"}
    async with town.bot():
        await until(lambda: bool(profile.text("short_description", "en")))

    assert [c["command"] for c in profile.commands_for("en")] == list(COMMANDS)
    assert "not a diagnosis" in profile.text("description", "")
    assert profile.menu_button == {"type": "commands"}


async def test_a_bot_whose_profile_is_refused_runs_all_the_same(town: Town) -> None:
    town.standin.fault(FaultKind.BAD_REQUEST, "setMyCommands")

    with capture_logs() as logs:
        async with maya(town):
            await until(lambda: any(log["action"] == "announce_failed" for log in logs))


async def test_a_token_that_telegram_does_not_know_is_one_sentence(town: Town) -> None:
    with pytest.raises(BotFault, match="TELEGRAM_BOT_TOKEN was refused"):
        async with town.bot(token="123456:not-the-right-one"):
            pass


async def test_a_bot_api_that_is_away_is_one_sentence(town: Town) -> None:
    url = f"http://127.0.0.1:{unused_port()}"

    with pytest.raises(BotFault, match=rf"the Bot API at {url} cannot be reached"):
        async with town.bot(api_url=url):
            pass


async def test_a_bot_api_that_refuses_is_one_sentence(town: Town) -> None:
    town.standin.fault(FaultKind.BAD_REQUEST, "deleteWebhook")

    with pytest.raises(BotFault, match="refused to start"):
        async with town.bot():
            pass


async def test_a_token_revoked_later_ends_the_bot_with_a_sentence(town: Town) -> None:
    async with town.bot() as serving:
        serving.receiving.cancel()
        await asyncio.wait({serving.receiving})
        failed = Serving("r", asyncio.create_task(_revoked()))
        with pytest.raises(BotFault, match="copy the token again"):
            await failed.failed()


async def _revoked() -> None:
    raise InvalidToken
