"""What the dialogue needs to know of a clinic, as a value. `storage.clinics` loads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class BookingMode(StrEnum):
    """How a chosen time becomes an appointment."""

    REQUEST = "request"  # staff confirm each one: appointments start as `pending`
    HOLD = "hold"  # times are held while the patient leaves contact details, then booked
    INSTANT = "instant"  # booked as soon as chosen


@dataclass(frozen=True, slots=True)
class Service:
    """Something a clinic does. `treatment` is booked as a series, `consultation` once."""

    code: str  # "treatment" or "consultation"
    name: str
    duration: timedelta
    price: str = ""  # as patients read it, e.g. "£180"; empty when the clinic shows none

    @property
    def minutes(self) -> int:
        """Return how long it takes, in whole minutes."""
        return self.duration // timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Clinic:
    """One clinic's profile."""

    slug: str
    name: str
    zone: str  # IANA name
    locale: str
    address: str
    phone: str
    protocol: str  # `Protocol.key` for new conversations
    map_url: str = ""
    emergency: str = ""  # number to call in an emergency, e.g. "999"
    crisis_line: str = ""  # number or name of a crisis line
    booking_mode: BookingMode = BookingMode.HOLD
    hold_for: timedelta = timedelta(minutes=10)
    cancel_cutoff: timedelta = timedelta(hours=24)  # later changes need a call
    services: tuple[Service, ...] = ()
    practitioners: tuple[tuple[str, str], ...] = ()  # (slug, name)
    privacy_url: str = ""

    def service(self, code: str) -> Service:
        """Return a service by code; KeyError when the clinic does not offer it."""
        for service in self.services:
            if service.code == code:
                return service
        raise KeyError(code)

    def practitioner_name(self, slug: str) -> str:
        """Return the name patients see; the slug itself when the practitioner has left."""
        return dict(self.practitioners).get(slug, slug)
