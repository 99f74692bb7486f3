"""Judges the numbers of a protocol; asked again when a clinic has changed some of them."""

from __future__ import annotations

from flows.protocol import Protocol, Step
from flows.protocol_faults import Code, Report


def check_numbers(protocol: Protocol, report: Report) -> None:
    """Report spacing, plan and score that do not hold together."""
    _check_spacing(protocol, report)
    _check_plan(protocol, report)
    _check_weights(protocol, report)
    for step in protocol.steps:
        _check_points(protocol, step, report)


def _check_spacing(protocol: Protocol, report: Report) -> None:
    days, floor = protocol.spacing, protocol.spacing_floor_days
    if days.min_days < floor:
        message = f"min_days must not be below floor_days {floor}, got {days.min_days}"
        report.add(Code.SPACING, message, line=report.lines.key("spacing", "min_days"))
    if not days.min_days <= days.preferred_days <= days.max_days:
        message = (
            "min_days, preferred_days and max_days must rise, "
            f"got {days.min_days}, {days.preferred_days} and {days.max_days}"
        )
        report.add(Code.SPACING, message, line=report.lines.table("spacing"))


def _check_plan(protocol: Protocol, report: Report) -> None:
    for grade, row in protocol.plan_rows.items():
        if not row.at_least <= row.sessions <= row.at_most:
            message = (
                f"grade_{grade} must have at_least <= sessions <= at_most, "
                f"got {row.at_least}, {row.sessions} and {row.at_most}"
            )
            report.add(Code.PLAN, message, line=report.lines.key("plan", f"grade_{grade}"))


def _check_weights(protocol: Protocol, report: Report) -> None:
    line = report.lines.table("score.weights")
    total = sum(protocol.score_weights.values())
    if total != 100:
        report.add(Code.WEIGHTS, f"weights must add up to 100, got {total}", line=line)
    used = {step.score_part for step in protocol.steps}
    for part in protocol.score_weights:
        if part not in used:
            report.add(Code.SCORE_PART, f"score part {part} must have a step", line=line)
    steps = {step.id for step in protocol.steps}
    for part, step_id in protocol.score_full_when.items():
        line = report.lines.key("score.full_when", part)
        if part not in protocol.score_weights:
            report.add(Code.SCORE_PART, f"full_when names {part}, which has no weight", line=line)
        if step_id not in steps:
            report.add(Code.UNKNOWN_STEP, f"full_when names {step_id}, which is no step", line=line)


def _check_points(protocol: Protocol, step: Step, report: Report) -> None:
    part = step.score_part
    if part is not None and part not in protocol.score_weights:
        message = f"score_part {part} must have a weight in [score.weights]"
        report.add(Code.SCORE_PART, message, line=step.line, step=step.id)
        return
    most = protocol.score_weights[part] if part else 0
    for option in step.options:
        if option.points is None:
            continue
        if part is None:
            message = f"{option.code} has points, so the step must have a score_part"
            report.add(Code.POINTS, message, line=step.line, step=step.id)
        elif option.points > most:
            message = f"{option.code} must have at most {most} points, got {option.points}"
            report.add(Code.POINTS, message, line=step.line, step=step.id)
