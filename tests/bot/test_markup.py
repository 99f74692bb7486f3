"""Rows, labels, escaping and cutting."""

import pytest

from bot.markup import Button, cut, escaped, joined, label, paired, plain, stacked


def _buttons(*labels: str) -> list[Button]:
    return [Button(words, copy_text="x") for words in labels]


def _labels(rows: tuple[tuple[Button, ...], ...]) -> list[list[str]]:
    return [[button.label for button in row] for row in rows]


def test_two_short_labels_share_a_row_and_a_long_one_stands_alone() -> None:
    rows = paired(_buttons("Yes", "No", "Only when I stretch my skin", "Maybe", "Later"))

    assert _labels(rows) == [["Yes", "No"], ["Only when I stretch my skin"], ["Maybe", "Later"]]


def test_stacked_buttons_stand_one_below_the_other() -> None:
    assert _labels(stacked(_buttons("a", "b"))) == [["a"], ["b"]]


def test_escaped_text_reads_the_same_once_parsed() -> None:
    assert plain(escaped("<b>1 & 2</b>")) == "<b>1 & 2</b>"


@pytest.mark.parametrize(("text", "seen"), [("short", "short"), ("x" * 41, "x" * 39 + "…")])
def test_a_label_fits_its_button(text: str, seen: str) -> None:
    assert label(text) == seen


def test_a_cut_text_ends_in_an_ellipsis_and_has_no_markup() -> None:
    assert cut("<b>one two</b> three", 8) == "one two…"
    assert cut("<b>a < b</b>", 20) == "a &lt; b"


def test_paragraphs_that_fit_are_all_kept() -> None:
    assert joined(["one", "", "two"], ending="more") == "one\n\ntwo"


def test_too_many_paragraphs_lose_the_middle_and_say_so() -> None:
    text = joined(["first", "a" * 30, "b" * 30, "last"], ending="more", limit=50)

    assert text == "first\n\n" + "a" * 30 + "\n\nmore\n\nlast"


def test_even_a_first_paragraph_that_is_too_long_is_cut() -> None:
    text = joined(["x" * 60, "last"], ending="more", limit=20)

    assert len(text) == 20
