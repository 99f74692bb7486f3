"""The clinic's people: who they are, how they are invited, and their single-use links.

Tokens come from the caller (256 random bits, URL-safe); only their digest is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from storage.faults import StorageError
from storage.models import Clinic, ConsoleSession, StaffMember, StaffToken
from storage.program import which_clinic

OWNER, STAFF = "owner", "staff"
INVITE, SIGN_IN = "invite", "sign_in"

#: What a deep link's payload begins with when it invites: `t.me/BOT?start=staff_TOKEN`.
INVITE_PREFIX = "staff_"

INVITED_FOR = timedelta(days=7)
LINK_FOR = timedelta(minutes=5)


class StaffFault(StorageError):
    """Something that cannot be done with a clinic's people, and why."""


@dataclass(frozen=True, slots=True)
class Member:
    """Someone of one clinic."""

    id: int
    clinic_id: int
    clinic: str  # slug
    clinic_name: str
    zone: str  # the clinic's IANA zone
    locale: str
    name: str
    role: str  # owner or staff
    chat_id: int | None  # their own Telegram chat, once they joined
    wants_cards: bool
    totp_secret: str | None  # sealed
    joined_at: datetime | None
    removed_at: datetime | None

    @property
    def is_owner(self) -> bool:
        """Say whether they may change the clinic's settings and people."""
        return self.role == OWNER


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def add(connection: Connection, clinic_slug: str, name: str, role: str, now: datetime) -> int:
    """Write someone down as a member; return their id. Raises StaffFault."""
    clinic_id = connection.execute(select(Clinic.id).where(Clinic.slug == clinic_slug)).scalar()
    if clinic_id is None:
        known = connection.execute(select(Clinic.slug)).scalars()
        raise StaffFault(which_clinic(known, clinic_slug, "clinic"))
    if role not in (OWNER, STAFF):
        raise StaffFault(f"role must be {OWNER} or {STAFF}, got {role!r}")
    name = " ".join(name.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise StaffFault("a name must be 1 to 80 printable characters")
    values = {
        "clinic_id": clinic_id,
        "name": name,
        "role": role,
        "wants_cards": True,
        "created_at": now,
    }
    statement = insert(StaffMember).values(**values).returning(StaffMember.id)
    return connection.execute(statement).scalar_one()


def members(connection: Connection, clinic_slug: str | None = None) -> list[Member]:
    """Return who works at a clinic, or at all of them, in the order they were added."""
    of_clinic = () if clinic_slug is None else (Clinic.slug == clinic_slug,)
    return _read(connection, StaffMember.removed_at.is_(None), *of_clinic)


def member(connection: Connection, clinic_id: int, staff_id: int) -> Member | None:
    """Return someone of this clinic, also one who has left."""
    of_clinic = StaffMember.clinic_id == clinic_id
    return next(iter(_read(connection, StaffMember.id == staff_id, of_clinic)), None)


def of_chat(connection: Connection, chat_id: int) -> list[Member]:
    """Return whom a Telegram chat belongs to: one member for each clinic they work at."""
    return _read(connection, StaffMember.chat_id == chat_id, StaffMember.removed_at.is_(None))


def wanting_cards(connection: Connection, clinic_id: int) -> list[Member]:
    """Return who of a clinic is told of new leads in Telegram."""
    return _read(
        connection,
        StaffMember.clinic_id == clinic_id,
        StaffMember.removed_at.is_(None),
        StaffMember.chat_id.is_not(None),
        StaffMember.wants_cards.is_(True),
    )


def remove(connection: Connection, clinic_id: int, staff_id: int, now: datetime) -> None:
    """Let someone go: every session and link of theirs ends. Raises StaffFault."""
    leaving = member(connection, clinic_id, staff_id)
    if leaving is None or leaving.removed_at is not None:
        raise StaffFault("nobody who works at this clinic has this id")
    if leaving.is_owner and _owners(connection, clinic_id) == 1:
        raise StaffFault("a clinic needs an owner: make somebody else an owner first")
    connection.execute(
        update(StaffMember)
        .where(StaffMember.id == staff_id)
        .values(removed_at=now, chat_id=None, totp_secret=None)
    )
    end_all(connection, staff_id, now)


def invite(connection: Connection, staff_id: int, token: str, now: datetime) -> str:
    """Return the payload of a deep link that ties a Telegram chat to this member, once.

    Holds for a week; an older invitation of theirs ends.
    """
    connection.execute(
        update(StaffToken)
        .where(
            StaffToken.staff_id == staff_id,
            StaffToken.purpose == INVITE,
            StaffToken.used_at.is_(None),
        )
        .values(used_at=now)
    )
    _keep(connection, staff_id, INVITE, token, now, INVITED_FOR)
    return INVITE_PREFIX + token


def join(connection: Connection, token: str, chat_id: int, now: datetime) -> Member | None:
    """Use up an invitation: the chat is theirs from now on. None for a link that does not hold.

    When it takes the place of another chat, as after a phone was lost, what that one opened ends.
    """
    staff_id = _spend(connection, token, INVITE, now)
    if staff_id is None:
        return None
    tied = select(StaffMember.chat_id).where(StaffMember.id == staff_id)
    before = connection.execute(tied).scalar()
    try:
        with connection.begin_nested():
            connection.execute(
                update(StaffMember)
                .where(StaffMember.id == staff_id)
                .values(chat_id=chat_id, joined_at=func.coalesce(StaffMember.joined_at, now))
            )
    except IntegrityError:  # the chat is another member's of the same clinic
        return None
    if before not in (None, chat_id):
        end_all(connection, staff_id, now)
    return _active(connection, staff_id)


def sign_in_link(
    connection: Connection, staff_id: int, console_url: str, token: str, now: datetime
) -> str:
    """Return an address that signs in to the console, once, within five minutes."""
    _keep(connection, staff_id, SIGN_IN, token, now, LINK_FOR)
    return f"{console_url.rstrip('/')}/sign-in/{token}"


def holds(connection: Connection, token: str, now: datetime) -> bool:
    """Say whether a sign-in link would sign in now."""
    found = select(StaffToken.digest).where(*_usable(token, SIGN_IN, now))
    return connection.execute(found).scalar() is not None


def sign_in(connection: Connection, token: str, now: datetime) -> Member | None:
    """Use up a sign-in link. None for one that is unknown, used, too old or of one who left."""
    staff_id = _spend(connection, token, SIGN_IN, now)
    return None if staff_id is None else _active(connection, staff_id)


def revoke_links(connection: Connection, staff_id: int, now: datetime) -> None:
    """End every unused link and invitation of a member."""
    connection.execute(
        update(StaffToken)
        .where(StaffToken.staff_id == staff_id, StaffToken.used_at.is_(None))
        .values(used_at=now)
    )


def end_all(connection: Connection, staff_id: int, now: datetime) -> None:
    """End every session of a member, and the links that would begin one."""
    connection.execute(
        update(ConsoleSession)
        .where(ConsoleSession.staff_id == staff_id, ConsoleSession.ended_at.is_(None))
        .values(ended_at=now)
    )
    revoke_links(connection, staff_id, now)


def leave(connection: Connection, staff_id: int, now: datetime) -> None:
    """Untie a member's Telegram chat, at their own wish; a new invitation ties it again."""
    connection.execute(update(StaffMember).where(StaffMember.id == staff_id).values(chat_id=None))
    revoke_links(connection, staff_id, now)


def set_cards(connection: Connection, staff_id: int, *, wanted: bool) -> None:
    """Say whether a member is told of new leads in Telegram."""
    connection.execute(
        update(StaffMember).where(StaffMember.id == staff_id).values(wants_cards=wanted)
    )


def _read(connection: Connection, *where: ColumnElement[bool]) -> list[Member]:
    statement = (
        select(StaffMember, Clinic.slug, Clinic.name.label("clinic_name"), Clinic.zone)
        .add_columns(Clinic.locale)
        .join(Clinic, Clinic.id == StaffMember.clinic_id)
        .where(*where)
        .order_by(StaffMember.id)
    )
    return [
        Member(
            id=row.id,
            clinic_id=row.clinic_id,
            clinic=row.slug,
            clinic_name=row.clinic_name,
            zone=row.zone,
            locale=row.locale,
            name=row.name,
            role=row.role,
            chat_id=row.chat_id,
            wants_cards=row.wants_cards,
            totp_secret=row.totp_secret,
            joined_at=row.joined_at,
            removed_at=row.removed_at,
        )
        for row in connection.execute(statement)
    ]


def _active(connection: Connection, staff_id: int) -> Member | None:
    there = _read(connection, StaffMember.id == staff_id, StaffMember.removed_at.is_(None))
    return next(iter(there), None)


def _owners(connection: Connection, clinic_id: int) -> int:
    return connection.execute(
        select(func.count())
        .select_from(StaffMember)
        .where(
            StaffMember.clinic_id == clinic_id,
            StaffMember.role == OWNER,
            StaffMember.removed_at.is_(None),
        )
    ).scalar_one()


def _keep(
    connection: Connection,
    staff_id: int,
    purpose: str,
    token: str,
    now: datetime,
    holds_for: timedelta,
) -> None:
    values = {
        "digest": digest(token),
        "staff_id": staff_id,
        "purpose": purpose,
        "created_at": now,
        "expires_at": now + holds_for,
    }
    connection.execute(insert(StaffToken).values(**values))


def _usable(token: str, purpose: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        StaffToken.digest == digest(token),
        StaffToken.purpose == purpose,
        StaffToken.used_at.is_(None),
        StaffToken.expires_at > now,
    )


def _spend(connection: Connection, token: str, purpose: str, now: datetime) -> int | None:
    """The condition and the mark are one statement: of two who come at once, one gets in."""
    return connection.execute(
        update(StaffToken)
        .where(*_usable(token, purpose, now))
        .values(used_at=now)
        .returning(StaffToken.staff_id)
    ).scalar()
