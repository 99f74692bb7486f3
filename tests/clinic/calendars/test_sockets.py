"""Which machines are called on a clinic's behalf."""

from __future__ import annotations

import pytest

from clinic.calendars import sockets
from clinic.calendars.faults import BadAddress, CalendarAway
from clinic.calendars.remote import RemoteCalendar
from tests.clinic.calendars.radicale import PASSWORD, USER, Radicale


@pytest.mark.parametrize(
    ("address", "private", "is_called"),
    [
        ("93.184.215.14", False, True),
        ("10.0.0.7", False, False),
        ("10.0.0.7", True, True),
        ("127.0.0.1", False, False),
        ("169.254.169.254", True, False),
        ("::ffff:127.0.0.1", False, False),
        ("rubbish", True, False),
    ],
)
def test_only_the_public_net_is_called_unless_the_clinics_own_may_be(
    address: str, private: bool, is_called: bool
) -> None:
    assert sockets.allows(address, "https", private=private) is is_called


def test_http_reaches_this_machine_alone() -> None:
    assert sockets.allows("127.0.0.1", "http", private=True)
    assert not sockets.allows("10.0.0.7", "http", private=True)
    assert not sockets.allows("93.184.215.14", "http", private=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "http://127.0.0.1/",
        "ftp://example.org/",
        "https:///x/",
        "https://me:secret@example.org/",
        "https://example.org/?a=b",
        "https://[::1",
    ],
)
def test_an_address_that_cannot_be_a_calendars_is_refused_in_words(url: str) -> None:
    with pytest.raises(BadAddress, match="a calendar's address must") as refused:
        sockets.check(url, private=False)

    assert "secret" not in str(refused.value)


def test_a_name_is_judged_by_what_it_leads_to(radicale: Radicale) -> None:
    remote = RemoteCalendar(f"https://localhost:{radicale.port}/x/", USER, PASSWORD)

    with pytest.raises(BadAddress, match="PRIVATE_ADDRESSES=true"):
        remote.look()
    remote.close()


def test_nobody_is_sent_on_to_another_address(radicale: Radicale) -> None:
    remote = RemoteCalendar(f"{radicale.url}/.well-known/caldav", USER, PASSWORD, private=True)
    remote.url = f"{radicale.url}/.well-known/caldav"  # answers with a redirect

    with pytest.raises(CalendarAway):
        remote.look()
    remote.close()
