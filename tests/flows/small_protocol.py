"""A protocol of a few questions with all its words: the ground for tests that break one thing."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

from flows.compiler import Fault, ProtocolFaults, compile_protocol
from flows.protocol import Protocol
from flows.texts import Catalogue

TEXT = """\
id = "small"
version = "2026-01-31"
questions_end_at = ["declined", "urgent"]
faqs = ["hurt"]

[[step]]
id = "consent"
kind = "choice"
group = "consent"
options = [{ code = "agree" }, { code = "decline" }]

[[step]]
id = "age"
kind = "choice"
group = "about"
sources = ["S1"]
basis = "L"
options = [
    { code = "young", severity = "declined", numbers = [1, 17] },
    { code = "adult", numbers = [18, 120] },
]

[[step]]
id = "skin"
kind = "multi"
group = "safety"
quick = true
picture = "skins"
score_part = "fit"
sources = ["S1"]
basis = "L+E"
options = [
    { code = "spots", severity = "deferred", defer_weeks = 4 },
    { code = "sore", severity = "deferred", recheck_weeks = 8, basis = "L" },
    { code = "dents", points = 60, grade = 2 },
    { code = "none", exclusive = true },
]

[[step]]
id = "ill"
kind = "choice"
group = "safety"
ask_if = { skin = ["spots", "sore"] }
score_part = "timing"
sources = ["S1"]
basis = "E"
options = [{ code = "yes", severity = "urgent" }, { code = "no", points = 40 }]

[[step]]
id = "today"
kind = "multi"
group = "safety"
options = [{ code = "new_scars" }, { code = "nothing", exclusive = true }]

[[step]]
id = "goal"
kind = "choice"
group = "goal"
options = [
    { code = "perfect" }, { code = "pores" }, { code = "texture" },
    { code = "lift" }, { code = "wrinkles" }, { code = "stretch_marks" },
]

[[step]]
id = "downtime_ok"
kind = "choice"
group = "practical"
options = [{ code = "weekend" }, { code = "one_day" }, { code = "none" }]

[[step]]
id = "series_ok"
kind = "choice"
group = "practical"
options = [{ code = "maybe" }, { code = "no" }]

[[step]]
id = "timing"
kind = "choice"
group = "practical"
options = [{ code = "later" }, { code = "event" }]

[[step]]
id = "event_on"
kind = "date"
group = "practical"
ask_if = { timing = ["event"] }
options = [{ code = "unsure" }]

[plan]
sources = ["S1"]
basis = "E"
grade_1 = { sessions = 0, at_least = 0, at_most = 0 }
grade_2 = { sessions = 3, at_least = 3, at_most = 4 }
grade_3 = { sessions = 4, at_least = 3, at_most = 6 }
grade_4 = { sessions = 6, at_least = 4, at_most = 6 }

[spacing]
sources = ["S1"]
basis = "T+E"
floor_days = 21
min_days = 28
preferred_days = 28
max_days = 42

[after]
sources = ["S1"]
basis = "T"
downtime_days = [1, 3]
minor_days = 7
review_weeks = 12
refresher_months = 12

[score]
sources = ["S1"]
basis = "E"

[score.weights]
fit = 60
timing = 40

[score.full_when]
timing = "skin"

[[red_flag]]
id = "fever"
sources = ["S1"]

[sources]
S1 = "One, A study, 2020"
"""


def as_toml(value: object) -> str:
    """Write a value as inline TOML."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {as_toml(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def edited(old: str, new: str) -> str:
    """Return the protocol with one passage changed."""
    assert TEXT.count(old) == 1, old
    return TEXT.replace(old, new)


def line_of(passage: str, text: str = TEXT) -> int:
    """Return the 1-based line on which a passage begins."""
    return text[: text.index(passage)].count("\n") + 1


def words(**changes: Any) -> dict[str, Any]:
    """Return every text the small protocol needs; a changed key of None is left out."""
    texts: dict[str, Any] = {
        "faq.hurt.title": "Does it hurt?",
        "faq.hurt.answer": "A little.",
        "faq.hurt.synonyms": ("pain",),
        "red_flag.fever.message": "Call {emergency}.",
        "red_flag.fever.1": ("fever",),
    }
    for step in tomllib.loads(TEXT)["step"]:
        for part in ("question", "why", "short", "example", "picture"):
            texts[f"step.{step['id']}.{part}"] = f"{part} of {step['id']}"
        for option in step["options"]:
            key = f"step.{step['id']}.{option['code']}"
            texts |= {f"{key}.label": option["code"], f"{key}.reason": "Because."}
            texts[f"{key}.synonyms"] = (f"my {option['code']}",)
    texts |= {name.replace("__", "."): value for name, value in changes.items()}
    return {key: value for key, value in texts.items() if value is not None}


def catalogue(locale: str = "en", /, **changes: Any) -> Catalogue:
    """Return a catalogue of one locale; `step__age__why="…"` changes a text."""
    return Catalogue(locale, locale, words(**changes))


def compiled(
    text: str = TEXT, *catalogues: Catalogue, overrides: str = "", file: str = "small.toml"
) -> Protocol:
    """Compile a protocol with the given catalogues, else with one that fits."""
    known: Mapping[str, Catalogue] = {c.locale: c for c in catalogues or (catalogue(),)}
    return compile_protocol(
        text, file=file, catalogues=known, overrides=overrides, overrides_file="own.toml"
    )


def faults(text: str = TEXT, *catalogues: Catalogue, overrides: str = "") -> tuple[Fault, ...]:
    """Return the faults of a protocol; none when it compiles."""
    try:
        compiled(text, *catalogues, overrides=overrides)
    except ProtocolFaults as error:
        return error.faults
    return ()
