"""Repairs that never lose the place: help, why, a person, a question, a miss, a red flag."""

from __future__ import annotations

from flows import wording
from flows.conversation import Stage
from flows.effects import Effect, HandOffLead, LeadKind, ReleaseHold
from flows.events import Media
from flows.position import Position
from flows.turn import Turn

#: Screens that say why themselves.
_GIVES_REASONS = frozenset(
    {Stage.URGENT, Stage.DECLINED, Stage.DEFERRED, Stage.CONSULT, Stage.PLAN}
)


def help_(here: Position) -> Turn:
    """Say what can be done here; on the urgent screen nothing but what it says."""
    if here.conversation.state == Stage.URGENT:
        return Turn(here.conversation)
    is_booked = here.booking.hold_until is None and bool(here.ahead)
    key = "note.help_booked" if is_booked else "note.help"
    return Turn(here.conversation, notes=(here.note(key),))


def why(here: Position) -> Turn:
    """Say why the current question is asked; a verdict says its reasons again."""
    if here.conversation.state in _GIVES_REASONS:
        return Turn(here.conversation)
    key = f"step.{here.step.id}.why" if here.step else "note.why"
    return Turn(here.conversation, notes=(here.note(key),))


def answer_question(here: Position, faq: str) -> Turn:
    """Answer a question of the patient's; the screen then stands again, once."""
    if not here.conversation.protocol or faq not in here.protocol.faqs:
        return Turn(here.conversation, notes=(here.note("note.stale"),))
    return Turn(here.conversation, notes=(here.note(f"faq.{faq}.answer"),))


def received(here: Position, media: Media) -> Turn:
    """Answer a photo, voice note or sticker; a burst of the same kind is answered once."""
    if here.conversation.last_media == media.value and not here.scene.is_interrupted:
        return Turn(here.conversation, silent=True)
    noted = here.with_(last_media=media.value)
    return Turn(noted.conversation, notes=(here.note(f"note.media_{media.value}"),))


def suggest(here: Position, code: str) -> Turn:
    """Ask whether a close match is what the patient means; nothing is taken before a yes."""
    catalogue = here.scene.catalogues[here.conversation.locale]
    label = catalogue.text(f"step.{here.conversation.state}.{code}.label")
    asked = here.with_(suggested=code)
    return Turn(asked.conversation, notes=(here.note("note.did_you_mean", label=label),))


def missed(here: Position) -> Turn:
    """Words that mean nothing here: a hint, then an example, then a way out."""
    misses = here.conversation.misses + 1
    here = here.with_(misses=misses, suggested="")
    notes = [here.note(f"note.miss_{min(misses, 3)}")]
    if misses == 2 and here.step is not None:
        notes.append(here.note(f"step.{here.step.id}.example"))
    return Turn(here.conversation, notes=tuple(notes))


def raised_flag(here: Position, text: str) -> str | None:
    """Return the red flag that free text raises, None when it raises none."""
    if not text:
        return None
    protocols = here.scene.protocols
    known = protocols.get(here.conversation.protocol) or next(iter(protocols.values()))
    return wording.red_flag(text, known, here.scene.catalogues)


def red_flag(here: Position, flag: str) -> Turn:
    """End the run: urgent screen, a person is told, nothing is sold afterwards."""
    if here.conversation.clinic is None:  # any clinic's emergency numbers beat none
        clinic = next(iter(here.scene.clinics.values()))
        here = here.with_(clinic=clinic.slug, protocol=clinic.protocol)
    effects: tuple[Effect, ...] = (HandOffLead(LeadKind.URGENT),)
    if here.booking.hold_until:
        effects = (ReleaseHold(here.booking.series_id), *effects)
    if here.booking.hold_until or here.booking.done:
        here = here.with_visits()
    there = here.go("red_flag", Stage.URGENT, red_flag=flag, decided_on=here.today)
    return Turn(there.conversation, effects=effects)
