"""Every reason that a delivery can give has words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clinic import channels
from clinic.channels.reasons import in_words

CODES = sorted(
    code
    for path in Path(channels.__path__[0]).glob("*.py")
    for code in re.findall(
        r'(?:TryAgain|Perhaps|GiveUp|Unwanted|_refused)\((?:[\w.]+, )?"(\w+)"',
        path.read_text("utf-8"),
    )
)


def test_the_codes_were_found() -> None:
    assert {"timeout", "http_410", "channel_off", "mail_refused"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_a_code_has_words(code: str) -> None:
    assert in_words(code) != code


def test_a_status_is_said_as_it_is() -> None:
    assert in_words("http_503") == "the receiver answered 503"
    assert in_words("LeaseEnded") == "LeaseEnded"
    assert in_words(None) == ""
