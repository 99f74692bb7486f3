"""Booking: offers, picking a day and time, holding and confirming.

The calendar comes in as a value (`CalendarSeen`); what is chosen goes out as effects. The
database has the last word: when another patient was faster, `taken` offers what is nearest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

from flows import rebooking, series, slots
from flows.clinics import BookingMode
from flows.conversation import BookedSession, Offer, Stage, treating
from flows.effects import ConfirmSeries, Effect, HandOffLead, HoldSeries, LeadKind, ReleaseHold
from flows.events import SlotWasTaken
from flows.looking import bookable_days, earliest, home, look_for_times, moving
from flows.plan import Plan
from flows.position import Position
from flows.slots import CalendarView, Slot
from flows.turn import Turn

#: Screens on which times are chosen; elsewhere a time that is gone was offered by a message.
_TAKES_TIMES = frozenset({Stage.PLAN, Stage.CONSULT, Stage.PICK_TIME, Stage.CONTACT, Stage.MEND})
_WEEKS_AHEAD = 8  # empty weeks to pass over when looking for a free day
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that looks like another one
_CODE_LENGTH = 6


def calendar_seen(here: Position, view: CalendarView) -> Turn:
    """Fill the screen that asked for the calendar."""
    match here.conversation.state:
        case Stage.PLAN | Stage.CONSULT:
            return _show_offers(here, view)
        case Stage.PICK_DAY:
            return _show_days(here, view)
        case Stage.PICK_TIME:
            return _show_times(here, view)
        case Stage.MEND:
            return rebooking.calendar_seen(here, view)
        case _:
            return Turn(here.conversation)


def book(here: Position, offer: Offer) -> Turn:
    """Hold every time of an offer; at an instant clinic book it at once."""
    token, booking = here.scene.token.lower(), here.booking
    before = max((each.number for each in treating(booking.done)), default=0)
    sessions = sessions_of(offer, token, before)
    until = here.scene.now + here.clinic.hold_for
    here = here.with_booking(
        series_id=booking.series_id if booking.done else token[:16],
        code=booking.code if booking.done else booking_code(token),
        sessions=sessions,
        hold_until=until,
    )
    if here.clinic.booking_mode is BookingMode.INSTANT:
        return confirm(here)
    hold = HoldSeries(here.booking.series_id, here.booking.service, sessions, until)
    return Turn(here.go("hold", Stage.CONTACT).conversation, effects=(hold,))


def sessions_of(offer: Offer, token: str, before: int) -> tuple[BookedSession, ...]:
    """Return an offer's times as the sessions that follow number `before`, each with its UID.

    `token` is fresh, random and lower case.
    """
    return tuple(
        BookedSession(f"{token[:16]}-{number}@resurface", slot, number)
        for number, slot in enumerate(offer.slots, start=before + 1)
    )


def confirm(here: Position) -> Turn:
    """Turn what is held into appointments and tell the clinic."""
    booking = here.booking
    pending = here.clinic.booking_mode is BookingMode.REQUEST
    effects: tuple[Effect, ...] = (
        ConfirmSeries(booking.series_id, booking.code, booking.service, booking.sessions, pending),
        HandOffLead(LeadKind.BOOKED, here.readiness()),
    )
    there = here.go("book", Stage.BOOKED).with_booking(
        sessions=(*booking.done, *booking.sessions),
        done=(),
        pending=pending,
        hold_until=None,
        offers=(),
        times=(),
        days=(),
        day_on=None,
        first=None,
        just_booked=True,
    )
    return Turn(there.conversation, effects=effects, files=("calendar",))


def _let_go(here: Position, trigger: str) -> Position:
    """Leave the contact screen without the held times; a course that goes on keeps its name."""
    there = here.go(trigger, home(here)).with_booking(sessions=(), hold_until=None)
    return there if here.booking.done else there.with_booking(series_id="", code="")


def other_times(here: Position) -> Turn:
    """Show the first week that has a free day."""
    if not here.booking.service:  # a consultation that nobody can date yet
        return Turn(here.conversation, notes=(here.note("note.no_days"),))
    there = here.go("other_times", Stage.PICK_DAY)
    return look_for_times(there.with_booking(week_on=None, first=None))


def show_week(here: Position, week_on: date) -> Turn:
    """Show the free days of another week, neither before the earliest day nor after the last."""
    first, last = (_monday(day) for day in bookable_days(here))
    return look_for_times(here.with_booking(week_on=max(first, min(week_on, last))))


def show_day(here: Position, on: date, part: str = "", at: time | None = None) -> Turn:
    """Show the free times of a day, or take the typed time `at` when it is free."""
    if not here.booking.service:
        return Turn(here.conversation, notes=(here.note("note.no_days"),))
    if here.conversation.state in (Stage.PLAN, Stage.CONSULT):
        here = here.go("other_times", Stage.PICK_DAY)
    if here.conversation.state == Stage.PICK_DAY:
        here = here.go("day", Stage.PICK_TIME)
    return look_for_times(here.with_booking(day_on=on, part=part, wish_at=at, times=()))


def pick(here: Position, slot: Slot) -> Turn:
    """Take one time: move to it, hold it, or look for a series that begins with it."""
    if here.booking.moving:
        return rebooking.move(here, slot)
    if here.booking.service == "consultation" or here.booking.only_first:
        return book(here, Offer((slot,)))
    there = here.go("time", Stage.PLAN).with_booking(first=slot, times=())
    return look_for_times(there)


def back(here: Position) -> Turn:
    """Go back one booking screen, giving held times free."""
    match here.conversation.state:
        case Stage.PICK_TIME:
            there = here.go("back", Stage.PICK_DAY).with_booking(day_on=None, times=(), part="")
            return look_for_times(there)
        case Stage.PICK_DAY:
            dest = Stage.BOOKED if here.booking.moving else home(here)
            return Turn(here.go("back", dest).with_booking(moving=None, days=()).conversation)
        case Stage.CONTACT:
            freed = ReleaseHold(here.booking.series_id)
            return Turn(_let_go(here, "back").conversation, effects=(freed,))
        case Stage.MEND:
            return rebooking.leave(here)
        case _:
            return Turn(here.go("back", Stage.BOOKED).conversation)


def taken(here: Position, event: SlotWasTaken) -> Turn:
    """Another patient was faster, or the clinic closed: offer what is nearest."""
    state = here.conversation.state
    if event.was_offered or state not in _TAKES_TIMES:
        return Turn(here.conversation, notes=(here.note("note.offer_gone"),))
    if state == Stage.MEND:
        turn = rebooking.calendar_seen(here, event.view)
        return replace(turn, notes=(here.note("note.slot_taken"),))
    if state == Stage.PICK_TIME and here.booking.day_on:
        turn = _show_times(here.with_booking(wish_at=None), event.view)
        return replace(turn, notes=(here.note("note.slot_taken"), *turn.notes))
    if state == Stage.CONTACT:  # the others of the series may still be held
        freed = ReleaseHold(here.booking.series_id)
        return replace(_show_nearest(_let_go(here, "taken"), event), effects=(freed,))
    return _show_nearest(here, event)


def _show_nearest(here: Position, event: SlotWasTaken) -> Turn:
    turn = _show_offers(here, event.view)
    repaired = _repair(here, event)
    if repaired is None:
        return replace(turn, notes=(here.note("note.slot_taken"),))
    others = [o for o in turn.conversation.booking.offers if o.slots != repaired.slots]
    there = here.with_booking(offers=(repaired, *others[:2]), first=None)
    return Turn(there.conversation, notes=(here.note("note.slot_taken_nearest"),))


def _repair(here: Position, event: SlotWasTaken) -> Offer | None:
    plan = here.plan()
    if here.booking.service == "consultation" or plan is None:
        return None
    if len(event.offer.slots) != plan.sessions:
        return None
    return series.repair(event.view, plan, event.offer)


def _show_offers(here: Position, view: CalendarView) -> Turn:
    plan = here.plan()
    if here.booking.service == "consultation" or plan is None:
        offers = series.single_offers(view, earliest(here))
        return Turn(here.with_booking(offers=offers).conversation)
    if here.booking.first:
        chosen = series.from_first(view, plan, here.booking.first)
        if chosen is not None:
            return Turn(here.with_booking(offers=(chosen,), only_first=False).conversation)
    return _series_or_first(here, view, plan)


def _series_or_first(here: Position, view: CalendarView, plan: Plan) -> Turn:
    """Offer whole series; where the calendar has room for none, the first session alone."""
    offers = series.offers(view, plan)
    only_first = not offers
    if only_first:
        offers = series.first_only(view, plan)
    notes = []
    if only_first and offers:
        notes.append(here.note("note.only_first_now"))
    elif here.booking.first:
        notes.append(here.note("note.no_series_from"))
    there = here.with_booking(offers=offers, first=None, only_first=only_first)
    return Turn(there.conversation, notes=tuple(notes))


def _show_days(here: Position, view: CalendarView) -> Turn:
    """Show a week's free days; empty weeks are passed over in the direction of time."""
    first, last = bookable_days(here)
    week_on = here.booking.week_on or _monday(first)
    for _ in range(_WEEKS_AHEAD):
        week = (week_on + timedelta(days=day) for day in range(7))
        found = (
            (on, len(_times(here, view, on, ""))) for on in week if _allowed(here, on, first, last)
        )
        days = tuple((on, count) for on, count in found if count)
        if days or week_on + timedelta(days=7) > last:
            break
        week_on += timedelta(days=7)
    notes = () if days else (here.note("note.no_days"),)
    return Turn(here.with_booking(days=days, week_on=week_on).conversation, notes=notes)


def _show_times(here: Position, view: CalendarView) -> Turn:
    on, part = here.booking.day_on, here.booking.part
    if on is None or not _allowed(here, on, *bookable_days(here)):
        there = here.go("back", Stage.PICK_DAY).with_booking(day_on=None, week_on=None)
        turn = _show_days(there, view)
        return replace(turn, notes=(here.note("note.day_not_possible"), *turn.notes))
    times = _times(here, view, on, part)
    if not times and part:
        times, part = _times(here, view, on, ""), ""
    if not times:
        there = here.go("back", Stage.PICK_DAY).with_booking(
            day_on=None, part="", wish_at=None, times=(), week_on=_monday(on)
        )
        turn = _show_days(there, view)
        return replace(turn, notes=(here.note("note.day_full", day=on),))
    wished = _at(times, here.booking.wish_at, here.clinic.zone)
    there = here.with_booking(times=times, part=part, wish_at=None)
    if wished is not None:
        return pick(there, wished)
    notes = (here.note("note.not_free_at"),) if here.booking.wish_at else ()
    return Turn(there.conversation, notes=notes)


def _times(here: Position, view: CalendarView, on: date, part: str) -> tuple[Slot, ...]:
    """Return the free times of a day, for one visit that is being moved or for a new one."""
    moved = moving(here)
    if moved is None:
        return slots.free_on(view, on, part)
    found = rebooking.times(here, view, moved, on)
    return tuple(slot for slot in found if not part or _part(slot, view) == part)


def _part(slot: Slot, view: CalendarView) -> str:
    clock = slots.local_start(slot, view.zone)
    return slots.part_of(clock.hour * 3600 + clock.minute * 60)


def _at(times: tuple[Slot, ...], at: time | None, zone: str) -> Slot | None:
    for slot in times:
        if at is not None and slots.local_start(slot, zone).time() == at:
            return slot
    return None


def _allowed(here: Position, on: date, first: date, last: date) -> bool:
    plan = here.plan()
    if not first <= on <= last:
        return False
    if here.booking.service == "consultation" or plan is None:
        return True
    return series.allowed(plan, on)


def _monday(on: date) -> date:
    return on - timedelta(days=on.weekday())


def booking_code(token: str) -> str:
    """Return a booking code that can be said on the phone, from random hexadecimal digits."""
    number = int(token, 36)
    letters = []
    for _ in range(_CODE_LENGTH):
        number, index = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[index])
    return "".join(letters)
