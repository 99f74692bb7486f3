"""What each kind of message may be put through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=10)


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
    longest_pause: timedelta = _LONGEST_PAUSE  # between two tries

    def pause(self, attempt: int, chance: float) -> timedelta:
        """Return how long to wait after the failed try number `attempt`: it doubles from 5 s.

        `chance`, in [0, 1), spreads what failed together: a quarter less to a quarter more.
        """
        longest = min(_FIRST_PAUSE * (1 << (attempt - 1)), self.longest_pause)
        return longest * (0.75 + chance / 2)


#: Kinds that go to systems of the clinic's own, which can be slow without a patient waiting.
TO_SYSTEMS = frozenset({Kind.LEAD, Kind.MAIL, Kind.CALENDAR})

_SYSTEM = Policy(
    copies=16, attempts=16, is_quiet=False, heeds_stop=False, longest_pause=timedelta(hours=6)
)

#: A lost confirmation hurts more than a second copy; with a nudge it is the other way round. A
#: lead's receiver knows repeated ones by their key, a calendar by the appointment's UID. What goes
#: to the clinic's systems is tried for about a day: its 15 pauses add up to 23 hours.
POLICIES: Mapping[Kind, Policy] = {
    Kind.CONFIRMATION: Policy(copies=2, attempts=8, is_quiet=False, heeds_stop=True),
    # Whoever asked for a person gets the answer, whatever they said of other messages.
    Kind.REPLY: Policy(copies=2, attempts=8, is_quiet=False, heeds_stop=False),
    Kind.CARD: Policy(copies=2, attempts=8, is_quiet=False, heeds_stop=False),
    Kind.MAIL: _SYSTEM,
    Kind.CALENDAR: _SYSTEM,
    Kind.NUDGE: Policy(copies=1, attempts=5, is_quiet=True, heeds_stop=True),
    Kind.LEAD: _SYSTEM,
}
