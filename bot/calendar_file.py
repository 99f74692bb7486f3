"""Appointments as a calendar file (RFC 5545), for the patient to keep in their own calendar.

The file says who is visited, where and when. It lies in calendars that others see, so it names
neither the treatment nor the patient.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from flows.clinics import Clinic
from flows.conversation import BookedSession, Booking
from flows.texts import Catalogue

PRODID = "-//Resurface//Appointments//EN"
REMIND_BEFORE = timedelta(hours=24)


def calendar_file(clinic: Clinic, booking: Booking, catalogue: Catalogue, now: datetime) -> bytes:
    """Return one iCalendar object with an event for each booked session, UTF-8 with CRLF.

    Each event keeps the session's UID, and its SEQUENCE grows with every move, so that a later
    file replaces an earlier one. What the clinic has yet to confirm is TENTATIVE. `now` is aware
    UTC and becomes DTSTAMP.
    """
    calendar = _calendar("PUBLISH")
    for session in booking.sessions:
        event = _event(clinic, session, catalogue, now)
        event.add("sequence", session.sequence)
        event.add("status", "TENTATIVE" if booking.pending else "CONFIRMED")
        event.add("location", clinic.address)
        event.add("description", _description(clinic, session, booking, catalogue))
        event.add_component(_reminder(clinic, catalogue))
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def cancellation_file(
    clinic: Clinic, sessions: Iterable[BookedSession], catalogue: Catalogue, now: datetime
) -> bytes:
    """Return what takes cancelled sessions, given as they were booked, out of a calendar again.

    Each event has the UID that it was published with and the next SEQUENCE, which is the one that
    the store gives a cancelled appointment.
    """
    calendar = _calendar("CANCEL")
    for session in sessions:
        event = _event(clinic, session, catalogue, now)
        event.add("sequence", session.sequence + 1)
        event.add("status", "CANCELLED")
        calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _event(clinic: Clinic, session: BookedSession, catalogue: Catalogue, now: datetime) -> Event:
    event = Event()
    event.add("uid", session.uid)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", session.slot.starts_at.astimezone(UTC))
    event.add("dtend", session.slot.ends_at.astimezone(UTC))
    event.add("class", "PRIVATE")
    event.add("summary", catalogue.text("calendar.summary", clinic=clinic.name))
    return event


def _description(
    clinic: Clinic, session: BookedSession, booking: Booking, catalogue: Catalogue
) -> str:
    lines = []
    count = len(booking.sessions)
    if count > 1:
        number = booking.place(session)
        lines.append(catalogue.text("calendar.session", number=number, count=count))
    if booking.code:
        lines.append(catalogue.text("calendar.code", code=booking.code))
    lines.append(catalogue.text("calendar.change", phone=clinic.phone))
    return "\n".join(lines)


def _reminder(clinic: Clinic, catalogue: Catalogue) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -REMIND_BEFORE)
    alarm.add("description", catalogue.text("calendar.reminder", clinic=clinic.name))
    return alarm
