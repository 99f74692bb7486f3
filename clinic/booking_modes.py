"""How times are booked, in the words of the console and of the wizard: a title, what it means."""

from __future__ import annotations

from collections.abc import Mapping

from flows.clinics import BookingMode

MODES: Mapping[BookingMode, tuple[str, str]] = {
    BookingMode.HOLD: ("Hold, then book", "Times wait while a patient gives contact details."),
    BookingMode.INSTANT: ("Book at once", "One tap books. Contact details come after."),
    BookingMode.REQUEST: ("On request", "Your team confirms each booking on Today."),
}
