import pytest

from flows import wording
from flows.events import AskedForPerson, AskedHelp, AskedToStartOver, Repeated, Stopped, WentBack
from tests.flows.chat import a_clinic, catalogues, protocol


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  Yes, PLEASE!! ", "yes please"),
        ("Don't know", "dont know"),
        ("Don\u2019t know", "dont know"),
        ("10:30", "10:30"),
        ("at 5.", "at 5"),
        ("12/06", "12/06"),
    ],
)
def test_plain_words_lose_case_and_punctuation(text, words):
    assert wording.plain(text) == words


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("help", AskedHelp()),
        ("Go back", WentBack()),
        ("can I talk to a person?", AskedForPerson()),
        ("start over", AskedToStartOver()),
        ("STOP", Stopped()),
        ("When is my appointment?", Repeated()),
        ("please do not stop", None),
    ],
)
def test_only_whole_messages_are_commands(text, event):
    assert wording.command(text, catalogues()) == event


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("can I talk to somebody", True),
        ("speak to somebody please", True),
        ("Can somebody ring me?", True),
        ("I'd like to speak to a real person at the clinic", True),
        ("could someone call me please", True),
        ("please call me back", False),
        ("can somebody come with me", False),
        ("can you call my mother, she is the person who pays", False),
        ("my skin makes people talk", False),
    ],
)
def test_whoever_asks_for_somebody_to_talk_to_is_understood(text, wanted):
    assert wording.wants_person(text, catalogues()) == wanted


@pytest.mark.parametrize(
    ("text", "faq"),
    [
        ("does it hurt?", "hurt"),
        ("Does it hurt", "hurt"),
        ("is it painful?", "hurt"),
        ("how many sessions do i need?", "how_many"),
        ("how long is the downtime?", "downtime"),
        ("laser or needling?", "laser"),
        ("what causes acne scars?", "causes"),
        ("what does it cost?", "price"),
        ("how much is it?", "price"),
        ("can i have it with active acne?", "active_acne"),
        ("do you guarantee results?", "promise"),
        ("are you a robot?", "are_you_human"),
        ("price?", "price"),
        ("how painful is it", "hurt"),
        ("can i cancel my appointment later?", "cancel_q"),
        ("can i bring my mum", "bring_someone"),
        ("thank you!", "thanks"),
        ("ok thank you", "thanks"),
        ("ok thanks", "thanks"),
        ("good morning", "hello"),
        ("I hate my face", "feelings"),
        ("i feel so ugly", "feelings"),
        ("People stare at me", "feelings"),
        ("what is this?", "are_you_human"),
        ("what should i do with a cold sore?", None),
        ("can i lift weights after?", None),
        ("is it safe to drive home after?", None),
        ("no thanks", None),
        ("no thank you", None),
        ("what is the capital of France?", None),
        ("my dog is brown", None),
    ],
)
def test_questions_of_patients_are_recognised(text, faq):
    assert wording.question(text, protocol(), catalogues()) == faq


def test_every_known_question_finds_itself():
    english = catalogues()["en"]
    for faq in protocol().faqs:
        title = english.text(f"faq.{faq}.title")
        assert wording.question(title, protocol(), catalogues()) == faq


def test_a_flag_of_two_groups_needs_both():
    flag = "spreading_infection"

    assert wording.red_flag("fever and the redness is spreading", protocol(), catalogues()) == flag
    assert wording.red_flag("i have a fever", protocol(), catalogues()) is None


def test_texts_without_a_clinic_have_empty_values():
    values = wording.values_of(None)

    assert set(values) == set(wording.values_of(a_clinic()))
    assert set(values.values()) == {""}


def test_the_price_is_the_treatments():
    assert wording.values_of(a_clinic())["price"] == "£180"
