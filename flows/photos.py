"""Photos: asked for a yes first, a few at most, deleted whenever the patient says so.

Nothing of a photo is kept before the yes, and none is taken from whoever has not said that they
are grown up.
"""

from __future__ import annotations

from flows import repairs
from flows.conversation import Overlay, Stage
from flows.effects import DeletePhotos, KeepPhoto
from flows.events import Media
from flows.position import Position
from flows.turn import Turn

MOST = 4  # of the skin as it is; as many again of the result
_ADULT = 18

#: Where the run has ended without anything that a photo could help with.
_ENDED = frozenset({Stage.CHOOSE_CLINIC, Stage.NO_CONSENT, Stage.DECLINED, Stage.URGENT})


def may_send(here: Position) -> bool:
    """Say whether photos may be asked for: consent was given, and an adult's age."""
    conversation = here.conversation
    if conversation.state in {*_ENDED, Stage.STOPPED} or not conversation.protocol:
        return False
    return any(
        option.numbers is not None and option.numbers[0] >= _ADULT
        for name, answer in here.answers.items()
        for option in here.protocol.step(name).options
        if option.code in answer.codes
    )


def most(here: Position) -> int:
    """Return how many photos of this run are kept: more once its course was rated."""
    rated = here.conversation.rated
    return 2 * MOST if rated and rated == here.booking.series_id else MOST


def has_room(here: Position) -> bool:
    """Say whether photos may be sent and another one would be kept."""
    return may_send(here) and here.conversation.photos < most(here)


def offer(here: Position) -> Turn:
    """Say what photos are for and who sees them, and take them after a yes."""
    if not may_send(here):
        return Turn(here.conversation, notes=(here.note("note.photos_later"),))
    overlay, beneath = here.conversation.overlay, here.conversation.beneath
    if overlay is not Overlay.PHOTOS:
        beneath = Overlay.RESULT if overlay is Overlay.RESULT else None
    asked = here.with_(overlay=Overlay.PHOTOS, beneath=beneath, misses=0, suggested="")
    return Turn(asked.conversation)


def agree(here: Position) -> Turn:
    """The patient lets the clinic keep photos of this run."""
    if here.conversation.overlay is not Overlay.PHOTOS or not may_send(here):
        return offer(here)
    return Turn(here.with_(photo_consent=True).conversation)


def received(here: Position, file_id: str) -> Turn:
    """Keep a photo when that was agreed to, ask about it when it may be asked."""
    conversation = here.conversation
    if not may_send(here):
        return repairs.received(here, Media.PHOTO)
    if conversation.photo_consent and has_room(here):
        kept = here.with_(photos=conversation.photos + 1)
        note = here.note("note.photo_kept", number=kept.conversation.photos, most=most(here))
        return Turn(kept.conversation, effects=(KeepPhoto(file_id),), notes=(note,))
    is_same = conversation.last_media == Media.PHOTO.value
    if is_same and not here.scene.is_interrupted:  # an album: one answer is enough
        return Turn(conversation, silent=True)
    here = here.with_(last_media=Media.PHOTO.value)
    if conversation.photo_consent:
        return Turn(here.conversation, notes=(here.note("note.photos_enough", most=most(here)),))
    return Turn(offer(here).conversation, notes=(here.note("note.photo_not_kept"),))


def leave(here: Position) -> Position:
    """Go back to what photos were asked for from."""
    return here.with_(overlay=here.conversation.beneath, beneath=None)


def delete(here: Position) -> Turn:
    """Forget every photo, and the yes to them."""
    forgotten = here.with_(photos=0, photo_consent=False)
    if here.conversation.overlay is Overlay.PHOTOS:
        forgotten = leave(forgotten)
    note = here.note("note.photos_deleted")
    return Turn(forgotten.conversation, effects=(DeletePhotos(),), notes=(note,))
