"""What must hold at every question, and after every answer to one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from flows import relevance
from flows.conversation import Conversation, Stage
from flows.effects import (
    ConfirmSeries,
    HandOffLead,
    HoldSeries,
    LeadKind,
    MessageToClinic,
    MoveAppointment,
)
from flows.eligibility import Verdict
from flows.events import (
    Action,
    AskedForPerson,
    AskedToStartOver,
    Chose,
    Started,
    Stopped,
    Typed,
    WentBack,
)
from flows.graph import refuses
from flows.proof_model import WORDS, Standing, chosen_of
from flows.proof_results import check_not_asked, check_rated
from flows.proof_walk import Arrival, Walk, path
from flows.proof_world import Claim, Ledger, World, must, place_of
from flows.protocol import Kind, Option, Outcome, Severity, Step
from flows.turn import Turn

BOOKINGS = (HoldSeries, ConfirmSeries, MoveAppointment)

#: The buttons of the other screens, which must do nothing at a question.
_FOREIGN = tuple(
    Chose(action, {"time": "0", "book": "0", "book_first": "0", "move": "1"}.get(action, ""))
    for action in Action
    if action not in (Action.CONTINUE, Action.START_OVER)
)

_ADULT = 18


def check_arrival(world: World, ledger: Ledger, arrival: Arrival) -> None:
    """Check one answer: what is kept, what it means, what follows, and the way back."""
    where = arrival.where
    if not refuses(arrival.step, arrival.reply.codes):
        standing = world.model.judge(arrival.after.answers)
        _kept(ledger, arrival, standing, where)
        _judged(world, ledger, arrival, standing, where)
        _minor(world, ledger, arrival, where)
        _followed(world, ledger, arrival, where)
    _not_skipped(ledger, arrival, where)
    with ledger.case(Claim.BACK, where):
        _back(world, arrival)


def check_questions(world: World, ledger: Ledger, walked: Walk) -> None:
    """Check every question of the walk, as it stands before an answer."""
    for visit in walked.nodes.values():
        conversation = visit.first
        step = world.protocol.step(conversation.state)
        where = f"{path(conversation)}, at {step.id}"
        with ledger.case(Claim.CONSENT, where):
            if step.group != "consent":
                must(_agreed(world, conversation), f"{step.id} is asked before consent")
            if not _agreed(world, conversation):
                check_not_asked(world, conversation)
        if step.group == "practical":
            with ledger.case(Claim.WAITING, where):
                standing = world.model.judge(conversation.answers)
                must(standing.severity is not Severity.DEFERRED, f"{step.id} is asked")
        with ledger.case(Claim.NEAR, where):
            check_near(world, conversation)
            _come_and_go(world, conversation)
        for event in _FOREIGN:
            with ledger.case(Claim.BOOKED, f"{where}, {event.action}"):
                turn = world.does(conversation, event)
                must(not booked_by(turn), "something is booked from a question")
                must(turn.conversation.state == step.id, f"leads to {turn.conversation.state}")


def check_minors(world: World, ledger: Ledger) -> None:
    """Refute a protocol in which nobody can say that they are a minor."""
    with ledger.case(Claim.MINOR, "all steps"):
        minors = [o for step in world.protocol.steps for o in step.options if is_minor(o)]
        must(minors, "no option stands for an age below 18")
        must(
            all(option.severity >= Severity.DECLINED for option in minors),
            f"{', '.join(option.code for option in minors)} does not decline",
        )


def check_near(world: World, conversation: Conversation) -> None:
    """Refute when no person, or no end, can be reached from here, or the place is lost."""
    asked = world.does(conversation, AskedForPerson())
    must(HandOffLead(LeadKind.PERSON) in asked.effects, "asking for a person tells nobody")
    _written_to(world, conversation, asked.conversation)
    stopped = world.does(conversation, Stopped())
    must(stopped.conversation.state == Stage.STOPPED, f"stop leads to {stopped.conversation.state}")
    check_rated(world, conversation)


def _written_to(world: World, before: Conversation, asked: Conversation) -> None:
    """Refute when words for a person do not reach one, or when the place is lost over it."""
    if asked.state == Stage.URGENT:
        must(place_of(asked) == place_of(before), "a person costs the place")
        return
    sent = world.does(asked, Typed(WORDS))
    must(MessageToClinic(WORDS) in sent.effects, "what is asked reaches nobody")
    for left in (asked, sent.conversation):
        back = world.does(left, Chose(Action.CONTINUE)).conversation
        place = replace(place_of(before), overlay=None, misses=0, suggested="")
        must(place_of(back) == place, "a person costs the place")


def booked_by(turn: Turn) -> bool:
    """Say whether a turn holds, books or moves anything."""
    return any(isinstance(effect, BOOKINGS) for effect in turn.effects)


def is_minor(option: Option) -> bool:
    """Say whether an option stands for an age below 18."""
    return option.numbers is not None and option.numbers[1] < _ADULT


def explain(verdict: Verdict) -> Iterator[str]:
    """Yield what a verdict leaves unexplained."""
    if verdict.outcome is not Outcome.ELIGIBLE and not verdict.reasons:
        yield f"{verdict.outcome} without a reason"
    if verdict.outcome is Outcome.DEFERRED and verdict.recheck_on is None:
        yield "deferred without a date"
    for reason in verdict.reasons:
        if not reason.sources or not reason.basis:
            yield f"{reason.rule} has no source or no basis"
        if reason.severity is Severity.DEFERRED and reason.recheck_on is None:
            yield f"{reason.rule} defers without a date"


def _kept(ledger: Ledger, arrival: Arrival, standing: Standing, where: str) -> None:
    with ledger.case(Claim.TRACE, where):
        kept = [name for name in standing.asked if name in arrival.after.answers]
        stray = set(arrival.after.answers).difference(kept)
        must(not stray, f"keeps {', '.join(sorted(stray))}")


def _judged(world: World, ledger: Ledger, arrival: Arrival, standing: Standing, where: str) -> None:
    answers = relevance.current_answers(world.protocol, arrival.after.answers)
    verdict = world.judged(answers)
    with ledger.case(Claim.STRONGEST, where):
        must(verdict.outcome == standing.outcome, f"{verdict.outcome}, not {standing.outcome}")
        rules = {reason.rule for reason in verdict.reasons}
        odd = sorted(rules ^ standing.rules)
        must(not odd, f"the reasons are wrong in {', '.join(odd)}")
        wait = world.today + standing.wait if standing.wait else None
        must(verdict.recheck_on == wait, f"ready again on {verdict.recheck_on}, not {wait}")
        severities = [reason.severity for reason in verdict.reasons]
        must(severities == sorted(severities, reverse=True), "the strongest reason is not first")
    with ledger.case(Claim.BOOKED, where):
        must(verdict.bookable == standing.service, f"{verdict.outcome} books {verdict.bookable}")
    with ledger.case(Claim.EXPLAINED, where):
        for gap in explain(verdict):
            must(False, gap)


def _minor(world: World, ledger: Ledger, arrival: Arrival, where: str) -> None:
    answer = arrival.after.answers[arrival.step.id]
    if not any(is_minor(option) for option in chosen_of(arrival.step, answer)):
        return
    with ledger.case(Claim.MINOR, where):
        must(arrival.after.state == Stage.DECLINED, f"a minor comes to {arrival.after.state}")
        steps = relevance.relevant_steps(world.protocol, arrival.after.answers)
        must(steps[-1] == arrival.step, f"{steps[-1].id} still counts for a minor")
        check_not_asked(world, arrival.after)


def _followed(world: World, ledger: Ledger, arrival: Arrival, where: str) -> None:
    """Check that a tick which decides nothing by itself makes a question asked."""
    step = arrival.step
    ended = arrival.after.state in (Stage.DECLINED, Stage.URGENT)
    if step.group != "safety" or step.kind is not Kind.MULTI or ended:
        return
    steps = relevance.relevant_steps(world.protocol, arrival.after.answers)
    for option in chosen_of(step, arrival.after.answers[step.id]):
        if option.severity or option.exclusive:
            continue
        with ledger.case(Claim.FOLLOWED, where):
            must(
                any(_asks_for(later, step, option) for later in steps),
                f"{step.id}.{option.code} is ticked and nothing is asked about it",
            )


def _asks_for(later: Step, step: Step, option: Option) -> bool:
    return any(option.code in clause.get(step.id, ()) for clause in later.ask_if)


def _not_skipped(ledger: Ledger, arrival: Arrival, where: str) -> None:
    if arrival.reply.codes or arrival.reply.typed:
        return
    with ledger.case(Claim.SKIPPED, where):
        rules = [o.code for o in arrival.step.options if o.severity >= Severity.DEFERRED]
        must(not rules, f"{arrival.step.id} can be skipped past {', '.join(rules)}")


def _back(world: World, arrival: Arrival) -> None:
    """Go back to the question just answered and answer it in the same way."""
    turn = world.does(arrival.after, WentBack())
    if arrival.after.state == Stage.URGENT:
        must(turn.conversation.state == Stage.URGENT, "an urgent end can be left by going back")
        return
    if arrival.after.state == Stage.DECLINED:  # the way back leads over the list of answers
        turn = world.does(turn.conversation, WentBack())
    back = turn.conversation
    must(back.state == arrival.step.id, f"back leads to {back.state}")
    must(back.answers == arrival.after.answers, "back loses an answer")
    again = world.replies(back, arrival.step, arrival.reply).conversation
    must(place_of(again) == place_of(arrival.after), f"then leads to {again.state}")


def _agreed(world: World, conversation: Conversation) -> bool:
    return any(
        step.group == "consent"
        and step.id in conversation.answers
        and not refuses(step, conversation.answers[step.id].codes)
        for step in world.protocol.steps
    )


def _come_and_go(world: World, conversation: Conversation) -> None:
    """Leave by every door that leads back, and come back to the same place."""
    for leave in (Stopped(), Started(), AskedToStartOver()):
        left = world.does(conversation, leave).conversation
        come = world.does(left, Chose(Action.CONTINUE)).conversation
        must(
            come.state == conversation.state and come.answers == conversation.answers,
            f"{type(leave).__name__} and continue lead to {come.state}",
        )
