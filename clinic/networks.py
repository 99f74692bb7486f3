"""Which IP addresses are in the public net, and which a clinic's own network may have.

Whoever may type an address could otherwise have this program call machines that only it reaches.
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
_COMPATIBLE = ipaddress.ip_network("::/96")  # old IPv6 clothes of an IPv4 address


def parsed(text: str) -> Address | None:
    """Read an IP address, with or without the zone of an interface; None when it is none."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Say whether an address is somewhere in the public net, whatever it is wrapped in."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = _wrapped(address)
        if inner is not None:
            return is_public(inner)
        if address in _NAT64_LOCAL or address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def is_own(address: Address) -> bool:
    """Say whether an address is this machine, or of a network at home or in the clinic.

    Addresses of the link alone are neither: clouds answer there with their machines' secrets.
    """
    if isinstance(address, ipaddress.IPv6Address) and _wrapped(address) is not None:
        return False
    if address.is_loopback:
        return True
    return address.is_private and not (
        address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )


def _wrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address leads to."""
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour
