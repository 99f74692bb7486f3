"""The protocol in words, as Markdown that a clinician can read and sign."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from flows.protocol import AskIf, Kind, Option, Outcome, Protocol, Severity, Step
from flows.texts import Catalogue

HOW_TO_READ = """\
Every question is listed in the order asked, with each answer, what the answer does, and what the
patient reads about it. The strongest answer decides: urgent, then declined, clinician decides,
not now, told. All reasons are kept and shown. `{…}` stands for the clinic's own details.

Basis: **L** device label or regulation, **T** trial or review, **C** guideline or consensus,
**P** clinic practice only, **E** editorial. A clinic may change numbers whose basis has an E."""

NO_COURSE = "none: a clinician decides"

_KINDS = {
    Kind.CHOICE: "One answer.",
    Kind.MULTI: "One or more answers.",
    Kind.DATE: "A date.",
    Kind.TEXT: "The patient's own words.",
}
_EFFECTS = {
    Severity.NONE: "no effect on the verdict",
    Severity.COUNSEL: "told and noted; does not stand in the way",
    Severity.REVIEW: "a clinician decides first; a consultation can be booked",
    Severity.DECLINED: "declined; the questions end and nothing is booked",
    Severity.URGENT: "urgent: medical help today; the questions end and nothing is booked",
}
#: Answers that the dialogue itself acts on, without a rule.
_ENDINGS = {"consent.decline": "the chat ends politely"}
_OUTCOMES = {
    Outcome.ELIGIBLE: "nothing stands in the way",
    Outcome.DEFERRED: "not now",
    Outcome.REVIEW: "a clinician decides",
    Outcome.DECLINED: "declined",
    Outcome.URGENT: "urgent",
}


def document(protocol: Protocol, catalogue: Catalogue) -> str:
    """Write the whole protocol, with the words of one locale, as Markdown."""
    parts = [
        f"# Protocol: {protocol.id}",
        f"Version {protocol.version}, words in {catalogue.name}.\n\nDigest `{protocol.digest}`",
        HOW_TO_READ,
        f"No question is asked once the outcome is: {_listed(_always(protocol))}.",
        "## Questions",
        *(
            "\n\n".join(_question(protocol, catalogue, number, step))
            for number, step in enumerate(protocol.steps, start=1)
        ),
        *_plan(protocol),
        *_score(protocol),
        *_red_flags(protocol, catalogue),
        *_faqs(protocol, catalogue),
        "## Sources",
        "\n".join(f"- **{key}** {citation}" for key, citation in protocol.sources.items()),
        *_signature(protocol),
    ]
    return "\n\n".join(parts) + "\n"


def _question(protocol: Protocol, catalogue: Catalogue, number: int, step: Step) -> Iterator[str]:
    key = f"step.{step.id}"
    yield f"### {number}. {_words(catalogue, f'{key}.short')} (`{step.id}`)"
    yield _quote(_words(catalogue, f"{key}.question"))
    yield " ".join(_conditions(protocol, catalogue, step))
    yield f"If asked why: {_words(catalogue, f'{key}.why')}"
    yield "\n".join(_answer(protocol, catalogue, step, option) for option in step.options)


def _conditions(protocol: Protocol, catalogue: Catalogue, step: Step) -> Iterator[str]:
    yield _KINDS[step.kind]
    if step.skippable:
        yield "May be skipped."
    if step.sensitive:
        yield "Sensitive: kept out of marketing."
    if step.ask_if:
        yield f"Asked only when {_condition(protocol, catalogue, step.ask_if)}."
    if ended := step.unless - _always(protocol):
        yield f"Not asked either once the outcome is: {_listed(ended)}."


def _always(protocol: Protocol) -> frozenset[Outcome]:
    """Return the outcomes that end all questions; the first one, for consent, has none."""
    return frozenset.intersection(*(step.unless for step in protocol.steps[1:]))


def _listed(outcomes: frozenset[Outcome]) -> str:
    return ", ".join(_OUTCOMES[outcome] for outcome in Outcome if outcome in outcomes)


def _condition(protocol: Protocol, catalogue: Catalogue, ask_if: AskIf) -> str:
    return "; or ".join(
        " and ".join(
            f"“{_words(catalogue, f'step.{name}.short')}” has "
            + " or ".join(
                f"“{_words(catalogue, f'step.{name}.{option.code}.label')}”"
                for option in protocol.step(name).options
                if option.code in codes
            )
            for name, codes in clause.items()
        )
        for clause in ask_if
    )


def _answer(protocol: Protocol, catalogue: Catalogue, step: Step, option: Option) -> str:
    key = f"step.{step.id}.{option.code}"
    effects = [*_effects(step, option), *_follow_ups(protocol, catalogue, step, option)]
    line = f"- **{_words(catalogue, f'{key}.label')}**: {'; '.join(effects)}"
    if step.score_part and option.points is not None:
        most = protocol.score_weights[step.score_part]
        line += f"; readiness ({step.score_part}) {option.points} of {most}"
    if option.severity is Severity.NONE:
        return f"{line}."
    sources = ", ".join(option.sources)
    reason = _words(catalogue, f"{key}.reason")
    return f"{line}. “{reason}” *Basis {option.basis}; {sources}; rule `{step.id}.{option.code}`*"


def _effects(step: Step, option: Option) -> Iterator[str]:
    if option.severity is Severity.DEFERRED:
        if option.defer_for is not None:
            yield f"not now; ready again after {_weeks(option.defer_for)}"
        if option.recheck_for is not None:
            yield f"not now, until it has passed; asked again after {_weeks(option.recheck_for)}"
    else:
        yield _ENDINGS.get(f"{step.id}.{option.code}", _EFFECTS[option.severity])
    if option.grade is not None:
        yield f"suggests scar grade {option.grade}"
    if option.numbers is not None:
        yield f"typed numbers {option.numbers[0]} to {option.numbers[1]}"
    if option.exclusive:
        yield "chosen alone"
    if option.confidential:
        yield "confidential: no readiness score, no marketing"


def _follow_ups(
    protocol: Protocol, catalogue: Catalogue, step: Step, option: Option
) -> Iterator[str]:
    for other in protocol.steps:
        # A condition that most answers meet is told once, at the question it leads to.
        names = [clause.get(step.id, frozenset()) for clause in other.ask_if]
        if any(option.code in codes and len(codes) == 1 for codes in names):
            yield f"asks “{_words(catalogue, f'step.{other.id}.short')}”"


def _plan(protocol: Protocol) -> Iterator[str]:
    spacing, downtime = protocol.spacing, protocol.downtime_days
    yield "## Plan"
    rows = [
        f"| {row.grade} | {row.sessions or NO_COURSE} | {row.at_least} to {row.at_most} |"
        for row in protocol.plan_rows.values()
    ]
    yield "\n".join(("| Scar grade | Sessions | Range |", "|---|---|---|", *rows))
    yield _origin(protocol, "plan")
    yield (
        f"Between two sessions: {spacing.min_days} to {spacing.max_days} days, "
        f"{spacing.preferred_days} preferred; never below {protocol.spacing_floor_days}. "
        + _origin(protocol, "spacing")
    )
    yield (
        f"Redness: {downtime[0]} to {downtime[1]} days. Small effects: up to "
        f"{protocol.minor_days} days. Result judged {protocol.review_weeks} weeks after the last "
        f"session. A yearly look is offered after {protocol.refresher_months} months. "
        + _origin(protocol, "after")
    )


def _score(protocol: Protocol) -> Iterator[str]:
    yield "## Readiness"
    yield (
        "Sorts leads for the clinic; never changes what is medically offered. "
        + _origin(protocol, "score")
    )
    rows = [f"| {part} | {points} |" for part, points in protocol.score_weights.items()]
    yield "\n".join(("| Part | Most points |", "|---|---|", *rows))
    full = ", ".join(protocol.score_full_when)
    yield f"In full when the patient did not say that it would be hard: {full}."


def _red_flags(protocol: Protocol, catalogue: Catalogue) -> Iterator[str]:
    yield "## Red flags in free text"
    yield "Each stops the chat, gives this message and tells a person of the clinic."
    for flag in protocol.red_flags:
        key = f"red_flag.{flag.id}"
        yield f"### `{flag.id}`"
        yield _quote(_words(catalogue, f"{key}.message"))
        group = 1
        while phrases := catalogue.words(f"{key}.{group}"):
            yield f"{'Together with one of' if group > 1 else 'One of'}: {', '.join(phrases)}."
            group += 1
        yield f"*{', '.join(flag.sources)}*"


def _faqs(protocol: Protocol, catalogue: Catalogue) -> Iterator[str]:
    yield "## Answers to patients' questions"
    for faq in protocol.faqs:
        title = _words(catalogue, f"faq.{faq}.title")
        yield f"**{title}** {_words(catalogue, f'faq.{faq}.answer')}"


def _signature(protocol: Protocol) -> Iterator[str]:
    yield "## Approval"
    yield f"I have read version {protocol.version}, digest `{protocol.digest[:12]}`."
    for line in ("Name", "Registration number", "Clinic", "Date", "Signature"):
        yield f"{line}: ______________________________"


def _origin(protocol: Protocol, section: str) -> str:
    sources = ", ".join(protocol.number_sources[section])
    return f"*Basis {protocol.number_basis[section]}; {sources}*"


def _weeks(time: timedelta) -> str:
    weeks = time.days // 7
    return f"{weeks} weeks" if weeks > 1 else "1 week"


def _words(catalogue: Catalogue, key: str) -> str:
    """Read a text with its placeholders as they stand, and its markup as Markdown."""
    words = catalogue.texts[key]
    text = words if isinstance(words, str) else ", ".join(words)
    return re.sub(r"</?i>", "*", re.sub(r"</?b>", "**", text))


def _quote(text: str) -> str:
    return "\n".join(f"> {line}  " for line in text.splitlines())
