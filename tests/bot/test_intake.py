"""One update at a time: failures are counted, put aside and apologised for; others go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs
from telegram import Update
from telegram.ext import Application, ExtBot
from telegram.request import BaseRequest, RequestData

from bot.intake import Intake
from bot.markup import Screen
from bot.sender import Undelivered, Unreachable
from bot.turns import Overtaken, Reply
from bot.updates import Arrival, UpdateReader
from flows.clinics import Clinic
from storage.faults import DatabaseLocked, StatementFailed
from tests.bot.telegram_objects import a_membership, a_message, a_press
from tests.flows.chat import a_clinic, catalogues

GROUP = {"id": -5, "type": "group", "title": "Friends"}


class Offline(BaseRequest):
    """A transport that knows who the bot is, and nothing else."""

    read_timeout = 1.0

    async def initialize(self) -> None:
        """Nothing to open."""

    async def shutdown(self) -> None:
        """Nothing to close."""

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_: Any, **__: Any
    ) -> tuple[int, bytes]:
        me = b'{"id": 1, "is_bot": true, "first_name": "R", "username": "resurface_bot"}'
        return 200, b'{"ok": true, "result": ' + me + b"}"


@dataclass
class Office:
    """Everything an intake works with, each remembering what it was asked."""

    errors: list[Exception] = field(default_factory=list)
    inbox_errors: list[Exception] = field(default_factory=list)
    refusal: Exception | None = None
    taken: list[Arrival] = field(default_factory=list)
    tries: dict[int, int] = field(default_factory=dict)
    parked: list[tuple[int, str]] = field(default_factory=list)
    blocked: list[int] = field(default_factory=list)
    said: list[tuple[int, str]] = field(default_factory=list)
    answered: list[tuple[str, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    stale: bool = False
    called: list[int] = field(default_factory=list)
    nobody: Exception | None = None
    clinic: str | None = None
    houses: Mapping[str, Clinic] = field(default_factory=dict)
    takes: float = 0.0  # seconds

    async def take(self, arrival: Arrival, noticed: Callable[[bool], None]) -> Reply | None:
        self.taken.append(arrival)
        await asyncio.sleep(self.takes)
        if self.errors:
            raise self.errors.pop(0)
        noticed(self.stale)
        return None

    async def fail(self, update_id: int, why: str) -> int:
        if self.inbox_errors:
            raise self.inbox_errors.pop(0)
        self.tries[update_id] = self.tries.get(update_id, 0) + 1
        return self.tries[update_id]

    async def park(self, update_id: int, why: str, payload: str) -> None:
        assert json.loads(payload)["update_id"] == update_id
        self.parked.append((update_id, why))

    async def call_person(self, chat_id: int) -> str | None:
        if self.nobody:
            raise self.nobody
        self.called.append(chat_id)
        return self.clinic

    async def clinics(self) -> Mapping[str, Clinic]:
        return self.houses

    def known_clinics(self) -> Mapping[str, Clinic]:
        return self.houses

    async def note_blocked(self, update_id: int, chat_id: int) -> None:
        self.blocked.append(chat_id)

    async def say(self, chat_id: int, html: str) -> int:
        if self.refusal:
            raise self.refusal
        self.said.append((chat_id, html))
        return 1

    async def show(self, chat_id: int, screen: Screen) -> int:
        await self.say(chat_id, screen.rows[0][0].url)
        return 1

    async def answer(self, query_id: str, text: str) -> None:
        self.answered.append((query_id, text))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def intake(office: Office) -> AsyncIterator[Intake]:
    bot = ExtBot("1:A", request=Offline(), get_updates_request=Offline())
    application = Application.builder().bot(bot).updater(None).job_queue(None).build()
    parts: Any = office
    made = Intake(UpdateReader({"en"}, "resurface_bot"), parts, parts, parts, parts, catalogues())
    made.attach(application, office.sleep)
    async with application:
        yield made
    await made.finish()


async def test_a_turn_that_fails_once_is_simply_taken_again(intake: Intake, office: Office) -> None:
    office.errors.append(KeyError("my private words"))

    with capture_logs() as logs:
        await intake.handle(a_message(9, text="hi"))

    assert len(office.taken) == 2
    assert office.parked == []
    assert logs[0]["error"] == "KeyError"
    assert "private" not in str(logs)


async def test_after_three_failures_the_update_is_put_aside_and_the_patient_told(
    intake: Intake, office: Office
) -> None:
    office.errors += [KeyError()] * 3

    await intake.handle(a_message(9, text="hi"))
    await intake.finish()

    assert office.parked == [(9, "KeyError")]
    assert office.said[0][0] == 7
    assert "Your answers are safe" in office.said[0][1]
    assert office.slept == [0.2, 0.4]


HARBOUR = a_clinic("harbour", name="Harbour & Sons", phone="+44 1", emergency="112", crisis_line="")


@pytest.mark.parametrize(
    ("houses", "clinic", "wanted", "unwanted"),
    [
        ({"willow": a_clinic(), "harbour": HARBOUR}, "harbour",
         ["Harbour &amp; Sons: <b>+44 1</b>", "<b>112</b>"], ["116 123"]),
        ({"willow": a_clinic()}, None, ["+44 20 7946 0000", "<b>999</b>", "116 123"], []),
        ({"willow": a_clinic(), "harbour": HARBOUR}, None, ["<b>999</b>"], ["+44 20 7946 0000"]),
        ({}, None, ["call your local emergency number"], ["<b>"]),
    ],
)  # fmt: skip
async def test_whoever_cannot_be_answered_reads_how_to_reach_a_person(
    intake: Intake,
    office: Office,
    houses: Mapping[str, Clinic],
    clinic: str | None,
    wanted: list[str],
    unwanted: list[str],
) -> None:
    office.errors += [KeyError()] * 3
    office.houses, office.clinic = houses, clinic

    await intake.handle(a_message(9, text="I want to die"))
    await intake.finish()

    ((_, words),) = office.said
    assert office.called == [7]
    assert [each for each in wanted if each not in words] == []
    assert [each for each in unwanted if each in words] == []


async def test_an_emergency_number_is_named_even_when_staff_cannot_be_told(
    intake: Intake, office: Office
) -> None:
    office.errors += [KeyError()] * 3
    office.houses, office.nobody = {"willow": a_clinic()}, StatementFailed("x")

    await intake.handle(a_message(9, text="hi"))
    await intake.finish()

    assert office.parked == [(9, "KeyError")]
    assert "<b>999</b>" in office.said[0][1]


async def test_failures_of_an_earlier_process_count(intake: Intake, office: Office) -> None:
    office.tries[9] = 2
    office.errors.append(KeyError())

    await intake.handle(a_message(9, text="hi"))

    assert office.parked == [(9, "KeyError")]


async def test_a_database_that_is_away_is_waited_for_and_nothing_is_lost(
    intake: Intake, office: Office
) -> None:
    office.errors += [DatabaseLocked("locked")] * 10

    await intake.handle(a_message(9, text="hi"))

    assert len(office.taken) == 11
    assert office.parked == []
    assert office.slept[-1] == 4.0


async def test_a_patient_whose_answer_is_late_hears_so_once(
    intake: Intake, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.intake._LATE_AFTER", 0.05)
    office.errors += [DatabaseLocked("locked")] * 5
    office.takes, office.houses = 0.03, {"willow": a_clinic()}

    await intake.handle(a_message(9, text="I want to die"))
    await intake.finish()

    ((chat_id, words),) = office.said
    assert chat_id == 7
    assert words.startswith("Sorry, this takes longer than it should.")
    assert [
        each for each in ("+44 20 7946 0000", "<b>999</b>", "116 123") if each not in words
    ] == []
    assert office.called == []


async def test_whoever_asks_for_help_hears_of_a_late_answer_too(
    intake: Intake, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.intake._LATE_AFTER", 0.05)
    office.errors += [DatabaseLocked("locked")] * 5
    office.takes = 0.03

    await intake.handle(a_message(9, text="/help"))
    await intake.finish()

    ((_, words),) = office.said
    assert words.startswith("Sorry, this takes longer than it should.")


async def test_whoever_is_answered_in_time_hears_nothing_more(
    intake: Intake, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.intake._LATE_AFTER", 0.05)

    await intake.handle(a_message(9, text="hi"))
    await asyncio.sleep(0.1)

    assert office.said == []


@pytest.mark.parametrize("update", [a_membership("kicked"), a_message(9, text="hi", chat=GROUP)])
async def test_nobody_is_told_of_a_late_answer_who_waits_for_none(
    intake: Intake, office: Office, monkeypatch: pytest.MonkeyPatch, update: Update
) -> None:
    monkeypatch.setattr("bot.intake._LATE_AFTER", 0.0)

    async def slow(_update_id: int, _chat_id: int) -> None:
        await asyncio.sleep(0.1)

    monkeypatch.setattr(office, "note_blocked", slow)

    await intake.handle(update)
    await intake.finish()

    assert [words for _, words in office.said if words.startswith("Sorry")] == []


async def test_the_log_says_how_to_mend_a_database_that_is_away(
    intake: Intake, office: Office
) -> None:
    office.errors.append(DatabaseLocked("stop the other program"))

    with capture_logs() as logs:
        await intake.handle(a_message(9, text="hi"))

    assert [log["why"] for log in logs if log["action"] == "turn_failed"] == [
        "stop the other program"
    ]


async def test_a_turn_that_another_process_overtakes_is_taken_until_it_succeeds(
    intake: Intake, office: Office
) -> None:
    office.errors += [Overtaken("again")] * 4

    await intake.handle(a_message(9, text="hi"))

    assert len(office.taken) == 5
    assert office.parked == []


async def test_a_failure_that_cannot_be_counted_is_tried_again_or_dropped(
    intake: Intake, office: Office
) -> None:
    office.errors += [KeyError(), KeyError()]
    office.inbox_errors += [DatabaseLocked("locked"), StatementFailed("no")]

    await intake.handle(a_message(9, text="hi"))

    assert len(office.taken) == 2


@pytest.mark.parametrize("refusal", [Unreachable(), Undelivered("x")])
async def test_an_apology_that_does_not_arrive_stops_nothing(
    intake: Intake, office: Office, refusal: Exception
) -> None:
    office.errors += [KeyError()] * 3
    office.refusal = refusal

    await intake.handle(a_message(9, text="hi"))
    await intake.finish()

    assert office.said == []


@pytest.mark.parametrize("stale", [True, False])
async def test_every_button_is_answered_once_and_an_old_one_in_words(
    intake: Intake, office: Office, stale: bool
) -> None:
    office.stale = stale

    await intake.handle(a_press("0.b"))
    await asyncio.sleep(0)

    ((query, words),) = office.answered
    assert query == "q1"
    assert ("older question" in words) is stale


async def test_a_button_is_answered_even_when_its_turn_fails(
    intake: Intake, office: Office
) -> None:
    office.errors.append(KeyError())

    await intake.handle(a_press("0.b"))
    await asyncio.sleep(0)

    assert office.answered[0] == ("q1", "")


async def test_in_a_group_one_reply_leads_to_a_private_chat(intake: Intake, office: Office) -> None:
    for number in range(3):
        await intake.handle(a_message(number, text="/start", chat=GROUP))
    await intake.finish()

    assert office.said == [(-5, "https://t.me/resurface_bot?start")]
    assert office.taken == []


async def test_a_group_that_cannot_be_answered_is_left_alone(
    intake: Intake, office: Office
) -> None:
    office.refusal = Undelivered("Forbidden")

    await intake.handle(a_message(1, text="/start", chat=GROUP))
    await intake.finish()

    assert office.said == []


async def test_being_blocked_is_kept(intake: Intake, office: Office) -> None:
    await intake.handle(a_membership("kicked"))

    assert office.blocked == [7]


async def test_an_intake_must_be_attached_first(office: Office) -> None:
    parts: Any = office
    loose = Intake(UpdateReader({"en"}), parts, parts, parts, parts, catalogues())

    with pytest.raises(RuntimeError, match="must be attached"):
        await loose.handle(a_message())
    await loose._to_private(-5, a_message())
