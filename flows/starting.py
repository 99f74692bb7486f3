"""The ends of a conversation: start, choose a clinic, resume, start over, stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from flows import continuing, relevance
from flows.conversation import Conversation, Overlay, Stage
from flows.effects import AllowMessages, Effect, StopMessages
from flows.events import Started
from flows.position import Position
from flows.protocol import Severity
from flows.texts import Catalogue
from flows.turn import Scene, Turn

#: Screens that offer times.
_OFFERED = frozenset(
    {Stage.PLAN, Stage.CONSULT, Stage.PICK_DAY, Stage.PICK_TIME, Stage.CONTACT, Stage.REVIEW}
)


def start(conversation: Conversation | None, event: Started, scene: Scene, chat_id: int) -> Turn:
    """Begin, or in the middle of a run offer to continue or to start over."""
    clinic, campaign = _deep_link(event.payload, scene)
    if conversation is None:
        new = Conversation(
            chat_id,
            Stage.CHOOSE_CLINIC,
            locale=_locale(event.locale, scene.catalogues),
            first_name=event.first_name,
            campaign=campaign,
        )
        return Turn(begin(Position(new, scene), clinic).conversation)
    here = Position(replace(conversation, wanted_clinic=clinic), scene)
    if must_rest(here):
        return Turn(here.conversation)
    if here.ahead:
        effects = (*continuing.let_go(here), *_welcomed(conversation))
        return Turn(continuing.at_visits(here).conversation, effects=effects)
    if _recheck_is_due(here):
        return recheck(here)
    if not conversation.answers:
        return _again(here)
    return Turn(here.with_(overlay=Overlay.RESUME).conversation)


def begin(here: Position, clinic: str | None) -> Position:
    """Go to the first question of a clinic, or let the patient choose one."""
    clinics = here.scene.clinics
    if clinic is None and len(clinics) == 1:
        clinic = next(iter(clinics))
    if clinic is None:
        return here.with_(state=Stage.CHOOSE_CLINIC.value)
    key = clinics[clinic].protocol
    first = here.scene.protocols[key].steps[0].id
    ready = here.with_(clinic=clinic, protocol=key, state=Stage.CHOOSE_CLINIC.value)
    return ready.go("start", first)


def resume(here: Position) -> Turn:
    """Give the patient their place back."""
    effects = (AllowMessages(),) if here.conversation.state == Stage.STOPPED else ()
    here = here.with_(overlay=None)
    if _recheck_is_due(here):
        return recheck(here)
    if here.conversation.state == Stage.STOPPED:
        chosen = bool(here.conversation.protocol)
        here = here.go("jump", _place(here)) if chosen else begin(here, None)
    return Turn(here.conversation, effects=effects)


def recheck_if_due(here: Position) -> Turn:
    """Ask again on the promised day or later; before it, show until when to wait."""
    return recheck(here) if _recheck_is_due(here) else Turn(here.conversation)


def recheck(here: Position) -> Turn:
    """Ask again what stood in the way, and only that; the other answers stay."""
    waited = {
        reason.rule.partition(".")[0]
        for reason in here.verdict().reasons
        if reason.severity is Severity.DEFERRED
    }
    lists = {
        name
        for step in here.protocol.steps
        if step.id in waited
        for each in step.ask_if
        for name in each
    }
    kept = {name: given for name, given in here.answers.items() if name not in waited | lists}
    answers = relevance.current_answers(here.protocol, kept)
    dest = relevance.next_place(here.protocol, answers)
    there = here.go("jump", dest, answers=answers, decided_on=None)
    return Turn(there.conversation, notes=(here.note("note.recheck"),))


def start_over(here: Position) -> Turn:
    """Forget the answers and begin a new run; booked appointments are never forgotten."""
    old = here.conversation
    effects = (*_welcomed(old), *continuing.let_go(here))
    fresh = old.fresh_run(Stage.CHOOSE_CLINIC)
    clinic = old.wanted_clinic or old.clinic
    known = clinic if clinic in here.scene.clinics else None
    begun = begin(replace(here, conversation=fresh), known)
    return Turn(begun.conversation, effects=effects)


def ask_to_start_over(here: Position) -> Turn:
    """Ask for a yes first; with appointments booked there is nothing to start over."""
    if must_rest(here):
        return Turn(here.conversation)
    if here.ahead:
        return Turn(here.conversation, notes=(here.note("note.booked_already"),))
    if not here.conversation.answers:
        return _again(here)
    return Turn(here.with_(overlay=Overlay.START_OVER).conversation)


def stop(here: Position) -> Turn:
    """No more messages. Held times go back, booked ones stay booked."""
    effects: tuple[Effect, ...] = (*continuing.let_go(here), StopMessages())
    if here.booking.hold_until or here.booking.done:
        here = here.with_visits()
    if not here.conversation.protocol:
        return Turn(here.with_(state=Stage.STOPPED.value).conversation, effects=effects)
    return Turn(here.go("stop", Stage.STOPPED).conversation, effects=effects)


def on_current_protocol(here: Position) -> Position:
    """Go on with the clinic's protocol of today when the run's own is no longer known.

    What is booked stays, and so does a red flag. Whoever has neither begins anew, and so does
    whoever is offered times but has no answers that a protocol of today could judge.
    """
    conversation = here.conversation
    if conversation.clinic is None:
        return here
    is_known = conversation.protocol in here.scene.protocols
    if conversation.clinic in here.scene.clinics:
        keeps = bool(here.booking.booked) or conversation.red_flag is not None
        if is_known and (keeps or conversation.answers or conversation.state not in _OFFERED):
            return here
        if keeps:
            return _carried_over(here)
    return replace(here, conversation=start_over(here).conversation)


def _carried_over(here: Position) -> Position:
    """Keep visits and red flag; answers stay where they are all that today's protocol asks for."""
    old = here.conversation
    key = here.clinic.protocol
    protocol = here.scene.protocols[key]
    fitting = relevance.fitting(protocol, old.answers)
    is_whole = relevance.next_step(protocol, fitting) is None
    flags = [flag.id for flag in protocol.red_flags]
    red_flag = old.red_flag if old.red_flag in flags or not old.red_flag else flags[0]
    there = here.with_visits().with_(
        state=Stage.CHOOSE_CLINIC.value,
        protocol=key,
        answers=fitting if is_whole else {},
        red_flag=red_flag,
    )
    resting = old.state in (Stage.STOPPED, Stage.URGENT)
    return there.go("jump", old.state if resting else _place(there))


def must_rest(here: Position) -> bool:
    """Say whether the urgent screen stands: on the day of a red flag nothing else is offered."""
    decided_on = here.conversation.decided_on
    if here.conversation.state != Stage.URGENT:
        return False
    return decided_on is None or here.today <= decided_on


def _recheck_is_due(here: Position) -> bool:
    if here.conversation.state != Stage.DEFERRED:
        return False
    recheck_on = here.verdict().recheck_on
    return recheck_on is not None and here.today >= recheck_on


def _again(here: Position) -> Turn:
    """Nothing was answered yet: begin where the link points, without asking."""
    old = here.conversation
    effects = _welcomed(old)
    begun = begin(here, old.wanted_clinic or old.clinic)
    begun = begun.with_(wanted_clinic=None, overlay=None, red_flag=None)
    return Turn(begun.conversation, effects=effects)


def _welcomed(conversation: Conversation) -> tuple[Effect, ...]:
    """Allow messages again to somebody who is back; a red flag may have followed a stop."""
    is_back = conversation.state in (Stage.STOPPED, Stage.URGENT)
    return (AllowMessages(),) if is_back else ()


def _place(here: Position) -> str:
    """Return where the run stands: what is booked, else what is to be asked next."""
    if here.booking.sessions and not here.booking.hold_until:
        return Stage.BOOKED
    if here.conversation.red_flag:
        return Stage.URGENT
    return relevance.next_place(here.protocol, here.answers)


def _deep_link(payload: str, scene: Scene) -> tuple[str | None, str | None]:
    """Read `CLINIC` or `CLINIC-CAMPAIGN`; an unknown or old link still starts."""
    slug, _, campaign = payload.partition("-")
    if slug not in scene.clinics:
        return None, None
    return slug, campaign or None


def _locale(wanted: str, catalogues: Mapping[str, Catalogue]) -> str:
    for name in (wanted, wanted.partition("-")[0], "en"):
        if name in catalogues:
            return name
    return next(iter(catalogues))
