"""Tells the clinic of an event by e-mail: short and plain, without a name or a health answer."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo

import aiosmtplib

from clinic.channels import headlines
from clinic.channels.bodies import Told, told
from clinic.channels.webhook import Wire
from storage import lead_channels
from storage.database import Database
from storage.deliveries import DeliveryFault, GiveUp, Perhaps, TryAgain
from storage.lead_channels import ChannelFault
from storage.outbox import OutboxRow

_WITHIN = 20.0  # seconds for each step of the talk with the server
_PERMANENT = 500  # SMTP's answers from here on will be the same the next time

_EXPECTED = "SMTP_URL must look like smtps://USER:PASSWORD@HOST:465 or smtp://HOST:587"

#: Times that are told beside the visits: where they stand in an event's data, and a mail's words.
_BESIDE = (
    ("previous", "starts_at", "It was"),
    ("offer", "starts_at", "Offered"),
    ("offer", "until", "To be answered by"),
    ("recall", "since", "Due since"),
)


@dataclass(frozen=True, slots=True)
class Postbox:
    """An SMTP server and who the mail is from."""

    host: str
    port: int
    username: str | None
    password: str | None
    is_tls: bool  # TLS from the start; otherwise STARTTLS is asked for
    may_be_plain: bool  # a server on this machine may go without
    sender: str


def postbox(url: str, sender: str) -> Postbox | None:
    """Read SMTP_URL and MAIL_FROM; None when they are not set. Raises ChannelFault."""
    if not url:
        return None
    parts, port = _read(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ChannelFault(_EXPECTED)
    if "@" not in sender:
        raise ChannelFault("MAIL_FROM must be an e-mail address when SMTP_URL is set")
    is_tls = parts.scheme == "smtps"
    return Postbox(
        host=parts.hostname,
        port=port or (465 if is_tls else 587),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        is_tls=is_tls,
        may_be_plain=parts.hostname in ("localhost", "127.0.0.1", "::1"),
        sender=sender,
    )


def _read(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:  # its words would repeat a part of the address
        raise ChannelFault(_EXPECTED) from None


class Mails:
    """Delivers messages of the kind MAIL."""

    def __init__(self, database: Database, wire: Wire, box: Postbox | None) -> None:
        self._database = database
        self._wire = wire
        self._box = box

    async def deliver(self, row: OutboxRow) -> None:
        """Send one mail, once. Raises DeliveryFault."""
        event = await told(self._database, row, self._wire.console)
        zone = await self._database.read(lead_channels.zone_of, event.channel.clinic_id)
        await self.post(event, zone)

    async def post(self, event: Told, zone: str) -> None:
        """Send one mail with times of the clinic's zone. Raises DeliveryFault."""
        if self._box is None:
            raise TryAgain("mail_not_set_up")
        mail = letter(event, zone, self._box.sender, self._wire.now())
        try:
            await _send(self._box, mail, self._wire.trust)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _sorted(error) from None


def letter(event: Told, zone: str, sender: str, now: datetime) -> EmailMessage:
    """Write the mail of an event; every try of it has one Message-ID."""
    headline = headlines.in_words(event.event_type)
    number = event.data.get("lead", {}).get("id")
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = event.channel.address
    mail["Subject"] = f"{headline} (lead {number})" if number else headline
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = (
        f"<{event.event_id}@{sender.rpartition('@')[2].rstrip('>') or 'resurface'}>"
    )
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join([f"{headline}.", "", *_lines(event.data, ZoneInfo(zone))]))
    return mail


def _lines(data: Mapping[str, Any], zone: ZoneInfo) -> list[str]:
    lead, lines = data.get("lead", {}), [f"Clinic: {data['clinic']}"]
    if lead:
        lines.append(f"Lead: {lead['id']}")
    if lead.get("score_band"):
        lines.append(f"Readiness: {lead['score_band']}")
    if lead.get("recheck_on"):
        lines.append(f"Ask again from: {lead['recheck_on']}")
    lines += [
        f"{words}: {_local(data[thing][name], zone)}"
        for thing, name, words in _BESIDE
        if thing in data
    ]
    booked = [data["booking"]] if "booking" in data else data.get("series", {}).get("sessions", [])
    lines += [f"Visit {each['number']}: {_local(each['starts_at'], zone)}" for each in booked]
    if "link" in lead:
        lines += ["", f"Everything else is in the console: {lead['link']}"]
    return lines


def _local(instant: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(zone):%a %d %b %Y, %H:%M}"


async def _send(box: Postbox, mail: EmailMessage, trust: ssl.SSLContext | None) -> None:
    await aiosmtplib.send(
        mail,
        hostname=box.host,
        port=box.port,
        username=box.username,
        password=box.password,
        use_tls=box.is_tls,
        start_tls=_start_tls(box),
        tls_context=trust,
        timeout=_WITHIN,
    )


def _start_tls(box: Postbox) -> bool | None:
    """Insist on TLS, but of a server on this machine."""
    if box.is_tls:
        return False
    return None if box.may_be_plain else True


def _sorted(error: Exception) -> DeliveryFault:
    """Say what a failed talk with the server means for the mail."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return _refused(error.recipients[0].code, "address_not_taken")
        case aiosmtplib.SMTPAuthenticationError():
            return TryAgain("mail_password")
        case aiosmtplib.SMTPResponseException():
            return _refused(error.code, "mail_refused")
        case aiosmtplib.SMTPConnectError():
            return TryAgain("not_reached")
        case aiosmtplib.SMTPNotSupported() | ssl.SSLError():
            return TryAgain("no_safe_connection")
        case aiosmtplib.SMTPTimeoutError():
            return Perhaps("timeout")
        case _:
            return Perhaps("connection_broke")


def _refused(code: int, why: str) -> GiveUp | TryAgain:
    return GiveUp(why) if code >= _PERMANENT else TryAgain(why)
