"""What each kind of message may be put through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a message is for."""

    CONFIRMATION = "confirmation"  # an appointment is confirmed by staff, moved or cancelled
    REPLY = "reply"  # what staff wrote to a patient
    NUDGE = "nudge"  # a friendly word that nobody asked for
    CARD = "card"  # a word to staff in Telegram
    LEAD = "lead"  # a lead or booking is told to the clinic's own systems
    MAIL = "mail"  # the same by e-mail
    CALENDAR = "calendar"  # an appointment is written to a practitioner's own calendar


@dataclass(frozen=True, slots=True)
class Policy:
    """How hard a kind of message is tried."""

    copies: int  # at most so many may arrive: more than 1 means sending again when in doubt
    attempts: int  # sends in all, failed ones included; the message is dead after them
    is_quiet: bool  # waits for the end of the quiet hours
    heeds_stop: bool  # not sent to a patient who wants no messages or cannot be reached


#: A lost confirmation hurts more than a second copy; with a nudge it is the other way round. A
#: lead's receiver knows repeated ones by their key, a calendar by the appointment's UID.
POLICIES: Mapping[Kind, Policy] = {
    Kind.CONFIRMATION: Policy(copies=2, attempts=8, is_quiet=False, heeds_stop=True),
    # Whoever asked for a person gets the answer, whatever they said of other messages.
    Kind.REPLY: Policy(copies=2, attempts=8, is_quiet=False, heeds_stop=False),
    Kind.CARD: Policy(copies=2, attempts=8, is_quiet=False, heeds_stop=False),
    Kind.MAIL: Policy(copies=12, attempts=12, is_quiet=False, heeds_stop=False),
    Kind.CALENDAR: Policy(copies=12, attempts=12, is_quiet=False, heeds_stop=False),
    Kind.NUDGE: Policy(copies=1, attempts=5, is_quiet=True, heeds_stop=True),
    Kind.LEAD: Policy(copies=12, attempts=12, is_quiet=False, heeds_stop=False),
}
