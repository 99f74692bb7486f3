"""Clinic files: TOML with one or more `[[clinics]]`, checked whole before anything is stored."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from itertools import pairwise
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from flows.clinics import BookingMode
from storage.clinic_faults import ClinicFileFaults, Fault, Lines, located

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SERVICES = frozenset({"treatment", "consultation"})

_SLUG = re.compile(r"[a-z0-9]{2,20}")
_PHONE = re.compile(r"\+?[0-9 ()-]{5,24}")
_WEB = re.compile(r"https://[^\s]+")
_SPAN = re.compile(r"([0-2]\d:[0-5]\d)-([0-2]\d:[0-5]\d)")

#: Opening times of one day, in order: (opens, closes) in the clinic's wall-clock time.
Spans = tuple[tuple[time, time], ...]


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise ValueError(f"must be 2 to 20 of a-z and 0-9, as it goes into links, got {value!r}")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"must be a time zone such as Europe/London, got {value!r}") from None
    return value


def _spans(value: object) -> object:
    """Read `["09:00-13:00", "14:00-18:00"]`; hours must be in order and apart."""
    if not isinstance(value, list):
        raise ValueError('must be a list such as ["09:00-17:00"], empty for a closed day')
    spans = sorted(_span(text) for text in value)
    for (_, closes), (opens, _) in pairwise(spans):
        if opens < closes:
            raise ValueError(
                f"must not overlap: one ends at {closes:%H:%M}, the next starts at {opens:%H:%M}"
            )
    return tuple(spans)


def _span(text: object) -> tuple[time, time]:
    match = _SPAN.fullmatch(text) if isinstance(text, str) else None
    try:
        opens, closes = map(time.fromisoformat, match.groups() if match else ("", ""))
    except ValueError:
        raise ValueError(f'must look like "09:00-17:00", got {text!r}') from None
    if opens >= closes:
        raise ValueError(f"must open before it closes, got {text}")
    return opens, closes


def _line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line of printable characters")
    return value


def _phone(value: str) -> str:
    if not _PHONE.fullmatch(value):
        raise ValueError(f"must be a telephone number such as +44 20 7946 0000, got {value!r}")
    return value


def _address(value: str) -> str:
    if value and not _WEB.fullmatch(value):
        raise ValueError(f"must be an address that begins with https://, or empty, got {value!r}")
    return value


Slug = Annotated[str, AfterValidator(_slug)]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=80), AfterValidator(_line)
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=80),
    AfterValidator(_line),
]
Short = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=40), AfterValidator(_line)
]
Web = Annotated[str, Field(max_length=300), AfterValidator(_address)]
Hours = Annotated[Spans, BeforeValidator(_spans)]


class _Entry(BaseModel):
    """A table of the file: unknown names are faults, because they are mostly misspelt ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BookingEntry(_Entry):
    """How far ahead, how short before, and in which way patients book."""

    mode: BookingMode = BookingMode.HOLD
    hold_minutes: int = Field(default=10, ge=2, le=120)
    notice_hours: int = Field(default=24, ge=0, le=24 * 14)
    horizon_days: int = Field(default=300, ge=7, le=730)
    cancel_hours: int = Field(default=24, ge=0, le=24 * 14)

    @model_validator(mode="after")
    def _leaves_time(self) -> Self:
        if self.notice_hours >= self.horizon_days * 24:
            raise ValueError(
                "the notice must be shorter than the horizon, or nothing can ever be booked: "
                f"got {self.notice_hours} hours and {self.horizon_days} days"
            )
        return self


class HolidaysEntry(_Entry):
    """Public holidays on which the clinic is closed; an empty country means none."""

    country: str = ""
    subdivision: str = ""

    @model_validator(mode="after")
    def _is_known(self) -> Self:
        supported = holidays.list_supported_countries(include_aliases=True)
        if self.country and self.country not in supported:
            raise ValueError(
                f"country must be a two-letter code such as GB, or empty, got {self.country!r}"
            )
        if self.subdivision and self.subdivision not in supported.get(self.country, []):
            known = ", ".join(supported.get(self.country, [])) or "none"
            raise ValueError(
                f"subdivision must be one of {self.country or 'a country'} ({known}), "
                f"got {self.subdivision!r}"
            )
        return self


class ServiceEntry(_Entry):
    """One service; its buffers are kept free around each appointment."""

    name: Name
    minutes: int = Field(ge=5, le=8 * 60)
    before_minutes: int = Field(default=0, ge=0, le=120)
    after_minutes: int = Field(default=0, ge=0, le=120)
    step_minutes: int = Field(default=30, ge=5, le=120)
    price: Short = ""

    @property
    def whole_minutes(self) -> int:
        """Return the time that one appointment takes with its buffers."""
        return self.before_minutes + self.minutes + self.after_minutes


class DayEntry(_Entry):
    """One date with other hours than usual; no hours means closed."""

    on: date
    hours: Hours = ()


class PractitionerEntry(_Entry):
    """Someone who treats, with their weekly hours."""

    slug: Slug
    name: Name
    hours: Mapping[str, Hours]
    days: tuple[DayEntry, ...] = ()

    @field_validator("hours")
    @classmethod
    def _has_weekdays(cls, hours: Mapping[str, Spans]) -> Mapping[str, Spans]:
        unknown = [name for name in hours if name not in WEEKDAYS]
        if unknown:
            raise ValueError(f"must name days {' '.join(WEEKDAYS)}, got {', '.join(unknown)}")
        return hours

    @field_validator("days")
    @classmethod
    def _has_each_day_once(cls, days: tuple[DayEntry, ...]) -> tuple[DayEntry, ...]:
        _refuse_twice("day", (day.on.isoformat() for day in days))
        return days

    def weekly(self) -> dict[int, Spans]:
        """Return the hours by weekday, 0 = Monday."""
        return {WEEKDAYS.index(name): spans for name, spans in self.hours.items()}

    def longest_minutes(self) -> int:
        """Return the longest time without a break in the week."""
        spans = (span for day in self.hours.values() for span in day)
        return max((_minutes(closes) - _minutes(opens) for opens, closes in spans), default=0)


class ClosureEntry(_Entry):
    """Dates, both inclusive, on which the whole clinic is closed."""

    from_on: date = Field(alias="from")
    until_on: date = Field(alias="until")
    note: Line = ""

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.until_on < self.from_on:
            raise ValueError(f"must end on or after its first day, got {self.until_on}")
        return self


class ClinicEntry(_Entry):
    """One clinic."""

    slug: Slug
    name: Name
    zone: Annotated[str, AfterValidator(_zone)]
    locale: str = Field("en", pattern=r"^[a-z]{2}(-[A-Z]{2})?$")
    address: Name
    phone: Annotated[str, AfterValidator(_phone)]
    map_url: Web = ""
    privacy_url: Web = ""
    emergency: Annotated[Short, Field(min_length=1)]
    crisis_line: Line = ""
    #: A file with the clinic's overrides; empty: the packaged protocol; None: as it is.
    protocol: str | None = None
    booking: BookingEntry = BookingEntry()
    holidays: HolidaysEntry = HolidaysEntry()
    services: Mapping[str, ServiceEntry]
    practitioners: tuple[PractitionerEntry, ...]
    closures: tuple[ClosureEntry, ...] = ()

    @field_validator("services")
    @classmethod
    def _has_both(cls, services: Mapping[str, ServiceEntry]) -> Mapping[str, ServiceEntry]:
        if services.keys() != SERVICES:
            wanted, found = " and ".join(sorted(SERVICES)), ", ".join(services) or "none"
            raise ValueError(f"must be {wanted}, got {found}")
        return services

    @field_validator("practitioners")
    @classmethod
    def _fit_in_a_day(
        cls, people: tuple[PractitionerEntry, ...], info: ValidationInfo
    ) -> tuple[PractitionerEntry, ...]:
        _refuse_none("[[clinics.practitioners]]", people)
        _refuse_twice("practitioner", (person.slug for person in people))
        longest = max(person.longest_minutes() for person in people)
        for code, service in info.data.get("services", {}).items():
            if service.whole_minutes > longest:
                raise ValueError(
                    f"must have hours long enough for the {code}: it takes "
                    f"{service.whole_minutes} minutes with its buffers, and the longest time "
                    f"without a break is {longest} minutes"
                )
        return people

    @field_validator("closures")
    @classmethod
    def _start_once(cls, closures: tuple[ClosureEntry, ...]) -> tuple[ClosureEntry, ...]:
        _refuse_twice("closure from", (closure.from_on.isoformat() for closure in closures))
        return closures


class _File(_Entry):
    clinics: tuple[ClinicEntry, ...]

    @field_validator("clinics")
    @classmethod
    def _have_own_slugs(cls, clinics: tuple[ClinicEntry, ...]) -> tuple[ClinicEntry, ...]:
        _refuse_none("[[clinics]]", clinics)
        _refuse_twice("clinic", (clinic.slug for clinic in clinics))
        return clinics


def parse(text: str, file: str) -> tuple[ClinicEntry, ...]:
    """Return the clinics of a file; raises ClinicFileFaults with every fault, line and cure."""
    try:
        return _File.model_validate(tomllib.loads(text)).clinics
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else len(text.splitlines())
        raise ClinicFileFaults(file, [Fault((), f"is not TOML: {error}", line)]) from None
    except ValidationError as error:
        raise ClinicFileFaults(file, located(error, Lines(text))) from None


def checked(document: Mapping[str, object]) -> ClinicEntry:
    """Return one clinic from values shaped as in a file. Raises ClinicFileFaults."""
    try:
        return ClinicEntry.model_validate(document)
    except ValidationError as error:
        raise ClinicFileFaults("the clinic", located(error, Lines(""))) from None


def _refuse_twice(what: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"must name each {what} once, got {', '.join(twice)} twice")


def _refuse_none(what: str, entries: Sequence[object]) -> None:
    if not entries:
        raise ValueError(f"must hold at least one {what}, got none")


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
