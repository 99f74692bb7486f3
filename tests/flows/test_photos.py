"""Photos: never before a yes, never of a minor, four at most, deleted on a word."""

import pytest

from flows import photos
from flows.conversation import Overlay, Stage
from flows.effects import DeletePhotos, KeepPhoto
from flows.events import (
    Action,
    Answered,
    AnsweredNudge,
    Media,
    NudgeAnswer,
    SentMedia,
    Stopped,
)
from flows.follow_up import NudgeKind
from tests.flows.chat import Chat


def a_photo(name: str = "f1", caption: str = "") -> SentMedia:
    return SentMedia(Media.PHOTO, caption, name)


def overlay_of(chat: Chat) -> Overlay | None:
    assert chat.conversation is not None
    return chat.conversation.overlay


def kept(chat: Chat) -> list[str]:
    return [effect.file_id for effect in chat.effects if isinstance(effect, KeepPhoto)]


def agreed() -> Chat:
    return Chat().comes_to("area").does(a_photo()).chooses(Action.PHOTOS_YES)


def test_a_photo_before_the_yes_is_not_kept_and_asked_about():
    chat = Chat().comes_to("area").does(a_photo())

    assert (overlay_of(chat), chat.notes) == (Overlay.PHOTOS, ["note.photo_not_kept"])
    assert kept(chat) == []


def test_an_album_before_the_yes_is_answered_once():
    chat = Chat().comes_to("area").does(a_photo()).does(a_photo("f2"))

    assert chat.turn is not None
    assert chat.turn.silent


def test_after_the_yes_four_photos_are_kept_and_no_more():
    chat = agreed()
    for number in range(6):
        chat.does(a_photo(f"p{number}"))

    assert kept(chat) == ["p0", "p1", "p2", "p3"]
    assert chat.conversation is not None
    assert chat.conversation.photos == photos.MOST


def test_the_fifth_photo_is_told_that_it_was_not_kept():
    chat = agreed()
    for _ in range(5):
        chat.does(a_photo())

    assert chat.notes == ["note.photos_enough"]


def test_no_thank_you_gives_the_place_back_and_keeps_nothing():
    chat = Chat().comes_to("area").does(a_photo()).chooses(Action.CONTINUE)

    assert (chat.state, overlay_of(chat)) == ("area", None)
    assert chat.does(Answered("area", ("face",))).state == "today"
    assert kept(chat) == []


@pytest.mark.parametrize("words", ["delete my photos", "Delete photos"])
def test_a_word_deletes_the_photos_and_takes_the_yes_back(words: str):
    chat = agreed().does(a_photo()).chooses(Action.CONTINUE).says(words)

    assert isinstance(chat.effects[-1], DeletePhotos)
    assert chat.conversation is not None
    assert (chat.conversation.photos, chat.conversation.photo_consent) == (0, False)
    assert kept(chat.does(a_photo("late"))) == ["f1"]


def test_photos_can_be_sent_without_the_screen_once_agreed():
    chat = agreed().chooses(Action.CONTINUE).does(a_photo("later"))

    assert kept(chat) == ["later"]
    assert chat.state == "area"


@pytest.mark.parametrize("step", ["consent", "age"])
def test_nobody_is_asked_for_photos_before_consent_and_age(step: str):
    chat = Chat().comes_to(step).does(a_photo()).chooses(Action.PHOTOS_YES).does(a_photo())

    assert overlay_of(chat) is None
    assert kept(chat) == []


def test_a_minor_is_never_asked_for_photos():
    chat = Chat().arrives_at(Stage.DECLINED, age="under_18").does(a_photo())
    chat.says("can i send photos").chooses(Action.PHOTOS_YES).does(a_photo())

    assert overlay_of(chat) is None
    assert kept(chat) == []


def test_a_stopped_patient_is_not_asked_for_photos():
    assert overlay_of(Chat().comes_to("area").does(Stopped()).does(a_photo())) is None


@pytest.mark.parametrize("stage", [Stage.PLAN, Stage.DEFERRED, Stage.CONSULT])
def test_photos_are_offered_after_the_verdict(stage: Stage):
    given = {Stage.DEFERRED: {"today": "sun", "sun": "burn"}, Stage.CONSULT: {"age": "18_21"}}
    chat = Chat().arrives_at(stage, **given.get(stage, {})).chooses(Action.PHOTOS)

    assert overlay_of(chat) is Overlay.PHOTOS
    assert (chat.says("no").state, overlay_of(chat)) == (stage, None)


def test_a_red_flag_in_a_caption_comes_first():
    chat = agreed().does(a_photo(caption="I want to end my life"))

    assert chat.state == Stage.URGENT
    assert kept(chat) == []


def test_as_many_again_are_kept_of_the_result():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)
    chat = chat.does(a_photo()).chooses(Action.PHOTOS_YES)
    for _ in range(photos.MOST + 1):
        chat.does(a_photo())
    assert (len(kept(chat)), chat.notes) == (photos.MOST, ["note.photos_enough"])
    assert chat.conversation is not None
    series = chat.conversation.booking.series_id
    chat.does(AnsweredNudge(NudgeKind.SERIES_REVIEW, NudgeAnswer.FOUR, series))

    for _ in range(photos.MOST + 1):
        chat.does(a_photo())

    assert (len(kept(chat)), chat.notes) == (2 * photos.MOST, ["note.photos_enough"])
