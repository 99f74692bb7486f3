"""What can go wrong with a practitioner's own calendar, each in words that staff can act on.

No sentence holds an address, a name, a password or anything that stands in the calendar.
"""

from __future__ import annotations

from datetime import timedelta

from storage.faults import StorageError


class CalendarFault(StorageError):
    """The calendar cannot be used as it is."""

    #: How long to wait before the second try; it doubles with every failure.
    pause = timedelta(minutes=1)
    longest_pause = timedelta(minutes=30)

    #: Whether nothing can be written, or only this one entry could not be read or written.
    stops_writing = False


class CalendarAway(CalendarFault):
    """The server does not answer, or not in a way that makes sense."""

    stops_writing = True

    def __init__(self, why: str, wait_for: timedelta | None = None) -> None:
        super().__init__(
            f"the calendar's server cannot be used: {why}; it is tried again by itself"
        )
        self.wait_for = wait_for  # what the server asked for


class CalendarRefused(CalendarFault):
    """Somebody must change something before it can work. Asked seldom, lest the server lock up."""

    pause = timedelta(minutes=15)
    longest_pause = timedelta(hours=6)
    stops_writing = True


class WrongPassword(CalendarRefused):
    """The server does not know this user name with this password."""

    def __init__(self) -> None:
        super().__init__(
            "the calendar's server refuses the user name or password; connect the calendar again "
            "with a password that works (many servers want one made for apps)"
        )


class NotAllowed(CalendarRefused):
    """The user may not do this in this calendar."""

    stops_writing = False  # reading may be allowed and writing not, and the reverse

    def __init__(self) -> None:
        super().__init__(
            "the calendar's server does not let this user read and write the calendar; give the "
            "user the right to write, or connect another calendar"
        )


class NoCalendar(CalendarRefused):
    """There is no calendar at the address."""

    def __init__(self, why: str) -> None:
        super().__init__(f"there is no calendar at the address: {why}")


class BadAddress(CalendarRefused):
    """The address is one that this program does not call."""


class TokenExpired(Exception):
    """The server no longer knows what changed since then: the calendar is read as a whole."""


class ChangedOutside(Exception):
    """Someone else wrote the resource after we last saw it (412)."""


class UidTaken(Exception):
    """The calendar has an entry with this UID under another name (409, or 403)."""


class Unreadable(Exception):
    """Nobody can make sense of a calendar entry."""
