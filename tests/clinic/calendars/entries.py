"""Calendar entries as other programs write and read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import vobject
from icalendar import Calendar

STAMP = "DTSTAMP:20260101T000000Z"


@dataclass(frozen=True)
class Read:
    """What a reader made of one event."""

    starts_at: datetime
    ends_at: datetime
    sequence: int
    status: str


def entry(uid: str, *lines: str, overrides: tuple[tuple[str, ...], ...] = ()) -> str:
    """Return a resource with one event, and instances of it that differ."""
    events = []
    for extra in (lines, *overrides):
        events += ["BEGIN:VEVENT", f"UID:{uid}", STAMP, "SUMMARY:Private", *extra, "END:VEVENT"]
    whole = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Somebody//Else//EN", *events]
    return "\r\n".join([*whole, "END:VCALENDAR", ""])


def once(uid: str, starts_at: datetime, ends_at: datetime, *lines: str) -> str:
    """Return an event that happens once."""
    return entry(uid, f"DTSTART:{utc(starts_at)}", f"DTEND:{utc(ends_at)}", *lines)


def odd(uid: str, starts_at: datetime) -> str:
    """Return an event that nobody lays out."""
    return entry(uid, f"DTSTART:{utc(starts_at)}", "DURATION:PT1M", "RRULE:FREQ=HOURLY")


def utc(at: date | datetime) -> str:
    """Return an instant as RFC 5545 writes it in UTC, a date as it writes dates."""
    if not isinstance(at, datetime):
        return f"{at:%Y%m%d}"
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def by_icalendar(text: str) -> dict[str, Read]:
    """Read a calendar with the library that wrote it."""
    return {
        str(event["UID"]): Read(
            event.start, event.end, int(event["SEQUENCE"]), str(event["STATUS"])
        )
        for event in Calendar.from_ical(text).walk("VEVENT")
    }


def by_vobject(text: str) -> dict[str, Read]:
    """Read a calendar with another library."""
    events = vobject.readOne(text).contents.get("vevent", [])
    return {
        event.uid.value: Read(
            event.dtstart.value.astimezone(UTC),
            event.dtend.value.astimezone(UTC),
            int(event.sequence.value),
            event.status.value,
        )
        for event in events
    }
