"""Appointments as a calendar file (RFC 5545), for the patient to keep in their own calendar.

The file says who is visited, where and when. It lies in calendars that others see, so it names
neither the treatment nor the patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from flows.clinics import Clinic, Service
from flows.conversation import BookedSession
from flows.texts import Catalogue

PRODID = "-//Resurface//Appointments//EN"
REMIND_BEFORE = timedelta(hours=24)


def calendar_file(  # noqa: PLR0913 - the facts of an appointment, and two that iTIP adds
    clinic: Clinic,
    service: Service,
    sessions: Sequence[BookedSession],
    catalogue: Catalogue,
    now: datetime,
    *,
    code: str = "",
    sequence: int = 0,
    cancelled: bool = False,
) -> bytes:
    """Return one iCalendar object with an event for each session, UTF-8 with CRLF.

    Each event keeps the session's UID, so that a later file with a higher `sequence` replaces it:
    with other times after a move, or with `cancelled` to take it out of the calendar again.
    `now` is aware UTC and becomes DTSTAMP. What the `service` is called stays out of the file.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "PUBLISH")
    for session in sessions:
        event = Event()
        event.add("uid", session.uid)
        event.add("dtstamp", now.astimezone(UTC))
        event.add("dtstart", session.slot.starts_at.astimezone(UTC))
        event.add("dtend", session.slot.ends_at.astimezone(UTC))
        event.add("sequence", sequence)
        event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
        event.add("class", "PRIVATE")
        event.add("summary", catalogue.text("calendar.summary", clinic=clinic.name))
        event.add("location", clinic.address)
        event.add("description", _description(clinic, session, sessions, catalogue, code))
        if not cancelled:
            event.add_component(_reminder(clinic, catalogue))
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _description(
    clinic: Clinic,
    session: BookedSession,
    sessions: Sequence[BookedSession],
    catalogue: Catalogue,
    code: str,
) -> str:
    lines = []
    if len(sessions) > 1:
        count = len(sessions)
        lines.append(catalogue.text("calendar.session", number=session.number, count=count))
    if code:
        lines.append(catalogue.text("calendar.code", code=code))
    lines.append(catalogue.text("calendar.change", phone=clinic.phone))
    return "\n".join(lines)


def _reminder(clinic: Clinic, catalogue: Catalogue) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -REMIND_BEFORE)
    alarm.add("description", catalogue.text("calendar.reminder", clinic=clinic.name))
    return alarm
