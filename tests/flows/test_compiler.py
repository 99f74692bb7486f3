from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.compiler import Code, Fault, ProtocolFaults
from flows.protocol import Outcome, Severity, Spacing
from tests.flows.small_protocol import TEXT, as_toml, catalogue, compiled, edited, faults, line_of

#: What may stand where it should not; None leaves the key out.
VALUES: tuple[object, ...] = (None, 3, "x", [], [1], [{}], {"consent": ["agree"]})

BROKEN: list[dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "broken_protocols.yaml").read_text(encoding="utf-8")
)

#: A text that is changed -> the code and the step of the fault.
BROKEN_TEXTS: dict[str, tuple[str, object, str, str]] = {
    "no question": ("step__age__question", None, Code.MISSING_TEXT, "age"),
    "an empty question": ("step__age__question", "", Code.MISSING_TEXT, "age"),
    "no label": ("step__age__adult__label", None, Code.MISSING_TEXT, "age"),
    "no reason for a rule": ("step__age__young__reason", None, Code.MISSING_TEXT, "age"),
    "no synonyms": ("step__age__young__synonyms", None, Code.MISSING_TEXT, "age"),
    "an empty synonym": ("step__age__young__synonyms", ("",), Code.MISSING_TEXT, "age"),
    "no words for the picture": ("step__skin__picture", None, Code.MISSING_TEXT, "skin"),
    "no answer": ("faq__hurt__answer", None, Code.MISSING_TEXT, ""),
    "no message for a red flag": ("red_flag__fever__message", None, Code.MISSING_TEXT, ""),
    "no phrases for a red flag": ("red_flag__fever__1", None, Code.MISSING_TEXT, ""),
    "a message too long": ("step__age__why", "w" * 4097, Code.TEXT_TOO_LONG, "age"),
    "a caption too long": ("step__skin__question", "w" * 1025, Code.TEXT_TOO_LONG, "skin"),
    "a label too long": ("step__age__adult__label", "w" * 41, Code.TEXT_TOO_LONG, "age"),
    "faces count twice": ("step__age__adult__label", "🙂" * 21, Code.TEXT_TOO_LONG, "age"),
    "a short name too long": ("step__age__short", "w" * 65, Code.TEXT_TOO_LONG, "age"),
    "an unknown placeholder": ("step__age__why", "for {doctor}", Code.PLACEHOLDER, "age"),
    "a broken placeholder": ("step__age__why", "for {clinic", Code.PLACEHOLDER, "age"),
    "a number for a placeholder": ("step__age__why", "for {0}", Code.PLACEHOLDER, "age"),
    "a placeholder on a button": ("step__age__adult__label", "{clinic}", Code.PLACEHOLDER, "age"),
    "a link": ("step__age__why", '<a href="x">x</a>', Code.MARKUP, "age"),
    "markup left open": ("step__age__why", "<b>so", Code.MARKUP, "age"),
    "markup closed twice": ("step__age__why", "<b>so</b></b>", Code.MARKUP, "age"),
    "markup crossed": ("step__age__why", "<b><i>so</b></i>", Code.MARKUP, "age"),
    "a bare ampersand": ("step__age__why", "you & me", Code.MARKUP, "age"),
    "markup on a button": ("step__age__adult__label", "<b>Yes</b>", Code.MARKUP, "age"),
    "a list for a text": ("step__age__why", ("a", "b"), Code.TEXT_KIND, "age"),
    "a text for a list": ("step__age__adult__synonyms", "yes", Code.TEXT_KIND, "age"),
    "a word for two answers": (
        "step__age__adult__synonyms",
        ("My young!",),
        Code.SAME_WORDS,
        "age",
    ),
    "a gap in the phrases": ("red_flag__fever__3", ("hot",), Code.PHRASE_GROUPS, ""),
}


def test_a_good_protocol_has_no_faults() -> None:
    assert faults() == ()


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row["what"])
def test_a_fault_is_told_with_its_line_step_and_code(row: dict[str, str]) -> None:
    text = edited(row["edit"], row["into"])

    found = [(fault.line, fault.step, fault.code) for fault in faults(text)]

    assert (line_of(row["at"], text), row["step"], row["code"]) in found


@pytest.mark.parametrize("what", BROKEN_TEXTS)
def test_a_fault_of_the_words_is_told_with_step_and_code(what: str) -> None:
    key, value, code, step = BROKEN_TEXTS[what]

    found = faults(TEXT, catalogue(**{key: value}))

    assert [(fault.step, fault.code) for fault in found] == [(step, code)]
    assert key.replace("__", ".").rpartition(".")[0] in found[0].message


def test_every_code_has_a_test() -> None:
    tested = {row["code"] for row in BROKEN} | {row[2] for row in BROKEN_TEXTS.values()}

    assert set(Code) - tested == {Code.NOT_CHANGEABLE, Code.OTHER_PROTOCOL}


def test_all_faults_are_told_at_once_in_the_order_of_lines() -> None:
    text = edited("points = 60", "points = 99").replace('id = "age"', 'id = "stopped"')
    text = text.replace("max_days = 42", "max_days = 1")

    found = faults(text, catalogue(step__consent__why=None))

    lines = [fault.line for fault in found]
    assert lines == sorted(lines)
    assert {Code.POINTS, Code.STAGE_NAME, Code.SPACING, Code.MISSING_TEXT} <= {
        fault.code for fault in found
    }


def test_words_missing_in_one_language_are_told_for_that_language() -> None:
    found = faults(TEXT, catalogue("en"), catalogue("ru", step__ill__why=None))

    assert [fault.message for fault in found] == ["step.ill.why in ru is missing"]


def test_a_language_with_fewer_phrase_groups_is_told() -> None:
    found = faults(TEXT, catalogue("en", red_flag__fever__2=("red",)), catalogue("ru"))

    assert [(fault.code, " in ru " in fault.message) for fault in found] == [("P066", True)]


def test_a_word_for_two_questions_of_patients_is_told() -> None:
    text = edited('faqs = ["hurt"]', 'faqs = ["hurt", "cost"]')
    more = {
        "faq__cost__title": "Price",
        "faq__cost__answer": "10",
        "faq__cost__synonyms": ("Pain?",),
    }

    assert [fault.code for fault in faults(text, catalogue(**more))] == [Code.SAME_WORDS]


def test_whatever_stands_in_the_file_ends_in_faults_and_nothing_else() -> None:
    for place in list(places(tomllib.loads(TEXT))):
        for value in VALUES:
            faults(with_value(place, value))  # anything but ProtocolFaults fails the test


def places(value: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value inside a TOML document."""
    if place:
        yield place
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*place, key))


def with_value(place: tuple[Any, ...], value: object) -> str:
    """Return the small protocol with one value replaced, or left out for None."""
    document = tomllib.loads(TEXT)
    table: Any = document
    for key in place[:-1]:
        table = table[key]
    if value is None:
        del table[place[-1]]
    else:
        table[place[-1]] = value
    return "\n".join(f"{key} = {as_toml(item)}" for key, item in document.items())


def test_a_fault_reads_as_one_line() -> None:
    fault = Fault("a.toml", 7, "age", "P010", "step age must be there once")

    assert str(fault) == "a.toml:7: age: P010 step age must be there once"
    assert str(Fault("a.toml", 7, "", "P001", "no")) == "a.toml:7: P001 no"


def test_the_exception_prints_one_line_a_fault() -> None:
    text = edited("max_days = 42", "max_days = 1").replace("at_most = 4 ", "at_most = 1 ")

    with pytest.raises(ProtocolFaults) as caught:
        compiled(text)

    assert re.fullmatch(r"(small\.toml:\d+: P05\d .+\n?){2}", str(caught.value))


def test_a_protocol_in_one_long_line_is_checked_too() -> None:
    found = faults('id = "x"\nversion = "2026-01-31"\nstep = [{ id = "a" }]\n')

    assert {fault.line for fault in found} == {1}


def test_options_written_as_tables_are_found_too() -> None:
    old = 'options = [{ code = "agree" }, { code = "decline" }]'
    text = edited(old, '[[step.options]]\ncode = "agree"\n[[step.options]]\ncode = "No"')

    fault = faults(text)[0]
    assert (fault.line, fault.code) == (line_of('code = "No"', text), "P006")


def test_the_parts_of_a_step_are_read() -> None:
    step = compiled().step("skin")

    assert (step.quick, step.picture, step.score_part) == (True, "skins", "fit")
    assert step.option("spots").defer_for == timedelta(weeks=4)
    assert step.option("sore").recheck_for == timedelta(weeks=8)
    assert step.option("sore").severity is Severity.DEFERRED


def test_an_option_has_the_sources_and_basis_of_its_step() -> None:
    option = compiled().step("skin").option("spots")

    assert (option.sources, option.basis) == (("S1",), "L+E")


def test_the_first_question_has_nothing_that_could_end_it() -> None:
    steps = compiled().steps

    assert steps[0].unless == frozenset()
    assert steps[1].unless == {Outcome.DECLINED, Outcome.URGENT}


def test_alternatives_of_a_condition_are_kept_apart() -> None:
    old = 'ask_if = { skin = ["spots", "sore"] }'
    text = edited(old, 'ask_if = [{ skin = ["spots"] }, { skin = ["dents"], age = ["adult"] }]')

    assert compiled(text).step("ill").ask_if == (
        {"skin": frozenset({"spots"})},
        {"skin": frozenset({"dents"}), "age": frozenset({"adult"})},
    )


def test_the_numbers_of_the_plan_are_read() -> None:
    protocol = compiled()

    assert protocol.spacing == Spacing(28, 28, 42)
    assert [row.sessions for row in protocol.plan_rows.values()] == [0, 3, 4, 6]
    assert (protocol.downtime_days, protocol.number_basis["after"]) == ((1, 3), "T")


def test_the_digest_names_the_text_and_the_overrides() -> None:
    same, other = compiled().digest, compiled(f"{TEXT}# a comment\n").digest
    own = compiled(overrides='overrides = "small"\n').digest

    assert len({same, other, own}) == 3
    assert compiled().digest == same
    assert compiled().key == f"small/2026-01-31/{same[:12]}"


def test_what_a_protocol_does_not_have_is_not_found() -> None:
    protocol = compiled()

    with pytest.raises(KeyError, match="hair"):
        protocol.step("hair")
    with pytest.raises(KeyError, match="itch"):
        protocol.step("skin").option("itch")


def test_every_code_is_explained_in_the_documents() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| (P\d+) \|", page, flags=re.MULTILINE) == [*Code]
