"""What patients answer to messages that came by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from flows.effects import (
    ConfirmVisit,
    DeclineOffer,
    DescribeResult,
    JoinWaitlist,
    LeaveWaitlist,
    PauseVisit,
    ReviewSeries,
    StopNudges,
)
from storage import upserts, waitlist
from storage.models import Appointment, FollowUp, SeriesReview

Waiting = JoinWaitlist | LeaveWaitlist | DeclineOffer
Answer = ConfirmVisit | PauseVisit | StopNudges | ReviewSeries | DescribeResult | Waiting

_TO_COME = ("pending", "booked")


def take(connection: Connection, chat_id: int, answer: Answer, now: datetime) -> None:
    """Keep an answer; one about what is not the patient's changes nothing."""
    match answer:
        case ConfirmVisit():
            _note(connection, chat_id, answer.uid, confirmed_at=now)
        case PauseVisit():
            _pause(connection, chat_id, answer.uid, now)
        case StopNudges():
            _stop(connection, chat_id, answer.kind)
        case ReviewSeries():
            _review(connection, chat_id, answer, now)
        case DescribeResult():
            _describe(connection, chat_id, answer, now)
        case JoinWaitlist() | LeaveWaitlist() | DeclineOffer():
            _wait(connection, chat_id, answer, now)


def _wait(connection: Connection, chat_id: int, answer: Waiting, now: datetime) -> None:
    match answer:
        case JoinWaitlist():
            waitlist.join(connection, chat_id, answer.uid, now)
        case LeaveWaitlist():
            waitlist.leave(connection, chat_id, answer.uid, now)
        case DeclineOffer():
            waitlist.decline(connection, chat_id, answer.uid, now)


def _pause(connection: Connection, chat_id: int, uid: str, now: datetime) -> None:
    """The version grows: what staff do next, they do knowing of the pause."""
    version = Appointment.version + 1
    _note(connection, chat_id, uid, paused_at=now, confirmed_at=None, version=version)


def _note(connection: Connection, chat_id: int, uid: str, **values: Any) -> None:
    connection.execute(
        update(Appointment)
        .where(
            Appointment.uid == uid,
            Appointment.chat_id == chat_id,
            Appointment.state.in_(_TO_COME),
        )
        .values(**values)
    )


def _stop(connection: Connection, chat_id: int, kind: str) -> None:
    stopped = connection.execute(
        select(FollowUp.stopped_kinds).where(FollowUp.chat_id == chat_id)
    ).scalar()
    kinds = sorted({*(stopped or "").split(), kind})
    fresh = upserts.insert(connection.dialect.name, FollowUp).values(
        chat_id=chat_id, stopped_kinds=" ".join(kinds)
    )
    connection.execute(
        fresh.on_conflict_do_update(
            index_elements=["chat_id"], set_={"stopped_kinds": " ".join(kinds)}
        )
    )


def _review(connection: Connection, chat_id: int, review: ReviewSeries, now: datetime) -> None:
    own = connection.execute(
        select(Appointment.uid).where(
            Appointment.chat_id == chat_id, Appointment.series_id == review.series_id
        )
    ).first()
    if own is None:
        return
    values = {"rating": review.rating, "at": now}
    fresh = upserts.insert(connection.dialect.name, SeriesReview).values(
        series_id=review.series_id, chat_id=chat_id, **values
    )
    connection.execute(fresh.on_conflict_do_update(index_elements=["series_id"], set_=values))


def _describe(connection: Connection, chat_id: int, said: DescribeResult, now: datetime) -> None:
    connection.execute(
        update(SeriesReview)
        .where(SeriesReview.series_id == said.series_id, SeriesReview.chat_id == chat_id)
        .values(words=said.words, at=now)
    )
