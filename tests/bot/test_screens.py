"""Every screen: words for everything, Telegram's limits, a way back and a way out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot import screens
from bot.markup import Screen, plain
from flows.clinics import BookingMode
from flows.conversation import Answer, Conversation, Overlay, Stage
from flows.events import (
    Action,
    Answered,
    AskedForPerson,
    AskedHelp,
    AskedPrivacy,
    AskedToStartOver,
    Chose,
    Stopped,
    Typed,
)
from flows.protocol import Kind, Step
from flows.turn import Note, Turn
from tests.bot.screen_checks import faults_of, labels, presses
from tests.flows.chat import CLEAR, NOW, Chat, a_clinic, a_scene, a_view, protocol

SCENE = a_scene()

STEPS = [(step.id, option.code) for step in protocol().steps for option in step.options]


def shown(chat: Chat) -> Screen:
    assert chat.conversation is not None
    assert chat.turn is not None
    return screens.render(chat.conversation, chat.turn.notes, chat.scene)


def checked(chat: Chat) -> Screen:
    screen = shown(chat)
    assert chat.conversation is not None
    assert faults_of(screen, chat.conversation) == []
    return screen


def at_step(step: str, **changes: object) -> Conversation:
    """Return a conversation that asks `step`, answered before in the way that leads there."""
    answers = {name: Answer(codes) for name, codes in CLEAR.items() if name != step}
    answers |= {name: Answer((code,)) for name, code in _leading_to(protocol().step(step))}
    conversation = Conversation(
        7, step, clinic="willow", protocol=protocol().key, answers=answers, revision=3
    )
    return replace(conversation, **changes)


def _leading_to(step: Step) -> list[tuple[str, str]]:
    if not step.ask_if:
        return []
    pairs = [(name, min(codes)) for name, codes in step.ask_if[0].items()]
    return [p for name, code in pairs for p in (*_leading_to(protocol().step(name)), (name, code))]


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


@pytest.mark.parametrize(("step", "code"), STEPS)
def test_every_option_leads_to_a_verdict_with_words(step: str, code: str) -> None:
    conversation = at_step(step)
    answers = {**conversation.answers, step: Answer((code,))}
    for stage in (Stage.URGENT, Stage.DECLINED, Stage.DEFERRED, Stage.CONSULT, Stage.PLAN):
        judged = replace(conversation, state=stage.value, answers=answers, decided_on=NOW.date())

        assert faults_of(screens.render(judged, (), SCENE), judged) == []


STAGES = {
    Stage.CHOOSE_CLINIC: lambda: Chat(a_scene(a_clinic(), a_clinic("harbour", name="H"))).starts(
        ""
    ),
    Stage.NO_CONSENT: lambda: Chat().starts().answers(consent="decline"),
    Stage.REVIEW: lambda: Chat().arrives_at(Stage.REVIEW),
    Stage.URGENT: lambda: Chat().comes_to("area").says("I want to kill myself"),
    Stage.DECLINED: lambda: Chat().arrives_at(Stage.DECLINED, age="under_18"),
    Stage.DEFERRED: lambda: Chat().arrives_at(
        Stage.DEFERRED, today=("sun",), sun="burn", acne_now="few"
    ),
    Stage.CONSULT: lambda: Chat().arrives_at(Stage.CONSULT, scar_type="icepick"),
    Stage.PLAN: lambda: Chat().arrives_at(Stage.PLAN),
    Stage.PICK_DAY: lambda: Chat().arrives_at(Stage.PLAN).chooses(Action.OTHER_TIMES),
    Stage.PICK_TIME: lambda: STAGES[Stage.PICK_DAY]().chooses(Action.DAY, "2026-11-25"),
    Stage.CONTACT: lambda: Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0"),
    Stage.BOOKED: lambda: STAGES[Stage.CONTACT]().chooses(Action.REACH_HERE),
    Stage.CHANGE: lambda: STAGES[Stage.BOOKED]().chooses(Action.CHANGE),
    Stage.CANCEL: lambda: STAGES[Stage.BOOKED]().chooses(Action.CANCEL),
    Stage.STOPPED: lambda: STAGES[Stage.BOOKED]().does(Stopped()),
}


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


def test_the_plan_names_every_date_of_every_offer_in_local_time() -> None:
    chat = Chat().arrives_at(Stage.PLAN)
    assert chat.conversation is not None
    offers = chat.conversation.booking.offers

    text = plain(checked(chat).html)

    assert "London time" in text
    assert "Choice 3, with Ana Reyes" in text
    assert text.count(" 2026, ") + text.count(" 2027, ") == sum(len(o.slots) for o in offers)


def test_a_plan_offers_all_or_the_first_or_other_times_or_a_person() -> None:
    shown_labels = labels(checked(Chat().arrives_at(Stage.PLAN)))

    assert shown_labels[0].startswith("Book all 4: ")
    for words in ("Only the first session", "Other times", "Laser or needling?"):
        assert words in shown_labels


def test_a_plan_without_free_times_says_so() -> None:
    closed = replace(a_view(), timetables=())

    screen = checked(Chat(view=closed).arrives_at(Stage.PLAN))

    assert "cannot show times" in screen.html
    assert not any(words.startswith("Book") for words in labels(screen))


def test_no_screen_ever_shows_the_score() -> None:
    for stage in (Stage.PLAN, Stage.CONSULT, Stage.DEFERRED, Stage.DECLINED):
        assert "score" not in plain(shown(STAGES[stage]()).html).lower()


def test_a_deferral_names_reasons_and_the_day_to_come_back() -> None:
    text = plain(checked(STAGES[Stage.DEFERRED]()).html)

    assert "Why not yet" in text
    assert "Write to us again here on or after Monday 7 December 2026" in text


def test_the_urgent_screen_names_help_and_sells_nothing() -> None:
    screen = checked(STAGES[Stage.URGENT]())

    assert "999" in screen.html
    assert "116 123" in screen.html
    assert {type(press) for press in presses(screen)} == {AskedForPerson, AskedHelp}


def test_an_urgent_answer_names_the_numbers_too() -> None:
    screen = checked(Chat().arrives_at(Stage.URGENT, acne_now="nodules", acne_ill="yes"))

    assert "Emergency: <b>999</b>" in screen.html


def test_days_carry_their_number_of_free_times() -> None:
    screen = checked(STAGES[Stage.PICK_DAY]())

    assert any("free)" in words for words in labels(screen))
    assert "Later ›" in labels(screen)


def test_an_earlier_week_is_offered_only_after_the_first() -> None:
    first = STAGES[Stage.PICK_DAY]()
    assert first.conversation is not None
    week_on = first.conversation.booking.week_on
    assert week_on is not None

    later = first.chooses(Action.WEEK, (week_on + timedelta(days=7)).isoformat())

    assert "‹ Earlier" in labels(checked(later))


def test_at_most_a_dozen_times_are_shown_at_once() -> None:
    screen = checked(STAGES[Stage.PICK_TIME]())

    times = [press for press in presses(screen) if getattr(press, "action", "") == Action.TIME]
    assert len(times) == 12
    assert "first 12 of" in plain(screen.html)


def test_the_chosen_part_of_the_day_is_marked_in_words() -> None:
    screen = checked(STAGES[Stage.PICK_TIME]().chooses(Action.PART, "morning"))

    assert "✓ Morning" in labels(screen)


def test_contact_says_until_when_the_times_are_kept_and_asks_for_the_number() -> None:
    screen = checked(STAGES[Stage.CONTACT]())

    assert "09:10" in screen.html
    assert screen.contact is not None
    assert screen.contact.label == "Share my number"


def test_booked_says_what_who_where_when_and_the_code() -> None:
    chat = STAGES[Stage.BOOKED]()
    assert chat.conversation is not None
    code = chat.conversation.booking.code

    screen = checked(chat)

    text = plain(screen.html)
    for words in ("Micro-needling", "Ana Reyes", "1 Willow Road", "+44 20 7946 0000", code):
        assert words in text
    assert [b.copy_text for row in screen.rows for b in row if b.copy_text] == [code]


def test_a_request_is_not_called_booked() -> None:
    scene = a_scene(a_clinic(booking_mode=BookingMode.REQUEST))
    chat = Chat(scene).arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")

    text = plain(checked(chat.chooses(Action.REACH_HERE)).html)

    assert "Your request is with the clinic" in text
    assert "You are booked" not in text


def test_links_of_the_clinic_are_buttons_when_they_are_safe() -> None:
    scene = a_scene(a_clinic(map_url="https://maps.example/w", privacy_url="https://w.example/p"))
    chat = Chat(scene).starts()
    assert "How we use your data" in labels(checked(chat))

    booked = Chat(scene).arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")

    assert "Open the map" in labels(checked(booked.chooses(Action.REACH_HERE)))


def test_a_single_consultation_is_booked_moved_and_cancelled_in_the_singular() -> None:
    chat = Chat().arrives_at(Stage.CONSULT, scar_type="icepick")
    assert labels(checked(chat))[0].startswith("Book: ")

    booked = chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)
    assert "Move the time" in labels(checked(booked))
    assert "Yes, cancel it" in labels(checked(booked.chooses(Action.CANCEL)))


def test_moving_a_session_says_which_and_when_it_is_now() -> None:
    chat = STAGES[Stage.BOOKED]().chooses(Action.CHANGE).chooses(Action.MOVE, "2")

    assert "session 2, now on" in plain(checked(chat).html)


def test_preparing_is_a_list_under_a_title() -> None:
    screen = checked(STAGES[Stage.BOOKED]().chooses(Action.PREPARE))

    assert "<b>Before your visit</b>\n• " in screen.html
    assert "<b>On the day</b>\n• " in screen.html


def test_both_overlays_offer_two_ways_and_a_person() -> None:
    for overlay in Overlay:
        conversation = at_step("area", overlay=overlay)
        screen = screens.render(conversation, (), SCENE)

        assert faults_of(screen, conversation) == []
        assert {Chose(Action.CONTINUE), Chose(Action.START_OVER)} <= set(presses(screen))


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


def test_every_reason_at_once_still_fits_into_a_message() -> None:
    history = tuple(o.code for o in protocol().step("history").options if not o.exclusive)
    today = tuple(o.code for o in protocol().step("today").options if not o.exclusive)
    answers = {
        step.id: Answer((max(step.options, key=lambda option: option.severity).code,))
        for step in protocol().steps
        if step.kind is Kind.CHOICE
    }
    answers |= {"history": Answer(history), "today": Answer(today)}
    for stage in (Stage.DECLINED, Stage.DEFERRED, Stage.CONSULT):
        conversation = at_step("timing", state=stage.value, answers=answers)

        assert faults_of(screens.render(conversation, (), SCENE), conversation) == []


def test_without_a_clinic_the_choice_says_so() -> None:
    scene = replace(a_scene(), clinics={})
    conversation = Conversation(7, Stage.CHOOSE_CLINIC)

    screen = screens.render(conversation, (), scene)

    assert presses(screen) == [AskedHelp()]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (Stage.CONTACT, Stage.BOOKED, "Times chosen"),
        (Stage.CONTACT, Stage.PLAN, "free again"),
        (Stage.PICK_TIME, Stage.CONTACT, "Time chosen"),
        (Stage.PLAN, Stage.CONTACT, ""),
        (Stage.CONTACT, Stage.URGENT, ""),
    ],
)
def test_an_old_screen_is_closed_with_a_line_that_fits(
    before: Stage, after: Stage, words: str
) -> None:
    turn = Turn(at_step("area", state=after.value))

    line = screens.closing(at_step("area", state=before.value), turn, SCENE)

    assert words in line
    assert bool(words) == bool(line)


def test_start_over_is_offered_after_a_no() -> None:
    assert AskedToStartOver() in presses(checked(STAGES[Stage.DECLINED]()))
