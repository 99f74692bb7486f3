"""Every screen: words for everything, Telegram's limits, a way back and a way out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot import screens
from bot.markup import plain
from flows.conversation import Answer, Conversation, Overlay, Stage
from flows.effects import ConfirmSeries, Effect, HoldSeries, MoveAppointment, ReleaseHold
from flows.events import (
    Action,
    Answered,
    AnsweredNudge,
    AskedForPerson,
    AskedHelp,
    AskedPrivacy,
    AskedQuestion,
    Chose,
    NudgeAnswer,
    Typed,
    WentBack,
)
from flows.follow_up import NudgeKind
from flows.protocol import Kind
from flows.slots import Slot
from flows.turn import Note, Turn
from tests.bot.screen_checks import faults_of, labels, presses
from tests.bot.stages import SCENE, STAGES, STEPS, at_step, checked, shown
from tests.flows.chat import CLEAR, NOW, Chat, a_clinic, a_scene, protocol

SLOT = Slot(NOW, NOW + timedelta(hours=1), "ana")
HELD = HoldSeries("s", "treatment", (), NOW)
CONFIRMED = ConfirmSeries("s", "c", "treatment", (), pending=False)


@pytest.mark.parametrize("step", [step.id for step in protocol().steps])
def test_every_question_keeps_the_rules_of_a_screen(step: str) -> None:
    for changes in ({}, {"ticking": True}, {"revision": 36**5}):
        conversation = at_step(step, **changes)

        screen = screens.render(conversation, (), SCENE)

        assert faults_of(screen, conversation) == []


@pytest.mark.parametrize(("step", "code"), STEPS)
def test_every_option_has_a_receipt_and_can_be_asked_again(step: str, code: str) -> None:
    conversation = at_step(step)
    answered = replace(conversation, answers={**conversation.answers, step: Answer((code,))})

    receipt = screens.receipt(answered, step, SCENE)
    screen = screens.render(answered, (Note(f"step.{step}.why"),), SCENE)

    assert "\n" not in receipt
    assert len(plain(receipt)) <= 120
    assert faults_of(screen, answered) == []


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_keeps_the_rules_of_a_screen(stage: Stage) -> None:
    chat = STAGES[stage]()

    assert chat.state == stage
    checked(chat)


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_takes_a_repair_and_still_keeps_the_rules(stage: Stage) -> None:
    for event in (AskedHelp(), AskedForPerson(), AskedPrivacy(), Typed("xyzzy"), Typed("?")):
        checked(STAGES[stage]().does(event))


def test_help_lists_the_ways_out_above_the_question() -> None:
    screen = checked(Chat().comes_to("area").does(AskedHelp()))

    assert labels(screen)[:4] == ["Talk to a person", "Start over", "Stop messages", "Privacy"]
    assert "Face" in labels(screen)


def test_a_question_shows_progress_back_why_and_help() -> None:
    screen = checked(Chat().comes_to("acne_now"))

    assert "Question 2 of about 9" in plain(screen.html)
    assert labels(screen)[-3:] == ["‹ Back", "Why?", "Help"]


def test_progress_never_goes_backwards_for_an_answer() -> None:
    chat, numbers = Chat().starts(), []
    given = {**CLEAR, "today": ("sun", "recent"), "sun": ("holiday",), "recent": ("older",)}
    while chat.state in given:
        words = plain(shown(chat).html)
        numbers.append(int(words.split("Question ")[1].split()[0]) if "Question " in words else 0)
        chat.does(Answered(chat.state, given[chat.state]))

    assert numbers == sorted(set(numbers))


def test_ticks_are_a_character_and_a_count() -> None:
    conversation = at_step("today", ticks=("sun", "creams"))

    shown_labels = labels(screens.render(conversation, (), SCENE))

    assert sum(words.startswith("☑ ") for words in shown_labels) == 2
    assert "Done (2)" in shown_labels
    assert "None of these" in shown_labels


def test_without_a_tick_there_is_no_done_but_a_single_none() -> None:
    shown_labels = labels(screens.render(at_step("today"), (), SCENE))

    assert not any(words.startswith("Done") for words in shown_labels)
    assert "None of these" in shown_labels


def test_a_quick_question_is_answered_by_one_tap_or_opened_for_more() -> None:
    quick = labels(screens.render(at_step("area"), (), SCENE))
    opened = labels(screens.render(at_step("area", ticking=True), (), SCENE))

    assert "Face" in quick
    assert "More than one" in quick
    assert "☐ Face" in opened


def test_a_close_match_can_be_taken_with_one_tap() -> None:
    screen = screens.render(at_step("acne_now", suggested="clear"), (), SCENE)

    assert labels(screen)[0].startswith("Yes: ")


@pytest.mark.parametrize("kind", [Kind.DATE, Kind.TEXT])
def test_what_is_typed_has_an_example_and_no_button(kind: Kind) -> None:
    step = next(step for step in protocol().steps if step.kind is kind)

    screen = screens.render(at_step(step.id), (), SCENE)

    assert "xample “" in screen.html
    assert Answered(step.id, ("given",)) not in presses(screen)


def test_a_date_and_own_words_are_in_the_receipt_escaped() -> None:
    answers = {"event_on": Answer(on=date(2027, 6, 12)), "other_health": Answer(text="<b>A & B")}
    conversation = at_step("timing", answers=answers)

    dated = screens.receipt(conversation, "event_on", SCENE)
    worded = screens.receipt(conversation, "other_health", SCENE)

    assert "Saturday 12 June 2027" in dated
    assert "&lt;b&gt;A &amp; B" in worded


def test_a_skipped_answer_says_so() -> None:
    conversation = at_step("timing", answers={"other_health": Answer()})

    assert screens.receipt(conversation, "other_health", SCENE).endswith(": skipped")


def test_the_review_lists_each_answer_with_a_change_button() -> None:
    screen = checked(Chat().arrives_at(Stage.REVIEW))

    changes = [words for words in labels(screen) if words.startswith("Change: ")]
    assert len(changes) == len(CLEAR) - 1
    assert "All correct" in labels(screen)
    assert all(len(row) <= 2 for row in screen.rows)


def test_preparing_is_a_list_under_a_title() -> None:
    screen = checked(STAGES[Stage.BOOKED]().chooses(Action.PREPARE))

    assert "<b>Before your visit</b>\n• " in screen.html
    assert "<b>On the day</b>\n• " in screen.html


def test_resuming_and_starting_over_offer_two_ways_and_a_person() -> None:
    for overlay in (Overlay.RESUME, Overlay.START_OVER):
        conversation = at_step("area", overlay=overlay)
        screen = screens.render(conversation, (), SCENE)

        assert faults_of(screen, conversation) == []
        assert {Chose(Action.CONTINUE), Chose(Action.START_OVER)} <= set(presses(screen))


@pytest.mark.parametrize("overlay", list(Overlay))
@pytest.mark.parametrize("photos", [0, 2])
@pytest.mark.parametrize("agreed", [False, True])
def test_every_overlay_has_one_tap_back(overlay: Overlay, photos: int, agreed: bool) -> None:
    conversation = at_step("area", overlay=overlay, photos=photos, photo_consent=agreed)
    screen = screens.render(conversation, (), SCENE)

    assert faults_of(screen, conversation) == []
    assert Chose(Action.CONTINUE) in presses(screen)


@pytest.mark.parametrize(("count", "words"), [(1, "visit is"), (4, "4 booked visits are")])
def test_who_deletes_everything_is_told_of_the_visits_first(count: int, words: str) -> None:
    booked = STAGES[Stage.BOOKED]().conversation
    assert booked is not None
    sessions = booked.booking.sessions[:count]
    asked = replace(
        booked, overlay=Overlay.ERASE, booking=replace(booked.booking, sessions=sessions)
    )
    screen = screens.render(asked, (), SCENE)

    assert len(sessions) == count
    assert words in screen.html
    assert {Chose(Action.ERASE_YES), Chose(Action.CONTINUE)} <= set(presses(screen))


def test_photos_are_asked_for_only_after_a_yes() -> None:
    asked = screens.render(at_step("area", overlay=Overlay.PHOTOS), (), SCENE)
    agreed = at_step("area", overlay=Overlay.PHOTOS, photo_consent=True, photos=1)

    assert Chose(Action.PHOTOS_YES) in presses(asked)
    assert "send your photos now" not in asked.html
    assert "Kept so far: 1 of 4" in screens.render(agreed, (), SCENE).html


def test_the_result_is_asked_about_with_a_photo_where_there_is_room() -> None:
    rating = AnsweredNudge(NudgeKind.SERIES_REVIEW, NudgeAnswer.FOUR, "series")
    asked = STAGES[Stage.BOOKED]().does(rating)
    assert asked.conversation is not None
    full = screens.render(replace(asked.conversation, photos=4), (), SCENE)

    assert labels(checked(asked))[:2] == ["Send a photo", "No, thank you"]
    assert "Send a photo" not in labels(full)
    assert "A photo is welcome" not in full.html


def test_what_was_sent_to_the_clinic_is_said_without_asking_again() -> None:
    chat = Chat().comes_to("area").does(AskedForPerson())
    before = chat.conversation
    chat.says("do you have parking")
    assert chat.turn is not None
    shown = screens.is_same(before, chat.turn.conversation)

    screen = screens.render(chat.turn.conversation, chat.turn.notes, SCENE, shown=shown)

    assert screen.html.startswith("Sent to Willow Skin Clinic.")
    assert "What would you like to ask" not in screen.html


def test_what_the_clinic_is_called_cannot_break_the_markup() -> None:
    scene = a_scene(a_clinic(name="<Willow & Sons>", address="1 <b>Road"))
    chat = Chat(scene).arrives_at(Stage.PLAN).chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)

    assert "&lt;Willow &amp; Sons&gt;" in checked(chat).html


def test_long_notes_are_cut_before_the_question_is() -> None:
    note = Note("note.dropped", {"names": "x" * 5000})
    conversation = at_step("area")

    screen = screens.render(conversation, (note,), SCENE)

    assert len(plain(screen.html)) <= 4096
    assert SCENE.catalogues["en"].text("step.area.question")[:20] in screen.html


def test_what_is_said_beside_a_long_screen_does_not_repeat_it() -> None:
    chat = Chat().arrives_at(Stage.PLAN)
    before = chat.conversation
    chat.chooses(Action.LASER)
    assert chat.conversation is not None
    assert chat.turn is not None

    shown = screens.is_same(before, chat.conversation)
    screen = screens.render(chat.conversation, chat.turn.notes, chat.scene, shown=shown)

    assert screen.aside
    assert "laser" in screen.html
    assert "Times that fit" not in screen.html
    assert labels(screen)[0].startswith("Book all")
    assert faults_of(screen, chat.conversation) == []


@pytest.mark.parametrize("stage", [Stage.BOOKED, Stage.DECLINED, Stage.DEFERRED, Stage.REVIEW])
def test_a_miss_does_not_bring_what_was_told_again(stage: Stage) -> None:
    chat = STAGES[stage]()
    told = shown(chat)
    chat.says("xyzzy")
    assert chat.conversation is not None

    screen = screens.render(chat.conversation, (Note("note.miss_1"),), SCENE, shown=True)

    assert plain(screen.html) == SCENE.catalogues["en"].text("note.miss_1")
    assert labels(screen) == labels(told)


@pytest.mark.parametrize("stage", [Stage.URGENT, Stage.PICK_DAY, Stage.CANCEL, Stage.CONTACT])
def test_help_in_an_emergency_and_questions_are_told_every_time(stage: Stage) -> None:
    chat = STAGES[stage]()
    assert chat.conversation is not None

    screen = screens.render(chat.conversation, (Note("note.miss_1"),), SCENE, shown=True)

    assert not screen.aside


def test_after_an_old_button_the_screen_that_is_meant_is_shown() -> None:
    chat = STAGES[Stage.BOOKED]()
    assert chat.conversation is not None

    screen = screens.render(chat.conversation, (Note("note.stale"),), SCENE, shown=True)

    assert "You are booked" in screen.html


def test_a_question_is_always_asked_again_after_a_long_answer() -> None:
    note = Note("note.dropped", {"names": "x" * 900})
    conversation = at_step("area")

    screen = screens.render(conversation, (note,), SCENE, shown=True)

    assert not screen.aside
    assert SCENE.catalogues["en"].text("step.area.question")[:20] in screen.html


def test_another_screen_is_not_the_same() -> None:
    assert screens.is_same(at_step("area", misses=1), at_step("area", revision=9))
    assert not screens.is_same(at_step("area"), at_step("today"))
    assert not screens.is_same(None, at_step("area"))


def test_without_a_clinic_the_choice_says_so() -> None:
    scene = replace(a_scene(), clinics={})
    conversation = Conversation(7, Stage.CHOOSE_CLINIC)

    screen = screens.render(conversation, (), scene)

    assert presses(screen) == [AskedHelp()]


@pytest.mark.parametrize(
    ("before", "after", "effects", "words"),
    [
        (Stage.CONTACT, Stage.BOOKED, (CONFIRMED,), "Times chosen"),
        (Stage.CONTACT, Stage.PLAN, (ReleaseHold("s"),), "free again"),
        (Stage.CONTACT, Stage.BOOKED, (ReleaseHold("s"),), "free again"),
        (Stage.PICK_TIME, Stage.CONTACT, (HELD,), "Time chosen"),
        (Stage.PICK_TIME, Stage.BOOKED, (MoveAppointment("u", SLOT),), "Time chosen"),
        (Stage.PICK_DAY, Stage.PLAN, (), ""),
        (Stage.PICK_TIME, Stage.BOOKED, (), ""),
        (Stage.CONTACT, Stage.PLAN, (), ""),
        (Stage.PLAN, Stage.CONTACT, (HELD,), ""),
        (Stage.CONTACT, Stage.URGENT, (ReleaseHold("s"),), ""),
    ],
)
def test_an_old_screen_is_closed_with_a_line_that_fits(
    before: Stage, after: Stage, effects: tuple[Effect, ...], words: str
) -> None:
    turn = Turn(at_step("area", state=after.value), effects=effects)

    line = screens.closing(at_step("area", state=before.value), turn, SCENE)

    assert words in line
    assert bool(words) == bool(line)


def test_a_single_visit_is_given_back_in_the_singular() -> None:
    chat = Chat().arrives_at(Stage.CONSULT, scar_type="icepick").chooses(Action.BOOK, "0")
    before = chat.conversation
    chat.does(WentBack())
    assert chat.turn is not None

    assert "That time is free again" in screens.closing(before, chat.turn, SCENE)


def test_the_long_first_question_is_asked_again_in_a_few_words() -> None:
    chat = Chat().starts().does(AskedQuestion("hurt"))
    assert chat.conversation is not None
    assert chat.turn is not None

    screen = screens.render(chat.conversation, chat.turn.notes, SCENE, shown=True)

    assert screen.html.endswith("\n\nIs it okay with you if we start?")
    assert "Hello!" not in screen.html
    assert screen.aside  # what is agreed to stays above


def test_after_three_misses_a_person_is_one_tap_away() -> None:
    chat = Chat().comes_to("area")

    chat.says("qwertz").says("qwertz")
    assert AskedForPerson() not in presses(checked(chat))

    assert presses(checked(chat.says("qwertz")))[0] == AskedForPerson()
