from datetime import date

import pytest

from flows.conversation import Answer
from flows.understanding import DidYouMean, NotAllowed, NotUnderstood, Understood, read, settle
from tests.flows.chat import catalogues, protocol

TODAY = date(2026, 11, 23)


def reading(step: str, text: str):
    return read(protocol().step(step), text, catalogues(), locale="en", today=TODAY)


@pytest.mark.parametrize(
    ("step", "text", "codes"),
    [
        ("age", "17", ("under_18",)),
        ("age", "18", ("18_21",)),
        ("age", "21", ("18_21",)),
        ("age", "22", ("22_plus",)),
        ("age", "I am 34 years old", ("22_plus",)),
        ("age", "22_plus", ("22_plus",)),
        ("age", "sixteen", ("under_18",)),
        ("age", "I'm seventeen", ("under_18",)),
        ("age", "Thirty-two years old", ("22_plus",)),
        ("acne_now", "CLEAR!", ("clear",)),
        ("scar_type", "3", ("boxcar_shallow",)),
        ("history", "diabetes, keloid", ("keloid", "diabetes")),
        ("history", "none", ("none",)),
        ("history", "diabetes and none", ("none",)),
    ],
)
def test_words_numbers_and_lists_are_understood(step, text, codes):
    assert reading(step, text) == Understood(Answer(codes))


@pytest.mark.parametrize("text", ["0", "121", "999"])
def test_an_impossible_age_is_not_allowed(text):
    assert reading("age", text) == NotAllowed("note.number_out_of_range")


def test_a_number_never_counts_options_of_a_safety_question():
    assert reading("acne_now", "3") == NotUnderstood()


def test_a_close_word_is_suggested_never_taken():
    assert reading("history", "diabetis") == DidYouMean("diabetes")


@pytest.mark.parametrize(
    ("text", "code"), [("nearly 18", "under_18"), ("im almost twenty two", "18_21")]
)
def test_nearly_an_age_suggests_the_age_below(text, code):
    assert reading("age", text) == DidYouMean(code)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ("pregnancy", "not pregnant"),
        ("pregnancy", "I'm not pregnant"),
        ("history", "no diabetes"),
        ("isotretinoin", "no"),
        ("travel", "not too far"),
        ("pregnancy", "well not pregnant"),
        ("age", "nearly 0"),
    ],
)
def test_a_denial_never_suggests_what_it_denies(step, text):
    assert reading(step, text) == NotUnderstood()


def test_far_words_are_not_understood():
    assert reading("acne_now", "what a lovely morning") == NotUnderstood()


def test_a_list_with_one_unknown_part_is_not_taken():
    assert not isinstance(reading("history", "diabetes, unicorns"), Understood)


def test_a_date_is_read_in_the_future():
    assert reading("event_on", "12 June") == Understood(Answer(on=date(2027, 6, 12)))


@pytest.mark.parametrize("text", ["23 November 2026", "1 March 2020"])
def test_today_and_the_past_are_not_allowed(text):
    assert reading("event_on", text) == NotAllowed("note.date_past")


def test_words_without_a_date_are_not_understood():
    assert reading("event_on", "when the cows come home") == NotUnderstood()


def test_own_words_are_kept_in_one_line():
    assert reading("other_health", " asthma,\n  mild ") == Understood(Answer(text="asthma, mild"))


def test_own_words_that_are_too_long_are_not_allowed():
    assert reading("other_health", "a" * 501) == NotAllowed("note.text_too_long")
    assert reading("other_health", "a" * 500) == Understood(Answer(text="a" * 500))


def test_no_words_are_no_answer():
    assert reading("other_health", "  ") == NotUnderstood()


def test_codes_are_settled_in_order_with_an_exclusive_one_alone():
    step = protocol().step("history")

    assert settle(step, ("diabetes", "keloid")) == ("keloid", "diabetes")
    assert settle(step, ("keloid", "none")) == ("none",)
    with pytest.raises(KeyError):
        settle(step, ("unicorn",))
