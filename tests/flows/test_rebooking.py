"""Moving and cancelling what is booked."""

from datetime import date, datetime, timedelta
from itertools import pairwise

from flows.conversation import Offer, Stage
from flows.effects import CancelSeries, HandOffLead, LeadKind, MoveAppointment
from flows.events import Action, Chose, SlotWasTaken, WentBack
from flows.slots import local_start
from tests.flows.chat import Chat, a_scene, a_view


def booking(chat: Chat):
    assert chat.conversation is not None
    return chat.conversation.booking


def starts(chat: Chat) -> list[datetime]:
    return [each.slot.starts_at for each in booking(chat).sessions]


def booked(**given: str) -> Chat:
    stage = Stage.CONSULT if given else Stage.PLAN
    chat = Chat().arrives_at(stage, **given)
    return chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)


def days(chat: Chat) -> list[date]:
    return [start.date() for start in starts(chat)]


def moves_day(chat: Chat, number: int, by: int) -> Chat:
    """Ask to move a session by days, and open that day."""
    chat.chooses(Action.CHANGE).chooses(Action.MOVE, str(number))
    on = days(chat)[number - 1] + timedelta(days=by)
    return chat.chooses(Action.WEEK, on.isoformat()).chooses(Action.DAY, on.isoformat())


def moving(number: int, by: int) -> Chat:
    return moves_day(booked(), number, by)


def test_one_session_moves_within_its_gaps_and_keeps_its_uid():
    chat = moving(4, 1)
    uids = [each.uid for each in booking(chat).sessions]

    chat.chooses(Action.TIME, "0")

    assert chat.state == Stage.BOOKED
    assert [each.uid for each in booking(chat).sessions] == uids
    assert [each.sequence for each in booking(chat).sessions] == [0, 0, 0, 1]
    assert isinstance(chat.effects[-1], MoveAppointment)
    gaps = [
        (local_start(b.slot, "Europe/London").date() - local_start(a.slot, "Europe/London").date())
        for a, b in zip(booking(chat).sessions, booking(chat).sessions[1:], strict=False)
    ]
    assert all(28 <= gap.days <= 42 for gap in gaps)


def test_days_too_near_to_the_session_before_are_never_shown():
    chat = booked().chooses(Action.CHANGE).chooses(Action.MOVE, "2")
    first = days(chat)[0]

    for on, _ in booking(chat).days:
        assert 28 <= (on - first).days <= 42


def gaps(chat: Chat) -> list[int]:
    return [(b - a).days for a, b in pairwise(days(chat))]


def test_later_sessions_that_must_follow_are_offered_once_and_move_together():
    chat = moving(2, 7).chooses(Action.TIME, "0")
    before = booking(chat)

    assert chat.state == Stage.MEND
    assert not any(isinstance(effect, MoveAppointment) for effect in chat.effects)
    assert before.mend[0].number == 2

    chat.chooses(Action.MEND)

    moves = [effect for effect in chat.effects if isinstance(effect, MoveAppointment)]
    assert (chat.state, chat.notes) == (Stage.BOOKED, ["note.moved_all"])
    assert {move.uid for move in moves} == {each.uid for each in before.mend}
    assert [move.slot for move in moves] == sorted((m.slot for m in moves), reverse=True)
    assert all(28 <= gap <= 42 for gap in gaps(chat))
    assert booking(chat).mend == ()


def test_sessions_that_come_sooner_make_room_first():
    chat = moving(2, 14).chooses(Action.TIME, "0").chooses(Action.MEND)
    moves_day(chat, 3, 14).chooses(Action.TIME, "0").chooses(Action.MEND)
    chat.effects.clear()

    moves_day(chat, 2, -14).chooses(Action.TIME, "0").chooses(Action.MEND)

    moves = [each.slot for each in chat.effects if isinstance(each, MoveAppointment)]
    assert len(moves) > 1
    assert moves == sorted(moves)


def test_another_day_can_be_chosen_instead():
    chat = moving(2, 7).chooses(Action.TIME, "0")
    before = starts(chat)

    chat.does(WentBack())

    assert (chat.state, starts(chat)) == (Stage.PICK_DAY, before)
    assert booking(chat).moving
    assert chat.does(WentBack()).state == Stage.BOOKED


def test_a_day_that_the_later_sessions_cannot_follow_is_not_shown():
    chat = booked().chooses(Action.CHANGE).chooses(Action.MOVE, "2")
    second, third = starts(chat)[1:3]
    late = (third - timedelta(days=3), third + timedelta(days=60))
    chat.view = a_view(busy=(late,))

    chat.chooses(Action.WEEK, (second + timedelta(days=7)).date().isoformat())

    shown = [on for on, _ in booking(chat).days]
    assert all((third.date() - on).days >= 28 for on in shown)


def test_a_time_that_went_while_the_others_were_looked_for_leads_back_to_the_days():
    chat = moving(2, 7)
    slot = booking(chat).times[0]
    chat.view = a_view(busy=((slot.starts_at, slot.ends_at),))

    chat.chooses(Action.TIME, "0")

    assert (chat.state, chat.notes) == (Stage.PICK_DAY, ["note.slot_taken"])


def test_a_time_that_went_before_the_yes_leads_back_to_the_days():
    chat = moving(2, 7).chooses(Action.TIME, "0")
    slot = booking(chat).mend[0].slot
    view = a_view(busy=((slot.starts_at, slot.ends_at),))

    chat.does(SlotWasTaken(Offer((slot,)), view))

    assert (chat.state, chat.notes) == (Stage.PICK_DAY, ["note.slot_taken"])


def test_moves_that_came_too_late_meanwhile_are_not_made():
    chat = moving(2, 7).chooses(Action.TIME, "0")
    later(chat, starts(chat)[1] - timedelta(hours=1))

    assert chat.chooses(Action.MEND).notes == ["note.too_late"]
    assert chat.state == Stage.BOOKED


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


def test_a_lone_visit_within_the_cut_off_is_not_cancelled():
    chat = booked(age="18_21")
    later(chat, starts(chat)[0] - timedelta(hours=23))

    assert chat.chooses(Action.CANCEL).notes == ["note.too_late"]


def later(chat: Chat, now: datetime) -> Chat:
    chat.scene = a_scene(now=now)
    return chat


def test_a_visit_within_the_cut_off_is_a_matter_for_the_phone():
    chat = booked()
    later(chat, starts(chat)[0] - timedelta(hours=23))

    assert chat.chooses(Action.CANCEL).chooses(Action.CANCEL_ONE, "1").notes == ["note.too_late"]
    chat.chooses(Action.KEEP)
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
    chat = moving(2, 14).chooses(Action.TIME, "0").chooses(Action.MEND)
    later(chat, starts(chat)[1] - timedelta(days=4))

    chat.chooses(Action.CHANGE).chooses(Action.MOVE, "2")

    assert chat.notes == ["note.narrow_window"]


def test_cancelling_frees_everything_and_offers_new_times():
    chat = booked().chooses(Action.CANCEL).says("all").chooses(Action.CANCEL_YES)

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
