"""Builds what tells a clinic's channels, from the settings."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from clinic.channels.addresses import Guard
from clinic.channels.desk import Channels
from clinic.channels.mail import Mails, Postbox, postbox
from clinic.channels.webhook import Webhooks, Wire
from clinic.lent import Deliver, Now
from clinic.settings import ConsoleSettings
from storage import sealing
from storage.database import Database
from storage.outbox_policy import Kind


def deliveries(database: Database, now: Now, settings: ConsoleSettings) -> Mapping[Kind, Deliver]:
    """Return how messages for webhooks and mailboxes are delivered. Raises ChannelFault."""
    wire, box = _wire(now, settings), _box(settings)
    return {
        Kind.LEAD: Webhooks(database, wire).deliver,
        Kind.MAIL: Mails(database, wire, box).deliver,
    }


def channels(database: Database, now: Now, settings: ConsoleSettings) -> Channels:
    """Return what staff deal with channels by. Raises ChannelFault."""
    return Channels(database, _wire(now, settings), _box(settings))


def _wire(now: Now, settings: ConsoleSettings) -> Wire:
    """The keys are read, or made, when the first secret needs them."""
    return Wire(
        now=now,
        seal=functools.cache(lambda: sealing.load(settings.keys_file)),
        guard=Guard(private=settings.private_addresses),
        console=settings.address,
    )


def _box(settings: ConsoleSettings) -> Postbox | None:
    return postbox(settings.smtp_url.get_secret_value(), settings.mail_from)
