"""Every kind of update becomes the event it means, or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from bot.callback_data import pack
from bot.updates import Arrival, Blocked, GroupMessage, StaffCall, UpdateReader, chat_of
from flows.events import (
    Action,
    Answered,
    AskedForPerson,
    AskedHelp,
    AskedPrivacy,
    AskedToStartOver,
    Chose,
    Corrected,
    Event,
    Media,
    Repeated,
    SentMedia,
    SharedContact,
    Started,
    Stopped,
    Typed,
    WentBack,
)
from tests.bot.telegram_objects import SAM, a_membership, a_message, a_press, an_edit, an_update

GROUP = {"id": -5, "type": "supergroup", "title": "Friends"}
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 9, "height": 9}]
FILE = {"file_id": "f", "file_unique_id": "u"}
VIDEO = {**FILE, "width": 1, "height": 1, "duration": 1}


def reader() -> UpdateReader:
    return UpdateReader({"en", "de"}, "ResurfaceBot")


def event_of(**content: Any) -> Event:
    arrival = reader().read(a_message(**content))
    assert isinstance(arrival, Arrival)
    return arrival.event


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("/back", WentBack()),
        ("/my", Repeated()),
        ("/restart", AskedToStartOver()),
        ("/delete", Chose(Action.ERASE)),
        ("/stop", Stopped()),
        ("/privacy", AskedPrivacy()),
        ("/person", AskedForPerson()),
        ("/PERSON@ResurfaceBot now", AskedForPerson()),
        ("/unknown", AskedHelp()),
        ("/start", Started("", "Sam", "en")),
        ("/start willow-spring", Started("willow-spring", "Sam", "en")),
        ("hello there", Typed("hello there", 5)),
    ],
)
def test_words_become_events(text: str, event: Event) -> None:
    assert event_of(text=text) == event


@pytest.mark.parametrize(
    ("content", "media"),
    [
        ({"photo": PHOTO}, Media.PHOTO),
        ({"voice": {**FILE, "duration": 1}}, Media.VOICE),
        (
            {
                "sticker": {
                    **FILE,
                    "type": "regular",
                    "width": 1,
                    "height": 1,
                    "is_animated": False,
                    "is_video": False,
                }
            },
            Media.STICKER,
        ),
        ({"video": VIDEO}, Media.VIDEO),
        ({"document": FILE}, Media.DOCUMENT),
        ({"location": {"latitude": 1, "longitude": 1}}, Media.LOCATION),
        ({"dice": {"emoji": "🎲", "value": 1}}, Media.OTHER),
    ],
)
def test_media_are_named_and_their_caption_is_read(content: dict[str, Any], media: Media) -> None:
    name = "f" if media is Media.PHOTO else ""

    assert event_of(**content, caption="see here") == SentMedia(media, "see here", name)


def test_a_forwarded_text_is_not_an_answer_but_its_words_are_read() -> None:
    origin = {"type": "hidden_user", "sender_user_name": "Ada", "date": 1}

    assert event_of(text="clear", forward_origin=origin) == SentMedia(Media.FORWARD, "clear")


def test_only_the_senders_own_number_is_taken() -> None:
    own = {"phone_number": "+441", "first_name": "Sam", "user_id": 7}

    assert event_of(contact=own) == SharedContact("+441")
    assert event_of(contact={**own, "user_id": 8}) == SentMedia(Media.OTHER)
    assert event_of(contact={"phone_number": "+442", "first_name": "Ada"}) == SentMedia(Media.OTHER)


def test_an_album_of_videos_arrives_once_except_for_its_captions() -> None:
    read = reader().read
    first = a_message(1, video=VIDEO, media_group_id="a")

    assert read(first) is not None
    assert read(first) is not None  # the same update again, after a failed try
    assert read(a_message(2, video=VIDEO, media_group_id="a")) is None
    assert read(a_message(3, video=VIDEO, media_group_id="a", caption="help me")) is not None


def test_every_photo_of_an_album_arrives_with_telegrams_name_of_its_largest_size() -> None:
    read = reader().read
    sizes = [*PHOTO, {**PHOTO[0], "file_id": "large", "width": 90, "height": 90}]
    events = [
        arrival.event
        for number in (1, 2)
        if isinstance(arrival := read(a_message(number, photo=sizes, media_group_id="a")), Arrival)
    ]

    assert events == [SentMedia(Media.PHOTO, file_id="large")] * 2
    assert "large" not in repr(events)


def test_old_albums_are_forgotten() -> None:
    known = reader()
    for number in range(1100):
        known.read(a_message(number, video=VIDEO, media_group_id=str(number)))

    assert len(known._albums) == 1000


def test_an_edit_is_a_correction_of_that_message() -> None:
    arrival = reader().read(an_edit(text="28"))

    assert isinstance(arrival, Arrival)
    assert arrival.event == Corrected("28", 5)


def test_an_edit_without_words_is_nothing() -> None:
    assert reader().read(an_edit(location={"latitude": 1, "longitude": 1})) is None


def test_a_button_brings_its_event_revision_and_message() -> None:
    data = pack(12, Answered("age", ("22_plus",)))

    arrival = reader().read(a_press(data))

    assert arrival == Arrival(
        1, 7, Answered("age", ("22_plus",)), False, "q1", 5, 12, first_name="Sam", locale="en"
    )


def test_a_button_that_is_not_ours_shows_the_current_screen() -> None:
    arrival = reader().read(a_press("garbage"))

    assert isinstance(arrival, Arrival)
    assert (arrival.event, arrival.revision) == (Repeated(stale=True), None)


def test_an_unknown_language_is_english() -> None:
    known = UpdateReader({"en"}).read(
        a_message(text="/start", **{"from": {**SAM, "language_code": "fr"}})
    )

    assert isinstance(known, Arrival)
    assert known.event == Started("", "Sam", "en")
    assert known.locale == "en"


def test_being_blocked_is_noticed_and_being_let_back_in_is_not_news() -> None:
    assert reader().read(a_membership("kicked")) == Blocked(1, 7)
    assert reader().read(a_membership("member")) is None
    assert reader().read(a_membership("kicked", GROUP)) is None


@pytest.mark.parametrize(
    ("text", "called"),
    [("/start", True), ("hi @resurfacebot", True), ("hi all", False), ("", False)],
)
def test_in_a_group_only_a_call_is_answered(text: str, called: bool) -> None:
    found = reader().read(a_message(text=text, chat=GROUP))

    assert found == (GroupMessage(1, -5) if called else None)


def test_a_channel_is_left_alone() -> None:
    channel = {"id": -9, "type": "channel", "title": "News"}

    assert reader().read(a_message(text="/start", chat=channel)) is None


def test_a_service_message_needs_no_answer() -> None:
    assert reader().read(a_message(new_chat_title="x")) is None


def test_an_update_of_an_unknown_kind_needs_no_answer() -> None:
    update = an_update()

    assert reader().read(update) is None
    assert chat_of(update) == 0
    assert chat_of(a_press("x")) == 7


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("/today", "today", ""),
        ("/OFF@resurface_bot tomorrow 9-13", "off", "tomorrow 9-13"),
        ("/cards off", "cards", "off"),
        ("/help", "help", ""),
        ("/start staff_abc", "join", "abc"),
    ],
)
def test_what_only_staff_do_is_told_apart(text: str, name: str, rest: str) -> None:
    call = reader().read(a_message(text=text))

    assert isinstance(call, StaffCall)
    assert (call.name, call.rest) == (name, rest)


def test_help_is_for_patients_too() -> None:
    call = reader().read(a_message(text="/help"))

    assert isinstance(call, StaffCall)
    assert call.arrival.event == AskedHelp()


def test_a_staff_button_is_a_stale_one_to_anybody_else() -> None:
    call = reader().read(a_press("!lead.accepted.1"))

    assert isinstance(call, StaffCall)
    assert (call.name, call.rest) == ("press", "lead.accepted.1")
    assert call.arrival.event == Repeated(stale=True)


def test_a_staff_command_in_an_edited_message_or_in_a_group_is_none() -> None:
    assert not isinstance(reader().read(an_edit(text="/off today")), StaffCall)
    assert not isinstance(reader().read(a_message(text="/today", chat=GROUP)), StaffCall)
