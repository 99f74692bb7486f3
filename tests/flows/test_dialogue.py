"""What holds for every turn, whatever the event."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.conversation import Stage
from flows.effects import ConfirmSeries, HoldSeries, RecordDecision
from flows.eligibility import Verdict
from flows.events import (
    Action,
    Answered,
    AskedForPerson,
    AskedHelp,
    AskedPrivacy,
    AskedQuestion,
    AskedToStartOver,
    AskedWhy,
    Chose,
    Corrected,
    Edited,
    Event,
    Media,
    Repeated,
    SentMedia,
    SharedContact,
    Skipped,
    Started,
    Stopped,
    Ticked,
    Typed,
    WentBack,
)
from tests.flows.chat import CLEAR, Chat, protocol


def test_own_words_at_a_free_question_may_be_a_command_or_a_question():
    chat = Chat().comes_to("other_health", history="other")

    assert chat.says("does it hurt?").notes == ["faq.hurt.answer"]
    assert chat.says("why").notes == ["step.other_health.why"]
    assert chat.says("mild asthma").state == "goal"


def test_a_suggestion_is_taken_by_a_typed_yes():
    chat = Chat().comes_to("history")
    assert chat.says("diabetis").notes == ["note.did_you_mean"]

    assert chat.says("yes").state == "diabetes"


def test_a_date_that_has_passed_is_said_so():
    chat = Chat().comes_to("event_on", timing="event")

    assert chat.says("1 March 2020").notes == ["note.date_past"]
    assert chat.says("12 June").state == Stage.REVIEW


def events() -> st.SearchStrategy[Event]:
    steps = [step.id for step in protocol().steps]
    codes = [option.code for step in protocol().steps for option in step.options]
    return st.one_of(
        st.builds(Answered, st.sampled_from(steps), st.lists(st.sampled_from(codes)).map(tuple)),
        st.builds(Ticked, st.sampled_from(steps), st.sampled_from(["", *codes])),
        st.builds(Typed, st.sampled_from(["yes", "no", "34", "none", "book", "fever", "?", ""])),
        st.builds(Typed, st.text(max_size=30), st.integers(0, 3)),
        st.builds(Corrected, st.sampled_from(["20", "none", "x"]), st.integers(0, 3)),
        st.builds(Edited, st.sampled_from(steps)),
        st.builds(
            Chose,
            st.sampled_from(list(Action)),
            st.sampled_from(["", "0", "1", "2026-11-26", "morning", "willow", "x"]),
        ),
        st.builds(SentMedia, st.sampled_from(list(Media))),
        st.builds(SharedContact, st.just("+44 20 7946 0001")),
        st.sampled_from(
            [
                Started("willow"),
                WentBack(),
                Skipped(),
                AskedHelp(),
                AskedWhy(),
                AskedForPerson(),
                AskedPrivacy(),
                AskedQuestion("hurt"),
                AskedToStartOver(),
                Stopped(),
                Repeated(),
            ]
        ),
    )


def verdicts(chat: Chat) -> list[Verdict]:
    return [effect.verdict for effect in chat.effects if isinstance(effect, RecordDecision)]


@settings(max_examples=150, deadline=None)
@given(before=st.integers(0, len(CLEAR)), what=st.lists(events(), max_size=12))
def test_no_order_of_events_breaks_a_chat_or_books_without_a_verdict(before, what):
    chat = Chat().starts()
    for step in list(CLEAR)[:before]:
        chat.does(Answered(step, CLEAR[step]))
    for event in what:
        revision = chat.conversation.revision if chat.conversation else 0
        chat.does(event)
        assert chat.turn is not None
        assert chat.conversation is not None
        assert chat.turn.silent or chat.conversation.revision > revision
        for effect in chat.turn.effects:
            if isinstance(effect, HoldSeries | ConfirmSeries):
                assert verdicts(chat)[-1].bookable == effect.service


def test_the_same_event_on_the_same_conversation_gives_the_same_turn():
    first, second = (Chat().arrives_at(Stage.PLAN).turn for _ in range(2))

    assert first == second
