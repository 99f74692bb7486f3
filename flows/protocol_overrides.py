"""A clinic's own numbers: changes those a protocol marks editorial, and nothing else."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from flows.protocol import Option, Protocol
from flows.protocol_faults import Code, Report
from flows.protocol_toml import MOST_WEEKS, parse, plan_row
from flows.toml_table import Table

CHANGEABLE = (
    "a clinic may change weeks, points, plan, spacing, after and score.weights, "
    "where the basis has an E for editorial"
)


def is_overrides(text: str) -> bool:
    """Tell a clinic's overrides from a protocol: they name the one they change."""
    try:
        return "overrides" in tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False


def apply_overrides(protocol: Protocol, text: str, report: Report) -> Protocol:
    """Return the protocol with the clinic's numbers; faults go to the report."""
    file = parse(text, report)
    if file is None:
        return protocol
    file.required("overrides")
    wanted = file.take("overrides", protocol.id)
    if wanted != protocol.id:
        message = f"overrides must name the protocol {protocol.id}, got {wanted!r}"
        file.fault(Code.OTHER_PROTOCOL, message)
    sections: tuple[tuple[str, Callable[[Protocol, Table, Report], Protocol]], ...] = (
        ("weeks", _weeks),
        ("points", _points),
        ("plan", _plan),
        ("spacing", _spacing),
        ("after", _after),
        ("score", _score),
    )
    for name, change in sections:
        if file.has(name):
            table = file.table(name, report.lines.table(name))
            if name not in protocol.number_basis or _is_open(protocol, name, table):
                protocol = change(protocol, table, report)
                _refuse_rest(table, f"{name}.")
    _refuse_rest(file, "")
    return protocol


def _is_open(protocol: Protocol, section: str, table: Table) -> bool:
    basis = protocol.number_basis[section]
    if "E" in basis:
        return True
    table.fault(Code.NOT_CHANGEABLE, f"[{section}] has the basis {basis}; {CHANGEABLE}")
    return False


def _refuse_rest(table: Table, prefix: str) -> None:
    for key in table.unread():
        table.fault(Code.NOT_CHANGEABLE, f"{prefix}{key} must not be changed; {CHANGEABLE}")


def _weeks(protocol: Protocol, table: Table, report: Report) -> Protocol:
    for rule in table.unread():
        line = report.lines.key("weeks", rule)
        weeks = timedelta(weeks=table.number(rule, 1, MOST_WEEKS))
        step, option = _rule(protocol, rule)
        if option is None or "E" not in option.basis:
            _refuse(rule, report, line)
        elif option.defer_for is not None:
            protocol = _with_option(protocol, step, replace(option, defer_for=weeks))
        elif option.recheck_for is not None:
            protocol = _with_option(protocol, step, replace(option, recheck_for=weeks))
        else:
            _refuse(rule, report, line)
    return protocol


def _points(protocol: Protocol, table: Table, report: Report) -> Protocol:
    for rule in table.unread():
        points = table.number(rule, 0, 100)
        step, option = _rule(protocol, rule)
        if option is None or option.points is None or "E" not in protocol.number_basis["score"]:
            _refuse(rule, report, report.lines.key("points", rule))
        else:
            protocol = _with_option(protocol, step, replace(option, points=points))
    return protocol


def _refuse(rule: str, report: Report, line: int) -> None:
    message = f"{rule} has no such number, or it is not editorial; {CHANGEABLE}"
    report.add(Code.NOT_CHANGEABLE, message, line=line)


def _rule(protocol: Protocol, rule: str) -> tuple[str, Option | None]:
    step_id, _, code = rule.partition(".")
    options = (o for s in protocol.steps if s.id == step_id for o in s.options)
    return step_id, next((option for option in options if option.code == code), None)


def _with_option(protocol: Protocol, step_id: str, changed: Option) -> Protocol:
    return replace(
        protocol,
        steps=tuple(
            replace(step, options=_swapped(step.options, changed)) if step.id == step_id else step
            for step in protocol.steps
        ),
    )


def _swapped(options: tuple[Option, ...], changed: Option) -> tuple[Option, ...]:
    return tuple(changed if option.code == changed.code else option for option in options)


def _plan(protocol: Protocol, table: Table, report: Report) -> Protocol:
    rows = dict(protocol.plan_rows)
    for key in table.unread():
        grade = key.removeprefix("grade_")
        if grade.isdigit() and int(grade) in rows:
            row = table.table(key, report.lines.key("plan", key))
            rows[int(grade)] = plan_row(int(grade), row)
    return replace(protocol, plan_rows=rows)


def _spacing(protocol: Protocol, table: Table, report: Report) -> Protocol:
    days = protocol.spacing
    changed = {
        key: table.number(key, 1, 365)
        for key in ("min_days", "preferred_days", "max_days")
        if table.has(key)
    }
    return replace(protocol, spacing=replace(days, **changed))


def _after(protocol: Protocol, table: Table, report: Report) -> Protocol:
    def own(key: str, most: int, number: int) -> int:
        return table.number(key, 1, most) if table.has(key) else number

    return replace(
        protocol,
        downtime_days=table.pair("downtime_days", 0, 60) or protocol.downtime_days,
        minor_days=own("minor_days", 60, protocol.minor_days),
        review_weeks=own("review_weeks", MOST_WEEKS, protocol.review_weeks),
        refresher_months=own("refresher_months", 60, protocol.refresher_months),
    )


def _score(protocol: Protocol, table: Table, report: Report) -> Protocol:
    weights = table.table("weights", report.lines.table("score.weights"))
    changed = {
        part: weights.number(part, 0, 100) for part in protocol.score_weights if weights.has(part)
    }
    _refuse_rest(weights, "score.weights.")
    return replace(protocol, score_weights={**protocol.score_weights, **changed})
