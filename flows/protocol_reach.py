"""Judges when questions are asked: what `ask_if` names, and whether it can ever hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from flows.protocol import Kind, Outcome, Protocol, Severity, Step
from flows.protocol_faults import Code, Report

#: One way to be asked: for each earlier step, the sets of which an answer must meet every one.
Way = Mapping[str, tuple[frozenset[str], ...]]

_SEVERITY = {
    Outcome.ELIGIBLE: Severity.COUNSEL,
    Outcome.DEFERRED: Severity.DEFERRED,
    Outcome.REVIEW: Severity.REVIEW,
    Outcome.DECLINED: Severity.DECLINED,
    Outcome.URGENT: Severity.URGENT,
}


def check_relevance(protocol: Protocol, report: Report) -> None:
    """Report conditions that name unknown or later steps, and steps that are never asked."""
    earlier: dict[str, Step] = {}
    ways: dict[str, list[Way]] = {}
    later = {step.id for step in protocol.steps}
    for step in protocol.steps:
        faults = list(_condition_faults(step, earlier, later))
        for code, message in faults:
            report.add(code, message, line=step.line, step=step.id)
        ways[step.id] = [] if faults else list(_ways(step, earlier, ways))
        if not ways[step.id] and not faults:
            message = "ask_if can never hold, so nobody is asked this"
            report.add(Code.UNREACHABLE, message, line=step.line, step=step.id)
        earlier[step.id] = step
        if faults:  # its own fault is enough: do not call the steps after it unreachable
            ways[step.id] = [{}]


def _condition_faults(
    step: Step, earlier: Mapping[str, Step], later: set[str]
) -> Iterator[tuple[Code, str]]:
    for clause in step.ask_if:
        for name, codes in clause.items():
            if name in earlier:
                known = {option.code for option in earlier[name].options}
                for code in sorted(codes - known):
                    yield Code.UNKNOWN_OPTION, f"ask_if names {name}.{code}, which is no option"
            elif name in later:
                yield Code.LATER_STEP, f"ask_if must name steps before this one, got {name}"
            else:
                yield Code.UNKNOWN_STEP, f"ask_if names {name}, which is no step"


def _ways(step: Step, earlier: Mapping[str, Step], ways: Mapping[str, list[Way]]) -> Iterator[Way]:
    """Yield the ways in which the step can be asked; each leads over steps that are asked too."""
    for clause in step.ask_if or ({},):
        own: Way = {name: (codes,) for name, codes in clause.items()}
        for chosen in product(*(ways[name] for name in clause)):
            way = _joined((*chosen, own))
            if _can_hold(way, step, earlier):
                yield way


def _joined(ways: Iterable[Way]) -> Way:
    joined: dict[str, tuple[frozenset[str], ...]] = {}
    for way in ways:
        for name, sets in way.items():
            joined[name] = tuple(dict.fromkeys((*joined.get(name, ()), *sets)))
    return joined


def _can_hold(way: Way, step: Step, earlier: Mapping[str, Step]) -> bool:
    strongest = Severity.NONE
    for name, sets in way.items():
        mildest = _mildest(earlier[name], sets)
        if mildest is None:
            return False
        strongest = max(strongest, mildest)
    # Other answers may still make the verdict stronger, so a way is closed only when that
    # strength and every greater one ends the questions.
    return any(
        severity >= strongest and outcome not in step.unless
        for outcome, severity in _SEVERITY.items()
    )


def _mildest(step: Step, sets: tuple[frozenset[str], ...]) -> Severity | None:
    """Return the mildest severity of an answer that meets every set; None when there is none."""
    found = [
        option.severity for option in step.options if all(option.code in codes for codes in sets)
    ]
    if step.kind is Kind.MULTI:
        together = [_mildest_ticks(step, codes) for codes in sets]
        if all(together):
            found.append(max(min(severities) for severities in together))
    return min(found, default=None)


def _mildest_ticks(step: Step, codes: frozenset[str]) -> list[Severity]:
    return [o.severity for o in step.options if o.code in codes and not o.exclusive]
