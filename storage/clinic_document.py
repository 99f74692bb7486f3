"""A clinic as a document: read back from the tables, and written as a clinic file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from typing import Any

from sqlalchemy import Connection, select

from storage import clinic_file
from storage.clinic_file import WEEKDAYS, ClinicEntry, Spans
from storage.faults import StorageError
from storage.models import Clinic, Closure, DayOverride, OpeningHours, Practitioner, Service
from storage.program import command, which_clinic

#: A clinic's values, shaped as in a file; `clinic_file.checked` reads it.
Document = dict[str, Any]

_HEAD = """\
# A clinic as Resurface knows it. Change what you like and run:
#   {again}
# Practitioners who are left out are closed, not deleted; appointments stay.
"""


class NoSuchClinic(StorageError):
    """There is no clinic of this name."""


def entry_of(connection: Connection, slug: str) -> ClinicEntry:
    """Return a clinic as a file would describe it. Raises NoSuchClinic."""
    clinic = connection.execute(select(Clinic).where(Clinic.slug == slug)).one_or_none()
    if clinic is None:
        raise NoSuchClinic(which_clinic(slugs(connection), slug, "the clinic"))
    document: Document = {
        name: getattr(clinic, name)
        for name in ("slug", "name", "zone", "locale", "address", "phone", "map_url")
    } | {name: getattr(clinic, name) for name in ("privacy_url", "emergency", "crisis_line")}
    document["booking"] = {
        "mode": clinic.booking_mode,
        "hold_minutes": clinic.hold_minutes,
        "notice_hours": clinic.notice_minutes // 60,
        "horizon_days": clinic.horizon_days,
        "cancel_hours": clinic.cancel_minutes // 60,
    }
    document["holidays"] = {
        "country": clinic.holidays_country,
        "subdivision": clinic.holidays_subdivision,
    }
    document["services"] = _services(connection, clinic.id)
    document["practitioners"] = _practitioners(connection, clinic.id)
    document["closures"] = _closures(connection, clinic.id)
    return clinic_file.checked(document)


def slugs(connection: Connection) -> list[str]:
    """Return the slugs of all clinics, in the order they came."""
    return list(connection.execute(select(Clinic.slug).order_by(Clinic.id)).scalars())


def document(entry: ClinicEntry) -> Document:
    """Return a clinic's values as a file holds them: what is empty is left out."""
    profile = entry.model_dump(
        mode="json", exclude={"services", "practitioners", "closures", "booking", "holidays"}
    )
    return {
        **{name: value for name, value in profile.items() if value not in ("", None)},
        "booking": entry.booking.model_dump(mode="json"),
        "holidays": {
            name: value for name, value in entry.holidays.model_dump(mode="json").items() if value
        },
        "services": {
            code: service.model_dump(mode="json") for code, service in entry.services.items()
        },
        "practitioners": [
            {
                "slug": person.slug,
                "name": person.name,
                "hours": {
                    name: words(person.hours[name]) for name in WEEKDAYS if person.hours.get(name)
                },
                "days": [
                    {"on": day.on, "hours": words(day.hours)} if day.hours else {"on": day.on}
                    for day in sorted(person.days, key=lambda day: day.on)
                ],
            }
            for person in entry.practitioners
        ],
        "closures": [
            {"from": each.from_on, "until": each.until_on}
            | ({"note": each.note} if each.note else {})
            for each in sorted(entry.closures, key=lambda each: each.from_on)
        ],
    }


def words(spans: Spans) -> list[str]:
    """Return opening times as a file says them: `["09:00-13:00", "14:00-17:30"]`."""
    return [f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in spans]


def text_of(entries: Sequence[ClinicEntry]) -> str:
    """Return clinics as a clinic file; reading it gives the same clinics."""
    lines = [_HEAD.format(again=command("clinic import THIS-FILE"))]
    for entry in entries:
        lines += ["[[clinics]]", *_table(document(entry), "clinics"), ""]
    return "\n".join(lines)


def _table(values: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield plain values first: in TOML what follows a table's header belongs to that table."""
    for name, value in values.items():
        if not _is_table(value):
            yield f"{name} = {_value(value)}"
    for name, value in values.items():
        if isinstance(value, dict):
            if not value or not all(isinstance(each, dict) for each in value.values()):
                yield from ("", f"[{path}.{name}]")
            yield from _table(value, f"{path}.{name}")
        elif _is_table(value):
            for each in value:
                yield from ("", f"[[{path}.{name}]]", *_table(each, f"{path}.{name}"))


def _is_table(value: object) -> bool:
    if isinstance(value, list):
        return not value or isinstance(value[0], dict)
    return isinstance(value, dict)


def _value(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _services(connection: Connection, clinic_id: int) -> Document:
    rows = connection.execute(
        select(Service).where(Service.clinic_id == clinic_id).order_by(Service.id)
    )
    names = ("name", "minutes", "before_minutes", "after_minutes", "step_minutes", "price")
    return {row.code: {name: getattr(row, name) for name in names} for row in rows}


def _practitioners(connection: Connection, clinic_id: int) -> list[Document]:
    people = connection.execute(
        select(Practitioner.id, Practitioner.slug, Practitioner.name)
        .where(Practitioner.clinic_id == clinic_id, Practitioner.is_active)
        .order_by(Practitioner.position, Practitioner.slug)
    ).all()
    return [
        {
            "slug": person.slug,
            "name": person.name,
            "hours": _hours(connection, person.id),
            "days": _days(connection, person.id),
        }
        for person in people
    ]


def _hours(connection: Connection, practitioner_id: int) -> dict[str, list[str]]:
    hours: dict[str, list[str]] = defaultdict(list)
    for row in connection.execute(
        select(OpeningHours)
        .where(OpeningHours.practitioner_id == practitioner_id)
        .order_by(OpeningHours.weekday, OpeningHours.opens)
    ):
        hours[WEEKDAYS[row.weekday]].append(_span(row.opens, row.closes))
    return dict(hours)


def _days(connection: Connection, practitioner_id: int) -> list[Document]:
    days: dict[date, list[str]] = {}
    for row in connection.execute(
        select(DayOverride)
        .where(DayOverride.practitioner_id == practitioner_id)
        .order_by(DayOverride.on_date, DayOverride.opens)
    ):
        spans = days.setdefault(row.on_date, [])
        if row.opens is not None:
            spans.append(_span(row.opens, row.closes))
    return [{"on": on, "hours": spans} for on, spans in days.items()]


def _closures(connection: Connection, clinic_id: int) -> list[Document]:
    rows = connection.execute(
        select(Closure).where(Closure.clinic_id == clinic_id).order_by(Closure.from_on)
    )
    return [{"from": row.from_on, "until": row.until_on, "note": row.note} for row in rows]


def _span(opens: time, closes: time) -> str:
    return f"{opens:%H:%M}-{closes:%H:%M}"
