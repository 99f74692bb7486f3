"""Moving and cancelling what is booked."""

from datetime import datetime, timedelta

from flows.conversation import Stage
from flows.effects import CancelSeries, HandOffLead, LeadKind, MoveAppointment
from flows.events import Action, Chose, WentBack
from flows.slots import local_start
from tests.flows.chat import Chat, a_scene


def booking(chat: Chat):
    assert chat.conversation is not None
    return chat.conversation.booking


def starts(chat: Chat) -> list[datetime]:
    return [each.slot.starts_at for each in booking(chat).sessions]


def booked(**given: str) -> Chat:
    stage = Stage.CONSULT if given else Stage.PLAN
    chat = Chat().arrives_at(stage, **given)
    return chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)


def test_one_session_moves_within_its_gaps_and_keeps_its_uid():
    chat = booked().chooses(Action.CHANGE).chooses(Action.MOVE, "2")
    uids = [each.uid for each in booking(chat).sessions]
    days = [on for on, _ in booking(chat).days]

    chat.chooses(Action.DAY, days[-1].isoformat()).chooses(Action.TIME, "0")

    assert chat.state == Stage.BOOKED
    assert [each.uid for each in booking(chat).sessions] == uids
    assert [each.sequence for each in booking(chat).sessions] == [0, 1, 0, 0]
    assert isinstance(chat.effects[-1], MoveAppointment)
    gaps = [
        (local_start(b.slot, "Europe/London").date() - local_start(a.slot, "Europe/London").date())
        for a, b in zip(booking(chat).sessions, booking(chat).sessions[1:], strict=False)
    ]
    assert all(28 <= gap.days <= 42 for gap in gaps)


def test_days_that_would_break_a_gap_are_not_shown():
    chat = booked().chooses(Action.CHANGE).chooses(Action.MOVE, "2")
    first, third = starts(chat)[0].date(), starts(chat)[2].date()

    for on, _ in booking(chat).days:
        assert 28 <= (on - first).days <= 42
        assert 28 <= (third - on).days <= 42


def test_times_of_a_move_can_be_narrowed_to_a_part_of_the_day():
    chat = booked().chooses(Action.CHANGE).chooses(Action.MOVE, "4")
    chat.chooses(Action.DAY, booking(chat).days[-1][0].isoformat())
    chat.chooses(Action.PART, "afternoon")

    hours = {local_start(slot, "Europe/London").hour for slot in booking(chat).times}
    assert hours <= set(range(12, 17))


def test_a_moved_time_taken_meanwhile_shows_the_rest_of_that_day():
    chat = booked().chooses(Action.CHANGE).chooses(Action.MOVE, "4")
    chat.chooses(Action.DAY, booking(chat).days[0][0].isoformat())

    chat.is_refused(Chose(Action.TIME, "0"))

    assert chat.state == Stage.PICK_TIME
    assert chat.notes == ["note.slot_taken"]


def test_a_single_visit_moves_without_asking_which():
    chat = booked(age="18_21").chooses(Action.CHANGE)

    assert chat.state == Stage.PICK_DAY
    assert chat.does(WentBack()).state == Stage.BOOKED


def test_keep_leaves_the_visits_as_they_are():
    assert booked().chooses(Action.CHANGE).chooses(Action.KEEP).state == Stage.BOOKED
    assert booked().chooses(Action.CANCEL).chooses(Action.KEEP).state == Stage.BOOKED


def later(chat: Chat, now: datetime) -> Chat:
    chat.scene = a_scene(now=now)
    return chat


def test_a_visit_within_the_cut_off_is_a_matter_for_the_phone():
    chat = booked()
    later(chat, starts(chat)[0] - timedelta(hours=23))

    assert chat.chooses(Action.CANCEL).notes == ["note.too_late"]
    assert chat.chooses(Action.CHANGE).chooses(Action.MOVE, "1").notes == ["note.too_late"]


def test_a_visit_at_the_cut_off_can_still_be_changed():
    chat = booked()
    later(chat, starts(chat)[0] - timedelta(hours=24))

    assert chat.chooses(Action.CANCEL).state == Stage.CANCEL


def test_past_visits_cannot_be_moved():
    chat = booked()
    later(chat, starts(chat)[-1] + timedelta(hours=1))

    assert chat.chooses(Action.CHANGE).notes == ["note.nothing_to_move"]


def test_a_visit_that_came_too_close_meanwhile_stays_as_it_is():
    chat = booked().chooses(Action.CANCEL)
    later(chat, starts(chat)[0] - timedelta(hours=23))

    assert chat.chooses(Action.CANCEL_YES).notes == ["note.too_late"]
    assert chat.state == Stage.BOOKED


def test_a_move_that_came_too_late_meanwhile_is_not_made():
    chat = booked().chooses(Action.CHANGE).chooses(Action.MOVE, "1")
    chat.chooses(Action.DAY, booking(chat).days[-1][0].isoformat())
    later(chat, starts(chat)[0] - timedelta(hours=1))

    assert chat.chooses(Action.TIME, "0").notes == ["note.too_late"]
    assert chat.state == Stage.BOOKED
    assert not any(isinstance(effect, MoveAppointment) for effect in chat.effects)


def test_visits_that_are_over_can_be_followed_by_a_new_run():
    chat = booked(age="18_21")
    later(chat, starts(chat)[0] + timedelta(hours=1))

    assert chat.chooses(Action.CANCEL).notes == ["note.visit_over"]
    assert chat.starts().chooses(Action.START_OVER).state == "consent"


def test_every_day_that_a_move_shows_has_times_when_it_is_opened():
    chat = booked().chooses(Action.CHANGE).chooses(Action.MOVE, "4")

    for on, count in booking(chat).days:
        opened = Chat(chat.scene, chat.view, chat.conversation).chooses(Action.DAY, on.isoformat())
        assert len(booking(opened).times) == count


def test_a_narrow_window_is_explained():
    assert booked().chooses(Action.CHANGE).chooses(Action.MOVE, "2").notes == ["note.narrow_window"]


def test_cancelling_frees_everything_and_offers_new_times():
    chat = booked().chooses(Action.CANCEL).chooses(Action.CANCEL_YES)

    assert chat.state == Stage.PLAN
    assert booking(chat).sessions == ()
    assert len(booking(chat).offers) == 3
    assert any(isinstance(effect, CancelSeries) for effect in chat.effects)


def test_a_cancelled_consultation_is_a_lead_for_review_again():
    chat = booked(age="18_21").chooses(Action.CANCEL).chooses(Action.CANCEL_YES)
    leads = [effect.kind for effect in chat.effects if isinstance(effect, HandOffLead)]

    assert chat.state == Stage.CONSULT
    assert leads[-1] is LeadKind.REVIEW


def test_there_is_nothing_to_go_back_to_from_booked_visits():
    assert booked().does(WentBack()).notes == ["note.nothing_back"]
