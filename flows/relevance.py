"""Which questions matter, given the answers so far: order, next, previous.

A step is asked when its `ask_if` holds over the answers of earlier relevant steps and the
strongest severity among those answers has not ended the questions (`unless`). Nothing here
remembers a path: back, edit and resume all follow from the answers alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flows.conversation import Answer, Stage
from flows.protocol import AskIf, Outcome, Protocol, Severity, Step

#: Code of the option that stands for "wrote something" or "named a day".
GIVEN = "given"

#: The outcome that a strongest severity leads to.
OUTCOMES = {
    Severity.NONE: Outcome.ELIGIBLE,
    Severity.COUNSEL: Outcome.ELIGIBLE,
    Severity.DEFERRED: Outcome.DEFERRED,
    Severity.REVIEW: Outcome.REVIEW,
    Severity.DECLINED: Outcome.DECLINED,
    Severity.URGENT: Outcome.URGENT,
}


def severity_of(step: Step, answer: Answer) -> Severity:
    """Return the strongest severity among the chosen options, NONE for an empty answer."""
    codes = set(answer.codes)
    if answer.text is not None or answer.on is not None:
        codes.add(GIVEN)
    return max((o.severity for o in step.options if o.code in codes), default=Severity.NONE)


def relevant_steps(protocol: Protocol, answers: Mapping[str, Answer]) -> tuple[Step, ...]:
    """Return the steps that matter with these answers, in order, answered or not."""
    return tuple(step for step, _ in _walk(protocol, answers))


def current_answers(protocol: Protocol, answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """Return only the answers of relevant steps: the ones that verdict, score and lead use."""
    return {
        step.id: answers[step.id]
        for step in relevant_steps(protocol, answers)
        if step.id in answers
    }


def fitting(protocol: Protocol, answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """Return the relevant ones of answers given to another protocol, as far as this one has them.

    A step of which some option is unknown counts as not answered.
    """
    codes = {step.id: {option.code for option in step.options} for step in protocol.steps}
    known = {
        name: given
        for name, given in answers.items()
        if name in codes and codes[name].issuperset(given.codes)
    }
    return current_answers(protocol, known)


def next_step(protocol: Protocol, answers: Mapping[str, Answer]) -> Step | None:
    """Return the first relevant step without an answer, None when all are answered."""
    for step, _ in _walk(protocol, answers):
        if step.id not in answers:
            return step
    return None


def previous_step(protocol: Protocol, answers: Mapping[str, Answer], state: str) -> Step | None:
    """Return the last relevant answered step before `state`; a stage comes after all steps."""
    before = None
    for step, _ in _walk(protocol, answers):
        if step.id == state:
            break
        if step.id in answers:
            before = step
    return before


def next_place(protocol: Protocol, answers: Mapping[str, Answer]) -> str:
    """Return where the run stands: a step id, REVIEW, or DECLINED or URGENT when it ended early."""
    outcome = _outcome(protocol, answers)
    if outcome is Outcome.URGENT:
        return Stage.URGENT
    if outcome is Outcome.DECLINED:
        return Stage.DECLINED
    step = next_step(protocol, answers)
    return step.id if step else Stage.REVIEW


def holds(condition: AskIf, answers: Mapping[str, Answer]) -> bool:
    """Say whether a step with this condition is asked; no condition always holds."""
    for clause in condition:
        for name, codes in clause.items():
            if name not in answers or codes.isdisjoint(answers[name].codes):
                break
        else:
            return True
    return not condition


def progress(protocol: Protocol, answers: Mapping[str, Answer], state: str) -> tuple[int, int]:
    """Return (number of the question at `state`, questions in all as far as is known now).

    Only the detail questions of unanswered tick lists can add to the total.
    """
    steps = [step.id for step in relevant_steps(protocol, answers)]
    return steps.index(state) + 1, len(steps)


def _outcome(protocol: Protocol, answers: Mapping[str, Answer]) -> Outcome:
    strongest = Severity.NONE
    for step, before in _walk(protocol, answers):
        strongest = max(strongest, before)
        if step.id in answers:
            strongest = max(strongest, severity_of(step, answers[step.id]))
    return OUTCOMES[strongest]


def _walk(protocol: Protocol, answers: Mapping[str, Answer]) -> Iterator[tuple[Step, Severity]]:
    """Yield each relevant step with the strongest severity of the relevant answers before it."""
    kept: dict[str, Answer] = {}
    strongest = Severity.NONE
    for step in protocol.steps:
        if OUTCOMES[strongest] in step.unless or not holds(step.ask_if, kept):
            continue
        yield step, strongest
        if step.id in answers:
            kept[step.id] = answers[step.id]
            strongest = max(strongest, severity_of(step, answers[step.id]))
