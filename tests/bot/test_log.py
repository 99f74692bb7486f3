"""Logging is quiet about people: libraries speak only of trouble, updates are never quoted."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog
from caldav.response import DAVResponse

from bot.log import configure, place_of


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_an_event_is_one_line_of_keys(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", "text")

    structlog.get_logger("bot").info("turn failed", action="turn_failed", update_id=7)

    line = capsys.readouterr().err
    assert "level='info' event='turn failed' action='turn_failed' update_id=7" in line


@pytest.mark.parametrize("log_format", ["auto", "json"])
def test_without_a_terminal_each_line_is_an_object_whoever_writes_it(
    capsys: pytest.CaptureFixture[str], log_format: Literal["auto", "json"]
) -> None:
    configure("INFO", log_format)

    structlog.get_logger("bot").info("turn failed", action="turn_failed", update_id=7)
    logging.getLogger("a.library").warning("careful")

    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["action"], ours["update_id"]) == ("turn failed", "turn_failed", 7)
    assert (theirs["event"], theirs["level"]) == ("careful", "warning")
    assert "timestamp" in theirs


def test_what_the_console_says_beside_an_event_is_kept_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("INFO", "text")

    extra = {"action": "signed_in", "staff_id": 3, "first_name": "Maya"}
    logging.getLogger("clinic.console").info("signed in", extra=extra)

    line = capsys.readouterr().err
    assert "event='signed in' action='signed_in' staff_id=3" in line
    assert "Maya" not in line


@pytest.mark.parametrize("name", ["telegram", "httpx", "transitions"])
def test_libraries_speak_only_of_trouble(name: str) -> None:
    configure("DEBUG")

    assert not logging.getLogger(f"{name}.part").isEnabledFor(logging.INFO)


def test_an_update_that_cannot_be_parsed_is_not_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO")

    logging.getLogger("telegram.Bot").critical(
        "Error while parsing updates! Received data was %r", "my private words"
    )

    assert "private" not in capsys.readouterr().err


def test_what_a_calendars_server_answers_is_not_quoted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("INFO", "text")

    DAVResponse.from_bytes(b"no XML, but somebody's diary", 200)

    assert "diary" not in capsys.readouterr().err


def test_a_failure_is_named_by_its_place() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _ = 1 / 0

    assert place_of(caught.value).startswith("test_log.py:")
    assert place_of(ValueError("never raised")) == ""
