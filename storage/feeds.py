"""The secret addresses of practitioners' calendar feeds, and what a feed says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from storage.calendar_entries import Entry, entries
from storage.models import Appointment, Clinic, FeedToken, Practitioner

#: How long what is over stays in a feed.
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Feed:
    """A practitioner's appointments, without anything about patients."""

    practitioner: str  # name
    clinic: str  # name
    entries: tuple[Entry, ...]  # cancelled ones included: who subscribes must hear of them


def renew(connection: Connection, practitioner_id: int, digest: str, now: datetime) -> None:
    """Give a feed a new address; every older one stops working."""
    revoke(connection, practitioner_id, now)
    connection.execute(
        insert(FeedToken).values(digest=digest, practitioner_id=practitioner_id, created_at=now)
    )


def revoke(connection: Connection, practitioner_id: int, now: datetime) -> int:
    """Take every address of a feed back; return how many worked until now."""
    done = connection.execute(
        update(FeedToken)
        .where(FeedToken.practitioner_id == practitioner_id, FeedToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return done.rowcount


def feed(connection: Connection, digest: str, now: datetime) -> Feed | None:
    """Return what the feed at a secret address says; None when there is none, or no longer."""
    person = connection.execute(
        select(Practitioner.id, Practitioner.name, Clinic.name.label("clinic"))
        .join(FeedToken, FeedToken.practitioner_id == Practitioner.id)
        .join(Clinic, Clinic.id == Practitioner.clinic_id)
        .where(
            FeedToken.digest == digest,
            FeedToken.revoked_at.is_(None),
            Practitioner.is_active,
        )
    ).one_or_none()
    if person is None:
        return None
    theirs = entries(
        connection,
        Appointment.practitioner_id == person.id,
        Appointment.ends_at > now - KEPT_FOR,
    )
    return Feed(person.name, person.clinic, theirs)
