"""Booking: offers, picking a day and time, holding, confirming, moving and cancelling.

The calendar comes in as a value (`CalendarSeen`); what is chosen goes out as effects. The
database has the last word: when another patient was faster, `taken` offers what is nearest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from flows import series, slots
from flows.clinics import BookingMode
from flows.conversation import BookedSession, Booking, Offer, Stage
from flows.effects import (
    CancelSeries,
    ConfirmSeries,
    Effect,
    HandOffLead,
    HoldSeries,
    LeadKind,
    MoveAppointment,
    ReleaseHold,
)
from flows.eligibility import score
from flows.events import SlotWasTaken
from flows.plan import Plan
from flows.position import Position
from flows.slots import CalendarView, Slot
from flows.turn import Look, Turn

_CONSULT_FOR = timedelta(days=60)  # how far ahead consultations are offered
_SERIES_FOR = timedelta(days=300)  # six sessions at the widest spacing, and some weeks to start
_WEEKS_AHEAD = 8  # empty weeks to pass over when looking for a free day
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that looks like another one
_CODE_LENGTH = 6


def home(here: Position) -> Stage:
    """Return the screen that booking starts from."""
    return Stage.CONSULT if here.booking.service == "consultation" else Stage.PLAN


def earliest(here: Position) -> date:
    """Return the first local day on which an appointment may be."""
    if here.booking.service == "consultation":
        return max(here.today, here.verdict().recheck_on or here.today)
    plan = here.plan()
    return max(here.today, plan.starts_on if plan else here.today)


def look_for_times(here: Position) -> Turn:
    """Ask for the calendar from the earliest day on."""
    return Turn(here.conversation, look=look(here))


def look(here: Position) -> Look:
    """Return what to read of the calendar; the patient's own hold does not stand in their way."""
    first = earliest(here)
    reach = _CONSULT_FOR if here.booking.service == "consultation" else _SERIES_FOR
    return Look(
        here.clinic.slug,
        here.booking.service,
        first,
        first + reach,
        ignore_series=here.booking.series_id if here.booking.hold_until else "",
        ignore_uid=here.booking.moving or "",
    )


def calendar_seen(here: Position, view: CalendarView) -> Turn:
    """Fill the screen that asked for the calendar."""
    match here.conversation.state:
        case Stage.PLAN | Stage.CONSULT:
            return _show_offers(here, view)
        case Stage.PICK_DAY:
            return _show_days(here, view)
        case Stage.PICK_TIME:
            return _show_times(here, view)
        case _:
            return Turn(here.conversation)


def book(here: Position, offer: Offer) -> Turn:
    """Hold every time of an offer; at an instant clinic book it at once."""
    token = here.scene.token.lower()
    sessions = tuple(
        BookedSession(f"{token[:16]}-{number}@resurface", slot, number)
        for number, slot in enumerate(offer.slots, start=1)
    )
    until = here.scene.now + here.clinic.hold_for
    here = here.with_booking(
        series_id=token[:16], code=_code(token), sessions=sessions, hold_until=until
    )
    if here.clinic.booking_mode is BookingMode.INSTANT:
        return confirm(here)
    hold = HoldSeries(here.booking.series_id, here.booking.service, sessions, until)
    return Turn(here.go("hold", Stage.CONTACT).conversation, effects=(hold,))


def confirm(here: Position) -> Turn:
    """Turn what is held into appointments and tell the clinic."""
    booking = here.booking
    pending = here.clinic.booking_mode is BookingMode.REQUEST
    effects: tuple[Effect, ...] = (
        ConfirmSeries(booking.series_id, booking.code, booking.service, booking.sessions, pending),
        HandOffLead(LeadKind.BOOKED, _readiness(here)),
    )
    there = here.go("book", Stage.BOOKED).with_booking(
        pending=pending, hold_until=None, offers=(), times=(), days=(), first=None
    )
    return Turn(there.conversation, effects=effects, files=("calendar",))


def other_times(here: Position) -> Turn:
    """Show the first week that has a free day."""
    if not here.booking.service:  # a consultation that nobody can date yet
        return Turn(here.conversation, notes=(here.note("note.no_days"),))
    there = here.go("other_times", Stage.PICK_DAY)
    return look_for_times(there.with_booking(week_on=None, first=None))


def show_week(here: Position, week_on: date) -> Turn:
    """Show the free days of another week, never before the earliest day."""
    return look_for_times(here.with_booking(week_on=max(week_on, _monday(_window(here)[0]))))


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
        return _move(here, slot)
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
            there = here.go("back", home(here)).with_booking(
                series_id="", code="", sessions=(), hold_until=None
            )
            return Turn(there.conversation, effects=(freed,))
        case _:
            return Turn(here.go("back", Stage.BOOKED).conversation)


def ask_move(here: Position, number: int | None = None) -> Turn:
    """Ask which appointment to move, or go on when there is only one or it was named."""
    movable = [s for s in here.booking.sessions if s.slot.starts_at > here.scene.now]
    if number is None and len(movable) > 1:
        return Turn(here.go("change", Stage.CHANGE).conversation)
    named = [s for s in movable if number in (None, s.number)]
    if not named:
        return Turn(here.conversation, notes=(here.note("note.nothing_to_move"),))
    if _too_late(here, named[0].slot.starts_at):
        return Turn(here.conversation, notes=(here.note("note.too_late"),))
    there = here.go("move", Stage.PICK_DAY).with_booking(moving=named[0].uid, week_on=None)
    return look_for_times(there)


def ask_cancel(here: Position) -> Turn:
    """Ask for a yes before anything is cancelled."""
    ahead = [s.slot.starts_at for s in here.booking.sessions if s.slot.starts_at > here.scene.now]
    if not ahead or _too_late(here, min(ahead)):
        return Turn(here.conversation, notes=(here.note("note.too_late"),))
    return Turn(here.go("cancel", Stage.CANCEL).conversation)


def cancel(here: Position) -> Turn:
    """Cancel every appointment that has not begun and offer new times, after a red flag none."""
    if here.conversation.red_flag:
        gone = CancelSeries(here.booking.series_id)
        there = here.go("jump", Stage.URGENT, booking=Booking())
        return Turn(there.conversation, effects=(gone,))
    kind = LeadKind.REVIEW if home(here) is Stage.CONSULT else LeadKind.ELIGIBLE
    effects = (CancelSeries(here.booking.series_id), HandOffLead(kind, _readiness(here)))
    there = here.go("cancelled", home(here)).with_(
        booking=Booking(service=here.booking.service), decided_on=here.today
    )
    looking = look_for_times(there)
    return replace(looking, effects=effects, notes=(here.note("note.cancelled"),))


def taken(here: Position, event: SlotWasTaken) -> Turn:
    """Another patient was faster: offer what is nearest to the times that were wanted."""
    if here.conversation.state == Stage.CONTACT:
        here = here.go("taken", home(here)).with_booking(
            series_id="", code="", sessions=(), hold_until=None
        )
    elif here.conversation.state == Stage.PICK_TIME and here.booking.day_on:
        turn = _show_times(here.with_booking(wish_at=None), event.view)
        return replace(turn, notes=(here.note("note.slot_taken"), *turn.notes))
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
    first, last = _window(here)
    week_on = here.booking.week_on or _monday(first)
    for _ in range(_WEEKS_AHEAD):
        found = slots.free_days(view, week_on, 7)
        days = tuple((on, n) for on, n in found if n and _allowed(here, on, first, last))
        if days or week_on + timedelta(days=7) > last:
            break
        week_on += timedelta(days=7)
    notes = () if days else (here.note("note.no_days"),)
    return Turn(here.with_booking(days=days, week_on=week_on).conversation, notes=notes)


def _show_times(here: Position, view: CalendarView) -> Turn:
    on, part = here.booking.day_on, here.booking.part
    if on is None or not _allowed(here, on, *_window(here)):
        there = here.go("back", Stage.PICK_DAY).with_booking(day_on=None, week_on=None)
        turn = _show_days(there, view)
        return replace(turn, notes=(here.note("note.day_not_possible"), *turn.notes))
    times = _times(here, view, on, part)
    if not times and part:
        times, part = _times(here, view, on, ""), ""
    wished = _at(times, here.booking.wish_at, here.clinic.zone)
    there = here.with_booking(times=times, part=part, wish_at=None)
    if wished is not None:
        return pick(there, wished)
    notes = []
    if here.booking.wish_at:
        notes.append(here.note("note.not_free_at"))
    elif not times:
        notes.append(here.note("note.day_full"))
    return Turn(there.conversation, notes=tuple(notes))


def _times(here: Position, view: CalendarView, on: date, part: str) -> tuple[Slot, ...]:
    moving = _moving(here)
    if moving is None:
        return slots.free_on(view, on, part)
    found = series.move_options(
        view, here.booking.sessions, moving.number, here.protocol.spacing, on
    )
    return tuple(slot for slot in found if not part or _part(slot, view) == part)


def _part(slot: Slot, view: CalendarView) -> str:
    clock = slots.local_start(slot, view.zone)
    return slots.part_of(clock.hour * 3600 + clock.minute * 60)


def _at(times: tuple[Slot, ...], at: time | None, zone: str) -> Slot | None:
    for slot in times:
        if at is not None and slots.local_start(slot, zone).time() == at:
            return slot
    return None


def _window(here: Position) -> tuple[date, date]:
    """Return the local days, inclusive, that the patient may pick from."""
    first = earliest(here)
    last = first + (_CONSULT_FOR if here.booking.service == "consultation" else _SERIES_FOR)
    moving = _moving(here)
    if moving is None:
        return first, last
    opens, closes = series.window_for(
        here.booking.sessions, moving.number, here.protocol.spacing, here.clinic.zone
    )
    return max(opens, here.today), min(closes, last)


def _allowed(here: Position, on: date, first: date, last: date) -> bool:
    plan = here.plan()
    if not first <= on <= last:
        return False
    if here.booking.service == "consultation" or plan is None:
        return True
    return series.allowed(plan, on)


def _move(here: Position, slot: Slot) -> Turn:
    uid = here.booking.moving or ""
    sessions = tuple(
        replace(each, slot=slot, sequence=each.sequence + 1) if each.uid == uid else each
        for each in here.booking.sessions
    )
    there = here.go("moved", Stage.BOOKED).with_booking(
        sessions=sessions, moving=None, times=(), days=(), day_on=None
    )
    return Turn(
        there.conversation,
        effects=(MoveAppointment(uid, slot),),
        notes=(here.note("note.moved"),),
        files=("calendar",),
    )


def _moving(here: Position) -> BookedSession | None:
    for each in here.booking.sessions:
        if each.uid == here.booking.moving:
            return each
    return None


def _too_late(here: Position, starts_at: datetime) -> bool:
    return starts_at - here.scene.now < here.clinic.cancel_cutoff


def _readiness(here: Position) -> int | None:
    readiness = score(here.protocol, here.answers)
    return readiness.total if readiness.usable else None


def _monday(on: date) -> date:
    return on - timedelta(days=on.weekday())


def _code(token: str) -> str:
    """Return a booking code that can be said on the phone, from the turn's token."""
    number = int(token, 36)
    letters = []
    for _ in range(_CODE_LENGTH):
        number, index = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[index])
    return "".join(letters)
