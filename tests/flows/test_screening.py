from datetime import date

import pytest

from flows.conversation import Answer, Stage
from flows.effects import HandOffLead, LeadKind, RecordDecision
from flows.eligibility import Verdict
from flows.events import (
    Action,
    Answered,
    Corrected,
    Edited,
    Skipped,
    Ticked,
    WentBack,
)
from flows.protocol import Outcome
from tests.flows.chat import CLEAR, Chat


def verdict_of(chat: Chat) -> Verdict:
    return next(e.verdict for e in reversed(chat.effects) if isinstance(e, RecordDecision))


def leads_of(chat: Chat) -> list[LeadKind]:
    return [effect.kind for effect in chat.effects if isinstance(effect, HandOffLead)]


def test_a_clear_patient_gets_a_plan():
    chat = Chat().arrives_at(Stage.PLAN)

    assert verdict_of(chat).outcome is Outcome.ELIGIBLE
    assert chat.turn is not None
    assert chat.turn.files == ("timeline",)


def test_active_acne_is_deferred_with_a_date():
    chat = Chat().arrives_at(
        Stage.DEFERRED, acne_now="inflamed", acne_ill="no", acne_signs="none", acne_medicine="no"
    )

    assert verdict_of(chat).recheck_on == date(2026, 12, 21)
    assert leads_of(chat) == [LeadKind.DEFERRED]


def test_a_minor_is_declined_before_any_contact_question():
    chat = Chat().arrives_at(Stage.DECLINED, age="under_18")

    assert chat.conversation is not None
    assert set(chat.conversation.answers) == {"consent", "age"}
    assert leads_of(chat) == []


def test_a_keloid_on_the_face_is_declined():
    chat = Chat().arrives_at(Stage.DECLINED, history="keloid", keloid="face")

    assert verdict_of(chat).outcome is Outcome.DECLINED


def test_severe_sudden_acne_is_urgent_and_a_person_is_told():
    chat = Chat().arrives_at(Stage.URGENT, acne_now="nodules", acne_ill="yes")

    assert leads_of(chat) == [LeadKind.URGENT]


def test_ice_pick_scars_are_sent_to_a_consultation():
    chat = Chat().arrives_at(Stage.CONSULT, scar_type="icepick")

    assert chat.conversation is not None
    assert chat.conversation.booking.service == "consultation"
    assert len(chat.conversation.booking.offers) == 3


def test_review_with_an_open_ended_wait_offers_no_times():
    chat = Chat().arrives_at(Stage.CONSULT, age="18_21", today="pregnancy", pregnancy="pregnant")

    assert chat.conversation is not None
    assert chat.conversation.booking.offers == ()


def test_refusing_consent_keeps_no_answer():
    chat = Chat().starts().does(Answered("consent", ("decline",)))

    assert chat.state == Stage.NO_CONSENT
    assert chat.conversation is not None
    assert chat.conversation.answers == {}


def test_consent_can_be_given_after_all():
    chat = Chat().starts().does(Answered("consent", ("decline",))).does(WentBack())

    assert chat.state == "consent"


def test_an_answered_question_leaves_a_receipt():
    chat = Chat().starts().does(Answered("consent", ("agree",)))

    assert chat.turn is not None
    assert chat.turn.receipt == "consent"


def test_an_answer_to_another_question_is_stale():
    chat = Chat().starts().does(Answered("acne_now", ("clear",)))

    assert chat.state == "consent"
    assert chat.notes == ["note.stale"]


def test_an_unknown_code_is_stale():
    chat = Chat().starts().does(Answered("consent", ("perhaps",)))

    assert chat.notes == ["note.stale"]


def ticking(*codes: str) -> Chat:
    chat = Chat().starts()
    for step in ("consent", "age", "acne_now", "scar_type", "visibility", "area"):
        chat.does(Answered(step, CLEAR[step]))
    for code in codes:
        chat.does(Ticked("today", code))
    return chat


def ticks_of(chat: Chat) -> tuple[str, ...]:
    assert chat.conversation is not None
    return chat.conversation.ticks


def test_ticks_come_and_go():
    assert ticks_of(ticking("sun", "creams")) == ("sun", "creams")
    assert ticks_of(ticking("sun", "creams", "sun")) == ("creams",)


def test_none_of_these_clears_the_ticks_and_a_tick_clears_it():
    assert ticks_of(ticking("sun", "none")) == ("none",)
    assert ticks_of(ticking("none", "sun")) == ("sun",)


def test_done_without_a_tick_asks_for_one():
    chat = ticking().does(Answered("today", ()))

    assert chat.state == "today"
    assert chat.notes == ["note.tick_something"]


def test_an_empty_tick_opens_a_quick_question_for_more_than_one():
    chat = Chat().starts()
    for step in ("consent", "age", "acne_now"):
        chat.does(Answered(step, CLEAR[step]))
    chat.does(Ticked("scar_type", ""))

    assert chat.conversation is not None
    assert chat.conversation.ticking
    assert chat.state == "scar_type"


def test_a_tick_of_an_unknown_code_is_stale():
    chat = Chat().comes_to("today").does(Ticked("today", "agree"))

    assert chat.notes == ["note.stale"]
    assert ticks_of(chat) == ()


def test_a_tick_for_another_question_is_stale():
    chat = Chat().starts().does(Ticked("today", "sun"))

    assert chat.notes == ["note.stale"]


def test_changing_an_early_answer_drops_what_hung_on_it_and_says_so():
    chat = Chat().arrives_at(Stage.REVIEW, history="diabetes", diabetes="controlled")

    chat.does(Edited("history")).does(Answered("history", ("none",)))

    assert chat.state == Stage.REVIEW
    assert chat.notes == ["note.dropped"]
    assert chat.conversation is not None
    assert "diabetes" not in chat.conversation.answers


def test_changing_an_early_answer_asks_only_what_became_relevant():
    chat = Chat().arrives_at(Stage.REVIEW)

    chat.does(Edited("today")).does(Answered("today", ("isotretinoin",)))

    assert chat.state == "isotretinoin"
    assert chat.does(Answered("isotretinoin", ("gt6",))).state == Stage.REVIEW


def test_changing_an_answer_after_the_verdict_changes_the_verdict():
    chat = Chat().arrives_at(Stage.PLAN)

    chat.does(Edited("age")).does(Answered("age", ("18_21",))).chooses(Action.CONFIRM)

    assert chat.state == Stage.CONSULT
    assert verdict_of(chat).outcome is Outcome.REVIEW


def test_an_edit_shows_the_earlier_ticks():
    chat = Chat().arrives_at(Stage.REVIEW, goal=("softer", "pores"))

    chat.does(Edited("goal"))

    assert ticks_of(chat) == ("softer", "pores")


def test_keep_leaves_the_answer_as_it_was():
    chat = Chat().arrives_at(Stage.REVIEW).does(Edited("goal")).chooses(Action.KEEP)

    assert chat.state == Stage.REVIEW
    assert chat.conversation is not None
    assert chat.conversation.answers["goal"] == Answer(("softer",))


def test_keep_before_an_answer_is_stale():
    chat = Chat().starts().chooses(Action.KEEP)

    assert chat.notes == ["note.stale"]


def test_a_question_never_answered_cannot_be_edited():
    chat = Chat().starts().does(Edited("goal"))

    assert chat.notes == ["note.stale"]


def test_back_then_the_same_answer_gives_the_same_place():
    chat = Chat().starts()
    for step in ("consent", "age", "acne_now", "scar_type"):
        chat.does(Answered(step, CLEAR[step]))
    place, answers = chat.state, chat.conversation

    chat.does(WentBack()).does(Answered("scar_type", CLEAR["scar_type"]))

    assert chat.state == place
    assert chat.conversation is not None
    assert answers is not None
    assert chat.conversation.answers == answers.answers


def test_back_from_the_review_opens_the_last_answer():
    assert Chat().arrives_at(Stage.REVIEW).does(WentBack()).state == "timing"


def test_back_at_the_first_question_says_there_is_nothing():
    assert Chat().starts().does(WentBack()).notes == ["note.nothing_back"]


@pytest.mark.parametrize(
    ("stage", "given"),
    [
        (Stage.PLAN, {}),
        (Stage.CONSULT, {"age": "18_21"}),
        (Stage.DECLINED, {"age": "under_18"}),
        (Stage.DEFERRED, {"today": "sun", "sun": "burn"}),
    ],
)
def test_back_from_a_verdict_leads_to_the_review(stage, given):
    chat = Chat().arrives_at(stage, **given).does(WentBack())

    assert chat.state == Stage.REVIEW


def test_a_declined_patient_who_confirms_again_stays_declined():
    chat = Chat().arrives_at(Stage.DECLINED, age="under_18").does(WentBack())

    assert chat.chooses(Action.CONFIRM).state == Stage.DECLINED


def test_an_optional_question_can_be_skipped():
    chat = Chat().starts()
    for step, codes in {**CLEAR, "acne_now": ("inflamed",), "acne_ill": ("no",)}.items():
        if chat.state == step:
            chat.does(Answered(step, codes))
    chat.does(Answered("acne_ill", ("no",)))

    assert chat.state == "acne_signs"
    assert chat.does(Skipped()).state == "acne_medicine"


def test_a_safety_question_cannot_be_skipped():
    chat = Chat().starts().does(Answered("consent", ("agree",))).does(Skipped())

    assert chat.state == "age"
    assert chat.notes == ["note.cannot_skip"]


def test_an_edited_message_corrects_the_step_it_answered():
    chat = Chat().starts().does(Answered("consent", ("agree",)))
    chat.says("34", message_id=11).says("clear", message_id=12)

    chat.does(Corrected("20", message_id=11))

    assert chat.conversation is not None
    assert chat.conversation.answers["age"] == Answer(("18_21",))
    assert chat.notes == ["note.corrected"]
    assert chat.state == "scar_type"


def test_an_edited_message_corrects_the_question_just_answered():
    chat = Chat().starts().does(Answered("consent", ("agree",))).says("34", message_id=11)

    chat.does(Corrected("20", message_id=11))

    assert chat.notes == ["note.corrected"]
    assert chat.state == "acne_now"


@pytest.mark.parametrize("text", ["blah", "34"])
def test_an_edit_that_cannot_be_placed_says_how_to_correct(text):
    chat = Chat().starts().does(Answered("consent", ("agree",))).says("34", message_id=11)

    chat.does(Corrected(text, message_id=99 if text == "34" else 11))

    assert chat.notes == ["note.how_to_correct"]
    assert chat.state == "acne_now"


def test_a_confidential_answer_keeps_the_score_from_the_lead():
    chat = Chat().arrives_at(Stage.CONSULT, history="worry")
    lead = next(effect for effect in chat.effects if isinstance(effect, HandOffLead))

    assert lead.score is None
