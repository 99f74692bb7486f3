"""The proof holds for what is sound, and each broken protocol or dialogue makes it fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from flows import (
    dialogue,
    eligibility,
    proof,
    proof_model,
    proof_plans,
    relevance,
    repairs,
    results,
    screening,
    series,
    starting,
    talking,
)
from flows.clinics import BookingMode
from flows.conversation import Answer, Overlay, Stage
from flows.eligibility import Verdict
from flows.plan import Plan
from flows.position import Position
from flows.proof import prove
from flows.proof_model import Model
from flows.proof_verdicts import flaws
from flows.proof_world import Claim
from flows.protocol import Outcome, Protocol, Severity, Spacing, Step
from flows.turn import Turn
from flows.understanding import settle
from tests.flows.calendars import MONDAY, a_plan, days_after
from tests.flows.proof_protocol import asked_if, catalogues, sound

Patch = Callable[[pytest.MonkeyPatch], None]
SOUND = sound()


#: What only the screens behind the questions can show, and which booking mode to walk for it.
SCREENS = {Claim.BOOKED: (BookingMode.HOLD,), Claim.FLAGGED: (BookingMode.INSTANT,)}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prove less of what does not differ between small protocols."""
    monkeypatch.setattr(proof_plans, "EVENTS_WITHIN", 5)


def changed(step_id: str, **changes: object) -> Protocol:
    step = SOUND.step(step_id)
    return sound(**{step_id: replace(step, **changes)})


def with_option(step_id: str, code: str, **changes: object) -> Protocol:
    options = tuple(
        replace(option, **changes) if option.code == code else option
        for option in SOUND.step(step_id).options
    )
    return changed(step_id, options=options)


def consent_second() -> Protocol:
    consent, age, *others = SOUND.steps
    return replace(SOUND, steps=(age, consent, *others))


def fails(protocol: Protocol, claim: Claim, patch: pytest.MonkeyPatch) -> str:
    """Return what the proof says against a claim, all in one text."""
    patch.setattr(proof, "_MODES", SCREENS.get(claim, ()))
    found = prove(protocol, catalogues(protocol))
    failures = {check.name: check.failures for check in found.checks}[claim]
    assert not found.holds
    assert failures
    return "\n".join(failures)


def test_a_small_sound_protocol_proves() -> None:  # in both booking modes
    parts = set()
    found = prove(SOUND, catalogues(SOUND), lambda part, *_: parts.add(part))

    assert [failure for check in found.checks for failure in check.failures] == []
    assert (found.states, found.edges, found.combinations) == (42, 115, 1426)
    assert found.in_pairs == ()
    assert all(check.cases for check in found.checks)
    assert {"answers", "whole runs", "edits", "plans"} <= parts
    assert found.cases == sum(check.cases for check in found.checks)


PROTOCOLS: tuple[tuple[str, Protocol, Claim, str], ...] = (
    ("a strong rule can be skipped", changed("ill", skippable=True), Claim.SKIPPED, "past yes"),
    (
        "a minor's questions go on",
        changed("scars", unless=frozenset({Outcome.URGENT})),
        Claim.MINOR,
        "scars still counts for a minor",
    ),
    (
        "a minor is not declined",
        with_option("age", "young", severity=Severity.REVIEW),
        Claim.MINOR,
        "young does not decline",
    ),
    (
        "nobody can say they are a minor",
        with_option("age", "young", numbers=None),
        Claim.MINOR,
        "no option stands for an age below 18",
    ),
    (
        "a needed detail is hidden",
        changed("ill", ask_if=asked_if("today", "bump")),
        Claim.FOLLOWED,
        "today.fever is ticked and nothing is asked about it",
    ),
    ("consent comes second", consent_second(), Claim.CONSENT, "age is asked before consent"),
    (
        "practical questions go on for who must wait",
        changed("timing", unless=frozenset({Outcome.DECLINED, Outcome.URGENT})),
        Claim.WAITING,
        "timing is asked",
    ),
    (
        "a wait hides a stronger rule",
        with_option("signs", "yes", severity=Severity.REVIEW),
        Claim.STRONGER,
        "review becomes deferred",
    ),
    (
        "a question is never asked",
        changed("ill", ask_if=asked_if("today", "nothing")),
        Claim.SPEAKS,
        "nobody comes to it",
    ),
    (
        "a rule always stands in another's shade",
        changed("words", ask_if=asked_if("scars", "holes")),
        Claim.SPEAKS,
        "words.private: no verdict changes without it",
    ),
    (
        "a deferral has no date",
        with_option("today", "bump", defer_for=None),
        Claim.EXPLAINED,
        "today.bump defers without a date",
    ),
    (
        "a rule has no source",
        changed("age", sources=()),
        Claim.EXPLAINED,
        "age.young has no source or no basis",
    ),
    (
        "the spacing goes below its floor",
        replace(SOUND, spacing=Spacing(14, 14, 28)),
        Claim.PLANNED,
        "below the floor of 21 days",
    ),
    (
        "no spacing is possible",
        replace(SOUND, spacing=Spacing(28, 28, 27)),
        Claim.PLANNED,
        "preferred_days must lie within",
    ),
    (
        "a treatment has no plan",
        with_option("scars", "waves", grade=None),
        Claim.PLANNED,
        "a plan is due",
    ),
    (
        "a red flag has no words",
        replace(SOUND, red_flags=(*SOUND.red_flags, replace(SOUND.red_flags[0], id="mute"))),
        Claim.FLAGGED,
        "mute: is not noticed",
    ),
)


@pytest.mark.parametrize(
    ("protocol", "claim", "said"),
    [pytest.param(*case[1:], id=case[0]) for case in PROTOCOLS],
)
def test_a_broken_protocol_does_not_prove(
    protocol: Protocol, claim: Claim, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said in fails(protocol, claim, monkeypatch)


def review_books_treatment(patch: pytest.MonkeyPatch) -> None:
    def bookable(verdict: Verdict) -> str | None:
        return "treatment" if verdict.outcome is Outcome.REVIEW else None

    patch.setattr(Verdict, "bookable", property(bookable))


def every_answer_counts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(relevance, "current_answers", lambda _, answers: dict(answers))


def the_weakest_decides(patch: pytest.MonkeyPatch) -> None:
    assess = eligibility.assess

    def weak(*args: object, **named: object) -> Verdict:
        verdict = assess(*args, **named)  # type: ignore[arg-type]
        weakest = min((reason.severity for reason in verdict.reasons), default=Severity.NONE)
        return replace(verdict, outcome=relevance.OUTCOMES[weakest])

    patch.setattr(eligibility, "assess", weak)


def back_loses_an_answer(patch: pytest.MonkeyPatch) -> None:
    went_back = dialogue._went_back

    def loses(here: object) -> Turn:
        turn = went_back(here)  # type: ignore[arg-type]
        left = dict(list(turn.conversation.answers.items())[:-1])
        return replace(turn, conversation=replace(turn.conversation, answers=left))

    patch.setattr(dialogue, "_went_back", loses)


def own_words_weigh_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(relevance, "GIVEN", "no option")


def ticks_keep_their_order(patch: pytest.MonkeyPatch) -> None:
    def kept(step: Step, codes: tuple[str, ...]) -> tuple[str, ...]:
        return codes if set(settle(step, codes)) == set(codes) else settle(step, codes)

    patch.setattr(screening, "settle", kept)
    patch.setattr("flows.proof_verdicts.settle", kept)


def nobody_is_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(talking, "call_person", lambda here: Turn(here.conversation))


def a_stop_loses_the_place(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(starting, "_place", lambda here: here.protocol.steps[0].id)


def a_flag_is_overheard(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(repairs, "raised_flag", lambda here, text: None)


def words_about_the_result_are_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(results, "describe", lambda here, text: Turn(here.conversation))


def everybody_is_asked_about_the_result(patch: pytest.MonkeyPatch) -> None:
    def ask(here: Position, series_id: str) -> Position:
        return here.with_(overlay=Overlay.RESULT, rated=series_id)

    patch.setattr(results, "ask", ask)


def nothing_can_be_changed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(screening, "edit", lambda here, step: screening.stale(here))


def a_full_list_leads_elsewhere(patch: pytest.MonkeyPatch) -> None:
    place = relevance.next_place

    def elsewhere(protocol: Protocol, answers: dict[str, Answer]) -> str:
        full = len(answers.get("scars", Answer()).codes) == 3
        return Stage.REVIEW if full and "signs" in answers else place(protocol, answers)

    patch.setattr(relevance, "next_place", elsewhere)


def nothing_is_recorded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(screening, "decision", lambda here, verdict: ())


def answers_are_not_taken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(screening, "answer", lambda here, event: Turn(here.conversation))


def the_dialogue_breaks(patch: pytest.MonkeyPatch) -> None:
    def broken(here: object) -> Turn:
        raise LookupError("gone")

    patch.setattr(screening, "skip", broken)


def sessions_follow_too_closely(patch: pytest.MonkeyPatch) -> None:
    offers = series.offers

    def close(*args: object) -> object:
        return tuple(
            replace(offer, slots=(offer.slots[0],) * len(offer.slots))
            for offer in offers(*args)  # type: ignore[arg-type]
        )

    patch.setattr(series, "offers", close)


def nothing_is_planned(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("flows.proof_booking.propose", lambda *args: None)


DIALOGUES: tuple[tuple[Patch, Claim, str], ...] = (
    (review_books_treatment, Claim.BOOKED, "review books treatment"),
    (review_books_treatment, Claim.BOOKED, "allowed is 'consultation'"),
    (every_answer_counts, Claim.TRACE, "counts although it is not asked"),
    (the_weakest_decides, Claim.STRONGEST, "deferred, not review"),
    (back_loses_an_answer, Claim.BACK, "back loses an answer"),
    (own_words_weigh_nothing, Claim.LEADS_ON, "words=typed words: "),
    (ticks_keep_their_order, Claim.ORDER, "ticks keep the order they came in"),
    (nobody_is_told, Claim.NEAR, "asking for a person tells nobody"),
    (a_stop_loses_the_place, Claim.NEAR, "Stopped and continue lead to consent"),
    (a_flag_is_overheard, Claim.FLAGGED, "is not noticed"),
    (words_about_the_result_are_lost, Claim.NEAR, "words about the result are lost"),
    (everybody_is_asked_about_the_result, Claim.CONSENT, "how the result is seen is asked"),
    (everybody_is_asked_about_the_result, Claim.MINOR, "how the result is seen is asked"),
    (nothing_can_be_changed, Claim.EDITED, "edit leads to"),
    (a_full_list_leads_elsewhere, Claim.ALIKE, "goes on to review, unlike"),
    (nothing_is_recorded, Claim.LEADS_ON, "no decision is recorded"),
    (answers_are_not_taken, Claim.LEADS_ON, "leads to consent, not age"),
    (answers_are_not_taken, Claim.LEADS_ON, "nobody is asked this"),
    (answers_are_not_taken, Claim.LEADS_ON, "consent is asked again and again"),
    (the_dialogue_breaks, Claim.LEADS_ON, "the dialogue broke with LookupError: gone"),
    (sessions_follow_too_closely, Claim.BOOKED, "gaps of [0, 0] days"),
    (nothing_is_planned, Claim.BOOKED, "a treatment is booked without a plan"),
)


@pytest.mark.parametrize(
    ("breaks", "claim", "said"), DIALOGUES, ids=lambda value: getattr(value, "__name__", None)
)
def test_a_broken_dialogue_does_not_prove(
    breaks: Patch, claim: Claim, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks(monkeypatch)

    assert said in fails(SOUND, claim, monkeypatch)


def test_too_many_options_are_ticked_in_pairs_and_all_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(proof_model, "MOST_TICKS", 2)
    model = Model(SOUND)
    replies = {reply.codes for reply in model.replies(SOUND.step("scars"))}

    assert model.in_pairs == ("scars", "today")
    assert replies == {
        *(("flat",), ("waves",), ("holes",)),
        *(("flat", "waves"), ("flat", "holes"), ("waves", "holes")),
        ("flat", "waves", "holes"),
    }


def test_a_verdict_without_reasons_or_date_is_not_explained() -> None:
    bare = Verdict(Outcome.DEFERRED, ())

    assert list(proof.proof_questions.explain(bare)) == [
        "deferred without a reason",
        "deferred without a date",
    ]


@pytest.mark.parametrize(
    ("plan", "flaw"),
    [
        (a_plan(2), "2 sessions on 4 days"),
        (a_plan(4, weekdays=frozenset({4})), "a session on a weekday without free days after it"),
        (a_plan(4, avoid=((MONDAY, MONDAY),)), "a session in days to be avoided"),
        (a_plan(4, Spacing(35, 35, 35)), "gaps of [28, 28, 28] days"),
    ],
)
def test_a_plan_that_breaks_a_limit_is_named(plan: Plan, flaw: str) -> None:
    proposed = replace(plan, proposed_on=tuple(days_after(MONDAY, 0, 28, 56, 84)))

    assert flaw in list(flaws(proposed, SOUND))
