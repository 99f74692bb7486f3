"""Every screen behind the questions, with every button and the words that do as much.

From each kind of finished run the real dialogue is driven over all screens of one booking
mode. Whoever goes back and changes answers takes along what was left of the booking; so each
left-over is laid beside each other kind of run, whatever the edit in between.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from flows import cancelling, slots
from flows.conversation import BookedSession, Booking, Conversation, Offer, Stage
from flows.effects import ConfirmSeries, HandOffLead, HoldSeries, LeadKind, MoveAppointment
from flows.events import (
    Action,
    AskedToStartOver,
    Chose,
    Edited,
    Event,
    Repeated,
    SharedContact,
    Skipped,
    SlotWasTaken,
    Started,
    Stopped,
    Typed,
    WentBack,
)
from flows.plan import Plan, propose
from flows.proof_model import PLAN_FACTS, Standing
from flows.proof_questions import booked_by, check_near
from flows.proof_results import RATING
from flows.proof_walk import Walk, path
from flows.proof_world import Claim, Ledger, Refuted, Told, World, must
from flows.protocol import Outcome
from flows.turn import Turn

_OFFERING = frozenset({Stage.PLAN, Stage.PICK_DAY, Stage.PICK_TIME, Stage.CONTACT})
_BOOKED = frozenset(
    {Stage.BOOKED, Stage.CHANGE, Stage.MEND, Stage.CANCEL, Stage.STOPPED, Stage.URGENT}
)
_TOLD_EVERY = 100


class _Screen(NamedTuple):
    """Screens that look alike: what the answers mean, where, and what of a booking there is."""

    answers: tuple[object, ...]
    state: str
    overlay: str | None
    flagged: bool
    booking: tuple[object, ...]


def check_screens(world: World, ledger: Ledger, walked: Walk, told: Told) -> int:
    """Drive every screen from every kind of run; return how many kinds of screens there are."""
    runs = {_meaning(world, each.after): each.after for each in walked.ends(world)}
    seen: set[_Screen] = set()
    left: set[tuple[object, ...]] = set()
    queue = deque([*runs.values(), *_flagged(world, ledger, walked)])
    while queue:
        conversation = queue.popleft()
        screen = _screen(world, conversation)
        if screen in seen:
            continue
        seen.add(screen)
        if not len(seen) % _TOLD_EVERY:
            told(f"screens, {world.clinic.booking_mode} mode", len(seen), len(seen) + len(queue))
        if conversation.state in world.model.place and not conversation.overlay:
            if screen.booking not in left:  # a question: what was booked goes beside all runs
                left.add(screen.booking)
                queue += [replace(run, booking=conversation.booking) for run in runs.values()]
            continue
        queue += _drive(world, ledger, conversation)
    return len(seen)


def _drive(world: World, ledger: Ledger, conversation: Conversation) -> Iterator[Conversation]:
    """Try every event on one screen and yield where they lead."""
    where = f"{path(conversation)}, at {conversation.state}"
    with ledger.case(Claim.NEAR, where):
        check_near(world, conversation)
    for event in _events(world, conversation):
        named = f"{where}, {_named(event)}"
        with ledger.case(Claim.BOOKED, named):
            turn = world.does(conversation, event)
            _lawful(world, conversation, turn)
            with ledger.case(Claim.FLAGGED, named):
                _ended(world, turn.conversation)
            yield turn.conversation


def _events(world: World, conversation: Conversation) -> Iterator[Event]:
    """Yield all that a patient can do at a screen, possible there or not."""
    booking = conversation.booking
    for action in Action:
        yield from (Chose(action, arg) for arg in _args(action, booking))
    yield from (Started(), Stopped(), WentBack(), Skipped(), Repeated(), AskedToStartOver())
    yield from (SharedContact("+440000000000"), RATING)
    yield from (Edited(name) for name in [*conversation.answers][-1:])
    if conversation.state in (*_OFFERING, Stage.CONSULT):
        yield Typed(f"{world.today + timedelta(days=30):%d %B %Y}")
        yield from (SlotWasTaken(offer, world.view) for offer in booking.offers[:1])
    if booking.sessions:
        held = Offer(tuple(session.slot for session in booking.sessions))
        yield SlotWasTaken(held, world.view)
    yield from (Typed(words) for words in [*flag_words(world).values()][:1])


def flag_words(world: World) -> dict[str, str]:
    """Return for each red flag words that raise it."""
    catalogue = next(iter(world.scene.catalogues.values()))
    words = {}
    for flag in world.protocol.red_flags:
        said: list[str] = []
        while group := catalogue.words(f"red_flag.{flag.id}.{len(said) + 1}"):
            said.append(group[0])
        words[flag.id] = " ".join(said)
    return words


def _args(action: Action, booking: Booking) -> tuple[str, ...]:
    match action:
        case Action.CLINIC:
            return ("clinic",)
        case Action.BOOK | Action.BOOK_FIRST | Action.TIME:
            return ("0",)
        case Action.WEEK:
            return (booking.week_on.isoformat(),) if booking.week_on else ()
        case Action.DAY:
            days = booking.days[:1] + (booking.days[-1:] if booking.moving else ())
            return tuple(on.isoformat() for on, _ in days)
        case Action.PART:
            return ("morning",)
        case Action.MOVE | Action.CANCEL_ONE:
            return tuple(str(session.number) for session in booking.sessions[:2])
        case _:
            return ("",)


def _named(event: Event) -> str:
    if isinstance(event, Chose):
        return f"{event.action} {event.arg}".strip()
    return "typed words" if isinstance(event, Typed) else type(event).__name__


def _lawful(world: World, before: Conversation, turn: Turn) -> None:
    """Refute a turn that books, or shows for booking, what the verdict does not allow."""
    after = turn.conversation
    standing = world.model.judge(after.answers)
    allowed = None if after.red_flag else standing.service
    for effect in turn.effects:
        if isinstance(effect, HoldSeries | ConfirmSeries):
            must(effect.service == allowed, f"books {effect.service!r}, allowed is {allowed!r}")
            _timely(world, before, standing, effect.sessions)
        if isinstance(effect, MoveAppointment):
            must(before.booking.sessions, "moves what is not booked")
            gaps, least = (
                _gaps(_days(world, after.booking.sessions)),
                world.protocol.spacing.min_days,
            )
            must(all(gap >= least for gap in gaps), f"moved to gaps of {gaps} days")
    if after.state in _OFFERING and not after.booking.moving:
        service = after.booking.service
        must(service == allowed, f"{after.state} offers {service!r}, allowed is {allowed!r}")
    if after.state == Stage.PLAN:
        must(allowed == "treatment", f"the plan is shown although {standing.outcome}")
    if after.state == Stage.CONSULT:
        must(standing.outcome is Outcome.REVIEW, f"a consultation although {standing.outcome}")
        must(allowed or not after.booking.offers, "times are offered although none may be")


def _timely(
    world: World, before: Conversation, standing: Standing, sessions: tuple[BookedSession, ...]
) -> None:
    """Refute times that the verdict or the plan does not allow."""
    days = _days(world, sessions)
    if standing.service == "consultation":
        ready_on = world.today + standing.wait if standing.wait else world.today
        must(len(days) == 1 and days[0] >= ready_on, f"{len(days)} consultations before {ready_on}")
        return
    plan = _plan(world, before)
    done = before.booking.done
    left = plan.sessions - len(done)
    must(len(days) in (1, left), f"{len(days)} sessions, planned are {left}")
    must(all(_is_allowed(plan, on) for on in days), "a session on a day that the plan rules out")
    spacing = world.protocol.spacing
    gaps = _gaps(days)
    first = _gaps([*_days(world, done[-1:]), days[0]])
    must(all(gap >= spacing.min_days for gap in first), f"{first} days after the last visit")
    must(
        all(spacing.min_days <= gap <= spacing.max_days for gap in gaps),
        f"gaps of {gaps} days",
    )


def _days(world: World, sessions: tuple[BookedSession, ...]) -> list[date]:
    return [slots.local_start(each.slot, world.view.zone).date() for each in sessions]


def _gaps(days: list[date]) -> list[int]:
    return [(later - earlier).days for earlier, later in pairwise(days)]


def _plan(world: World, conversation: Conversation) -> Plan:
    from_on = conversation.decided_on or world.today
    verdict = world.judged(conversation.answers)
    plan = propose(world.protocol, conversation.answers, verdict, from_on)
    if plan is None:
        raise Refuted("a treatment is booked without a plan")
    return plan


def _is_allowed(plan: Plan, on: date) -> bool:
    avoided = any(first <= on <= last for first, last in plan.avoid)
    return on >= plan.starts_on and not avoided and on.weekday() in (plan.weekdays or range(7))


def _ended(world: World, conversation: Conversation) -> None:
    """Refute when anything is asked or offered in a run that a red flag ended."""
    if conversation.red_flag and not conversation.booking.moving:
        must(conversation.state in _BOOKED, f"{conversation.state} follows a red flag")


def _flagged(world: World, ledger: Ledger, walked: Walk) -> Iterator[Conversation]:
    """Type each red flag once at every question; yield where that leads."""
    firsts = {visit.first.state: visit.first for visit in walked.nodes.values()}
    for conversation in firsts.values():
        for flag, words in flag_words(world).items():
            with ledger.case(Claim.FLAGGED, f"{conversation.state}, {flag}"):
                turn = world.does(conversation, Typed(words))
                must(turn.conversation.red_flag == flag, "is not noticed")
                must(turn.conversation.state == Stage.URGENT, f"to {turn.conversation.state}")
                must(HandOffLead(LeadKind.URGENT) in turn.effects, "no person is told")
                must(not booked_by(turn), "something is booked")
                yield turn.conversation


def _meaning(world: World, conversation: Conversation) -> tuple[object, ...]:
    """Return all that booking may know of the answers: where they end, what is due, and when."""
    answers = conversation.answers
    standing = world.model.judge(answers)
    eligible = standing.outcome is Outcome.ELIGIBLE
    ends_at = world.model.next_place(answers) if answers else ""
    short = any(code in answers[name].codes for name, code in PLAN_FACTS if name in answers)
    return (
        ends_at if ends_at not in world.model.place else "",
        standing.outcome,
        standing.open_ended,
        standing.grade if eligible else None,
        eligible and short,
    )


def _screen(world: World, conversation: Conversation) -> _Screen:
    state, booking = conversation.state, conversation.booking
    return _Screen(
        _meaning(world, conversation),
        "a question" if state in world.model.place else state,
        conversation.overlay,
        bool(conversation.red_flag),
        (
            booking.service,
            bool(booking.offers),
            bool(booking.first),
            booking.only_first,
            bool(booking.times) and state == Stage.PICK_TIME,
            min(len(booking.sessions), 2),
            min(len(booking.done), 2),
            bool(booking.hold_until),
            bool(booking.moving),
            bool(booking.mend),
            booking.cancelling and booking.cancelling == cancelling.ALL,
            bool(booking.waiting),
        ),
    )
