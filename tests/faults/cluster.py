"""The bots of one clinic as programs of their own: one that polls, or replicas by webhook."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from storage import clinics
from storage.database import Database, connect
from tests.faults.keepers import Keeper, kept
from tests.faults.programs import Orders
from tests.faults.torture.figures import Trial
from tests.journeys.balancer import balancer
from tests.standin import RunningStandIn


async def with_clinics(url: str) -> Database:
    """Open a database, with the demo's clinics in it."""
    database = connect(url)
    await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    return database


def orders_for(trial: Trial, standin: RunningStandIn, url: str) -> Orders:
    """Return the orders of a bot that polls."""
    return Orders(standin.token, standin.url, url, str(trial.folder / "log"))


@asynccontextmanager
async def bots(orders: Orders, *, replicas: int = 0) -> AsyncIterator[list[Keeper]]:
    """Keep one polling bot running, or so many replicas behind a load balancer."""
    async with AsyncExitStack() as running:
        keepers = [Keeper(orders)]
        if replicas:
            front = await running.enter_async_context(balancer())
            by_webhook = replace(orders, front_url=front.url)
            keepers = [Keeper(by_webhook, front=front) for _ in range(replicas)]
        await running.enter_async_context(kept(*keepers))
        yield keepers
