from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from flows.clinics import BookingMode
from flows.conversation import Stage
from flows.dialogue import look_again
from flows.effects import (
    ConfirmSeries,
    HandOffLead,
    HoldSeries,
    ReleaseHold,
    SavePhone,
)
from flows.events import Action, CalendarSeen, Chose, SharedContact, WentBack
from tests.flows.chat import NOW, Chat, a_clinic, a_scene, a_view, an_instant_clinic


def booking(chat: Chat):
    assert chat.conversation is not None
    return chat.conversation.booking


def starts(chat: Chat) -> list[datetime]:
    return [each.slot.starts_at for each in booking(chat).sessions]


def booked(**given: str) -> Chat:
    stage = Stage.CONSULT if given else Stage.PLAN
    chat = Chat().arrives_at(stage, **given)
    return chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)


def test_the_plan_comes_with_whole_series_to_choose_from():
    offers = booking(Chat().arrives_at(Stage.PLAN)).offers

    assert [len(offer.slots) for offer in offers] == [4, 4, 4]


def test_booking_holds_every_session_for_a_while():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")
    hold = chat.effects[-1]

    assert chat.state == Stage.CONTACT
    assert isinstance(hold, HoldSeries)
    assert len(hold.sessions) == 4
    assert hold.until == NOW + timedelta(minutes=10)


def test_leaving_contact_details_confirms_and_hands_over():
    chat = booked()
    kinds = [type(effect) for effect in chat.effects[-2:]]

    assert chat.state == Stage.BOOKED
    assert kinds == [ConfirmSeries, HandOffLead]
    assert chat.turn is not None
    assert chat.turn.files == ("calendar",)


def test_a_booking_code_has_no_letters_that_look_alike():
    code = booking(booked()).code

    assert len(code) == 6
    assert not set(code) & set("01ILOU")


def test_sharing_the_number_confirms_too():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")
    chat.does(SharedContact("+44 20 7946 0001"))

    assert chat.state == Stage.BOOKED
    assert SavePhone("+44 20 7946 0001") in chat.effects


def test_a_number_shared_elsewhere_is_kept_and_acknowledged():
    chat = Chat().starts().does(SharedContact("+44 20 7946 0001"))

    assert chat.notes == ["note.phone_kept"]


def test_an_instant_clinic_books_at_once():
    chat = Chat(scene=a_scene(an_instant_clinic())).arrives_at(Stage.PLAN)

    assert chat.chooses(Action.BOOK, "0").state == Stage.BOOKED


def test_a_clinic_on_request_gets_pending_appointments():
    scene = a_scene(a_clinic(booking_mode=BookingMode.REQUEST))
    chat = Chat(scene=scene).arrives_at(Stage.PLAN)
    chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)

    assert booking(chat).pending
    assert next(e for e in chat.effects if isinstance(e, ConfirmSeries)).pending


def test_only_the_first_session_can_be_booked():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK_FIRST, "1")

    assert len(booking(chat).sessions) == 1


def test_other_times_show_the_free_days_of_a_week():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.OTHER_TIMES)

    assert chat.state == Stage.PICK_DAY
    assert booking(chat).week_on == date(2026, 11, 23)
    assert [on.day for on, _ in booking(chat).days] == [24, 25, 26, 27]


def test_later_weeks_can_be_looked_at_but_none_before_the_first():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.OTHER_TIMES)

    assert booking(chat.chooses(Action.WEEK, "2026-12-07")).week_on == date(2026, 12, 7)
    assert booking(chat.chooses(Action.WEEK, "2026-10-05")).week_on == date(2026, 11, 23)


def test_empty_weeks_are_passed_over():
    away = ((datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 12, 14, tzinfo=UTC)),)
    chat = Chat(view=a_view(busy=away)).arrives_at(Stage.PLAN).chooses(Action.OTHER_TIMES)

    assert booking(chat).week_on == date(2026, 12, 14)


def test_a_calendar_without_days_says_so():
    away = ((NOW, NOW + timedelta(days=400)),)
    chat = Chat(view=a_view(busy=away)).arrives_at(Stage.PLAN)

    assert booking(chat).offers == ()
    assert chat.chooses(Action.OTHER_TIMES).notes == ["note.no_days"]


def short_of_time() -> Chat:
    """A calendar that is open for three weeks only: no whole series fits."""
    return Chat(view=replace(a_view(), closes_at=NOW + timedelta(days=21))).arrives_at(Stage.PLAN)


def test_a_calendar_too_short_for_a_series_offers_the_first_session():
    chat = short_of_time()

    assert chat.notes == ["note.only_first_now"]
    assert [len(offer.slots) for offer in booking(chat).offers] == [1, 1, 1]
    assert len(booking(chat.chooses(Action.BOOK, "0")).sessions) == 1


def test_a_picked_time_in_a_short_calendar_is_held_alone():
    chat = short_of_time().chooses(Action.OTHER_TIMES).chooses(Action.DAY, "2026-11-26")

    assert chat.chooses(Action.TIME, "0").state == Stage.CONTACT


def picking(part: str = "") -> Chat:
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.OTHER_TIMES)
    chat.chooses(Action.DAY, "2026-11-26")
    return chat.chooses(Action.PART, part) if part else chat


def test_a_day_shows_its_times_and_its_parts():
    assert booking(picking()).times[0].starts_at == datetime(2026, 11, 26, 9, tzinfo=UTC)
    assert booking(picking("afternoon")).times[0].starts_at.hour == 12


def test_a_part_that_has_no_times_shows_the_whole_day():
    assert len(booking(picking("evening")).times) == len(booking(picking()).times)


def test_a_time_gives_a_series_that_begins_with_it():
    chat = picking().chooses(Action.TIME, "3")

    assert chat.state == Stage.PLAN
    assert [offer.slots[0].starts_at for offer in booking(chat).offers] == [
        datetime(2026, 11, 26, 10, 30, tzinfo=UTC)
    ]


def test_a_time_that_begins_no_series_is_replaced_by_ones_that_do():
    late = ((NOW + timedelta(days=4), NOW + timedelta(days=95)),)
    chat = Chat(view=a_view(busy=late)).arrives_at(Stage.PLAN).chooses(Action.OTHER_TIMES)
    chat.chooses(Action.DAY, "2026-11-26").chooses(Action.TIME, "0")

    assert chat.notes == ["note.no_series_from"]
    assert all(offer.slots[0].starts_at >= late[0][1] for offer in booking(chat).offers)


def test_a_consultation_time_is_held_at_once():
    chat = Chat(view=a_view(minutes=30)).arrives_at(Stage.CONSULT, age="18_21")
    chat.chooses(Action.OTHER_TIMES).chooses(Action.DAY, "2026-11-26").chooses(Action.TIME, "0")

    assert chat.state == Stage.CONTACT
    assert len(booking(chat).sessions) == 1


def test_a_deferred_review_starts_its_search_on_the_recheck_day():
    chat = Chat().arrives_at(Stage.CONSULT, age="18_21", today="sun", sun="burn")

    assert booking(chat).offers[0].slots[0].starts_at.date() >= date(2026, 12, 7)


@pytest.mark.parametrize(
    ("path", "stage"),
    [
        ([Chose(Action.OTHER_TIMES)], Stage.PLAN),
        ([Chose(Action.OTHER_TIMES), Chose(Action.DAY, "2026-11-26")], Stage.PICK_DAY),
        ([Chose(Action.BOOK, "0")], Stage.PLAN),
    ],
)
def test_back_goes_one_booking_screen_back(path, stage):
    chat = Chat().arrives_at(Stage.PLAN)
    for event in path:
        chat.does(event)

    assert chat.does(WentBack()).state == stage


def test_back_from_contact_gives_the_held_times_free():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0").does(WentBack())

    assert isinstance(chat.effects[-1], ReleaseHold)
    assert booking(chat).sessions == ()
    assert len(booking(chat).offers) == 3


def test_a_time_taken_meanwhile_is_repaired_by_the_nearest():
    chat = Chat().arrives_at(Stage.PLAN)
    wanted = booking(chat).offers[0].slots

    chat.is_refused(Chose(Action.BOOK, "0"))
    repaired = booking(chat).offers[0]

    assert chat.notes == ["note.slot_taken_nearest"]
    assert repaired.changed == (0,)
    assert repaired.slots[1:] == wanted[1:]


def test_a_hold_lost_at_the_last_moment_leads_back_to_the_offers():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")

    series = booking(chat).series_id

    chat.is_refused(Chose(Action.REACH_HERE))

    assert chat.state == Stage.PLAN
    assert booking(chat).sessions == ()
    assert chat.effects[-1] == ReleaseHold(series)  # the other sessions may still be held


def test_a_consultation_taken_meanwhile_shows_other_times():
    chat = Chat(view=a_view(minutes=30)).arrives_at(Stage.CONSULT, age="18_21")
    wanted = booking(chat).offers[0]

    chat.is_refused(Chose(Action.BOOK, "0"))

    assert chat.notes == ["note.slot_taken"]
    assert wanted not in booking(chat).offers


def test_a_first_session_taken_meanwhile_shows_other_times():
    chat = Chat().arrives_at(Stage.PLAN).is_refused(Chose(Action.BOOK_FIRST, "0"))

    assert chat.state == Stage.PLAN
    assert chat.notes == ["note.slot_taken"]


def test_a_picked_time_taken_meanwhile_shows_the_rest_of_the_day():
    chat = Chat(view=a_view(minutes=30)).arrives_at(Stage.CONSULT, age="18_21")
    chat.chooses(Action.OTHER_TIMES).chooses(Action.DAY, "2026-11-26")
    wanted = booking(chat).times[0]

    chat.is_refused(Chose(Action.TIME, "0"))

    assert chat.state == Stage.PICK_TIME
    assert wanted not in booking(chat).times


def test_after_a_refusal_the_calendar_is_read_without_the_patients_own_hold():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")
    assert chat.conversation is not None

    look = look_again(chat.conversation, chat.scene)

    assert look.ignore_series == booking(chat).series_id
    assert look.service == "treatment"


@pytest.mark.parametrize(
    ("action", "notes"),
    [
        (Action.PREPARE, ["care.before", "care.day"]),
        (Action.AFTERCARE, ["care.expect", "care.after", "care.call"]),
    ],
)
def test_care_is_said_on_request(action, notes):
    assert booked().chooses(action).notes == notes


def test_the_calendar_file_can_be_had_again():
    chat = booked().chooses(Action.CALENDAR_FILE)

    assert chat.turn is not None
    assert chat.turn.files == ("calendar",)


@pytest.mark.parametrize(
    ("action", "arg"),
    [
        (Action.BOOK, "9"),
        (Action.BOOK, "x"),
        (Action.TIME, "0"),
        (Action.CANCEL_YES, ""),
        (Action.MOVE, "1"),
    ],
)
def test_a_button_of_another_screen_or_of_nothing_is_stale(action, arg):
    chat = Chat().arrives_at(Stage.PLAN).chooses(action, arg)

    assert chat.notes == ["note.stale"]
    assert chat.state == Stage.PLAN


def test_a_forged_part_of_the_day_is_stale():
    assert picking().chooses(Action.PART, "midnight").notes == ["note.stale"]


def test_a_day_outside_the_plan_leads_back_to_the_days():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.OTHER_TIMES)

    chat.chooses(Action.DAY, "2026-11-23")

    assert chat.state == Stage.PICK_DAY
    assert chat.notes == ["note.day_not_possible"]


def test_a_full_day_says_so():
    full = ((datetime(2026, 11, 26, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)),)
    chat = Chat(view=a_view(busy=full)).arrives_at(Stage.PLAN).chooses(Action.OTHER_TIMES)

    chat.chooses(Action.DAY, "2026-11-26")

    assert chat.notes == ["note.day_full"]
    assert chat.state == Stage.PICK_DAY  # the week's other days, not an empty list of times
    assert [on.day for on, _ in booking(chat).days] == [24, 25, 27]


def test_a_typed_time_on_a_full_day_leads_to_the_other_days():
    full = ((datetime(2026, 11, 26, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)),)
    chat = Chat(view=a_view(busy=full)).arrives_at(Stage.PLAN).says("thursday at 10:30")

    assert (chat.state, chat.notes) == (Stage.PICK_DAY, ["note.day_full"])
    assert booking(chat).days


def test_a_calendar_that_nobody_asked_for_changes_nothing():
    chat = Chat().starts().does(CalendarSeen(a_view()))

    assert chat.state == "consent"


@pytest.mark.parametrize("on", ["9999-12-31", "9999-12-25", "0001-01-01"])
@pytest.mark.parametrize("action", [Action.WEEK, Action.DAY])
def test_days_at_the_ends_of_time_lead_to_days_that_can_be_booked(action, on):
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.OTHER_TIMES).chooses(action, on)

    assert chat.state == Stage.PICK_DAY
    assert chat.conversation is not None
    week_on = chat.conversation.booking.week_on
    assert week_on is not None
    assert chat.scene.now.date() <= week_on + timedelta(days=6) <= date(2027, 10, 31)


def test_a_fault_behind_a_button_is_not_taken_for_an_old_button():
    chat = Chat().arrives_at(Stage.PLAN)
    chat.scene = replace(chat.scene, token="no letters, no digits!")

    with pytest.raises(ValueError, match="invalid literal"):
        chat.chooses(Action.BOOK, "0")
