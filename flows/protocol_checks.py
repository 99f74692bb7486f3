"""Judges the steps and rules of a protocol that has been read."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from flows import plan
from flows.conversation import Stage
from flows.protocol import Kind, Option, Protocol, Severity, Step
from flows.protocol_faults import Code, Report

#: Telegram's limit for the data of a button.
BUTTON_BYTES = 64
#: What stands before `<step>.<option>` in a button's data: a revision of up to six digits in
#: base 36, one letter for the kind of button, and two full stops.
BUTTON_PREFIX = "zzzzzz.a."
#: Option codes that say "nothing of this applies" and so cannot be ticked along with others.
NOTHING = frozenset({"none", "nothing"})


def check_steps(protocol: Protocol, report: Report) -> None:
    """Report steps and options that cannot be asked, answered or told apart."""
    seen: set[str] = set()
    for index, step in enumerate(protocol.steps):
        _check_step(step, seen, report)
        seen.add(step.id)
        _check_options(step, index, report)


def check_rules(protocol: Protocol, report: Report) -> None:
    """Report rules without a source or basis, unknown sources, and wrong waiting times."""
    for index, step in enumerate(protocol.steps):
        _check_sources(protocol, step.sources, report, step.line, step.id)
        for number, option in enumerate(step.options):
            line = report.lines.option(index, number)
            _check_rule(step, option, line, report)
            if option.sources != step.sources:
                _check_sources(protocol, option.sources, report, line, step.id)
    for flag in protocol.red_flags:
        line = report.lines.table("red_flag")
        _check_sources(protocol, flag.sources, report, line)
        if not flag.sources:
            report.add(Code.NO_SOURCE, f"red flag {flag.id} must name its sources", line=line)
    for name, sources in protocol.number_sources.items():
        line = report.lines.table(name)
        _check_sources(protocol, sources, report, line)
        if not sources or not protocol.number_basis[name]:
            report.add(Code.NO_SOURCE, f"[{name}] must name its sources and basis", line=line)


def check_plan(protocol: Protocol, report: Report) -> None:
    """Report the steps and options that a plan is made from and that are not there."""
    steps = {step.id: step for step in protocol.steps}
    for name, codes in plan.READS.items():
        step = steps.get(name)
        if step is None:
            line = report.lines.table("plan")
            report.add(Code.PLAN_STEP, f"the plan needs a step {name}", line=line)
            continue
        if missing := sorted(codes.difference(option.code for option in step.options)):
            message = f"the plan needs the options {', '.join(missing)}"
            report.add(Code.PLAN_STEP, message, line=step.line, step=name)
        if name == plan.EVENT and step.kind is not Kind.DATE:
            message = f"the plan needs kind date, got {step.kind}"
            report.add(Code.PLAN_STEP, message, line=step.line, step=name)


def _check_step(step: Step, seen: set[str], report: Report) -> None:
    def fault(code: Code, message: str) -> None:
        report.add(code, message, line=step.line, step=step.id)

    if step.id in seen:
        fault(Code.DUPLICATE_STEP, f"step {step.id} must be there once")
    if step.id in {stage.value for stage in Stage}:
        fault(Code.STAGE_NAME, f"step id must not be the name of a stage, got {step.id}")
    if step.quick and step.kind is not Kind.MULTI:
        fault(Code.MISPLACED, f"quick is for kind multi, got {step.kind}")
    choosing = step.kind in (Kind.CHOICE, Kind.MULTI)
    if choosing and not step.options:
        fault(Code.DEAD_END, "a question with buttons must have options, got none")
    elif choosing and not step.skippable and not step.ask_if and _ends_for_all(step):
        fault(Code.DEAD_END, "at least one answer must lead on, got only declined or urgent ones")


def _ends_for_all(step: Step) -> bool:
    return all(option.severity >= Severity.DECLINED for option in step.options)


def _check_options(step: Step, index: int, report: Report) -> None:
    codes = Counter(option.code for option in step.options)
    for number, option in enumerate(step.options):
        line = report.lines.option(index, number)
        if codes[option.code] > 1:
            codes[option.code] = 0  # say it once
            message = f"option {option.code} must be there once"
            report.add(Code.DUPLICATE_OPTION, message, line=line, step=step.id)
        for code, message in _option_faults(step, option):
            report.add(code, message, line=line, step=step.id)
    _check_number_ranges(step, report)


def _option_faults(step: Step, option: Option) -> list[tuple[Code, str]]:
    faults = []
    size = len(f"{BUTTON_PREFIX}{step.id}.{option.code}".encode())
    if size > BUTTON_BYTES:
        message = f"button data must fit {BUTTON_BYTES} bytes, got {size} for {option.code}"
        faults.append((Code.BUTTON_TOO_LONG, message))
    multi = step.kind is Kind.MULTI
    if multi and option.code in NOTHING and not option.exclusive:
        message = f"{option.code} must be exclusive, it contradicts the other answers"
        faults.append((Code.NONE_NOT_EXCLUSIVE, message))
    if option.exclusive and not multi:
        faults.append((Code.MISPLACED, f"exclusive is for kind multi, got {step.kind}"))
    if option.numbers and step.kind is not Kind.CHOICE:
        faults.append((Code.MISPLACED, f"numbers are for kind choice, got {step.kind}"))
    return faults


def _check_number_ranges(step: Step, report: Report) -> None:
    ranges = sorted(option.numbers for option in step.options if option.numbers)
    for (_, last), (first, _) in pairwise(ranges):
        if first != last + 1:
            problem = "overlap" if first <= last else "leave a gap"
            message = f"numbers must follow each other, got {last} and {first}, which {problem}"
            report.add(Code.NUMBERS, message, line=step.line, step=step.id)


def _check_rule(step: Step, option: Option, line: int, report: Report) -> None:
    def fault(code: Code, message: str) -> None:
        report.add(code, f"{option.code} {message}", line=line, step=step.id)

    waits = [time for time in (option.defer_for, option.recheck_for) if time is not None]
    if option.severity is Severity.DEFERRED and len(waits) != 1:
        fault(Code.WAITING_TIME, "must have defer_weeks or recheck_weeks, and only one of them")
    if option.severity is not Severity.DEFERRED and waits:
        fault(Code.WAITING_TIME, "must have severity deferred to have a waiting time")
    if step.skippable and option.severity > Severity.COUNSEL:
        fault(Code.SKIPPED_RULE, "must not be skippable: skipping would hide what it does")
    if option.severity is Severity.NONE:
        return
    missing = [name for name in ("sources", "basis") if not getattr(option, name)]
    if missing:
        fault(Code.NO_SOURCE, f"must have {' and '.join(missing)}, here or at its step")


def _check_sources(
    protocol: Protocol, keys: tuple[str, ...], report: Report, line: int, step: str = ""
) -> None:
    for key in keys:
        if key not in protocol.sources:
            message = f"source {key} must be listed in [sources]"
            report.add(Code.UNKNOWN_SOURCE, message, line=line, step=step)
