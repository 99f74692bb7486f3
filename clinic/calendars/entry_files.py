"""Appointments as calendar entries (RFC 5545, 7986), for feeds and for CalDAV servers.

They lie in calendars that others see: no name, no phone number, no treatment.
"""

from __future__ import annotations

from datetime import timedelta

from icalendar import Calendar, Event, vDuration

from storage.calendar_entries import TIME_OFF, Entry
from storage.feeds import Feed

PRODID = "-//Resurface//Practitioner//EN"

#: How often a calendar program should look at a feed again.
REFRESH_EVERY = timedelta(minutes=15)

COLOUR = "teal"  # one of the CSS names that RFC 7986 asks for

_STATUS = {"pending": "TENTATIVE", "cancelled": "CANCELLED"}


def feed_file(feed: Feed) -> bytes:
    """Return a practitioner's feed; the same appointments give the same bytes."""
    calendar = _calendar()
    name = f"{feed.practitioner} · {feed.clinic}"
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)  # for programs older than RFC 7986
    calendar.add("color", COLOUR)
    calendar.add("refresh-interval", vDuration(REFRESH_EVERY), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH_EVERY))
    for entry in feed.entries:
        calendar.add_component(_event(entry))
    content: bytes = calendar.to_ical()
    return content


def resource(entry: Entry) -> str:
    """Return one appointment as a resource of a CalDAV calendar."""
    calendar = _calendar()
    calendar.add_component(_event(entry))
    content: bytes = calendar.to_ical()
    return content.decode()


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    return calendar


def _event(entry: Entry) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    # Without METHOD, DTSTAMP says when the entry was last changed.
    event.add("dtstamp", entry.updated_at)
    event.add("last-modified", entry.updated_at)
    event.add("dtstart", entry.starts_at)
    event.add("dtend", entry.ends_at)
    event.add("sequence", entry.sequence)
    event.add("status", _STATUS.get(entry.state, "CONFIRMED"))
    event.add("transp", "TRANSPARENT" if entry.state == "cancelled" else "OPAQUE")
    event.add("class", "PRIVATE")
    event.add("summary", _summary(entry))
    return event


def _summary(entry: Entry) -> str:
    if entry.state == TIME_OFF:
        return "Time off"
    which = f"Session {entry.number} of {entry.count}" if entry.count > 1 else "Visit"
    return f"{which} · code {entry.code}" if entry.code else which
