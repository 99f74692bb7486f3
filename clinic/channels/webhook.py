"""Tells a webhook of an event, as Standard Webhooks asks: signed, one id for all its tries.

One request is one try. What comes back is sorted into taken, try again, perhaps and give up; the
outbox does the rest (`storage.deliveries`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import aiohttp
from aiohttp.abc import AbstractResolver
from standardwebhooks import Webhook

from clinic.channels.addresses import AddressRefused, Guard
from clinic.channels.bodies import Told, told
from storage import lead_channels
from storage.database import Database
from storage.deliveries import GiveUp, Perhaps, TryAgain
from storage.lead_channels import Channel
from storage.lead_events import GONE
from storage.outbox import OutboxRow
from storage.sealing import Seal, SealFault

_WITHIN = 10.0  # seconds for everything: looking up, connecting, sending, and the answer's head
_LONGEST_WAIT = timedelta(hours=6)  # that a receiver may ask for


@dataclass(frozen=True, slots=True)
class Wire:
    """What a delivery needs of the world besides the database."""

    now: Callable[[], datetime]  # aware UTC
    seal: Callable[[], Seal]
    guard: Guard
    console: str  # where links to the console begin
    resolver: AbstractResolver | None = None  # None: the system's own
    trust: ssl.SSLContext | None = None  # whose certificates are believed; None: the system's


class Webhooks:
    """Delivers messages of the kind LEAD."""

    def __init__(self, database: Database, wire: Wire) -> None:
        self._database = database
        self._wire = wire

    async def deliver(self, row: OutboxRow) -> None:
        """Tell a channel of one event, once. Raises DeliveryFault."""
        event = await told(self._database, row, self._wire.console)
        status, wait = await self.post(event)
        if status == HTTPStatus.GONE:
            now = self._wire.now()
            await self._database.write(lead_channels.disable, event.channel.id, GONE, now)
            raise GiveUp("http_410")
        if not is_taken(status):
            raise TryAgain(f"http_{status}", wait)

    async def post(self, event: Told) -> tuple[int, datetime | None]:
        """Send one request; return its status and, of a refusal, when the next is wanted.

        Raises TryAgain when the receiver cannot have taken it, Perhaps when nobody knows.
        """
        body = event.body()
        headers = self._headers(event, body)
        guard, url = self._wire.guard, event.channel.address
        connector = aiohttp.TCPConnector(
            resolver=self._wire.resolver,
            ssl=self._wire.trust or True,
            use_dns_cache=False,
            force_close=True,
            socket_factory=guard.opener(url.partition(":")[0].lower()),
        )
        timeout = aiohttp.ClientTimeout(total=_WITHIN)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    timeout=timeout,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    auto_decompress=False,
                ) as session,
                session.post(
                    url, data=body.encode(), headers=headers, allow_redirects=False
                ) as answer,
            ):
                wanted = "" if is_taken(answer.status) else answer.headers.get("Retry-After", "")
                return answer.status, _wanted_at(wanted, self._wire.now())
        except aiohttp.ClientConnectorError as error:
            raise TryAgain(_unreachable(error)) from None
        except aiohttp.InvalidURL:
            raise GiveUp("address_refused") from None
        except TimeoutError:
            raise Perhaps("timeout") from None
        except (aiohttp.ClientError, asyncio.IncompleteReadError, OSError):
            raise Perhaps("connection_broke") from None

    def _headers(self, event: Told, body: str) -> dict[str, str]:
        now = self._wire.now()
        signatures = [
            Webhook(secret).sign(event.event_id, now, body)
            for secret in self._secrets(event.channel)
        ]
        return {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "resurface",
            "webhook-id": event.event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def _secrets(self, channel: Channel) -> list[str]:
        """Return the newest secret and, while it is being replaced, the one before it."""
        try:
            seal = self._wire.seal()
            return [seal.open(each) for each in (channel.secret, channel.old_secret) if each]
        except SealFault:
            raise TryAgain("secret_sealed") from None


def is_taken(status: int) -> bool:
    """Say whether an answer of this status takes what was sent."""
    return 200 <= status < 300


def _unreachable(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error.os_error, AddressRefused):
        return "address_refused"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "name_not_found"
    if isinstance(error, aiohttp.ClientSSLError):
        return "certificate"
    return "not_reached"


def _wanted_at(wanted: str, now: datetime) -> datetime | None:
    """Read Retry-After: seconds or a date, never further away than six hours."""
    if wanted.isascii() and wanted.isdigit():
        return now + min(timedelta(seconds=int(wanted[:6])), _LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(wanted)
    except (ValueError, OverflowError):  # a year of twenty digits
        return None
    return min(at, now + _LONGEST_WAIT) if at.utcoffset() is not None else None
