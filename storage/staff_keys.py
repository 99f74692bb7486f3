"""What whoever has the server may do with a clinic's people; the record names nobody for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from storage import audit, console_sessions, staff
from storage.models import Clinic
from storage.program import command
from storage.staff import OWNER, Member, StaffFault

FIRST_OWNER = "Owner"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose link is wanted: by clinic, name or number; and whether their second step is to go."""

    clinic: str | None = None
    name: str = ""
    number: int = 0
    forget_second_step: bool = False


def add(connection: Connection, clinic: str | None, name: str, role: str, now: datetime) -> Member:
    """Write somebody down at the clinic, or at the only one there is. Raises StaffFault."""
    staff_id = staff.add(connection, clinic or _only_clinic(connection), name, role, now)
    added = _somebody(connection, staff_id)
    audit.record(connection, added.clinic_id, None, "staff.added", "staff", staff_id, now)
    return added


def remove(connection: Connection, staff_id: int, now: datetime) -> Member:
    """Let somebody go. Raises StaffFault."""
    leaving = _somebody(connection, staff_id)
    staff.remove(connection, leaving.clinic_id, staff_id, now)
    audit.record(connection, leaving.clinic_id, None, "staff.removed", "staff", staff_id, now)
    return leaving


def sign_out(connection: Connection, staff_id: int, now: datetime) -> Member:
    """End somebody's sessions and links. Raises StaffFault."""
    member = _somebody(connection, staff_id)
    staff.end_all(connection, staff_id, now)
    audit.record(connection, member.clinic_id, None, "staff.signed_out", "staff", staff_id, now)
    return member


def invite(connection: Connection, staff_id: int, token: str, now: datetime) -> str:
    """Return the payload of a deep link for somebody. Raises StaffFault."""
    member = _somebody(connection, staff_id)
    audit.record(connection, member.clinic_id, None, "staff.invited", "staff", staff_id, now)
    return staff.invite(connection, staff_id, token, now)


def console_link(
    connection: Connection, wanted: Wanted, console_url: str, token: str, now: datetime
) -> tuple[Member, str]:
    """Return a sign-in link and whose it is; a clinic without people gets its first owner.

    Raises StaffFault when it is not clear whose link is wanted.
    """
    member = _wanted(connection, wanted, now)
    if wanted.forget_second_step:
        console_sessions.set_second_step(connection, member.id, None)
        audit.record(
            connection, member.clinic_id, None, "second_step.forgotten", "staff", member.id, now
        )
    audit.record(connection, member.clinic_id, None, "link.made", "staff", member.id, now)
    return member, staff.sign_in_link(connection, member.id, console_url, token, now)


def _wanted(connection: Connection, wanted: Wanted, now: datetime) -> Member:
    if wanted.number:
        return _somebody(connection, wanted.number)
    clinic = wanted.clinic or _only_clinic(connection)
    people = staff.members(connection, clinic)
    if not people:
        return add(connection, clinic, wanted.name or FIRST_OWNER, OWNER, now)
    if wanted.name:
        found = [one for one in people if one.name.casefold() == wanted.name.strip().casefold()]
    else:
        found = [one for one in people if one.is_owner]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{one.id} {one.name}" for one in people)
    raise StaffFault(f"say whose link with --id: {known}")


def _only_clinic(connection: Connection) -> str:
    slugs = list(connection.execute(select(Clinic.slug).order_by(Clinic.slug)).scalars())
    if not slugs:
        raise StaffFault(
            f"there is no clinic yet: run `{command('clinic init')}`, or `{command('clinic demo')}`"
        )
    if len(slugs) > 1:
        raise StaffFault(f"say which clinic with --clinic: {', '.join(slugs)}")
    return slugs[0]


def _somebody(connection: Connection, staff_id: int) -> Member:
    found = [one for one in staff.members(connection) if one.id == staff_id]
    if not found:
        raise StaffFault(f"nobody has the number {staff_id}: see `{command('staff list')}`")
    return found[0]
