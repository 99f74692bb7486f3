"""One calendar on a CalDAV server (RFC 4791, 6578). It blocks: call it in a thread."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from caldav.davclient import DAVClient
from caldav.lib import error
from caldav.response import CalendarQueryResult, DAVResponse

from clinic.calendars import sockets
from clinic.calendars.faults import (
    BadAddress,
    CalendarAway,
    ChangedOutside,
    NoCalendar,
    NotAllowed,
    TokenExpired,
    UidTaken,
    WrongPassword,
)

T = TypeVar("T")

TIMEOUT = 20  # seconds for each answer

_XML = '<?xml version="1.0" encoding="utf-8"?>'
_SPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
_WANTED = "<D:prop><D:getetag/><C:calendar-data/></D:prop>"
_TOKEN = "{DAV:}sync-token"  # noqa: S105 - the name of a property
_CTAG = "{http://calendarserver.org/ns/}getctag"
_ZONE = "{urn:ietf:params:xml:ns:caldav}calendar-timezone"
_TYPE = "{DAV:}resourcetype"
_CALENDAR = "{urn:ietf:params:xml:ns:caldav}calendar"
_MANY = 50  # resources asked for at once


@dataclass(frozen=True, slots=True)
class Resource:
    """One entry of the calendar."""

    href: str  # path on the server, not quoted
    etag: str
    text: str


@dataclass(frozen=True, slots=True)
class State:
    """Where a calendar stands."""

    token: str  # equal tokens: nothing changed meanwhile
    zone: ZoneInfo | None  # the calendar's own


@dataclass(frozen=True, slots=True)
class Changes:
    """What was done since an earlier token."""

    changed: tuple[Resource, ...]
    deleted: frozenset[str]
    token: str


class RemoteCalendar:
    """A calendar that one user may read and write.

    Making one raises BadAddress; every method raises a CalendarFault when it cannot be used.
    """

    def __init__(self, url: str, username: str, password: str, *, private: bool = False) -> None:
        self.url = url if url.endswith("/") else url + "/"
        session = sockets.session(self.url, private=private)
        self._client = DAVClient(
            self.url,
            username=username,
            password=password,
            timeout=TIMEOUT,
            enable_rfc6764=False,
        )
        self._client.session.close()
        self._client.session = session

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def look(self) -> State:
        """Return where the calendar stands, from one small answer."""
        asked = (
            "<D:resourcetype/><D:sync-token/><C:calendar-timezone/>"
            '<S:getctag xmlns:S="http://calendarserver.org/ns/"/>'
        )
        body = f"{_XML}<D:propfind {_SPACES}><D:prop>{asked}</D:prop></D:propfind>"
        found = self._asked("PROPFIND", body, 0, DAVResponse.parse_propfind)
        told: dict[str, Any] = found[0].properties if found else {}
        if _CALENDAR not in (told.get(_TYPE) or ()):
            raise NoCalendar("it leads to something else; copy the address of one calendar")
        return State(self._token(told), _zone(str(told.get(_ZONE) or "")))

    def everything(self, from_at: datetime, until_at: datetime) -> list[Resource]:
        """Return every entry that has to do with these times."""
        span = f'start="{from_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"'
        span += f' end="{until_at.astimezone(UTC):%Y%m%dT%H%M%SZ}"'
        return self._queried(f"<C:time-range {span}/>")

    def changes(self, token: str) -> Changes:
        """Return what was done since `look` gave this token. Raises TokenExpired."""
        known = token.removeprefix("sync ")
        body = (
            f"{_XML}<D:sync-collection {_SPACES}><D:sync-token>{escape(known)}</D:sync-token>"
            "<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        try:
            result = self._asked("REPORT", body, 0, DAVResponse.parse_sync_collection)
        except (NotAllowed, _Refusal, ChangedOutside):
            raise TokenExpired from None
        if result.truncated or not result.sync_token:
            raise TokenExpired
        hrefs = [each.href for each in result.changed if self._is_entry(each.href)]
        found = self._many(hrefs)
        vanished = set(hrefs) - {each.href for each in found}
        return Changes(
            tuple(found), frozenset({*result.deleted, *vanished}), f"sync {result.sync_token}"
        )

    def get(self, href: str) -> Resource | None:
        """Return one entry; None when it is not there."""
        return next(iter(self._many([href])), None)

    def find(self, uid: str) -> Resource | None:
        """Return the entry with a UID, whatever it is called."""
        match = f'<C:text-match collation="i;octet">{escape(uid)}</C:text-match>'
        found = self._queried(f'<C:prop-filter name="UID">{match}</C:prop-filter>')
        return next(iter(found), None)

    def href_of(self, uid: str) -> str:
        """Return where an appointment is written."""
        return urlsplit(self.url).path + re.sub(r"[^A-Za-z0-9_.-]", "-", uid) + ".ics"

    def put(self, href: str, text: str, etag: str | None) -> str:
        """Write an entry over the one with this ETag, or a new one for None; return its ETag.

        Raises ChangedOutside when that is not what is there, and UidTaken.
        """
        condition = {"If-None-Match": "*"} if etag is None else {"If-Match": etag}
        headers = {"Content-Type": "text/calendar; charset=utf-8", **condition}
        try:
            with self._faults():
                answer = self._client.put(self._address(href), text, headers)
                _refuse(answer)
        except _Refusal as refusal:
            if refusal.status == 409:
                raise UidTaken from None
            raise
        written = str(answer.headers.get("ETag") or "")
        if written:
            return written
        there = self.get(href)  # a server that changes what it is given does not tell
        return there.etag if there is not None else ""

    def delete(self, href: str, etag: str | None) -> None:
        """Delete the entry with this ETag, or whichever; it may be gone. Raises ChangedOutside."""
        headers = {} if etag is None else {"If-Match": etag}
        with self._faults():
            answer = self._client.delete(self._address(href), headers)
            if answer.status not in {404, 410}:
                _refuse(answer)

    def _token(self, told: dict[str, Any]) -> str:
        """Servers without RFC 6578 tell at least that something changed, or list everything."""
        if token := told.get(_TOKEN):
            return f"sync {token}"
        if tag := told.get(_CTAG):
            return f"ctag {tag}"
        body = f"{_XML}<D:propfind {_SPACES}><D:prop><D:getetag/></D:prop></D:propfind>"
        listed = self._asked("PROPFIND", body, 1, DAVResponse.parse_propfind)
        tags = sorted(f"{each.href} {each.properties.get('{DAV:}getetag')}" for each in listed)
        return "list " + hashlib.sha256("\n".join(tags).encode()).hexdigest()

    def _queried(self, condition: str) -> list[Resource]:
        wanted = f'<C:comp-filter name="VEVENT">{condition}</C:comp-filter>'
        body = (
            f"{_XML}<C:calendar-query {_SPACES}>{_WANTED}<C:filter>"
            f'<C:comp-filter name="VCALENDAR">{wanted}</C:comp-filter>'
            "</C:filter></C:calendar-query>"
        )
        return list(
            self._resources(self._asked("REPORT", body, 1, DAVResponse.parse_calendar_query))
        )

    def _many(self, hrefs: list[str]) -> list[Resource]:
        found: list[Resource] = []
        for first in range(0, len(hrefs), _MANY):
            some = "".join(
                f"<D:href>{escape(quote(href))}</D:href>" for href in hrefs[first : first + _MANY]
            )
            body = f"{_XML}<C:calendar-multiget {_SPACES}>{_WANTED}{some}</C:calendar-multiget>"
            found += self._resources(
                self._asked("REPORT", body, 1, DAVResponse.parse_calendar_query)
            )
        return found

    def _resources(self, results: Iterable[CalendarQueryResult]) -> Iterator[Resource]:
        for each in results:
            if each.status == 507:
                raise CalendarAway("it tells only a part of the calendar")
            if each.status not in {404, 410} and self._is_entry(each.href):
                yield Resource(each.href, each.etag or "", each.calendar_data or "")

    def _is_entry(self, href: str) -> bool:
        return not href.endswith("/")

    def _asked(self, method: str, body: str, depth: int, parse: Callable[[DAVResponse], T]) -> T:
        headers = {"Depth": str(depth), "Content-Type": "application/xml; charset=utf-8"}
        with self._faults():
            answer = self._client.request(self.url, method, body, headers)
            _refuse(answer)
            if answer.tree is None:
                raise CalendarAway("it does not speak CalDAV")
            return parse(answer)

    def _address(self, href: str) -> str:
        return urljoin(self.url, quote(href))

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn every failure into a sentence."""
        try:
            yield
        except sockets.ForbiddenAddress:
            raise BadAddress(
                "the calendar's address leads into a private network; PRIVATE_ADDRESSES=true "
                "allows the clinic's own"
            ) from None
        except error.RateLimitError as busy:
            wait = timedelta(seconds=busy.retry_after_seconds or 60)
            raise CalendarAway("it asks us to wait", wait) from None
        except error.AuthorizationError as refused:
            raise (WrongPassword() if refused.status != 403 else NotAllowed()) from None
        except (error.DAVError, SyntaxError):
            raise CalendarAway("its answer makes no sense") from None
        except OSError:  # what the HTTP library raises: no connection, no answer, no certificate
            raise CalendarAway("it does not answer") from None


class _Refusal(CalendarAway):
    """The server answered with an error of its own."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it answers with status {status}")
        self.status = status
        # Else it is about what was asked, such as one entry that it does not take.
        self.stops_writing = status in {502, 503, 504}


def _refuse(answer: DAVResponse) -> None:
    match answer.status:
        case 412:
            raise ChangedOutside
        case 404 | 410:
            raise NoCalendar("the server does not know it; copy the calendar's address anew")
        case status if status >= 300:
            raise _Refusal(status)


def _zone(timezone: str) -> ZoneInfo | None:
    """Return the zone that a VTIMEZONE names, where it is a well-known one."""
    named = re.search(r"^TZID:(\S+)\s*$", timezone, re.MULTILINE)
    try:
        return ZoneInfo(named[1]) if named else None
    except (ValueError, OSError, KeyError):
        return None
