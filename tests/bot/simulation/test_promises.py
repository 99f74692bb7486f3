"""Every promise is found broken in a ledger that was made to break it, and in no other."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.simulation.ledger import Act
from tests.bot.simulation.a_year import (
    DECIDED_AT,
    FIRST_AT,
    REFRESHER_AT,
    SECOND_AT,
    Year,
    a_verdict,
    a_visit,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REMINDED_AT = SECOND_AT - 2 * DAY
NOTHING = list[str]()


@pytest.fixture
def year() -> Year:
    return Year().is_offered_the_refresher()


def test_a_good_year_breaks_nothing(year: Year) -> None:
    year.hears("reminder", "visit-2:0", REMINDED_AT, uid="visit-2").hears_news(DECIDED_AT + DAY)
    assert year.breaks() == NOTHING


def test_two_visits_of_one_practitioner_may_not_overlap_with_their_buffers(year: Year) -> None:
    at = FIRST_AT + timedelta(minutes=70)
    year.visits.append(a_visit(1, at, uid="other", chat_id=8, state="booked"))
    assert year.breaks() == ["no time is booked twice"]


def test_nobody_is_in_two_places(year: Year) -> None:
    other = {"uid": "other", "practitioner_id": 2, "service": "consultation"}
    year.visits.append(a_visit(1, FIRST_AT + HOUR / 2, **other))
    assert year.breaks() == ["no time is booked twice"]


def test_a_cancelled_time_may_be_booked_again(year: Year) -> None:
    year.visits.append(a_visit(1, FIRST_AT, uid="other", chat_id=8, state="cancelled"))
    assert year.breaks() == NOTHING


def test_sessions_too_close_are_found(year: Year) -> None:
    year.visits[0] = a_visit(1, SECOND_AT - 27 * DAY)
    assert year.breaks() == ["sessions are as far apart as the plan asks"]


def test_the_gap_is_counted_in_local_days(year: Year) -> None:
    year.visits[0] = a_visit(1, SECOND_AT - 28 * DAY + 5 * HOUR)
    assert year.breaks() == NOTHING


@pytest.mark.parametrize(
    ("at", "is_quiet"),
    [
        (datetime(2027, 2, 20, 21, 0, tzinfo=UTC), True),
        (datetime(2027, 2, 20, 20, 59, tzinfo=UTC), False),
        (datetime(2027, 2, 20, 7, 59, tzinfo=UTC), True),
        (datetime(2027, 7, 20, 7, 0, tzinfo=UTC), False),  # eight o'clock in London's summer
    ],
)
def test_quiet_hours_are_the_clinics(year: Year, at: datetime, is_quiet: bool) -> None:
    year.hears("aftercare", "visit-2:0", at)
    assert year.breaks() == (["no message by itself in quiet hours"] if is_quiet else NOTHING)


def test_two_messages_within_twelve_hours_are_too_many(year: Year) -> None:
    year.hears("reminder", "visit-2:0", REMINDED_AT)
    year.hears("prepare_day", "visit-2:0", REMINDED_AT + 9 * HOUR)
    assert year.breaks() == ["at most one message by itself in 12 hours"]


def test_who_wrote_in_between_may_get_another(year: Year) -> None:
    year.hears("reminder", "visit-2:0", REMINDED_AT).does(REMINDED_AT + HOUR)
    year.hears("prepare_day", "visit-2:0", REMINDED_AT + 9 * HOUR)
    assert year.breaks() == NOTHING


def test_what_staff_send_may_follow_soon(year: Year) -> None:
    year.hears("reminder", "visit-2:0", REMINDED_AT)
    year.hears("prepare_day", "visit-2:0", REMINDED_AT + 9 * HOUR, by_staff=True)
    assert year.breaks() == NOTHING


def test_nothing_may_follow_soon_after_what_staff_sent(year: Year) -> None:
    year.hears("reminder", "visit-2:0", REMINDED_AT, by_staff=True)
    year.hears("prepare_day", "visit-2:0", REMINDED_AT + 9 * HOUR)
    assert year.breaks() == ["at most one message by itself in 12 hours"]


def test_unblocking_is_not_writing(year: Year) -> None:
    year.hears("reminder", "visit-2:0", REMINDED_AT).does(REMINDED_AT + HOUR, Act.UNBLOCKED)
    year.hears("prepare_day", "visit-2:0", REMINDED_AT + 9 * HOUR)
    assert year.breaks() == ["at most one message by itself in 12 hours"]


def test_after_a_stop_nothing_comes(year: Year) -> None:
    year.does(REFRESHER_AT - DAY, Act.STOPPED)
    assert year.breaks() == ["no message after a stop"]


def test_after_a_stop_no_news_comes_either(year: Year) -> None:
    year.does(DECIDED_AT + HOUR, Act.STOPPED).hears_news(DECIDED_AT + DAY)
    year.does(DECIDED_AT + 2 * DAY, Act.RETURNED)
    assert year.breaks() == ["no message after a stop"]


def test_who_came_back_hears_again(year: Year) -> None:
    year.does(FIRST_AT, Act.STOPPED).does(SECOND_AT, Act.RETURNED)
    assert year.breaks() == NOTHING


def test_a_kind_that_was_stopped_comes_no_more(year: Year) -> None:
    year.does(FIRST_AT, stopped_kind="refresher")
    assert year.breaks() == ["no message after a stop"]


def test_after_a_red_flag_nothing_comes_by_itself(year: Year) -> None:
    year.does(REFRESHER_AT - DAY, Act.ALARMED)
    assert year.breaks() == ["no message by itself after a red flag"]


def test_coming_back_ends_no_red_flag(year: Year) -> None:
    year.does(REFRESHER_AT - 2 * DAY, Act.ALARMED).does(REFRESHER_AT - DAY, Act.RETURNED)
    assert year.breaks() == ["no message by itself after a red flag"]


def test_what_was_heard_before_a_red_flag_was_no_fault(year: Year) -> None:
    assert year.does(REFRESHER_AT + HOUR, Act.ALARMED).breaks() == NOTHING


def test_nothing_is_said_about_a_cancelled_visit(year: Year) -> None:
    gone = a_visit(3, SECOND_AT - 20 * DAY, state="cancelled", updated_at=SECOND_AT - 30 * DAY)
    year.visits.append(gone)
    year.hears("reminder", "visit-3:0", SECOND_AT - 22 * DAY, uid="visit-3")
    assert year.breaks() == ["no message about a cancelled visit"]


def test_that_a_visit_was_cancelled_is_told(year: Year) -> None:
    year.visits[0] = a_visit(1, FIRST_AT, state="cancelled", updated_at=DECIDED_AT + HOUR)
    year.visits.append(a_visit(1, FIRST_AT + 2 * HOUR, uid="new"))
    assert year.hears_news(DECIDED_AT + DAY).breaks() == NOTHING


def test_the_same_word_twice_is_found(year: Year) -> None:
    year.hears("aftercare", "visit-1:0", FIRST_AT + 9 * HOUR)
    year.hears("aftercare", "visit-1:0", FIRST_AT + 33 * HOUR)
    assert year.breaks() == ["no message twice"]


def test_staff_may_say_the_same_again(year: Year) -> None:
    year.hears("aftercare", "visit-1:0", FIRST_AT + 9 * HOUR)
    year.hears("aftercare", "visit-1:0", FIRST_AT + 33 * HOUR, by_staff=True)
    assert year.breaks() == NOTHING


def test_what_staff_said_is_not_said_again(year: Year) -> None:
    year.hears("aftercare", "visit-1:0", FIRST_AT + 9 * HOUR, by_staff=True)
    year.hears("aftercare", "visit-1:0", FIRST_AT + 33 * HOUR)
    assert year.breaks() == ["no message twice"]


def test_a_copy_that_the_outbox_does_not_know_of_is_found(year: Year) -> None:
    year.hears("aftercare", "visit-1:0", FIRST_AT + 9 * HOUR, noted=False)
    assert year.breaks() == ["no message twice"]


def test_a_finished_course_without_a_refresher_is_found() -> None:
    assert Year().breaks() == ["one refresher for every finished course"]


def test_two_refreshers_for_one_course_are_found(year: Year) -> None:
    year.hears("refresher", "series:series:again", REFRESHER_AT + 2 * DAY)
    assert year.breaks() == ["one refresher for every finished course"]


def test_a_refresher_too_soon_is_found() -> None:
    year = Year().hears("refresher", "series:series", REFRESHER_AT - DAY)
    assert year.breaks() == ["one refresher for every finished course"]


@pytest.mark.parametrize("act", [Act.BLOCKED, Act.STOPPED, Act.ALARMED])
def test_who_cannot_or_will_not_hear_needs_no_refresher(act: Act) -> None:
    assert Year().does(REFRESHER_AT - DAY, act).breaks() == NOTHING


def test_an_unfinished_course_needs_no_refresher() -> None:
    year = Year()
    year.visits[1] = a_visit(2, SECOND_AT, state="noshow")
    assert year.breaks() == NOTHING


def test_who_has_booked_again_needs_no_refresher() -> None:
    year = Year()
    year.visits.append(a_visit(3, REFRESHER_AT + 30 * DAY, series_id="other", state="booked"))
    assert year.breaks() == NOTHING


@pytest.mark.parametrize("state", ["cancelled", "noshow"])
@pytest.mark.parametrize(("ended_for", "is_needed"), [(DAY, True), (-DAY, False)])
def test_a_later_visit_that_was_not_kept_excuses_no_missing_refresher(
    state: str, ended_for: timedelta, is_needed: bool
) -> None:
    year = Year()
    at, ended_at = SECOND_AT + 60 * DAY, REFRESHER_AT - ended_for
    later = a_visit(1, at, series_id="other", run=2, state=state, updated_at=ended_at)
    year.visits.append(later)
    assert year.breaks() == (["one refresher for every finished course"] if is_needed else [])


def test_a_refresher_of_an_unfinished_course_is_found(year: Year) -> None:
    year.visits[1] = a_visit(2, SECOND_AT, state="noshow")
    assert year.breaks() == ["no refresher of an unfinished course"]


def test_a_refresher_before_the_course_was_finished_is_found() -> None:
    year = Year().hears("refresher", "series:series", SECOND_AT - DAY)
    assert "no refresher of an unfinished course" in year.breaks()


LEADS_ON, MINUTE = "the buttons of what came by itself lead on", timedelta(minutes=1)


@pytest.mark.parametrize("kind", ["missed", "next_session", "refresher"])
def test_a_button_that_is_over_at_once_is_found(year: Year, kind: str) -> None:
    assert year.answers(kind, REMINDED_AT, MINUTE).breaks() == [LEADS_ON]


def test_a_button_that_leads_on_is_as_promised(year: Year) -> None:
    assert year.answers("missed", REMINDED_AT, MINUTE, was_over=False).breaks() == NOTHING


def test_a_button_that_is_over_much_later_may_be(year: Year) -> None:
    assert year.answers("missed", REMINDED_AT, 2 * HOUR).breaks() == NOTHING


def test_what_the_patient_did_in_between_may_have_ended_it(year: Year) -> None:
    year.does(REMINDED_AT + MINUTE).answers("missed", REMINDED_AT, 2 * MINUTE)
    assert year.breaks() == NOTHING


def test_what_the_clinic_did_in_between_may_have_ended_it(year: Year) -> None:
    year.hears_news(REMINDED_AT + MINUTE).answers("missed", REMINDED_AT, 2 * MINUTE)
    assert year.breaks() == NOTHING


ON, ASKED_AT = date(2027, 3, 1), datetime(2027, 3, 1, 10, 0, tzinfo=UTC)
RECHECK = "one re-check on the day for everyone who had to wait"


@pytest.fixture
def waiting() -> Year:
    year = Year()
    year.visits.clear()
    year.verdicts = [a_verdict("deferred", recheck_on=ON)]
    return year


def test_a_re_check_on_its_day_is_as_promised(waiting: Year) -> None:
    assert waiting.hears("recheck", "run:1", ASKED_AT).breaks() == NOTHING


def test_a_re_check_that_never_comes_is_found(waiting: Year) -> None:
    assert waiting.breaks() == [RECHECK]


@pytest.mark.parametrize("late", [-DAY, DAY])
def test_a_re_check_on_another_day_is_found(waiting: Year, late: timedelta) -> None:
    assert set(waiting.hears("recheck", "run:1", ASKED_AT + late).breaks()) == {RECHECK}


def test_a_second_re_check_is_found(waiting: Year) -> None:
    waiting.hears("recheck", "run:1", ASKED_AT).hears("recheck", "run:1b", ASKED_AT + DAY)
    assert waiting.breaks() == [RECHECK]


def test_who_has_to_wait_again_is_asked_again(waiting: Year) -> None:
    waiting.hears("recheck", "run:1", ASKED_AT)
    later = a_verdict("deferred", recheck_on=date(2027, 4, 1), at=ASKED_AT + HOUR)
    waiting.verdicts.append(later)
    assert waiting.breaks() == [RECHECK]
    again_at = datetime(2027, 4, 1, 9, tzinfo=UTC)  # ten o'clock in London
    assert waiting.hears("recheck", "run:1b", again_at).breaks() == NOTHING


def test_an_act_without_an_answer_is_found(year: Year) -> None:
    assert year.does(FIRST_AT, answered=False).breaks() == ["every act is answered"]


def test_a_last_turn_that_was_never_shown_is_found(year: Year) -> None:
    year.unanswered = (7,)
    assert year.breaks() == ["every act is answered"]


def test_a_lost_message_is_found(year: Year) -> None:
    year.hears_news(DECIDED_AT + DAY, state="dead", message_id=None)
    assert year.breaks() == ["no message is lost"]


def test_an_error_in_the_log_is_found(year: Year) -> None:
    year.ledger.errors.append("turn failed (turns.py:7)")
    assert year.breaks() == ["no error"]


def test_an_update_put_aside_is_found(year: Year) -> None:
    year.put_aside = 1
    assert year.breaks() == ["no error"]
