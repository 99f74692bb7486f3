"""What must hold of whole runs: verdicts, decisions, edits, ticks, and each rule by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations, islice, pairwise

from flows import eligibility, relevance
from flows.conversation import Answer, Conversation, Stage
from flows.effects import RecordDecision
from flows.events import Action, Answered, Chose, Edited, Started, Ticked
from flows.graph import refuses
from flows.plan import Plan
from flows.proof_model import Reply, chosen_of
from flows.proof_walk import Arrival, Walk, follow, path
from flows.proof_world import Claim, Ledger, Refuted, Told, World, must
from flows.protocol import Kind, Option, Outcome, PlanRow, Protocol, Severity, Step
from flows.turn import Turn
from flows.understanding import settle

_RANK = {outcome: number for number, outcome in enumerate(Outcome)}
_ENDING = (Outcome.DECLINED, Outcome.URGENT)
_SCREENS = {
    Outcome.ELIGIBLE: Stage.PLAN,
    Outcome.DEFERRED: Stage.DEFERRED,
    Outcome.REVIEW: Stage.CONSULT,
    Outcome.DECLINED: Stage.DECLINED,
    Outcome.URGENT: Stage.URGENT,
}
_SESSIONS = range(3, 7)


def check_runs(world: World, ledger: Ledger, walked: Walk, told: Told) -> None:
    """Check every run of the walk at its end."""
    ends = [each for each in walked.ends(world) if each.after.state != Stage.NO_CONSENT]
    for number, arrival in enumerate(ends):
        if not number % 50:
            told("whole runs", number, len(ends))
        run = arrival.after
        for number, stray in enumerate(_strays(world, run)):
            with ledger.case(Claim.TRACE, f"{path(run)}, with stray answers {number}"):
                _no_trace(world, run, stray)
        if run.state == Stage.REVIEW:
            _decided(world, ledger, run)


def check_worries(world: World, ledger: Ledger, walked: Walk, told: Told) -> None:
    """Add each further worry to each run, at the answer that made its verdict what it is.

    What comes later in the run cannot make the verdict milder, so it is left out.
    """
    for number, arrival in enumerate(walked.arrivals):
        if not number % 500:
            told("further worries", number, len(walked.arrivals))
        run = arrival.after
        before, after = (world.model.judge(each.answers).outcome for each in (arrival.before, run))
        if _RANK[after] <= _RANK[before]:
            continue
        for step, stronger in _stronger(world.protocol, run.answers):
            with ledger.case(Claim.STRONGER, f"{path(run)}, then {stronger.named(step)}"):
                _not_milder(world, run, step, stronger)


def check_edits(world: World, ledger: Ledger, walked: Walk, told: Told) -> None:
    """Change each single answer to each other one and back; also in the fullest run."""
    firsts: dict[tuple[str, Reply], Arrival] = {}
    for arrival in walked.arrivals:
        if len(arrival.reply.codes) < 2:
            firsts.setdefault((arrival.step.id, arrival.reply), arrival)
    for number, arrival in enumerate(firsts.values()):
        told("edits", number, len(firsts))
        if arrival.after.state in (Stage.NO_CONSENT, Stage.URGENT):
            continue  # nothing can be edited there
        with ledger.case(Claim.LEADS_ON, arrival.where):
            run = follow(world, arrival.after, lambda step: _mildest(world, step))
            _edit_each_way(world, ledger, run, arrival.step)
    with ledger.case(Claim.LEADS_ON, "the fullest run"):
        full = _fullest(world)
        for step_id in full.answers:
            _edit_each_way(world, ledger, full, world.protocol.step(step_id))


def check_ticks(world: World, ledger: Ledger, walked: Walk, told: Told) -> None:
    """Judge every set of ticks by itself, in both directions; tick each two in both orders."""
    for node, visit in {node.place: (node, v) for node, v in walked.nodes.items()}.values():
        step = world.protocol.steps[node.place]
        told("sets of ticks", node.place, len(world.protocol.steps))
        if step.kind is not Kind.MULTI:
            continue
        for reply in world.model.replies(step):
            _set_of_ticks(world, ledger, step, reply.codes)
        several = [option.code for option in step.options if not option.exclusive]
        for one, other in combinations(several, 2):
            with ledger.case(Claim.ORDER, f"{step.id}={one}+{other}"):
                there = _ticked(world, visit.first, step, (one, other))
                back = _ticked(world, visit.first, step, (other, one))
                must(there == back, "another order leads elsewhere")


def check_rules(world: World, ledger: Ledger, walked: Walk) -> None:
    """Check that each rule is reached, and that a verdict changes when it falls silent."""
    runs: dict[str, list[Conversation]] = {}
    for visit in walked.nodes.values():
        runs.setdefault(visit.first.state, []).append(visit.first)
    for step in world.protocol.steps:
        for reply in world.model.replies(step):
            options = chosen_of(step, reply.answer(step, world.today))
            if len(options) == 1 and options[0].severity:
                with ledger.case(Claim.SPEAKS, f"{step.id}.{options[0].code}"):
                    silent = _without(world.protocol, step, options[0])
                    _missed(world, runs.get(step.id, []), (step, reply, options[0]), silent)
    for grade, row in world.protocol.plan_rows.items():
        if row.sessions == 0:
            with ledger.case(Claim.SPEAKS, f"grade.{grade}"):
                rows = {**world.protocol.plan_rows, grade: PlanRow(grade, 3, 3, 3)}
                silent = replace(world.protocol, plan_rows=rows)
                told = [arrival.after.answers for arrival in walked.arrivals]
                must(
                    any(_differs(world, answers, silent, decides=True) for answers in told),
                    "no verdict changes without it",
                )


def flaws(plan: Plan, protocol: Protocol) -> Iterator[str]:
    """Yield the limits that a plan does not keep."""
    days, spacing = plan.proposed_on, plan.spacing
    if plan.sessions not in _SESSIONS or len(days) != plan.sessions:
        yield f"{plan.sessions} sessions on {len(days)} days"
    if not protocol.spacing_floor_days <= spacing.min_days <= spacing.max_days:
        yield f"{spacing} goes below the floor of {protocol.spacing_floor_days} days"
    gaps = [(after - before).days for before, after in pairwise(days)]
    if any(not spacing.min_days <= gap <= spacing.max_days for gap in gaps):
        yield f"gaps of {gaps} days"
    if any(first <= day <= last for day in days for first, last in plan.avoid):
        yield "a session in days to be avoided"
    if plan.weekdays is not None and any(day.weekday() not in plan.weekdays for day in days):
        yield "a session on a weekday without free days after it"


def _stronger(protocol: Protocol, answers: Mapping[str, Answer]) -> Iterator[tuple[Step, Reply]]:
    """Yield each answer to which one more worry is added, or which a stronger one replaces."""
    for name, answer in answers.items():
        step = protocol.step(name)
        strongest = relevance.severity_of(step, answer)
        for option in step.options:
            if step.kind is Kind.MULTI and not option.exclusive:
                kept = [code for code in answer.codes if not step.option(code).exclusive]
                if option.severity and option.code not in kept:
                    yield step, Reply((*kept, option.code))
            elif option.severity > strongest:
                yield step, Reply((option.code,))


def _not_milder(world: World, run: Conversation, step: Step, reply: Reply) -> None:
    before = _outcome(world, run.answers)
    after = _outcome(world, {**run.answers, step.id: reply.answer(step, world.today)})
    must(_RANK[after] >= _RANK[before] or after in _ENDING, f"{before} becomes {after}")


def _outcome(world: World, answers: Mapping[str, Answer]) -> Outcome:
    kept = relevance.current_answers(world.protocol, answers)
    return world.judged(kept).outcome


def _strays(world: World, run: Conversation) -> Iterator[dict[str, Answer]]:
    """Yield answers to all steps that do not matter in this run, until each was tried."""
    asked = world.model.judge(run.answers).asked
    strays = [step for step in world.protocol.steps if step.id not in asked]
    for turn in range(max((len(step.options) for step in strays), default=0)):
        yield {step.id: Answer((step.options[turn % len(step.options)].code,)) for step in strays}


def _no_trace(world: World, run: Conversation, stray: Mapping[str, Answer]) -> None:
    kept = relevance.current_answers(world.protocol, {**run.answers, **stray})
    odd = sorted(set(kept) ^ set(run.answers))
    must(kept == run.answers, f"{', '.join(odd)} counts although it is not asked")


def _decided(world: World, ledger: Ledger, run: Conversation) -> None:
    """Confirm a finished run, once as it is and once with stray answers beside it."""
    verdict = world.judged(run.answers)
    decisions: list[RecordDecision] = []
    with ledger.case(Claim.LEADS_ON, f"{path(run)}, confirm"):
        decision, turn = _confirm(world, run)
        must(turn.conversation.state == _SCREENS[verdict.outcome], f"to {turn.conversation.state}")
        must(decision.verdict == verdict, "another verdict is recorded")
        decisions.append(decision)
    for decision in decisions:
        with ledger.case(Claim.PLANNED, path(run)):
            plan, due = decision.plan, verdict.outcome is Outcome.ELIGIBLE
            must((plan is not None) == due, "a plan is due" if due else "no plan is due")
            for flaw in flaws(plan, world.protocol) if plan else ():
                raise Refuted(flaw)
        for stray in islice(_strays(world, run), 1):
            with ledger.case(Claim.TRACE, f"{path(run)}, decided with stray answers"):
                beside = replace(run, answers={**run.answers, **stray})
                must(_confirm(world, beside)[0] == decision, "decided otherwise")


def _confirm(world: World, run: Conversation) -> tuple[RecordDecision, Turn]:
    turn = world.begins(run, Chose(Action.CONFIRM))
    for effect in turn.effects:
        if isinstance(effect, RecordDecision):
            return effect, turn
    raise Refuted("no decision is recorded")


def _edit_each_way(world: World, ledger: Ledger, run: Conversation, step: Step) -> None:
    for other in world.model.replies(step):
        if len(other.codes) < 2:
            with ledger.case(Claim.EDITED, f"{path(run)}, {other.named(step)} and back"):
                _edit_and_back(world, run, step, other)


def _edit_and_back(world: World, run: Conversation, step: Step, other: Reply) -> None:
    asked = world.does(run, Edited(step.id)).conversation
    must(asked.state == step.id, f"edit leads to {asked.state}")
    changed = world.replies(asked, step, other).conversation
    if changed.state in (Stage.URGENT, Stage.NO_CONSENT):
        return  # the run has ended for good
    again = world.does(changed, Edited(step.id)).conversation
    must(again.state == step.id, f"then edit leads to {again.state}")
    event = world.event(step, run.answers[step.id])
    answered = world.does(again, event).conversation
    back = follow(world, answered, lambda s: run.answers.get(s.id, Answer()))
    must(back.answers == run.answers, "answers are lost or added")
    must(back.state == run.state, f"ends at {back.state}, not {run.state}")


def _mildest(world: World, step: Step) -> Answer:
    """Return the answer to a step that says least."""
    alike = world.model.alike[world.model.place[step.id]]
    replies = [each.first for each in alike if each.first.codes or each.first.typed]
    answers = [reply.answer(step, world.today) for reply in replies]
    return min(answers, key=lambda answer: _weight(world, step, answer))


def _fullest(world: World) -> Conversation:
    """Answer so that most is asked and nothing ends the questions."""
    start = world.does(None, Started()).conversation

    def most(step: Step) -> Answer:
        alike = world.model.alike[world.model.place[step.id]]
        answers = [each.last.answer(step, world.today) for each in alike]
        mild = [each for each in answers if _weight(world, step, each)[0] < Severity.DECLINED]
        return max(mild or answers, key=lambda answer: _weight(world, step, answer)[::-1])

    return follow(world, start, most)


def _weight(world: World, step: Step, answer: Answer) -> tuple[Severity, int, int]:
    """Weigh an answer: how strong it is, how much it makes asked, how many ticks it has."""
    facts = {(step.id, code) for code in answer.codes}
    severity = world.model.judge_alone(step, answer).severity
    if refuses(step, answer.codes):
        severity = Severity.URGENT
    return severity, len(facts & world.model.wanted[0]), len(answer.codes)


def _set_of_ticks(world: World, ledger: Ledger, step: Step, codes: tuple[str, ...]) -> None:
    where = f"{step.id}={'+'.join(codes)}"
    verdict = world.judged({step.id: Answer(codes)})
    with ledger.case(Claim.STRONGEST, where):
        standing = world.model.judge_alone(step, Answer(codes))
        must(verdict.outcome == standing.outcome, f"{verdict.outcome}, not {standing.outcome}")
        must({reason.rule for reason in verdict.reasons} == standing.rules, "a reason is wrong")
    with ledger.case(Claim.ORDER, where):
        other = codes[::-1]
        must(settle(step, other) == settle(step, codes), "ticks keep the order they came in")
        turned = world.judged({step.id: Answer(other)})
        must(turned == verdict, "another order is judged otherwise")


def _ticked(
    world: World, conversation: Conversation, step: Step, codes: tuple[str, ...]
) -> Conversation:
    for code in codes:
        conversation = world.does(conversation, Ticked(step.id, code)).conversation
    return world.does(conversation, Answered(step.id, conversation.ticks)).conversation


def _without(protocol: Protocol, step: Step, option: Option) -> Protocol:
    """Return the protocol with one rule silent."""
    silent = replace(option, severity=Severity.NONE)
    options = tuple(silent if each == option else each for each in step.options)
    muted = replace(step, options=options)
    return replace(
        protocol, steps=tuple(muted if each.id == step.id else each for each in protocol.steps)
    )


def _missed(
    world: World,
    runs: list[Conversation],
    rule: tuple[Step, Reply, Option],
    silent: Protocol,
) -> None:
    """Refute unless some run is judged otherwise without the rule."""
    step, reply, option = rule
    must(runs, "nobody comes to it")
    for run in runs:
        answers = world.replies(run, step, reply).conversation.answers
        if _differs(world, answers, silent, decides=option.severity >= Severity.DEFERRED):
            return
    raise Refuted("no verdict changes without it")


def _differs(
    world: World, answers: Mapping[str, Answer], silent: Protocol, *, decides: bool
) -> bool:
    """Say whether a verdict changes; a rule that decides nothing adds at least a reason."""
    spoken = world.judged(answers)
    muted = eligibility.assess(silent, answers, world.today)
    return muted.outcome != spoken.outcome if decides else muted.reasons != spoken.reasons
