"""Which IP addresses this program may call on a clinic's behalf."""

from __future__ import annotations

import pytest

from clinic.networks import is_own, is_public, parsed

PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::1"]

NEITHER = [
    "0.0.0.0",
    "100.64.0.1",  # shared by a provider's customers
    "169.254.169.254",  # where clouds answer with secrets
    "fe80::1%eth0",
    "224.0.0.1",
    "239.1.2.3",
    "255.255.255.255",
    "240.0.0.1",
    "ff02::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "::10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2001:0:a00:1::1",
    "fec0::1",
]

OWN = ["127.0.0.1", "127.9.9.9", "::1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "fd00::1"]


@pytest.mark.parametrize("text", PUBLIC)
def test_an_address_of_the_public_net_is_public(text: str) -> None:
    address = parsed(text)

    assert address is not None
    assert (is_public(address), is_own(address)) == (True, False)


@pytest.mark.parametrize("text", NEITHER)
def test_an_address_in_disguise_or_for_machines_alone_is_neither(text: str) -> None:
    address = parsed(text)

    assert address is not None
    assert (is_public(address), is_own(address)) == (False, False)


@pytest.mark.parametrize("text", OWN)
def test_an_address_of_the_own_network_is_not_public(text: str) -> None:
    address = parsed(text)

    assert address is not None
    assert (is_public(address), is_own(address)) == (False, True)


@pytest.mark.parametrize("text", ["example.org", "2130706433", "0x7f.1", "127.1", "", "1.2.3.4.5"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parsed(text) is None
