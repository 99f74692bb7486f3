"""Judges the words of a protocol in every locale: there, short enough, safe to fill and show."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter

from flows import wording
from flows.protocol import Protocol, Severity, Step
from flows.protocol_faults import Code, Report
from flows.texts import Catalogue

#: Telegram's limits, in UTF-16 code units.
MESSAGE_UNITS = 4096
CAPTION_UNITS = 1024
#: Ours: what a button and a line of the review list show on a phone without being cut.
LABEL_UNITS = 36  # a tick box stands before it, and phones cut longer ones off
SHORT_UNITS = 64

#: The placeholders that texts with markup may use; labels and short names have none.
VALUES = frozenset(wording.values_of(None))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A text that must be in every catalogue, and what it may be like."""

    key: str
    limit: int
    as_it_is: bool = False  # shown without filling or markup: on buttons and in lists


def check_texts(protocol: Protocol, report: Report, catalogues: Mapping[str, Catalogue]) -> None:
    """Report, for each locale, missing, long and unusable texts."""
    for locale in sorted(catalogues):
        catalogue = catalogues[locale]
        for index, step in enumerate(protocol.steps):
            _check_step(step, index, report, catalogue)
        line = report.lines.key("", "faqs")
        for faq in protocol.faqs:
            for wanted in _faq_texts(faq):
                _check_text(wanted, catalogue, report, line=line)
            _check_list(f"faq.{faq}.synonyms", catalogue, report, line=line)
        for message in _shared_words((f"faq.{faq}" for faq in protocol.faqs), "title", catalogue):
            report.add(Code.SAME_WORDS, message, line=line)
        line = report.lines.table("red_flag")
        for flag in protocol.red_flags:
            wanted = Wanted(f"red_flag.{flag.id}.message", MESSAGE_UNITS)
            _check_text(wanted, catalogue, report, line=line)
            _check_groups(flag.id, catalogue, catalogues, report, line)


def _step_texts(step: Step) -> Iterator[Wanted]:
    key = f"step.{step.id}"
    question_limit = CAPTION_UNITS if step.picture else MESSAGE_UNITS
    yield Wanted(f"{key}.question", question_limit)
    yield Wanted(f"{key}.why", MESSAGE_UNITS)
    yield Wanted(f"{key}.example", MESSAGE_UNITS)
    yield Wanted(f"{key}.short", SHORT_UNITS, as_it_is=True)
    if step.picture:
        yield Wanted(f"{key}.picture", CAPTION_UNITS)


def _faq_texts(faq: str) -> Iterator[Wanted]:
    yield Wanted(f"faq.{faq}.title", SHORT_UNITS, as_it_is=True)
    yield Wanted(f"faq.{faq}.answer", MESSAGE_UNITS)


def _check_step(step: Step, index: int, report: Report, catalogue: Catalogue) -> None:
    for wanted in _step_texts(step):
        _check_text(wanted, catalogue, report, line=step.line, step=step.id)
    for number, option in enumerate(step.options):
        line = report.lines.option(index, number)
        key = f"step.{step.id}.{option.code}"
        wanted = Wanted(f"{key}.label", LABEL_UNITS, as_it_is=True)
        _check_text(wanted, catalogue, report, line=line, step=step.id)
        if option.severity >= Severity.COUNSEL:
            wanted = Wanted(f"{key}.reason", MESSAGE_UNITS)
            _check_text(wanted, catalogue, report, line=line, step=step.id)
        _check_list(f"{key}.synonyms", catalogue, report, line=line, step=step.id)
    keys = [f"step.{step.id}.{option.code}" for option in step.options]
    for message in _shared_words(keys, "label", catalogue):
        report.add(Code.SAME_WORDS, message, line=step.line, step=step.id)


def _shared_words(keys: Iterable[str], title: str, catalogue: Catalogue) -> Iterator[str]:
    """Say which words mean two things; what a patient types must never be ambiguous."""
    meaning: dict[str, str] = {}
    for key in dict.fromkeys(keys):
        words = (catalogue.texts.get(f"{key}.{title}"), catalogue.texts.get(f"{key}.synonyms"))
        for word in words:
            for phrase in (word,) if isinstance(word, str) else word or ():
                other = meaning.setdefault(wording.plain(phrase), key)
                if other != key:
                    yield f"{phrase!r} in {catalogue.locale} must mean one of {other} and {key}"


def _check_text(
    wanted: Wanted, catalogue: Catalogue, report: Report, *, line: int, step: str = ""
) -> None:
    text = catalogue.texts.get(wanted.key)
    where = f"{wanted.key} in {catalogue.locale}"
    if isinstance(text, tuple):
        message = f"{where} must be one text, got a list"
        report.add(Code.TEXT_KIND, message, line=line, step=step)
    elif not text:
        report.add(Code.MISSING_TEXT, f"{where} is missing", line=line, step=step)
    else:
        for code, message in _text_faults(wanted, text):
            report.add(code, f"{where} {message}", line=line, step=step)


def _text_faults(wanted: Wanted, text: str) -> Iterator[tuple[Code, str]]:
    units = len(text.encode("utf-16-le")) // 2
    if units > wanted.limit:
        yield Code.TEXT_TOO_LONG, f"must have at most {wanted.limit} characters, got {units}"
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    except ValueError as error:
        yield Code.PLACEHOLDER, f"must have whole placeholders: {str(error).lower()}"
        names = []
    known = frozenset() if wanted.as_it_is else VALUES
    for name in names:
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            yield Code.PLACEHOLDER, f"may use these placeholders: {listed}; got {name!r}"
    if wanted.as_it_is and re.search("[<>&]", text):
        yield Code.MARKUP, "is shown as it is, so it must not hold <, > or &"
    elif not _is_well_marked(text):
        yield Code.MARKUP, "may hold <b>…</b> and <i>…</i>, and no other <, > or &"


def _is_well_marked(text: str) -> bool:
    opened: list[str] = []
    for closing, tag in re.findall(r"<(/?)([bi])>", text):
        if not closing:
            opened.append(tag)
        elif not opened or opened.pop() != tag:
            return False
    return not opened and not re.search("[<>&]", re.sub("</?[bi]>", "", text))


def _check_list(
    key: str, catalogue: Catalogue, report: Report, *, line: int, step: str = ""
) -> None:
    words = catalogue.texts.get(key, ())
    where = f"{key} in {catalogue.locale}"
    if isinstance(words, str):
        report.add(Code.TEXT_KIND, f"{where} must be a list, got one text", line=line, step=step)
    elif not words or not all(words):
        message = f"{where} must list words, got none or an empty one"
        report.add(Code.MISSING_TEXT, message, line=line, step=step)


def _check_groups(
    flag: str, catalogue: Catalogue, catalogues: Mapping[str, Catalogue], report: Report, line: int
) -> None:
    groups = _groups(flag, catalogue)
    # A group missing in one language would make the detector fire on half of what it needs.
    most = max(len(_groups(flag, other)) for other in catalogues.values())
    if not groups:
        _check_list(f"red_flag.{flag}.1", catalogue, report, line=line)
    elif len(groups) != most or groups != [str(n) for n in range(1, len(groups) + 1)]:
        message = (
            f"red_flag.{flag} in {catalogue.locale} must have the phrase groups 1 to {most}, "
            f"got {', '.join(groups)}"
        )
        report.add(Code.PHRASE_GROUPS, message, line=line)
    for group in groups:
        _check_list(f"red_flag.{flag}.{group}", catalogue, report, line=line)


def _groups(flag: str, catalogue: Catalogue) -> list[str]:
    prefix = f"red_flag.{flag}."
    names = (key.removeprefix(prefix) for key in catalogue.texts if key.startswith(prefix))
    return sorted(name for name in names if name.isdigit())
