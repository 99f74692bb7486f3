"""Which rows of the database are one person's, at all clinics or at one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, true

from storage.faults import StorageError
from storage.models import Appointment, Clinic, Conversation, Intake, Lead, Thread


class NoSuchLead(StorageError):
    """There is no lead of this number, or it came to no clinic."""

    def __init__(self, lead_id: int) -> None:
        super().__init__(f"{lead_id} is not the number of a clinic's lead")


@dataclass(frozen=True, slots=True)
class PersonRows:
    """Whose rows these are. `clinic_id` is None when they are to go whatever clinic they are of."""

    chat_id: int
    clinic_id: int | None
    leads: tuple[tuple[int, int | None], ...]  # (lead, clinic)
    uids: tuple[str, ...]
    series: tuple[str, ...]
    threads: tuple[int, ...]
    runs: tuple[int, ...]
    has_chat: bool  # the conversation is to go as well

    @property
    def lead_ids(self) -> tuple[int, ...]:
        """Return the numbers of the leads."""
        return tuple(lead for lead, _ in self.leads)


def chat_of(connection: Connection, clinic_id: int, lead_id: int) -> int | None:
    """Return the chat of a clinic's lead; None when it has no such lead."""
    of_lead = select(Lead.chat_id).where(Lead.id == lead_id, Lead.clinic_id == clinic_id)
    return connection.execute(of_lead).scalar()


def clinic_of(connection: Connection, lead_id: int) -> int:
    """Return the clinic of a lead. Raises NoSuchLead, also for one that came to no clinic."""
    clinic_id = connection.execute(select(Lead.clinic_id).where(Lead.id == lead_id)).scalar()
    if clinic_id is None:
        raise NoSuchLead(lead_id)
    return clinic_id


def find(connection: Connection, chat_id: int, clinic_id: int | None) -> PersonRows:
    """Gather what names the rows of a person, narrowed to a clinic where others have a part."""
    if clinic_id is not None and not _is_elsewhere(connection, chat_id, clinic_id):
        clinic_id = None

    def ids(model: Any, *columns: Any) -> Sequence[Any]:
        here = true() if clinic_id is None else model.clinic_id == clinic_id
        found = select(*columns).where(model.chat_id == chat_id, here)
        return connection.execute(found.order_by(*columns)).all()

    has_chat = clinic_id is None or _is_with(connection, chat_id, clinic_id)
    leads = ids(Lead, Lead.id, Lead.clinic_id, Lead.run)
    visits = ids(Appointment, Appointment.uid, Appointment.series_id, Appointment.run)
    runs = {row.run for row in (*leads, *visits, *ids(Intake, Intake.run))}
    if has_chat:
        runs |= _present_run(connection, chat_id)
    return PersonRows(
        chat_id,
        clinic_id,
        leads=tuple((row.id, row.clinic_id) for row in leads),
        uids=tuple(row.uid for row in visits),
        series=tuple({row.series_id for row in visits}),
        threads=tuple(row.id for row in ids(Thread, Thread.id)),
        runs=tuple(runs - _runs_elsewhere(connection, chat_id, clinic_id)),
        has_chat=has_chat,
    )


def _is_elsewhere(connection: Connection, chat_id: int, clinic_id: int) -> bool:
    return any(
        connection.execute(
            select(model.clinic_id)
            .where(model.chat_id == chat_id, model.clinic_id != clinic_id)
            .limit(1)
        ).scalar()
        is not None
        for model in (Lead, Appointment, Thread)
    )


def _runs_elsewhere(connection: Connection, chat_id: int, clinic_id: int | None) -> set[int]:
    if clinic_id is None:
        return set()
    return {
        run
        for model in (Lead, Appointment)
        for run in connection.execute(
            select(model.run).where(model.chat_id == chat_id, model.clinic_id != clinic_id)
        ).scalars()
    }


def _present_run(connection: Connection, chat_id: int) -> set[int]:
    run = select(Conversation.run).where(Conversation.chat_id == chat_id)
    return set(connection.execute(run).scalars())


def _is_with(connection: Connection, chat_id: int, clinic_id: int) -> bool:
    """Say whether the chat is with this clinic now."""
    where = (
        select(Clinic.id)
        .join(Conversation, Conversation.clinic == Clinic.slug)
        .where(Conversation.chat_id == chat_id)
    )
    return connection.execute(where).scalar() == clinic_id
