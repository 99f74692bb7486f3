"""Who is signed in to the console, since when and until when; and their second step.

A session ends 30 minutes after it was last used and 12 hours after it began, whatever comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from storage import audit, staff
from storage.models import ConsoleSession, StaffMember
from storage.staff import Member

IDLE_FOR = timedelta(minutes=30)
LASTS_FOR = timedelta(hours=12)
SECOND_STEP_FOR = timedelta(minutes=10)

#: A session is marked as used at most this often, so that reading pages writes little.
NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Someone signed in."""

    digest: str
    staff_id: int
    is_verified: bool  # False: the code of the second step is still to come
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def start(
    connection: Connection, staff_id: int, token: str, now: datetime, *, is_verified: bool
) -> None:
    """Begin a session of the token's; one without its second step holds for ten minutes."""
    values = {
        "digest": staff.digest(token),
        "staff_id": staff_id,
        "is_verified": is_verified,
        "created_at": now,
        "seen_at": now,
        "expires_at": now + (LASTS_FOR if is_verified else SECOND_STEP_FOR),
    }
    connection.execute(insert(ConsoleSession).values(**values))


def find(connection: Connection, token: str, now: datetime) -> tuple[Session, Member] | None:
    """Return the session of a cookie's token and whose it is; None when it holds no more."""
    row = connection.execute(
        select(ConsoleSession, StaffMember.clinic_id)
        .join(StaffMember, StaffMember.id == ConsoleSession.staff_id)
        .where(
            ConsoleSession.digest == staff.digest(token),
            *_live(now),
            StaffMember.removed_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    member = staff.member(connection, row.clinic_id, row.staff_id)
    return None if member is None else (_session(row), member)


def note_use(connection: Connection, digest: str, now: datetime) -> None:
    """Put off the idle limit."""
    connection.execute(
        update(ConsoleSession)
        .where(ConsoleSession.digest == digest, *_live(now))
        .values(seen_at=now)
    )


def end(connection: Connection, staff_id: int, digest: str, now: datetime) -> bool:
    """End one session of a member's; False when there is no such session."""
    ended = connection.execute(
        update(ConsoleSession)
        .where(
            ConsoleSession.digest == digest,
            ConsoleSession.staff_id == staff_id,
            ConsoleSession.ended_at.is_(None),
        )
        .values(ended_at=now)
    )
    return ended.rowcount == 1


def carry(connection: Connection, staff_id: int, by: timedelta, now: datetime) -> None:
    """Take a member's open sessions along when a clock that can be moved is moved by `by`.

    For the playground alone, whose visitors would be signed out by every jump.
    """
    for session in of_member(connection, staff_id, now):
        connection.execute(
            update(ConsoleSession)
            .where(ConsoleSession.digest == session.digest)
            .values(
                created_at=session.created_at + by,
                seen_at=session.seen_at + by,
                expires_at=session.expires_at + by,
            )
        )


def of_member(connection: Connection, staff_id: int, now: datetime) -> list[Session]:
    """Return where a member is signed in, the one used last first."""
    statement = (
        select(ConsoleSession)
        .where(ConsoleSession.staff_id == staff_id, *_live(now))
        .order_by(ConsoleSession.seen_at.desc(), ConsoleSession.digest)
    )
    return [_session(row) for row in connection.execute(statement)]


def set_second_step(connection: Connection, staff_id: int, sealed: str | None) -> None:
    """Keep the sealed secret of a member's second step, or forget it."""
    connection.execute(
        update(StaffMember)
        .where(StaffMember.id == staff_id)
        .values(totp_secret=sealed, totp_used=None)
    )


def use_code(connection: Connection, staff_id: int, step: int) -> bool:
    """Use up a time step of the second step; False when it, or a later one, was used before."""
    used = connection.execute(
        update(StaffMember)
        .where(
            StaffMember.id == staff_id,
            or_(StaffMember.totp_used.is_(None), StaffMember.totp_used < step),
        )
        .values(totp_used=step)
    )
    return used.rowcount == 1


def _live(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        ConsoleSession.ended_at.is_(None),
        ConsoleSession.expires_at > now,
        ConsoleSession.seen_at > now - IDLE_FOR,
    )


def _session(row: Row[*tuple[Any, ...]]) -> Session:
    return Session(
        digest=row.digest,
        staff_id=row.staff_id,
        is_verified=row.is_verified,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )


def enter(connection: Connection, link: str, token: str, now: datetime) -> Member | None:
    """Use up a sign-in link and begin a session; None for a link that does not hold.

    The session is verified unless the member has a second step.
    """
    member = staff.sign_in(connection, link, now)
    if member is None:
        return None
    start(connection, member.id, token, now, is_verified=member.totp_secret is None)
    audit.record(connection, member.clinic_id, member.id, "session.begun", "staff", member.id, now)
    return member


def verify(connection: Connection, session: Session, step: int, token: str, now: datetime) -> bool:
    """Use up a time step, and go on with a new, verified session; False for a used step."""
    if not use_code(connection, session.staff_id, step):
        return False
    end(connection, session.staff_id, session.digest, now)
    start(connection, session.staff_id, token, now, is_verified=True)
    return True


def turn_on_second_step(
    connection: Connection, member: Member, sealed: str, step: int, now: datetime
) -> None:
    """Keep the sealed secret of a second step whose code of `step` was given."""
    set_second_step(connection, member.id, sealed)
    use_code(connection, member.id, step)
    audit.record(connection, member.clinic_id, member.id, "second_step.on", "staff", member.id, now)


def turn_off_second_step(connection: Connection, member: Member, step: int, now: datetime) -> bool:
    """Forget a second step; False when its code of `step` was used before."""
    if not use_code(connection, member.id, step):
        return False
    set_second_step(connection, member.id, None)
    audit.record(
        connection, member.clinic_id, member.id, "second_step.off", "staff", member.id, now
    )
    return True
