"""Channels as staff deal with them: add, list, test, rotate, turn on and off, remove.

The command line and the console's settings call the same functions.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from clinic.channels.bodies import TEST, Told
from clinic.channels.mail import Mails, Postbox
from clinic.channels.reasons import in_words
from clinic.channels.webhook import Webhooks, Wire, is_taken
from storage import lead_channels, undelivered
from storage.database import Database
from storage.deliveries import DeliveryFault
from storage.lead_channels import Channel, ChannelFault, Delivery, NewChannel
from storage.lead_events import EventType, instant
from storage.undelivered import Lacking

#: What a mailbox is told of unless it asks for more: a time that is only held or offered is no news
#: for a person, and a yes to an offer is told as the move that it is.
FOR_A_MAILBOX = tuple(
    event
    for event in EventType
    if event is not EventType.BOOKING_HELD and not event.startswith("waitlist.")
)

_MAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+"
)
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Added:
    """A new channel; its secret is shown once and never again."""

    id: int
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a test."""

    is_delivered: bool
    words: str


class Channels:
    """Deals with the channels of any clinic. Functions raise ChannelFault."""

    def __init__(
        self,
        database: Database,
        wire: Wire,
        box: Postbox | None,
        new_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._database = database
        self._wire = wire
        self._box = box
        self._new_bytes = new_bytes

    async def add(
        self,
        clinic_id: int,
        address: str,
        event_types: Sequence[str] = (),
        *,
        includes_answers: bool = False,
    ) -> Added:
        """Add a webhook (an https address) or a mailbox (an e-mail address)."""
        wanted = _types(event_types)
        if "://" not in address:
            new = self._mailbox(address, wanted, includes_answers=includes_answers)
            return Added(await self._add(clinic_id, new), None)
        self._wire.guard.check(address)
        secret = self._new_secret()
        new = NewChannel(
            "webhook", address, self._wire.seal().close(secret), wanted, includes_answers
        )
        return Added(await self._add(clinic_id, new), secret)

    async def listed(self, clinic_id: int) -> list[Channel]:
        """Return the clinic's channels."""
        return await self._database.read(lead_channels.listed, clinic_id)

    async def choose(self, clinic_id: int, channel_id: int, event_types: Sequence[str]) -> None:
        """Change what a channel is told of; nothing means everything."""
        wanted = _types(event_types)
        await self._database.write(lead_channels.choose, clinic_id, channel_id, wanted)

    async def disable(self, clinic_id: int, channel_id: int) -> None:
        """Turn a channel off; what waits for it is given up and can be sent again later."""
        await self._database.read(lead_channels.find, clinic_id, channel_id)
        now = self._wire.now()
        await self._database.write(lead_channels.disable, channel_id, "staff", now)

    async def enable(self, clinic_id: int, channel_id: int) -> None:
        """Turn a channel on again."""
        await self._database.write(lead_channels.enable, clinic_id, channel_id)

    async def remove(self, clinic_id: int, channel_id: int) -> int:
        """Remove a channel; return how many messages will now not be sent."""
        now = self._wire.now()
        return await self._database.write(lead_channels.remove, clinic_id, channel_id, now)

    async def rotate(self, clinic_id: int, channel_id: int) -> str:
        """Return a new secret. The last one signs too until `forget_old`."""
        secret = self._new_secret()
        sealed = self._wire.seal().close(secret)
        await self._database.write(lead_channels.rotate, clinic_id, channel_id, sealed)
        return secret

    async def forget_old(self, clinic_id: int, channel_id: int) -> None:
        """End a rotation: sign with the newest secret alone."""
        await self._database.write(lead_channels.forget_old, clinic_id, channel_id)

    async def send_test(self, clinic_id: int, channel_id: int) -> Tested:
        """Send a `channel.test` event at once, whether the channel is on or off."""
        channel = await self._database.read(lead_channels.find, clinic_id, channel_id)
        event_id = "evt_" + self._new_bytes(16).hex()
        data = {"clinic": channel.clinic}
        event = Told(channel, event_id, TEST, instant(self._wire.now()), data)
        try:
            if channel.kind == "mail":
                zone = await self._database.read(lead_channels.zone_of, clinic_id)
                await Mails(self._database, self._wire, self._box).post(event, zone)
                return Tested(is_delivered=True, words="the mail server took it")
            status, _ = await Webhooks(self._database, self._wire).post(event)
        except DeliveryFault as fault:
            return Tested(is_delivered=False, words=in_words(fault.why))
        return Tested(is_taken(status), in_words(f"http_{status}"))

    async def given_up(self, clinic_id: int) -> list[Delivery]:
        """Return what the clinic's channels did not get."""
        return await self._database.read(lead_channels.given_up, clinic_id)

    async def lacking(self, clinic_id: int) -> Mapping[int, Lacking]:
        """Return what each of the clinic's channels has not got, by the channel's number."""
        return await self._database.read(undelivered.lacking, clinic_id)

    async def send_again(self, clinic_id: int, channel_id: int) -> int:
        """Send everything that a channel did not get; return how many. Raises ChannelIsOff too."""
        now = self._wire.now()
        return await self._database.write(undelivered.send_again, clinic_id, channel_id, now)

    async def _add(self, clinic_id: int, new: NewChannel) -> int:
        return await self._database.write(lead_channels.add, clinic_id, new, self._wire.now())

    def _mailbox(
        self, address: str, wanted: tuple[EventType, ...], *, includes_answers: bool
    ) -> NewChannel:
        if not _MAIL.fullmatch(address):
            raise ChannelFault("a channel is an https:// address or an e-mail address")
        if includes_answers:
            raise ChannelFault("health answers are sent to https:// addresses only")
        if self._box is None:
            raise ChannelFault("set SMTP_URL and MAIL_FROM before adding an e-mail address")
        return NewChannel("mail", address, event_types=wanted or FOR_A_MAILBOX)

    def _new_secret(self) -> str:
        return "whsec_" + base64.b64encode(self._new_bytes(_SECRET_BYTES)).decode()


def _types(names: Sequence[str]) -> tuple[EventType, ...]:
    """Read names of events; `lead.*` stands for all that begin like that. Raises ChannelFault."""
    chosen: dict[EventType, None] = {}
    for name in names:
        found = [event for event in EventType if event == name or _is_below(event, name)]
        if not found:
            known = ", ".join(EventType)
            raise ChannelFault(f"an event must be one of {known}, or such as lead.*, got {name!r}")
        chosen |= dict.fromkeys(found)
    return tuple(chosen)


def _is_below(event: EventType, name: str) -> bool:
    return name.endswith(".*") and event.startswith(name.removesuffix("*"))
