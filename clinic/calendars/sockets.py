"""Connections to CalDAV servers: never to a machine that only this server can reach.

Whoever connects a calendar types its address, so it could name the server's own network. What is
judged is the very IP address that a socket is about to be connected to, so a name that answers
differently the second time gains nothing.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import niquests
from niquests.packages.urllib3.contrib.resolver.system import (  # type: ignore[import-not-found]
    SystemResolver,
)

from clinic import networks
from clinic.calendars.faults import BadAddress


class ForbiddenAddress(Exception):
    """A socket was about to be connected to an address that is not called."""


class _Resolver(SystemResolver):  # type: ignore[misc]  # made for its own name at run time
    """Resolves names, and refuses what they lead to."""

    def __init__(self, scheme: str, *, private: bool) -> None:
        super().__init__()
        self._scheme = scheme
        self._private = private

    def getaddrinfo(self, *args: Any, **kwargs: Any) -> Any:
        """Return what a name leads to. Raises ForbiddenAddress, and OSError for none."""
        found = super().getaddrinfo(*args, **kwargs)
        if not all(allows(str(each[4][0]), self._scheme, private=self._private) for each in found):
            raise ForbiddenAddress
        return found

    def recycle(self) -> _Resolver:
        """Return itself: it holds nothing that could be closed."""
        return self


def check(url: str, *, private: bool) -> None:
    """Refuse an address that cannot be a calendar's. Raises BadAddress."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise BadAddress("a calendar's address must look like https://example.org/me/") from None
    here = host == "localhost" or ((ip := networks.parsed(host)) is not None and ip.is_loopback)
    if parts.scheme != "https" and not (parts.scheme == "http" and here and private):
        raise BadAddress("a calendar's address must begin with https://")
    if not host or parts.username is not None or parts.query or parts.fragment:
        raise BadAddress("a calendar's address must have a host, and no password, ? or # in it")


def allows(address: str, scheme: str, *, private: bool) -> bool:
    """Say whether a socket may be connected to this IP address."""
    found = networks.parsed(address)
    if found is None:
        return False
    if private and networks.is_own(found):
        return scheme == "https" or found.is_loopback
    return scheme == "https" and networks.is_public(found)


def session(url: str, *, private: bool) -> niquests.Session:
    """Return what calls the server of this address: no proxy, no redirect, no stored password."""
    check(url, private=private)
    guarded = niquests.Session(
        resolver=_Resolver(urlsplit(url).scheme, private=private), disable_http3=True
    )
    guarded.trust_env = False
    guarded.max_redirects = 0
    return guarded
