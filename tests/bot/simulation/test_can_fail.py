"""A bot that was made worse is found out by a small simulation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from bot.simulation import personas, town
from bot.simulation.chance import Random
from bot.simulation.personas import Persona
from flows import continuing
from flows.follow_up import Course, History, Silence, Visit
from flows.position import Position
from flows.turn import Turn
from storage import histories


def any_visit(history: History, course: Course) -> Visit | None:
    """Take any visit for the end of a course."""
    return next(reversed(list(history.treatments(course))), None)


def no_times(here: Position) -> Turn:
    """Say that whoever wants to see times is too late."""
    return Turn(here.conversation, notes=(here.note("note.nudge_over"),))


def alarmed(number: int, rng: Random) -> Persona:
    """Draw somebody who writes of something urgent soon after the first visit."""
    person = personas.draw(number, rng)
    person.alarms_after = timedelta(days=15)
    return person


def printed(*options: str) -> str:
    result = CliRunner().invoke(app, ["simulate", "--patients", "20", *options])
    assert result.exit_code == 1
    return result.output


def test_who_ignores_red_flags_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = histories._silences
    monkeypatch.setattr(histories, "_silences", lambda *args: heard(*args) - {Silence.RED_FLAG})
    monkeypatch.setattr(town, "draw", alarmed)

    said = printed("--days", "100", "--seed", "4")

    assert "broken: no message by itself after a red flag: " in said


def test_who_ends_courses_early_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(History, "end_of", any_visit)

    said = printed("--days", "440", "--seed", "4")

    assert "broken: no refresher of an unfinished course: " in said


def test_a_button_that_leads_nowhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuing, "see_times", no_times)

    said = printed("--days", "220", "--seed", "2")

    assert "broken: the buttons of what came by itself lead on: " in said
