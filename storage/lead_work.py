"""What staff do with a lead: its status, their notes, the clinician's finding on the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from storage import audit, card_redraws
from storage.clerks import Clerk
from storage.models import LEAD_STATUSES, Decision, Finding, Lead, LeadNote
from storage.models.desk import FINDINGS

LONGEST = 4000  # characters of a note or of a finding's reason

#: Why a lead is declined, with the words that staff choose from.
DECLINED_WHY: Mapping[str, str] = {
    "not_suitable": "Not suitable after a closer look",
    "not_reached": "Could not be reached",
    "not_interested": "Does not want it any more",
    "elsewhere": "Goes to another clinic",
    "duplicate": "Is here twice",
    "no_room": "We have no room",
    "other": "Something else",
}


class Change(StrEnum):
    """What became of a change."""

    DONE = "done"
    OVERTAKEN = "overtaken"  # somebody else was faster: the status is not the expected one
    UNKNOWN = "unknown"  # the clinic has no such lead


@dataclass(frozen=True, slots=True)
class Whose:
    """A lead of a clinic, and who of its people works on it when."""

    clinic_id: int
    staff_id: int
    lead_id: int
    now: datetime


def set_status(
    connection: Connection, whose: Whose, expected: str, wanted: str, why: str | None = None
) -> Change:
    """Give a lead another status, unless it is no longer the expected one.

    Its cards in Telegram follow. Raises ValueError for a status or reason that does not exist;
    only declining may have a reason.
    """
    fits = why is None or (wanted == "declined" and why in DECLINED_WHY)
    if wanted not in LEAD_STATUSES or not fits:
        raise ValueError(f"a lead cannot be made {wanted!r} because of {why!r}")
    changed = connection.execute(
        update(Lead)
        .where(_is(whose), Lead.status == expected)
        .values(
            status=wanted,
            status_at=whose.now,
            staff_id=whose.staff_id,
            declined_why=why,
            updated_at=whose.now,
        )
    )
    if changed.rowcount == 1:
        _record(connection, whose, f"lead.{wanted}")
        card_redraws.enqueue(connection, whose.clinic_id, whose.lead_id, whose.now)
        return Change.DONE
    return Change.OVERTAKEN if _exists(connection, whose) else Change.UNKNOWN


def accept_run(connection: Connection, clerk: Clerk, chat_id: int, run: int) -> None:
    """Accept the lead of a run as well, if it is new: whose visits are confirmed is taken on."""
    own = select(Lead.id).where(
        Lead.clinic_id == clerk.clinic_id, Lead.chat_id == chat_id, Lead.run == run
    )
    lead_id = connection.execute(own).scalar()
    if lead_id is not None:
        whose = Whose(clerk.clinic_id, clerk.staff_id, lead_id, clerk.now)
        set_status(connection, whose, "new", "accepted")


def add_note(connection: Connection, whose: Whose, body: str) -> Change:
    """Write a note under a lead. Raises ValueError for one that is empty or too long."""
    words = _words(body, "a note")
    if not _exists(connection, whose):
        return Change.UNKNOWN
    values = {"lead_id": whose.lead_id, "staff_id": whose.staff_id, "at": whose.now}
    connection.execute(insert(LeadNote).values(body=words, **values))
    _record(connection, whose, "lead.noted")
    return Change.DONE


def add_finding(
    connection: Connection, whose: Whose, finding: str, reason: str, decision_id: int | None
) -> Change:
    """Keep what the clinician says of a verdict.

    `decision_id` is the verdict that they saw (None: a red flag without one); when there is a
    newer one by now nothing is kept. Raises ValueError for an unknown finding, and for one that
    disagrees without saying why.
    """
    if finding not in FINDINGS:
        raise ValueError(f"a finding must be one of {', '.join(FINDINGS)}, got {finding!r}")
    words = reason.strip() if finding == "agree" else _words(reason, "a finding that disagrees")
    if not _exists(connection, whose):
        return Change.UNKNOWN
    if _decision(connection, whose) != decision_id:
        return Change.OVERTAKEN
    values = {"lead_id": whose.lead_id, "staff_id": whose.staff_id, "at": whose.now}
    connection.execute(
        insert(Finding).values(
            decision_id=decision_id, finding=finding, reason=words[:LONGEST], **values
        )
    )
    connection.execute(update(Lead).where(_is(whose)).values(updated_at=whose.now))
    _record(connection, whose, "lead.judged")
    return Change.DONE


def _decision(connection: Connection, whose: Whose) -> int | None:
    return connection.execute(
        select(func.max(Decision.id))
        .join(Lead, (Lead.chat_id == Decision.chat_id) & (Lead.run == Decision.run))
        .where(_is(whose))
    ).scalar()


def _words(text: str, what: str) -> str:
    words = text.strip()
    if not words or len(words) > LONGEST:
        raise ValueError(f"{what} must have 1 to {LONGEST} characters, got {len(words)}")
    return words


def _exists(connection: Connection, whose: Whose) -> bool:
    return connection.execute(select(Lead.id).where(_is(whose))).scalar() is not None


def _is(whose: Whose) -> ColumnElement[bool]:
    return (Lead.id == whose.lead_id) & (Lead.clinic_id == whose.clinic_id)


def _record(connection: Connection, whose: Whose, what: str) -> None:
    audit.record(
        connection, whose.clinic_id, whose.staff_id, what, "lead", whose.lead_id, whose.now
    )
