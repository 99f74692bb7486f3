"""Read a practitioner's own calendar: what changed, or everything. It blocks: call it in a thread.

Everything is read once a day, for the days that come nearer meanwhile, and whenever the server
cannot say what changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clinic.calendars.faults import TokenExpired, Unreadable
from clinic.calendars.occurrences import Contents, Window, contents
from clinic.calendars.remote import RemoteCalendar, Resource, State
from storage.calendar_accounts import Account
from storage.calendar_readings import Reading, Seen, Span

WHOLE_EVERY = timedelta(days=1)

#: How much further than the clinic books is read, so that a day later it still is far enough.
_SPARE = timedelta(days=2)

_SYNC = "sync "


@dataclass(slots=True)
class _Gathered:
    """What the entries come to."""

    busy: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    own: list[Seen] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)


def read(
    remote: RemoteCalendar, account: Account, own_uids: frozenset[str], now: datetime
) -> Reading:
    """Read what there is to know. Raises CalendarFault."""
    state = remote.look()
    window = Window(now, now + account.horizon_for + _SPARE)
    zone = state.zone or ZoneInfo(account.zone)
    known = account.sync_token or ""
    if known and account.read_at is not None and now - account.read_at < WHOLE_EVERY:
        if state.token == known:
            return Reading(now, window.until_at, known, is_whole=False, busy={})
        if known.startswith(_SYNC) and state.token.startswith(_SYNC):
            try:
                changes = remote.changes(known)
            except TokenExpired:
                pass
            else:
                gathered = _gathered(changes.changed, zone, window, own_uids)
                return _reading(gathered, now, window, changes.token, changes.deleted)
    return _whole(remote, state, zone, window, own_uids)


def _whole(
    remote: RemoteCalendar,
    state: State,
    zone: ZoneInfo,
    window: Window,
    own_uids: frozenset[str],
) -> Reading:
    # The token is from before: what changes while everything is read, is read again next time.
    # Servers take whole days and times without a zone for UTC, where a day ends earlier than in
    # the west.
    resources = remote.everything(window.from_at - timedelta(days=1), window.until_at)
    gathered = _gathered(resources, zone, window, own_uids)
    return _reading(gathered, window.from_at, window, state.token)


def _reading(
    gathered: _Gathered,
    now: datetime,
    window: Window,
    token: str,
    gone: frozenset[str] | None = None,
) -> Reading:
    return Reading(
        started_at=now,
        until=window.until_at,
        # What nobody understands is looked at again, with everything else.
        token="" if gathered.unread else token,
        is_whole=gone is None,
        busy=gathered.busy,
        gone=gone or frozenset(),
        own=tuple(gathered.own),
        unread=frozenset(gathered.unread),
    )


def _gathered(
    resources: Iterable[Resource], zone: ZoneInfo, window: Window, own_uids: frozenset[str]
) -> _Gathered:
    gathered = _Gathered()
    for resource in resources:
        try:
            said = contents(resource.text, zone, window)
        except Unreadable:
            gathered.unread.add(resource.href)
            continue
        if said.uid in own_uids:
            # An appointment happens once: whatever else its entry was given is somebody's time.
            gathered.busy[resource.href] = _others(said)
            if (seen := seen_of(resource, said)) is not None:
                gathered.own.append(seen)
        else:
            gathered.busy[resource.href] = said.busy
    return gathered


def seen_of(resource: Resource, said: Contents) -> Seen | None:
    """Return how an appointment of ours stands; None when it has no time any more.

    One that was made to repeat stands where it was not expected.
    """
    if said.first is None:
        return None
    is_altered = said.is_called_off or said.repeats
    span = next(iter(_others(said)), said.first)
    return Seen(resource.href, resource.etag, said.uid, span, is_altered)


def _others(said: Contents) -> tuple[Span, ...]:
    return tuple(span for span in said.busy if span != said.first)
