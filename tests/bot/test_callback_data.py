"""Button payloads survive the way to Telegram and back, and garbage is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import callback_data
from flows.events import (
    Action,
    Answered,
    AskedHelp,
    AskedQuestion,
    Chose,
    Edited,
    Repeated,
    Ticked,
    WentBack,
)

NAMES = st.from_regex(r"\A[a-z][a-z0-9_]{0,20}\Z")
ARGS = st.from_regex(r"\A[a-zA-Z0-9_-]{1,20}\Z")
PRESSES = st.one_of(
    st.builds(Answered, NAMES, st.tuples(NAMES)),
    st.builds(Answered, NAMES, st.just(())),
    st.builds(Ticked, NAMES, st.one_of(st.just(""), NAMES)),
    st.builds(Edited, NAMES),
    st.builds(Chose, st.sampled_from(Action), st.one_of(st.just(""), ARGS)),
    st.builds(AskedQuestion, NAMES),
    st.sampled_from(tuple(callback_data._BARE.values())),
)


@given(st.integers(0, 10**9), PRESSES)
def test_what_was_packed_is_unpacked(revision: int, press: callback_data.Press) -> None:
    data = callback_data.pack(revision, press)

    assert callback_data.unpack(data) == (revision, press)
    assert len(data.encode()) <= 64


@given(st.text(max_size=80))
def test_garbage_is_none_or_packs_to_itself(text: str) -> None:
    unpacked = callback_data.unpack(text)

    assert unpacked is None or callback_data.pack(*unpacked) == text


@pytest.mark.parametrize(
    "data",
    [
        "",
        ".",
        "1",
        "1.",
        "1.z",
        "1.a.age",
        "1.a..x",
        "1.c.unknown",
        "1.c.book.",
        "1.b.extra",
        "-1.b",
        "01.b",
        "ä.b",
        "1.d.age.x",
        "1.a.age." + "x" * 60,
    ],
)
def test_what_is_not_ours_is_none(data: str) -> None:
    assert callback_data.unpack(data) is None


def test_a_payload_is_short_and_readable() -> None:
    assert callback_data.pack(47, Answered("acne_now", ("clear",))) == "1b.a.acne_now.clear"
    assert callback_data.pack(0, WentBack()) == "0.b"
    assert callback_data.pack(36, AskedHelp()) == "10.h"


@pytest.mark.parametrize(
    "press",
    [
        Answered("today", ("sun", "recent")),
        Edited("ü"),
        Edited("x" * 62),
        Repeated(stale=True),
    ],
)
def test_what_cannot_be_a_button_is_refused(press: callback_data.Press) -> None:
    with pytest.raises(ValueError, match="button"):
        callback_data.pack(1, press)


def test_a_negative_revision_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        callback_data.pack(-1, WentBack())
