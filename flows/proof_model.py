"""What a protocol says by itself: which questions follow, and what the verdict must be.

This is a second reading of the protocol's rules, written apart from `flows.relevance` and
`flows.eligibility`. The proof holds the two against each other; neither calls the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import combinations
from typing import NamedTuple

from flows.conversation import Answer, Stage
from flows.graph import refuses
from flows.protocol import Kind, Option, Outcome, Protocol, Severity, Step

Fact = tuple[str, str]  # (step, option)
_Clause = tuple[frozenset[Fact], ...]

#: Steps with more options than this to tick are tried alone, in pairs and all together.
MOST_TICKS = 16

#: What `flows.plan` reads besides the grade and the event: the days on which sessions may fall.
PLAN_FACTS: frozenset[Fact] = frozenset({("downtime_ok", "weekend"), ("downtime_ok", "one_day")})

GIVEN = "given"  # the option that stands for own words or a day
WORDS = "Hashimoto"  # own words that are no command, no question and no red flag
WAIT_FOR_EVENT = timedelta(days=100)  # in the middle of every series

_OUTCOMES = {
    Severity.NONE: Outcome.ELIGIBLE,
    Severity.COUNSEL: Outcome.ELIGIBLE,
    Severity.DEFERRED: Outcome.DEFERRED,
    Severity.REVIEW: Outcome.REVIEW,
    Severity.DECLINED: Outcome.DECLINED,
    Severity.URGENT: Outcome.URGENT,
}


class Reply(NamedTuple):
    """One way to answer a step: chosen codes, or words that are typed; neither is a skip."""

    codes: tuple[str, ...]
    typed: bool = False

    def answer(self, step: Step, today: date) -> Answer:
        """Return the answer that this reply must become."""
        if not self.typed:
            return Answer(self.codes)
        if step.kind is Kind.DATE:
            return Answer(on=today + WAIT_FOR_EVENT)
        return Answer(text=WORDS)

    def named(self, step: Step) -> str:
        """Name the reply by codes, for messages."""
        said = "+".join(self.codes) or ("typed words" if self.typed else "skip")
        return f"{step.id}={said}"


@dataclass(frozen=True, slots=True)
class Alike:
    """Replies to one step after which everything goes on alike."""

    first: Reply
    last: Reply
    count: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a set of answers must lead to."""

    asked: tuple[str, ...]  # the steps that matter, answered or not
    severity: Severity  # strongest of the answers; the grade's own rule not counted
    rules: frozenset[str]
    open_ended: bool  # a deferral that no date ends
    wait: timedelta | None  # the longest one
    grade: int | None
    no_course: bool  # the grade means that no needling course is proposed

    @property
    def outcome(self) -> Outcome:
        """The verdict's outcome."""
        return _OUTCOMES[max(self.severity, Severity.REVIEW if self.no_course else Severity.NONE)]

    @property
    def service(self) -> str | None:
        """The only service that may be booked."""
        if self.outcome is Outcome.ELIGIBLE:
            return "treatment"
        if self.outcome is Outcome.REVIEW and not self.open_ended:
            return "consultation"
        return None


class Node(NamedTuple):
    """Runs that look alike from here on."""

    place: int  # of the step in the protocol
    facts: frozenset[Fact]  # that later questions, or the plan, look at
    severity: Severity  # of the answers so far; counsel counts as none
    open_ended: bool
    course: int  # the grade while a plan may follow; 1 beside a deferral when it means no course


class Model:
    """One protocol, read by itself."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.place = {step.id: number for number, step in enumerate(protocol.steps)}
        nothing: Mapping[str, Answer] = {}
        self._judged = (nothing, self._judge(nothing))

    @cached_property
    def alike(self) -> tuple[tuple[Alike, ...], ...]:
        """For each step, all its replies, grouped by what follows from them."""
        return tuple(self._grouped(place) for place in range(len(self.protocol.steps)))

    @cached_property
    def in_pairs(self) -> tuple[str, ...]:
        """Steps with too many options for every set of ticks."""
        return tuple(s.id for s in self.protocol.steps if len(_several(s)) > MOST_TICKS)

    @cached_property
    def wanted(self) -> tuple[frozenset[Fact], ...]:
        """For each place, the facts that steps from there on look at."""
        return tuple(
            frozenset(
                (name, code)
                for step in self.protocol.steps[place:]
                for clause in step.ask_if
                for name, codes in clause.items()
                for code in codes
            )
            for place in range(len(self.protocol.steps) + 1)
        )

    @cached_property
    def _conditions(self) -> tuple[tuple[Step, tuple[_Clause, ...]], ...]:
        """Each step with the groups of facts that let it be asked."""
        return tuple(
            (
                step,
                tuple(
                    tuple(
                        frozenset((name, code) for code in codes) for name, codes in clause.items()
                    )
                    for clause in step.ask_if or ({},)
                ),
            )
            for step in self.protocol.steps
        )

    def judge(self, answers: Mapping[str, Answer]) -> Standing:
        """Judge answers, whether they still matter or not."""
        if answers is not self._judged[0]:  # the same ones are judged many times in a row
            self._judged = (answers, self._judge(answers))
        return self._judged[1]

    def _judge(self, answers: Mapping[str, Answer]) -> Standing:
        facts: set[Fact] = set()
        worst = Severity.NONE
        asked: list[str] = []
        chosen: list[tuple[Step, Option]] = []
        grades: list[int] = []
        for step, clauses in self._conditions:
            if _OUTCOMES[worst] in step.unless or not _holds(clauses, facts):
                continue
            asked.append(step.id)
            answer = answers.get(step.id)
            if answer is None:
                continue
            options = chosen_of(step, answer)
            chosen += [(step, option) for option in options]
            facts.update([(step.id, code) for code in answer.codes])
            worst = max([worst, *[option.severity for option in options]])
            grades += _grade_of(options)
        return self._standing(tuple(asked), chosen, max(grades, default=None))

    def judge_alone(self, step: Step, answer: Answer) -> Standing:
        """Judge one answer as if nothing else had been asked."""
        options = chosen_of(step, answer)
        grade = max(_grade_of(options), default=None)
        return self._standing((step.id,), [(step, option) for option in options], grade)

    def next_place(self, answers: Mapping[str, Answer]) -> str:
        """Return where a run with these answers must stand."""
        standing = self.judge(answers)
        for severity, stage in (
            (Severity.URGENT, Stage.URGENT),
            (Severity.DECLINED, Stage.DECLINED),
        ):
            if standing.severity is severity:
                return stage
        return next((name for name in standing.asked if name not in answers), Stage.REVIEW)

    def node(self, answers: Mapping[str, Answer], place: int) -> Node:
        """Return which runs this one looks like, standing at a step, or behind the last one."""
        standing = self.judge(answers)
        facts = {(name, code) for name in standing.asked for code in _codes(answers, name)}
        severity = max(standing.severity, Severity.COUNSEL)
        eligible = severity is Severity.COUNSEL
        kept = facts & (self.wanted[place] | PLAN_FACTS if eligible else self.wanted[place])
        if eligible:
            course = standing.grade or 0
        else:
            course = int(standing.no_course and severity is Severity.DEFERRED)
        return Node(place, frozenset(kept), severity, standing.open_ended, course)

    def replies(self, step: Step) -> Iterator[Reply]:
        """Yield every way to answer a step; every set of ticks unless there are too many."""
        if step.skippable:
            yield Reply(())
        if step.kind in (Kind.DATE, Kind.TEXT):
            yield Reply((), typed=True)
        yield from (
            Reply((o.code,)) for o in step.options if step.kind is not Kind.TEXT or o.code != GIVEN
        )
        if step.kind is Kind.MULTI:
            several = _several(step)
            sizes = range(2, len(several) + 1)
            if step.id in self.in_pairs:
                sizes = range(2, 3)
                yield Reply(several)
            for size in sizes:
                yield from (Reply(codes) for codes in combinations(several, size))

    def _grouped(self, place: int) -> tuple[Alike, ...]:
        step = self.protocol.steps[place]
        kept = self.wanted[place + 1] | PLAN_FACTS
        groups: dict[object, Alike] = {}
        for reply in self.replies(step):
            options = chosen_of(step, reply.answer(step, date.min))
            key = (
                reply.typed,
                refuses(step, reply.codes),
                frozenset((step.id, code) for code in reply.codes) & kept,
                max((option.severity for option in options), default=Severity.NONE),
                any(_open_ended(option) for option in options),
                tuple(_grade_of(options)),
            )
            known = groups.get(key)
            first, count = (known.first, known.count) if known else (reply, 0)
            groups[key] = Alike(first, reply, count + 1)
        return tuple(groups.values())

    def _standing(
        self, asked: tuple[str, ...], chosen: list[tuple[Step, Option]], grade: int | None
    ) -> Standing:
        row = self.protocol.plan_rows.get(grade or 0)
        no_course = row is not None and row.sessions == 0
        rules = {f"{step.id}.{option.code}" for step, option in chosen if option.severity}
        waits = [option.defer_for or option.recheck_for for _, option in chosen]
        return Standing(
            asked=asked,
            severity=max((option.severity for _, option in chosen), default=Severity.NONE),
            rules=frozenset(rules | ({f"grade.{grade}"} if no_course else set())),
            open_ended=any(_open_ended(option) for _, option in chosen),
            wait=max((wait for wait in waits if wait), default=None),
            grade=grade,
            no_course=no_course,
        )


def chosen_of(step: Step, answer: Answer) -> tuple[Option, ...]:
    """Return the options that an answer stands for, in the step's order."""
    given = answer.text is not None or answer.on is not None
    return tuple(o for o in step.options if o.code in answer.codes or (given and o.code == GIVEN))


def _open_ended(option: Option) -> bool:
    return option.severity is Severity.DEFERRED and option.defer_for is None


def _grade_of(options: Iterable[Option]) -> list[int]:
    """Return the grade of one step's answer, when every part of it has one."""
    grades = [option.grade for option in options]
    known = [grade for grade in grades if grade is not None]
    return [max(known)] if known and len(known) == len(grades) else []


def _holds(clauses: Iterable[_Clause], facts: set[Fact]) -> bool:
    """Say whether one clause is met: a fact out of each of its groups is there."""
    for groups in clauses:
        for group in groups:
            if group.isdisjoint(facts):
                break
        else:
            return True
    return False


def _codes(answers: Mapping[str, Answer], name: str) -> tuple[str, ...]:
    return answers[name].codes if name in answers else ()


def _several(step: Step) -> tuple[str, ...]:
    """Return the codes that can be ticked together."""
    return tuple(o.code for o in step.options if not o.exclusive and step.kind is Kind.MULTI)
