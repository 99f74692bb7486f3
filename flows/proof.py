"""The proof of a protocol: every answer, every screen, held against what must always be true.

The walk over the questions is complete: every set of ticks, merged where runs look alike from
there on. What cannot be complete says so in the scope of its check, and docs/safety/proof.md
says why that is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flows import proof_booking, proof_plans, proof_questions, proof_verdicts, proof_walk
from flows.clinics import BookingMode
from flows.proof_walk import Arrival
from flows.proof_world import Check, Claim, Ledger, Told, build
from flows.protocol import Protocol
from flows.texts import Catalogue

_ANSWERS = "every set of answers, alike ones merged"
_QUESTIONS = "every question of the walk"

SCOPES: Mapping[Claim, str] = {
    Claim.BOOKED: "every question and screen, every button, two booking modes",
    Claim.NEAR: "every question and every screen",
    Claim.LEADS_ON: _ANSWERS,
    Claim.ALIKE: "two runs of each merged place, smallest and largest ticks",
    Claim.BACK: _ANSWERS,
    Claim.EDITED: "each two single answers of a step, and in the fullest run",
    Claim.STRONGER: "each answer that decides, each further worry beside it",
    Claim.ORDER: "every set of ticks in two orders, each two ticks in both",
    Claim.STRONGEST: f"{_ANSWERS}; every set of ticks of one step",
    Claim.TRACE: "every finished run, every answer that does not count",
    Claim.CONSENT: _QUESTIONS,
    Claim.MINOR: "every answer of a minor",
    Claim.WAITING: _QUESTIONS,
    Claim.SPEAKS: "every rule, silenced by itself",
    Claim.FOLLOWED: _ANSWERS,
    Claim.SKIPPED: "every skip of the walk",
    Claim.FLAGGED: "each flag at each question; one at every screen",
    Claim.EXPLAINED: _ANSWERS,
    Claim.PLANNED: "every grade, downtime, weekday and event within 400 days",
}

#: Where staff confirm each request, the screens are those of `hold`; only a flag differs.
_MODES = (BookingMode.HOLD, BookingMode.INSTANT)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was covered, and what of it does not hold."""

    states: int  # merged places in the questions
    edges: int  # answers given there
    screens: int  # kinds of screens behind the questions, over two booking modes
    combinations: int  # of answers, from the first question to an end
    checks: tuple[Check, ...]
    in_pairs: tuple[str, ...] = ()  # steps with too many options to try every set of ticks

    @property
    def cases(self) -> int:
        """How many cases were tried in all."""
        return sum(check.cases for check in self.checks)

    @property
    def holds(self) -> bool:
        """Say whether every check holds."""
        return not any(check.failures for check in self.checks)


def prove(
    protocol: Protocol, catalogues: Mapping[str, Catalogue], told: Told = lambda *_: None
) -> Proof:
    """Try everything that a patient can do with a protocol; `told` hears how far it is.

    Failures name steps, options, rules and screens by their codes, never a patient's words.
    """
    world = build(protocol, catalogues)
    ledger = Ledger()

    def each(arrival: Arrival) -> None:
        proof_questions.check_arrival(world, ledger, arrival)

    walked = proof_walk.walk(world, ledger, each, told)
    proof_questions.check_questions(world, ledger, walked)
    proof_questions.check_minors(world, ledger)
    proof_verdicts.check_runs(world, ledger, walked, told)
    proof_verdicts.check_worries(world, ledger, walked, told)
    proof_verdicts.check_edits(world, ledger, walked, told)
    proof_verdicts.check_ticks(world, ledger, walked, told)
    proof_verdicts.check_rules(world, ledger, walked)
    proof_plans.check_plans(world, ledger, told)
    screens = sum(
        proof_booking.check_screens(build(protocol, catalogues, mode), ledger, walked, told)
        for mode in _MODES
    )
    return Proof(
        states=len(walked.nodes),
        edges=walked.edges,
        screens=screens,
        combinations=walked.combinations,
        checks=tuple(
            Check(claim.value, SCOPES[claim], ledger.cases[claim], ledger.failures(claim))
            for claim in Claim
        ),
        in_pairs=world.model.in_pairs,
    )
