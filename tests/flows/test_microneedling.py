"""The protocol and the words that are shipped: complete, careful, and easy to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

import pytest

from flows import understanding, wording
from flows.protocol import Kind, Option, Protocol, Severity, Step
from flows.texts import Catalogue
from storage.protocol_files import load_catalogues, load_protocol

#: A sentence of patients' texts has on average at most so many words, and at most so many of a
#: hundred words have more than nine letters (measured: 9.1 words, 1.4 of a hundred).
SENTENCE_WORDS = 10
LONG_WORDS = 2

#: Words that promise, diagnose or interfere; each with the only sentences that may hold it.
FORBIDDEN = {
    r"promise": {
        "Nobody can promise a result.",
        "Nobody can promise a result, and we do not.",
        "Can you promise a result?",
    },
    r"guarantee": set(),
    r"\bcures?\b": set(),
    r"\bapproved\b": set(),
    r"\bstop(?:ping)? (?:taking|your|it\b|one\b|a )": {
        "Do not stop it for this.",
        "Please do not stop it for this.",
        "Please do not stop yours: ask the person who prescribed it.",
        "Please do NOT stop it.",
        "Please never stop one because of this: the person who prescribed it can advise you.",
        "Please do not stop a prescribed one: a clinician decides what is sensible.",
        "Never stop a medicine for it: ask the prescriber.",
    },
    r"\byou have (?:pcos|acne fulminans|body dysmorphi|a disorder|an infection|herpes)": set(),
    r"\b(?:pcos|bdd|dysmorphi\w*)\b": set(),
    r"\b(?:mg|milligrams?|aciclovir|acyclovir|valaciclovir|valacyclovir)\b": set(),
    r"\bpainless\b|\bpermanently\b|\bcompletely safe\b|\b100 ?%": set(),
}

RAISED = {
    "self_harm": [
        "I want to die",
        "i wanna  DIE",
        "honestly i'm gonna kms",
        "I keep thinking about ending it all.",
        "I don’t want to be here anymore",
        "feeling sucidal because of my face",
        "I self-harm when it gets bad",
        "there is no point living with this skin",
    ],
    "spreading_infection": [
        "I have a fever and the redness is spreading",
        "my cheek is hot, red and swollen and I have chills",
        "red streaks on my jaw, high temperature since yesterday",
        "it's infected and I feel feverish",
    ],
    "emergency": [
        "I can't breathe properly",
        "help my face is swelling up",
        "i have trouble breathing after the cream",
        "my tongue is swelling",
        "chest pain since the numbing cream",
    ],
}

#: Everyday words of people with acne scars, which are nobody's emergency.
HARMLESS = [
    "I'm dying to get rid of these",
    "what kills these spots?",
    "my skin is killing me",
    "this heat is killing me",
    "I cut myself shaving",
    "will my face be swollen afterwards?",
    "does the redness spread?",
    "how long does the swelling last",
    "I can't go on holiday like that",
    "I want these scars to disappear",
    "will it hurt?",
    "I want to end my course of isotretinoin first",
    "do I need to stay out of the heat, like a sauna",
    "my sister has eczema",
    "I take medicine for my heart",
]


@lru_cache
def english() -> Catalogue:
    return load_catalogues()["en"]


@lru_cache
def protocol() -> Protocol:
    return load_protocol(load_catalogues())


def options() -> Iterator[tuple[Step, Option]]:
    return ((step, option) for step in protocol().steps for option in step.options)


def patient_texts() -> dict[str, str]:
    """Return what patients read of the files that belong to the protocol."""
    return {
        key: re.sub("</?[bi]>", "", text)
        for key, text in english().texts.items()
        if isinstance(text, str) and key.startswith(("step.", "faq.", "red_flag."))
    }


def sentences(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+", text) if part.strip()]


def test_the_shipped_protocol_compiles() -> None:
    assert re.fullmatch(r"microneedling/\d{4}-\d\d-\d\d/[0-9a-f]{12}", protocol().key)


def test_a_clear_patient_is_asked_eleven_questions() -> None:
    always = [step.id for step in protocol().steps if not step.ask_if]

    about = ["consent", "age", "acne_now", "scar_type", "area", "today", "history"]
    assert always == [*about, "goal", "practical", "timing"]
    assert protocol().step("visibility").ask_if  # the eleventh, for everyone but flat marks


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ("age.under_18", Severity.DECLINED),
        ("age.18_21", Severity.REVIEW),
        ("acne_now.few", Severity.COUNSEL),
        ("acne_now.inflamed", Severity.DEFERRED),
        ("acne_now.nodules", Severity.REVIEW),
        ("acne_ill.yes", Severity.URGENT),
        ("scar_type.icepick", Severity.REVIEW),
        ("visibility.stays", Severity.REVIEW),
        ("area.eyelid", Severity.DECLINED),
        ("today.infection", Severity.DEFERRED),
        ("spreading.yes", Severity.URGENT),
        ("pregnancy.pregnant", Severity.DEFERRED),
        ("pregnancy.private", Severity.REVIEW),
        ("isotretinoin.now", Severity.DEFERRED),
        ("isotretinoin.lt6", Severity.REVIEW),
        ("isotretinoin.gt6", Severity.NONE),
        ("blood_thinner.prescribed", Severity.REVIEW),
        ("keloid.face", Severity.DECLINED),
        ("keloid.family", Severity.REVIEW),
        ("bleeding.yes", Severity.DECLINED),
        ("skin_spot.cancer", Severity.DECLINED),
        ("allergy.metal_numbing", Severity.DECLINED),
        ("history.dark_skin", Severity.COUNSEL),
        ("history.worry", Severity.REVIEW),
        ("other_health.given", Severity.REVIEW),
    ],
)
def test_a_rule_says_what_the_clinical_note_says(rule: str, severity: Severity) -> None:
    step, _, code = rule.partition(".")

    assert protocol().step(step).option(code).severity is severity


def test_not_sure_about_safety_is_for_a_clinician() -> None:
    unsure = {
        f"{step.id}.{option.code}"
        for step, option in options()
        if option.code == "unsure" and option.severity is not Severity.REVIEW
    }

    # How visible the scars are and the day of a party are no safety questions.
    assert unsure == {"visibility.unsure", "event_on.unsure"}


def test_every_rule_has_a_reason_a_source_and_a_basis() -> None:
    for step, option in options():
        if option.severity >= Severity.COUNSEL:
            assert english().text(f"step.{step.id}.{option.code}.reason")
            assert option.sources
            assert option.basis


def test_every_waiting_time_can_be_changed_by_a_clinic() -> None:
    fixed = [
        f"{step.id}.{option.code}"
        for step, option in options()
        if option.severity is Severity.DEFERRED and "E" not in option.basis
    ]

    assert fixed == []


def test_reasons_name_no_number_that_a_clinic_may_change() -> None:
    told = [
        f"{step.id}.{option.code}"
        for step, option in options()
        if option.severity is Severity.DEFERRED
        and re.search(
            r"\d+ (?:day|week|month)", english().text(f"step.{step.id}.{option.code}.reason")
        )
    ]

    assert told == []


def test_every_listed_source_is_used() -> None:
    used = {key for step in protocol().steps for key in step.sources}
    used |= {key for _, option in options() for key in option.sources}
    used |= {key for flag in protocol().red_flags for key in flag.sources}
    used |= {key for keys in protocol().number_sources.values() for key in keys}

    assert set(protocol().sources) == used


def test_only_the_fit_of_the_scars_is_a_health_answer_that_scores() -> None:
    scored = {step.id for step in protocol().steps if step.score_part}

    assert scored == {"scar_type", "goal", "series_ok", "budget", "travel", "timing"}


def test_every_part_of_the_score_can_be_had_in_full() -> None:
    best: dict[str, int] = {}
    for step, option in options():
        if step.score_part:
            best[step.score_part] = max(best.get(step.score_part, 0), option.points or 0)

    short = {part for part, points in protocol().score_weights.items() if best[part] < points}
    assert short == set(protocol().score_full_when)


def test_money_is_asked_after_safety() -> None:
    order = [step.id for step in protocol().steps]
    safety = [step.id for step in protocol().steps if step.group == "safety"]

    assert order.index("budget") > max(order.index(step) for step in safety)


def test_lists_to_tick_say_how_to_tick() -> None:
    for step in protocol().steps:
        if step.kind is Kind.MULTI:
            wanted = "Choose one, or tap More than one." if step.quick else "Tick all that apply"
            assert wanted in english().text(f"step.{step.id}.question", clinic="", price="")


def test_texts_read_well_where_a_clinic_has_not_given_something() -> None:
    given = {"clinic": "Willow", "phone": "020", "address": ""}
    for key in patient_texts():
        text = re.sub("</?[bi]>", "", english().text(key, **wording.values_of(None) | given))
        assert not re.search(r"[:(,]\s*$|\(\)| [.,:;?!)]| {2}", text, flags=re.MULTILINE), key


def test_consent_fits_six_short_lines() -> None:
    lines = english().text("step.consent.question", clinic="Willow Skin Clinic").splitlines()

    assert len(lines) <= 6
    assert max(map(len, lines)) <= 110


@pytest.mark.parametrize("faq", protocol().faqs)
def test_an_answer_is_short_and_asked_in_many_ways(faq: str) -> None:
    assert len(english().text(f"faq.{faq}.answer", **wording.values_of(None))) <= 500
    assert 5 <= len(english().words(f"faq.{faq}.synonyms")) <= 12


@pytest.mark.parametrize("faq", protocol().faqs)
def test_each_way_to_ask_finds_its_answer(faq: str) -> None:
    for phrase in english().words(f"faq.{faq}.synonyms"):
        assert wording.question(f"{phrase}?", protocol(), {"en": english()}) == faq


def test_every_answer_to_a_question_can_be_typed() -> None:
    for step, option in options():
        assert english().words(f"step.{step.id}.{option.code}.synonyms")


@pytest.mark.parametrize(
    ("step", "said", "codes"),
    [
        ("consent", "Yes please", "agree"),
        ("consent", "ok", "agree"),
        ("consent", "No thanks", "decline"),
        ("age", "17", "under_18"),
        ("age", "I'm 18", "18_21"),
        ("age", "22 years old", "22_plus"),
        ("acne_now", "Clear skin", "clear"),
        ("acne_now", "just a few", "few"),
        ("acne_now", "pimples", "?"),
        ("acne_now", "cystic acne", "nodules"),
        ("scar_type", "ice pick", "icepick"),
        ("scar_type", "boxcar and rolling", "rolling boxcar_shallow"),
        ("scar_type", "idk", "unsure"),
        ("area", "cheeks", "face"),
        ("area", "face, neck", "face neck"),
        ("today", "nope", "none"),
        ("today", "none of these", "none"),
        ("today", "on Accutane", "isotretinoin"),
        ("today", "retinol, botox", "recent creams"),
        ("pregnancy", "I’d rather not say", "private"),
        ("isotretinoin", "2 years ago", "?"),
        ("isotretinoin", "years ago", "gt6"),
        ("history", "cold sores", "cold_sores"),
        ("history", "keloids", "keloid"),
        ("keloid", "only my mother", "family"),
        ("bleeding", "I bruise easily", "unsure"),
        ("allergy", "nickel", "metal_numbing"),
        ("goal", "smoother skin", "softer"),
        ("practical", "all good", "fine"),
        ("practical", "too expensive", "price"),
        ("timing", "asap", "month"),
        ("timing", "wedding", "event"),
        ("event_on", "no idea", "unsure"),
    ],
)
def test_what_people_type_is_the_answer_or_asked_again(step: str, said: str, codes: str) -> None:
    reading = understanding.read(
        protocol().step(step), said, {"en": english()}, locale="en", today=date(2026, 11, 23)
    )

    found = reading.answer.codes if isinstance(reading, understanding.Understood) else ("?",)
    assert " ".join(found) == codes


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_no_text_promises_diagnoses_or_interferes(pattern: str) -> None:
    found = {
        sentence
        for text in patient_texts().values()
        for sentence in sentences(text)
        if re.search(pattern, sentence, flags=re.IGNORECASE)
    }

    assert found <= FORBIDDEN[pattern]


def test_sentences_are_short() -> None:
    parts = [part for text in patient_texts().values() for part in sentences(text)]
    lengths = [len(part.split()) for part in parts if part[-1] in ".!?"]

    assert sum(lengths) / len(lengths) <= SENTENCE_WORDS
    assert max(lengths) <= 28


def test_words_are_short() -> None:
    words = re.findall(r"[^\W\d_]+", " ".join(patient_texts().values()))
    long = [word for word in words if len(word) > 9]

    assert 100 * len(long) / len(words) <= LONG_WORDS


@pytest.mark.parametrize(
    ("flag", "said"), [(flag, said) for flag, rows in RAISED.items() for said in rows]
)
def test_a_red_flag_is_seen(flag: str, said: str) -> None:
    assert wording.red_flag(said, protocol(), {"en": english()}) == flag


@pytest.mark.parametrize("said", HARMLESS)
def test_everyday_words_raise_no_red_flag(said: str) -> None:
    assert wording.red_flag(said, protocol(), {"en": english()}) is None


def test_the_message_after_words_of_self_harm_names_who_can_help() -> None:
    values = {"clinic": "Willow", "phone": "020", "emergency": "999", "crisis_line": "116 123"}

    message = english().text("red_flag.self_harm.message", **values)

    assert all(value in message for value in values.values())
