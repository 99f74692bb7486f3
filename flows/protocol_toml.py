"""Reads the TOML of a protocol into values; `flows.protocol_checks` judges them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta

from flows.protocol import (
    AskIf,
    Kind,
    Option,
    Outcome,
    PlanRow,
    Protocol,
    RedFlag,
    Severity,
    Spacing,
    Step,
)
from flows.protocol_faults import Code, Report
from flows.toml_table import Table

#: Letters of `basis`: label, trial, consensus, clinic practice, editorial.
BASES = "LTCPE"
#: Most weeks a waiting time may last: two years.
MOST_WEEKS = 104
MOST_SESSIONS = 12
GROUPS = ("consent", "about", "safety", "scar", "goal", "practical")
SECTIONS = ("plan", "spacing", "after", "score")

_KINDS = {str(kind): kind for kind in Kind}
_OUTCOMES = {str(outcome): outcome for outcome in Outcome}
_SEVERITIES = {severity.name.lower(): severity for severity in Severity}


def parse(text: str, report: Report) -> Table | None:
    """Parse TOML; None, and one fault, when it is not TOML."""
    try:
        return Table(tomllib.loads(text), report, 1)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else len(text.splitlines())
        report.add(Code.NOT_TOML, f"this must be TOML: {error}", line=line)
        return None


def read_protocol(text: str, report: Report) -> Protocol | None:
    """Read a protocol; faults go to the report and harmless values stand in for them."""
    file = parse(text, report)
    if file is None:
        return None
    for key in ("id", "version", "step", *SECTIONS, "sources"):
        file.required(key)
    sections = {name: file.table(name, report.lines.table(name)) for name in SECTIONS}
    basis = {name: _basis(section) for name, section in sections.items()}
    sources = {name: section.words("sources") for name, section in sections.items()}
    ends = file.choices("questions_end_at", _OUTCOMES, "declined")
    spacing, floor = _spacing(sections["spacing"])
    after = sections["after"]
    weights, full_when = _score(sections["score"], report)
    protocol = Protocol(
        id=_name(file, "id"),
        version=_version(file),
        digest="",
        steps=_steps(file, report, ends),
        plan_rows=_plan_rows(sections["plan"], report),
        spacing=spacing,
        spacing_floor_days=floor,
        downtime_days=_days(after),
        minor_days=after.number("minor_days", 0, 60),
        review_weeks=after.number("review_weeks", 1, MOST_WEEKS),
        refresher_months=after.number("refresher_months", 1, 60),
        score_weights=weights,
        score_full_when=full_when,
        red_flags=_red_flags(file, report),
        faqs=file.words("faqs"),
        sources=_pairs(file.table("sources", report.lines.table("sources"))),
        number_basis=basis,
        number_sources=sources,
    )
    for table in (*sections.values(), file):
        table.close()
    return protocol


def plan_row(grade: int, table: Table) -> PlanRow:
    """Read the sessions of one grade."""
    row = PlanRow(
        grade=grade,
        sessions=table.number("sessions", 0, MOST_SESSIONS),
        at_least=table.number("at_least", 0, MOST_SESSIONS),
        at_most=table.number("at_most", 0, MOST_SESSIONS),
    )
    table.close()
    return row


def _days(after: Table) -> tuple[int, int]:
    after.required("downtime_days")
    return after.pair("downtime_days", 0, 60) or (0, 0)


def _name(table: Table, key: str) -> str:
    name = table.take(key, "")
    if table.has(key) and not re.fullmatch(r"[a-z0-9_]+", name):
        table.fault(Code.BAD_NAME, f"{key} must be of a-z, 0-9 and _, got {name!r}")
    return name


def _version(file: Table) -> str:
    version = file.take("version", "")
    try:
        return date.fromisoformat(version).isoformat()
    except ValueError:
        if file.has("version"):
            file.fault(Code.BAD_VALUE, f'version must be a date like "2026-01-31", got {version!r}')
        return ""


def _pairs(table: Table) -> Mapping[str, str]:
    return {key: table.take(key, "") for key in table.unread()}


def _steps(file: Table, report: Report, ends: frozenset[Outcome]) -> tuple[Step, ...]:
    steps = []
    for index, values in enumerate(file.tables("step")):
        name = values.get("id")
        table = Table(
            values, report, report.lines.step(index), step=name if isinstance(name, str) else ""
        )
        steps.append(_step(table, index, report, ends))
    return tuple(steps)


def _step(table: Table, index: int, report: Report, ends: frozenset[Outcome]) -> Step:
    for key in ("id", "kind", "group"):
        table.required(key)
    sources, basis = table.words("sources"), _basis(table)
    # The first step asks for consent: nothing has been answered that could end the questions.
    unless = table.choices("unless", _OUTCOMES, "declined") | (ends if index else frozenset())
    step = Step(
        id=_name(table, "id"),
        kind=table.choice("kind", _KINDS, "choice"),
        group=table.choice("group", {group: group for group in GROUPS}, GROUPS[0]),
        options=tuple(
            _option(
                Table(values, report, report.lines.option(index, number), step=table.step),
                sources,
                basis,
            )
            for number, values in enumerate(table.tables("options"))
        ),
        ask_if=_ask_if(table),
        unless=unless,
        quick=table.take("quick", False),
        skippable=table.take("skippable", False),
        sensitive=table.take("sensitive", False),
        picture=table.take("picture", "") or None,
        score_part=table.take("score_part", "") or None,
        sources=sources,
        basis=basis,
        line=table.line,
    )
    table.close()
    return step


def _ask_if(table: Table) -> AskIf:
    clauses = []
    for values in table.tables("ask_if"):
        clause = Table(values, table.report, table.line, step=table.step)
        clauses.append({key: frozenset(clause.words(key)) for key in clause.unread()})
    return tuple(clauses)


def _option(table: Table, sources: tuple[str, ...], basis: str) -> Option:
    table.required("code")
    option = Option(
        code=_name(table, "code"),
        severity=table.choice("severity", _SEVERITIES, "none"),
        defer_for=_weeks(table, "defer_weeks"),
        recheck_for=_weeks(table, "recheck_weeks"),
        points=table.maybe_number("points", 0, 100),
        grade=table.maybe_number("grade", 1, 4),
        exclusive=table.take("exclusive", False),
        numbers=table.pair("numbers", 0, 999),
        sources=table.words("sources") or sources,
        basis=_basis(table) or basis,
        confidential=table.take("confidential", False),
    )
    table.close()
    return option


def _weeks(table: Table, key: str) -> timedelta | None:
    weeks = table.maybe_number(key, 1, MOST_WEEKS)
    return None if weeks is None else timedelta(weeks=weeks)


def _basis(table: Table) -> str:
    basis = table.take("basis", "")
    if basis and not set(basis.split("+")) <= set(BASES):
        letters = ", ".join(BASES)
        table.fault(Code.BAD_VALUE, f"basis must join {letters} by +, got {basis!r}")
    return basis


def _plan_rows(plan: Table, report: Report) -> Mapping[int, PlanRow]:
    grades = {f"grade_{grade}": grade for grade in range(1, 5)}
    rows = {}
    for key, grade in grades.items():
        plan.required(key)
        rows[grade] = plan_row(grade, plan.table(key, report.lines.key("plan", key)))
    return rows


def _spacing(table: Table) -> tuple[Spacing, int]:
    spacing = Spacing(
        min_days=table.number("min_days", 1, 365),
        preferred_days=table.number("preferred_days", 1, 365),
        max_days=table.number("max_days", 1, 365),
    )
    return spacing, table.number("floor_days", 1, 365)


def _score(table: Table, report: Report) -> tuple[Mapping[str, int], Mapping[str, str]]:
    weights = table.table("weights", report.lines.table("score.weights"))
    full_when = table.table("full_when", report.lines.table("score.full_when"))
    return {part: weights.number(part, 0, 100) for part in weights.unread()}, _pairs(full_when)


def _red_flags(file: Table, report: Report) -> tuple[RedFlag, ...]:
    flags = []
    for values in file.tables("red_flag"):
        table = Table(values, report, report.lines.table("red_flag"))
        table.required("id")
        table.required("sources")
        flags.append(RedFlag(_name(table, "id"), table.words("sources")))
        table.close()
    return tuple(flags)
