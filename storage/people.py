"""What an owner does with their clinic's people. Each act is recorded as the owner's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from storage import audit, staff
from storage.staff import Member, StaffFault


class NoSuchMember(StaffFault):
    """Nobody who works at this clinic has this id."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who of which clinic acts, and when."""

    clinic_id: int
    clinic: str  # slug
    staff_id: int
    now: datetime


def add(connection: Connection, owner: Owner, name: str, role: str) -> int:
    """Write somebody down; return their id. Raises StaffFault."""
    staff_id = staff.add(connection, owner.clinic, name, role, owner.now)
    _record(connection, owner, "staff.added", staff_id)
    return staff_id


def invite(connection: Connection, owner: Owner, staff_id: int, token: str) -> tuple[Member, str]:
    """Return whom an invitation is for, and the payload of its deep link. Raises NoSuchMember."""
    invited = _one(connection, owner, staff_id)
    _record(connection, owner, "staff.invited", staff_id)
    return invited, staff.invite(connection, staff_id, token, owner.now)


def sign_out(connection: Connection, owner: Owner, staff_id: int) -> Member:
    """End every session and link of somebody. Raises NoSuchMember."""
    out = _one(connection, owner, staff_id)
    staff.end_all(connection, staff_id, owner.now)
    _record(connection, owner, "staff.signed_out", staff_id)
    return out


def remove(connection: Connection, owner: Owner, staff_id: int) -> Member:
    """Let somebody go, out at once. Raises NoSuchMember, and StaffFault for the last owner."""
    leaving = _one(connection, owner, staff_id)
    staff.remove(connection, owner.clinic_id, staff_id, owner.now)
    _record(connection, owner, "staff.removed", staff_id)
    return leaving


def _one(connection: Connection, owner: Owner, staff_id: int) -> Member:
    found = staff.member(connection, owner.clinic_id, staff_id)
    if found is None or found.removed_at is not None:
        raise NoSuchMember("nobody who works at this clinic has this id")
    return found


def _record(connection: Connection, owner: Owner, what: str, staff_id: int) -> None:
    audit.record(connection, owner.clinic_id, owner.staff_id, what, "staff", staff_id, owner.now)
