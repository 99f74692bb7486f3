"""Write one appointment to a practitioner's own calendar. It blocks: call it in a thread.

Nothing is overwritten unseen: each write names the version that it replaces. Where someone else
wrote meanwhile, the clinic's appointment wins, and what was done outside is handed back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from clinic.calendars.entry_files import resource
from clinic.calendars.faults import (
    CalendarFault,
    ChangedOutside,
    NotAllowed,
    UidTaken,
    Unreadable,
)
from clinic.calendars.occurrences import Contents, Window, contents
from clinic.calendars.reading import seen_of
from clinic.calendars.remote import RemoteCalendar, Resource
from storage.calendar_entries import Entry
from storage.calendar_pushes import Push, Task
from storage.calendar_readings import Found, Span, Written

_TRIES = 4  # how often somebody may write at the same time


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an appointment is to be written, and over what."""

    href: str
    etag: str | None  # None: there must be nothing yet


def write(remote: RemoteCalendar, task: Task, uid: str) -> Written:
    """Make the calendar agree about one appointment. Raises CalendarFault."""
    if task.entry is None:
        _remove(remote, task.push, uid)
        return Written()
    return _put(remote, task.entry, task.push)


def _remove(remote: RemoteCalendar, push: Push | None, uid: str) -> None:
    """Delete it whatever was done to it: nobody is expected any more."""
    href = remote.href_of(uid) if push is None else push.href
    etag = None if push is None else push.etag or None
    try:
        remote.delete(href, etag)
    except ChangedOutside:
        remote.delete(href, None)


def _put(remote: RemoteCalendar, entry: Entry, push: Push | None) -> Written:
    place = _place(remote, entry, push)
    text, found = resource(entry), Found()
    for _ in range(_TRIES):
        try:
            etag = remote.put(place.href, text, place.etag)
        except (UidTaken, NotAllowed) as refused:
            there = _elsewhere(remote, entry.uid, place, refused)
        except ChangedOutside:
            there = remote.get(place.href)
        else:
            return Written(place.href, etag, found)
        if there is None and place.etag is not None:
            found = Found(is_deleted=True)
        elif there is not None:
            found = _found(there, entry, push)
        place = _Place(place.href, None) if there is None else _Place(there.href, there.etag)
    raise CalendarFault("somebody else changes the same entry all the time; it is tried again")


def _place(remote: RemoteCalendar, entry: Entry, push: Push | None) -> _Place:
    if push is None:
        return _Place(remote.href_of(entry.uid), None)
    return _Place(push.href, push.etag or None)


def _elsewhere(
    remote: RemoteCalendar, uid: str, place: _Place, refused: UidTaken | NotAllowed
) -> Resource | None:
    """Return what has the UID already. Raises NotAllowed when that is not why it was refused."""
    there = remote.find(uid)
    is_elsewhere = there is not None and there.href != place.href
    if isinstance(refused, NotAllowed) and not is_elsewhere:
        raise refused
    return there


def _found(there: Resource, entry: Entry, push: Push | None) -> Found:
    """Say what was there instead. A leftover of our own is nothing to tell of."""
    try:
        said = contents(there.text, ZoneInfo("UTC"), _around(entry))
    except Unreadable:
        return Found()
    seen = seen_of(there, said)
    if seen is None or (push is None and _is_leftover(said, entry)):
        return Found()
    return Found(seen)


def _is_leftover(said: Contents, entry: Entry) -> bool:
    """An earlier version that was written but never noted, as the program was stopped."""
    is_ours = said.sequence < entry.sequence or said.first == Span(entry.starts_at, entry.ends_at)
    return is_ours and not said.repeats


def _around(entry: Entry) -> Window:
    return Window(entry.starts_at - timedelta(days=1), entry.ends_at + timedelta(days=1))
