"""What comes to a patient of what staff do: for journeys from the console to a chat."""

from __future__ import annotations

import re

from bot.app import a_pace
from bot.deliveries import delivering
from bot.pace import UNLIMITED
from bot.worker import Terms, Worker
from storage.outbox import OutboxRow
from tests.flows.chat import catalogues
from tests.journeys.guide import Guide
from tests.journeys.world import World


async def delivered(here: World) -> None:
    """Send what waits for patients."""
    async with delivering(
        token=here.standin.token,
        api_url=here.standin.url,
        database=here.database,
        clock=here.clock,
        pace=a_pace(UNLIMITED),
        catalogues=catalogues(),
    ) as by_kind:

        async def deliver(row: OutboxRow) -> int | None:
            return await by_kind[row.kind](row)

        terms = Terms(kinds=tuple(by_kind))
        await Worker(here.database, deliver, here.clock, lambda: "t", terms).once()


async def times_of(patient: Guide, day: str) -> list[str]:
    """Return the times that somebody with a plan is offered when they ask for another day."""
    await patient.follows("Other times", day)
    labels = (await patient.patient.sees("Which time")).labels
    return [label[:5] for label in labels if re.match(r"\d\d:\d\d", label)]
