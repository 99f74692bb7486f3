"""Clinics in the database: loaded as values for the dialogue, filled from clinic files."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from importlib import resources

from sqlalchemy import Connection, delete, insert, select, update

from flows import clinics as values
from storage import clinic_file, upserts
from storage.clinic_file import ClinicEntry, PractitionerEntry
from storage.models import (
    Clinic,
    Closure,
    DayOverride,
    OpeningHours,
    Practitioner,
    ProtocolVersion,
    Service,
)


def load_all(connection: Connection) -> dict[str, values.Clinic]:
    """Return every clinic by slug, with its services and the practitioners who work there."""
    services: dict[int, list[values.Service]] = defaultdict(list)
    for service in connection.execute(select(Service).order_by(Service.id)):
        duration = timedelta(minutes=service.minutes)
        services[service.clinic_id].append(
            values.Service(service.code, service.name, duration, service.price)
        )
    people: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for person in connection.execute(
        select(Practitioner)
        .where(Practitioner.is_active)
        .order_by(Practitioner.position, Practitioner.slug)
    ):
        people[person.clinic_id].append((person.slug, person.name))
    return {
        row.slug: values.Clinic(
            slug=row.slug,
            name=row.name,
            zone=row.zone,
            locale=row.locale,
            address=row.address,
            phone=row.phone,
            protocol=row.protocol,
            map_url=row.map_url,
            emergency=row.emergency,
            crisis_line=row.crisis_line,
            booking_mode=values.BookingMode(row.booking_mode),
            hold_for=timedelta(minutes=row.hold_minutes),
            cancel_cutoff=timedelta(minutes=row.cancel_minutes),
            services=tuple(services[row.id]),
            practitioners=tuple(people[row.id]),
            privacy_url=row.privacy_url,
        )
        for row in connection.execute(select(Clinic).order_by(Clinic.id))
    }


def use_protocol(connection: Connection, key: str) -> None:
    """Hold new conversations with the packaged protocol where a clinic has no own numbers.

    `key` is its `Protocol.key`.
    """
    own = select(ProtocolVersion.key).where(ProtocolVersion.overrides != "")
    connection.execute(
        update(Clinic)
        .where(Clinic.protocol != key, Clinic.protocol.not_in(own))
        .values(protocol=key)
    )


def import_clinic(connection: Connection, text: str, file: str) -> tuple[str, ...]:
    """Create or update the clinics of a clinic file; return their slugs.

    Appointments stay. A practitioner who is no longer in the file is closed, not deleted.
    Raises ClinicFileFaults, which names every fault of the file.
    """
    entries = clinic_file.parse(text, file)
    for entry in entries:
        store(connection, entry)
    return tuple(entry.slug for entry in entries)


def store(connection: Connection, entry: ClinicEntry) -> int:
    """Create or update one clinic as `import_clinic` does; return its number."""
    clinic_id = _save_profile(connection, entry)
    _save_services(connection, clinic_id, entry)
    _save_closures(connection, clinic_id, entry)
    _save_practitioners(connection, clinic_id, entry)
    return clinic_id


def demo_text() -> str:
    """Return the clinic file of two made-up clinics."""
    return resources.files("storage").joinpath("demo_clinic.toml").read_text(encoding="utf-8")


def _save_profile(connection: Connection, entry: ClinicEntry) -> int:
    profile = {
        "name": entry.name,
        "zone": entry.zone,
        "locale": entry.locale,
        "address": entry.address,
        "phone": entry.phone,
        "map_url": entry.map_url,
        "privacy_url": entry.privacy_url,
        "emergency": entry.emergency,
        "crisis_line": entry.crisis_line,
        "booking_mode": entry.booking.mode,
        "hold_minutes": entry.booking.hold_minutes,
        "cancel_minutes": entry.booking.cancel_hours * 60,
        "notice_minutes": entry.booking.notice_hours * 60,
        "horizon_days": entry.booking.horizon_days,
        "holidays_country": entry.holidays.country,
        "holidays_subdivision": entry.holidays.subdivision,
    }
    statement = (
        upserts.insert(connection.dialect.name, Clinic)
        .values(slug=entry.slug, protocol="", **profile)
        .on_conflict_do_update(index_elements=["slug"], set_=profile)
        .returning(Clinic.id)
    )
    return connection.execute(statement).scalar_one()


def _save_services(connection: Connection, clinic_id: int, entry: ClinicEntry) -> None:
    connection.execute(delete(Service).where(Service.clinic_id == clinic_id))
    rows = [
        {
            "clinic_id": clinic_id,
            "code": code,
            "name": service.name,
            "minutes": service.minutes,
            "before_minutes": service.before_minutes,
            "after_minutes": service.after_minutes,
            "step_minutes": service.step_minutes,
            "price": service.price,
        }
        for code, service in entry.services.items()
    ]
    connection.execute(insert(Service), rows)


def _save_closures(connection: Connection, clinic_id: int, entry: ClinicEntry) -> None:
    connection.execute(delete(Closure).where(Closure.clinic_id == clinic_id))
    rows = [
        {
            "clinic_id": clinic_id,
            "from_on": closure.from_on,
            "until_on": closure.until_on,
            "note": closure.note,
        }
        for closure in entry.closures
    ]
    if rows:
        connection.execute(insert(Closure), rows)


def _save_practitioners(connection: Connection, clinic_id: int, entry: ClinicEntry) -> None:
    staying = [person.slug for person in entry.practitioners]
    connection.execute(
        update(Practitioner)
        .where(
            Practitioner.clinic_id == clinic_id,
            Practitioner.is_active,
            Practitioner.slug.not_in(staying),
        )
        .values(is_active=False)
    )
    for position, person in enumerate(entry.practitioners):
        known = {"name": person.name, "position": position, "is_active": True}
        statement = (
            upserts.insert(connection.dialect.name, Practitioner)
            .values(clinic_id=clinic_id, slug=person.slug, **known)
            .on_conflict_do_update(index_elements=["clinic_id", "slug"], set_=known)
            .returning(Practitioner.id)
        )
        _save_hours(connection, connection.execute(statement).scalar_one(), person)


def _save_hours(connection: Connection, practitioner_id: int, person: PractitionerEntry) -> None:
    for model in (OpeningHours, DayOverride):
        connection.execute(delete(model).where(model.practitioner_id == practitioner_id))
    weekly = [
        {
            "practitioner_id": practitioner_id,
            "weekday": weekday,
            "opens": opens,
            "closes": closes,
        }
        for weekday, spans in person.weekly().items()
        for opens, closes in spans
    ]
    if weekly:
        connection.execute(insert(OpeningHours), weekly)
    days = [
        {"practitioner_id": practitioner_id, "on_date": day.on, "opens": opens, "closes": closes}
        for day in person.days
        for opens, closes in day.hours or ((None, None),)
    ]
    if days:
        connection.execute(insert(DayOverride), days)
