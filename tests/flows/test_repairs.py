import pytest

from flows.conversation import Stage
from flows.effects import HandOffLead, LeadKind, ReleaseHold
from flows.events import (
    Action,
    Answered,
    AskedForPerson,
    AskedHelp,
    AskedPrivacy,
    AskedQuestion,
    AskedWhy,
    Corrected,
    Media,
    Repeated,
    SentMedia,
    Skipped,
    Typed,
)
from tests.flows.chat import Chat, a_clinic, a_scene


def at_age() -> Chat:
    return Chat().starts().does(Answered("consent", ("agree",)))


def texts_of(chat: Chat) -> list[str]:
    assert chat.turn is not None
    catalogue = chat.scene.catalogues["en"]
    return [catalogue.text(note.key, **note.values) for note in chat.turn.notes]


@pytest.mark.parametrize(
    ("event", "note"),
    [
        (AskedHelp(), "note.help"),
        (AskedWhy(), "step.age.why"),
        (AskedPrivacy(), "note.privacy"),
        (AskedQuestion("hurt"), "faq.hurt.answer"),
        (AskedForPerson(), "note.person"),
        (Repeated(stale=True), "note.stale"),
    ],
)
def test_a_repair_speaks_and_keeps_the_place(event, note):
    chat = at_age().does(event)

    assert chat.notes == [note]
    assert chat.state == "age"
    assert texts_of(chat)


def test_why_on_a_screen_without_a_question_has_an_answer_too():
    assert Chat().arrives_at(Stage.REVIEW).does(AskedWhy()).notes == ["note.why"]


def test_why_on_a_verdict_shows_its_reasons_again():
    chat = Chat().arrives_at(Stage.DECLINED, area=("eyelid",)).does(AskedWhy())

    assert (chat.state, chat.notes) == (Stage.DECLINED, [])


@pytest.mark.parametrize("words", ["can somebody ring me", "can i talk to somebody"])
def test_a_person_is_asked_for_in_many_words(words):
    assert at_age().says(words).effects == [HandOffLead(LeadKind.PERSON)]


def test_asking_for_a_person_tells_the_clinic():
    chat = at_age().does(AskedForPerson())

    assert chat.effects == [HandOffLead(LeadKind.PERSON)]


def test_before_a_clinic_is_chosen_there_is_no_person_to_call():
    scene = a_scene(a_clinic(), a_clinic("harbour"))
    chat = Chat(scene=scene).starts("").does(AskedForPerson())

    assert chat.notes == ["note.choose_first"]


@pytest.mark.parametrize("media", list(Media))
def test_things_that_are_not_words_get_a_kind_reply(media):
    chat = at_age().does(SentMedia(media))

    assert chat.notes == [f"note.media_{media.value}"]
    assert texts_of(chat)
    assert chat.state == "age"


def test_a_burst_is_answered_once():
    chat = at_age().does(SentMedia(Media.FORWARD))
    revision = chat.conversation

    chat.does(SentMedia(Media.FORWARD))

    assert chat.turn is not None
    assert chat.turn.silent
    assert chat.conversation == revision


def test_after_words_the_next_voice_note_is_answered_again():
    chat = at_age().does(SentMedia(Media.VOICE)).says("34").does(SentMedia(Media.VOICE))

    assert chat.notes == ["note.media_voice"]


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        ("I want to kill myself", "self_harm"),
        ("i dont want to live anymore", "self_harm"),
        ("i have a fever and the redness is spreading", "spreading_infection"),
        ("my face is swelling and i can't breathe", "emergency"),
    ],
)
def test_a_red_flag_in_free_text_ends_the_run_and_tells_a_person(words, flag):
    chat = at_age().says(words)

    assert chat.state == Stage.URGENT
    assert chat.conversation is not None
    assert chat.conversation.red_flag == flag
    assert HandOffLead(LeadKind.URGENT) in chat.effects


@pytest.mark.parametrize(
    "words",
    ["I'm dying to get rid of these", "kill these spots", "i had a fever last year", "it hurts"],
)
def test_words_that_only_sound_alike_raise_no_flag(words):
    assert at_age().says(words).state == "age"


def test_a_red_flag_in_a_caption_or_an_edit_counts():
    assert at_age().does(SentMedia(Media.PHOTO, "want to end my life")).state == Stage.URGENT
    assert at_age().does(Corrected("want to end my life")).state == Stage.URGENT


@pytest.mark.parametrize("clinics", [("willow",), ("willow", "harbour")])
@pytest.mark.parametrize(
    "first",
    [
        Typed("I want to kill myself"),
        Corrected("I want to kill myself"),
        *(SentMedia(media, "I want to kill myself") for media in Media),
    ],
)
def test_a_red_flag_in_the_very_first_message_counts_however_it_comes(clinics, first):
    chat = Chat(scene=a_scene(*map(a_clinic, clinics))).does(first)

    assert chat.state == Stage.URGENT
    assert HandOffLead(LeadKind.URGENT) in chat.effects


@pytest.mark.parametrize("clinics", [("willow",), ("willow", "harbour")])
@pytest.mark.parametrize(
    "first", [Corrected("hello"), *(SentMedia(media, "hello", "f1") for media in Media)]
)
def test_any_other_first_message_leads_to_the_first_screen(clinics, first):
    chat = Chat(scene=a_scene(*map(a_clinic, clinics))).does(first)

    assert chat.state == ("consent" if len(clinics) == 1 else Stage.CHOOSE_CLINIC)
    assert not chat.effects


def test_a_red_flag_while_times_are_held_gives_them_back():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0").says("i want to die")

    assert chat.state == Stage.URGENT
    assert any(isinstance(effect, ReleaseHold) for effect in chat.effects)


def test_a_red_flag_before_a_clinic_is_chosen_still_names_a_number_to_call():
    scene = a_scene(a_clinic(), a_clinic("harbour"))
    chat = Chat(scene=scene).starts("").says("i want to die")

    assert chat.state == Stage.URGENT
    assert chat.conversation is not None
    assert chat.conversation.clinic == "willow"


def test_nothing_is_sold_after_a_red_flag():
    chat = at_age().says("i want to die")
    for event in (Skipped(), Answered("age", ("22_plus",)), Repeated()):
        assert chat.does(event).state == Stage.URGENT


def test_misses_lead_from_a_hint_over_an_example_to_a_way_out():
    chat = at_age()

    assert chat.says("purple monkey").notes == ["note.miss_1"]
    assert chat.says("dishwasher blue").notes == ["note.miss_2", "step.age.example"]
    assert chat.says("lorem ipsum dolor").notes == ["note.miss_3"]
    assert chat.says("sit amet").notes == ["note.miss_3"]


def test_an_answer_clears_the_misses():
    chat = at_age().says("purple monkey").says("34").says("purple monkey")

    assert chat.notes == ["note.miss_1"]


def test_an_edit_before_a_clinic_is_chosen_changes_nothing():
    scene = a_scene(a_clinic(), a_clinic("harbour"))
    chat = Chat(scene=scene).starts("").does(Corrected("hello"))

    assert chat.state == Stage.CHOOSE_CLINIC
