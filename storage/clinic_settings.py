"""A clinic's settings, changed part by part by its owners: each part checked as a whole file is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from storage import audit, clinic_document, clinic_file, clinics
from storage.clerks import ChangedMeanwhile, Clerk
from storage.clinic_document import Document
from storage.clinic_file import ClinicEntry
from storage.faults import StorageError
from storage.models import Clinic

#: What the part `profile` holds.
PROFILE = (
    "name",
    "address",
    "phone",
    "emergency",
    "crisis_line",
    "map_url",
    "privacy_url",
    "zone",
)


class NoSuchPart(StorageError):
    """The clinic has nothing of this name to change."""


@dataclass(frozen=True, slots=True)
class Change:
    """One part with its new value, and the mark of the value that was shown.

    Parts: `profile`, `booking`, `holidays`, `closures`, `people`, `service:CODE`, `person:SLUG`,
    `hours:SLUG` and `days:SLUG`; values are shaped as in a clinic file.
    """

    part: str
    value: Any
    seen: str


def read(connection: Connection, clinic_id: int) -> Document:
    """Return the clinic's document."""
    slug = connection.execute(select(Clinic.slug).where(Clinic.id == clinic_id)).scalar_one()
    return clinic_document.document(clinic_document.entry_of(connection, slug))


def value(document: Document, part: str) -> Any:
    """Return a part's value. Raises NoSuchPart."""
    kind, _, name = part.partition(":")
    match kind:
        case "profile":
            return {key: document.get(key, "") for key in PROFILE}
        case "booking" | "holidays" | "closures":
            return document[kind]
        case "people":
            return document["practitioners"]
        case "service" if name in document["services"]:
            return document["services"][name]
        case "hours" | "days":
            return _person(document, name)[kind]
        case "person":
            return {"name": _person(document, name)["name"]}
        case _:
            raise NoSuchPart(f"a clinic has no part {part!r}")


def mark(document: Document, part: str) -> str:
    """Return what changes when a part does. Raises NoSuchPart."""
    text = json.dumps(value(document, part), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def change(connection: Connection, clerk: Clerk, wanted: Change) -> ClinicEntry:
    """Store a part, and a line in the record; return the clinic as it is now.

    Raises NoSuchPart, ChangedMeanwhile when the part is not as it was shown, and ClinicFileFaults,
    whose paths are those of the document.
    """
    lock = select(Clinic.slug).where(Clinic.id == clerk.clinic_id).with_for_update()
    slug = connection.execute(lock).scalar_one()
    before = clinic_document.entry_of(connection, slug)
    document = clinic_document.document(before)
    if mark(document, wanted.part) != wanted.seen:
        raise ChangedMeanwhile("somebody else changed this meanwhile")
    after = clinic_file.checked(_changed(document, wanted))
    if after != before:
        clinics.store(connection, after)
        kind, _, name = wanted.part.partition(":")
        audited(connection, clerk, f"settings.{kind}", "settings", name or slug)
    return after


def _changed(document: Document, wanted: Change) -> Mapping[str, Any]:
    kind, _, name = wanted.part.partition(":")
    match kind:
        case "profile":
            return {**document, **wanted.value}
        case "people":
            return {**document, "practitioners": wanted.value}
        case "service":
            return {**document, "services": {**document["services"], name: wanted.value}}
        case "hours" | "days":
            return _with_person(document, name, {kind: wanted.value})
        case "person":
            return _with_person(document, name, wanted.value)
        case _:
            return {**document, kind: wanted.value}


def _with_person(document: Document, slug: str, values: Mapping[str, Any]) -> Document:
    people = [
        {**person, **values} if person["slug"] == slug else person
        for person in document["practitioners"]
    ]
    return {**document, "practitioners": people}


def _person(document: Document, slug: str) -> Document:
    for person in document["practitioners"]:
        if person["slug"] == slug:
            found: Document = person
            return found
    raise NoSuchPart(f"nobody who works at this clinic has the name {slug!r}")


def audited(
    connection: Connection, clerk: Clerk, what: str, subject: str, subject_id: object
) -> None:
    """Add a line to the clinic's record."""
    audit.record(connection, clerk.clinic_id, clerk.staff_id, what, subject, subject_id, clerk.now)
