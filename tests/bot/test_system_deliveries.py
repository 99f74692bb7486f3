"""A delivery to the clinic's own systems says itself what became of it, and the worker heeds it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.worker import Terms, Worker
from storage import outbox
from storage.database import Database
from storage.deliveries import DeliveryFault, GiveUp, Perhaps, TryAgain, Unwanted
from storage.models import Outbox
from storage.outbox import Message, OutboxRow
from storage.outbox_policy import Kind
from tests.builders import NOW
from tests.standin import StoppedClock

FAULTS = [
    (TryAgain("http_503"), "pending", 5),
    (TryAgain("http_429", NOW + timedelta(minutes=1)), "pending", 60),
    (TryAgain("http_429", NOW - timedelta(minutes=1)), "pending", 5),
    (Perhaps("timeout"), "pending", 5),
    (GiveUp("gone"), "dead", 0),
    (Unwanted("lead_gone"), "cancelled", 0),
]


@pytest.mark.parametrize(("fault", "state", "seconds"), FAULTS)
async def test_a_fault_is_noted_as_it_says(
    database: Database, fault: DeliveryFault, state: str, seconds: int
) -> None:
    async def deliver(_row: OutboxRow) -> None:
        raise fault

    await database.write(outbox.enqueue, Message("lead:1", Kind.LEAD, NOW), NOW)

    await Worker(database, deliver, StoppedClock(NOW), lambda: "mine", Terms()).once()

    row = await database.read(lambda c: c.execute(select(Outbox)).one())
    assert (row.state, row.last_error) == (state, fault.why)
    assert row.due_at == NOW + timedelta(seconds=seconds)
