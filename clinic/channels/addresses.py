"""Where a webhook may go: never to a machine that only this server can reach.

A clinic types the address, so it could name the server's own network. The name is looked up once;
the very address that a socket is about to be connected to is judged, so that a name that answers
differently the second time gains nothing.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from clinic import networks
from storage.lead_channels import ChannelFault

_LONGEST = 500
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_NUMERIC = re.compile(r"(?:0[xX][0-9A-Fa-f]*|\d+)(?:\.(?:0[xX][0-9A-Fa-f]*|\d+))*\.?")


class AddressRefused(OSError):
    """A socket was about to be connected to an address that is not public."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Which addresses a webhook may reach.

    `private` lets it reach the clinic's own network by https and this machine by http too: for a
    receiver in the same house as the bot.
    """

    private: bool = False

    def check(self, url: str) -> None:
        """Refuse an address that cannot be a receiver's. Raises ChannelFault."""
        parts = _split(url)
        if parts.scheme not in ("https", "http"):
            raise ChannelFault("a webhook's address must begin with https://")
        if parts.username is not None or parts.fragment:
            raise ChannelFault("a webhook's address must have no password and no # in it")
        host = parts.hostname or ""
        address = networks.parsed(host)
        if address is None and not (_NAME.fullmatch(host) and not _NUMERIC.fullmatch(host)):
            raise ChannelFault("a webhook's address must name a host, such as https://example.org")
        here = host == "localhost" or (address is not None and address.is_loopback)
        if parts.scheme == "http" and not (here and self.private):
            raise ChannelFault("a webhook's address must begin with https://")
        if address is not None and not self.allows(str(address), parts.scheme):
            raise ChannelFault("a webhook's address must be public, not one of this network")

    def allows(self, address: str, scheme: str) -> bool:
        """Say whether a socket may be connected to this IP address."""
        found = networks.parsed(address)
        if found is None:
            return False
        if self.private and networks.is_own(found):
            return scheme == "https" or found.is_loopback
        return scheme == "https" and networks.is_public(found)

    def opener(self, scheme: str) -> Any:
        """Return what makes the sockets of a connection, or raises AddressRefused."""

        def open_socket(found: tuple[Any, Any, Any, Any, tuple[Any, ...]]) -> socket.socket:
            family, kind, proto, _, address = found
            if not self.allows(str(address[0]), scheme):
                raise AddressRefused("the address is not public")
            return socket.socket(family=family, type=kind, proto=proto)

        return open_socket


def _split(url: str) -> SplitResult:
    if len(url) > _LONGEST or not url.isascii() or any(c.isspace() or c == "\\" for c in url):
        raise ChannelFault(f"a webhook's address must be plain and at most {_LONGEST} letters long")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ChannelFault("a webhook's address must look like https://example.org/hook") from None
    return parts
