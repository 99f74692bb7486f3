"""Which protocol each clinic's new conversations are held with, and who signed it.

A clinic's own numbers (its overrides) are stored only after they were compiled and proved; that is
for the caller to see to. Running conversations finish on the version they began with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from storage import audit, clinic_document, protocol_versions
from storage.models import Clinic, ProtocolSignature, ProtocolVersion, StaffMember
from storage.protocol_versions import ProtocolText


@dataclass(frozen=True, slots=True)
class Version:
    """An exact version of a protocol."""

    key: str  # `Protocol.key`
    digest: str
    source: ProtocolText


@dataclass(frozen=True, slots=True)
class Signature:
    """A clinician's agreement to one version."""

    key: str
    digest: str
    name: str  # as they wrote it
    post: str  # such as "Dermatologist, GMC 1234567"
    staff: str  # who was signed in
    at: datetime


def use(connection: Connection, slug: str, version: Version, now: datetime) -> None:
    """Hold a clinic's new conversations with its own version. Raises NoSuchClinic."""
    clinic_id = _clinic_id(connection, slug)
    protocol_versions.remember(connection, version.key, version.digest, version.source, now)
    _set(connection, clinic_id, version.key, now)


def use_packaged(connection: Connection, slug: str, now: datetime) -> None:
    """Hold a clinic's new conversations with the packaged protocol again. Raises NoSuchClinic."""
    _set(connection, _clinic_id(connection, slug), "", now)


def use_all(connection: Connection, own: Mapping[str, Version | None], now: datetime) -> None:
    """Hold each clinic's new conversations with its version; None: with the packaged protocol."""
    for slug, version in own.items():
        if version is None:
            use_packaged(connection, slug, now)
        else:
            use(connection, slug, version, now)


def overrides(connection: Connection) -> dict[str, str]:
    """Return the clinics' own overrides as TOML text, by slug; nothing for packaged ones."""
    rows = connection.execute(
        select(Clinic.slug, ProtocolVersion.overrides)
        .join(ProtocolVersion, ProtocolVersion.key == Clinic.protocol)
        .where(ProtocolVersion.overrides != "")
        .order_by(Clinic.id)
    )
    return {row.slug: row.overrides for row in rows}


def source(connection: Connection, clinic_id: int) -> ProtocolText | None:
    """Return what a clinic's protocol is compiled from; None for the packaged one, unused yet."""
    key = connection.execute(select(Clinic.protocol).where(Clinic.id == clinic_id)).scalar_one()
    return protocol_versions.load(connection, key)


def sign(  # noqa: PLR0913 - who signs what, where and when
    connection: Connection,
    clinic_id: int,
    staff_id: int,
    version: tuple[str, str],
    name: str,
    post: str,
    now: datetime,
) -> None:
    """Keep a signature under a version, given as key and digest; signatures are never changed.

    A clinic that is so new that no version was noted for it meets this one from now on.
    """
    key, digest = version
    values = {
        "clinic_id": clinic_id,
        "staff_id": staff_id,
        "protocol": key,
        "digest": digest,
        "name": name,
        "post": post,
        "at": now,
    }
    connection.execute(insert(ProtocolSignature).values(**values))
    connection.execute(
        update(Clinic).where(Clinic.id == clinic_id, Clinic.protocol == "").values(protocol=key)
    )
    audit.record(connection, clinic_id, staff_id, "protocol.signed", "protocol", key, now)


def signatures(connection: Connection, clinic_id: int) -> list[Signature]:
    """Return a clinic's signatures, the newest first."""
    rows = connection.execute(
        select(ProtocolSignature, StaffMember.name.label("staff"))
        .join(StaffMember, StaffMember.id == ProtocolSignature.staff_id)
        .where(ProtocolSignature.clinic_id == clinic_id)
        .order_by(ProtocolSignature.id.desc())
    )
    return [
        Signature(row.protocol, row.digest, row.name, row.post, row.staff, row.at) for row in rows
    ]


def is_signed(connection: Connection, clinic_id: int) -> bool:
    """Say whether the version that a clinic's new patients meet bears a signature."""
    found = connection.execute(
        select(ProtocolSignature.id)
        .join(Clinic, Clinic.id == ProtocolSignature.clinic_id)
        .where(Clinic.id == clinic_id, ProtocolSignature.protocol == Clinic.protocol)
        .limit(1)
    )
    return found.first() is not None


def _clinic_id(connection: Connection, slug: str) -> int:
    clinic_document.entry_of(connection, slug)
    return connection.execute(select(Clinic.id).where(Clinic.slug == slug)).scalar_one()


def _set(connection: Connection, clinic_id: int, key: str, now: datetime) -> None:
    changed = connection.execute(
        update(Clinic).where(Clinic.id == clinic_id, Clinic.protocol != key).values(protocol=key)
    )
    if changed.rowcount:
        audit.record(connection, clinic_id, None, "protocol.used", "protocol", key, now)
