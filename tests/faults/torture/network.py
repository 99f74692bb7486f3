"""A bad network between the bots and the Bot API, and between the bots and PostgreSQL."""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - seeded
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from tests.faults import cluster
from tests.faults.crowd import Crowd
from tests.faults.proxy import Proxy, proxy_to
from tests.faults.torture.figures import POSTGRESQL, SQLITE, Figure, Piece, Trial
from tests.standin import running_standin

DRAINED_WITHIN = 60.0  # seconds after the way is well again


@dataclass(frozen=True)
class Weather:
    """How long each kind of trouble lasts, in seconds, and how bad it is."""

    slow: float
    latency: float
    cuts: float
    silence: float


async def spoil_telegram(trial: Trial) -> list[Figure]:
    """Spoil the way to the Bot API."""
    url = await trial.database_url()
    database = await cluster.with_clinics(url)
    rng = random.Random(trial.seed)
    weather = trial.at(quick=Weather(2, 0.1, 3, 2), full=Weather(30, 2.0, 60, 60))
    try:
        async with running_standin() as standin:
            crowd = Crowd.of(trial, standin, database)
            there = urlsplit(standin.url)
            async with proxy_to("127.0.0.1", there.port or 0, rng) as proxy:
                orders = cluster.orders_for(trial, standin, url)
                orders = replace(orders, api_url=f"http://{proxy.address}")
                async with cluster.bots(orders):
                    figures = await _figures(trial, crowd, proxy, weather, "the Bot API")
    finally:
        await database.close()
    return figures


async def spoil_postgres(trial: Trial) -> list[Figure]:
    """Spoil the way to PostgreSQL."""
    url = make_url(await trial.database_url())
    database = await cluster.with_clinics(url.render_as_string(hide_password=False))
    rng = random.Random(trial.seed)
    weather = trial.at(quick=Weather(2, 0.05, 3, 2), full=Weather(30, 0.2, 60, 60))
    try:
        async with running_standin() as standin:
            crowd = Crowd.of(trial, standin, database)
            async with proxy_to(url.host or "127.0.0.1", url.port or 5432, rng) as proxy:
                spoiled = url.set(host="127.0.0.1", port=proxy.own_port)
                orders = cluster.orders_for(
                    trial, standin, spoiled.render_as_string(hide_password=False)
                )
                async with cluster.bots(orders, replicas=2):
                    figures = await _figures(trial, crowd, proxy, weather, "PostgreSQL")
    finally:
        await database.close()
    return figures


async def _figures(
    trial: Trial, crowd: Crowd, proxy: Proxy, weather: Weather, where: str
) -> list[Figure]:
    async with _chatting(crowd):
        while await crowd.committed() < crowd.at_once:  # noqa: ASYNC110 - by other processes
            await asyncio.sleep(0.2)
        await _storms(trial, proxy, weather)
    drained = await crowd.settles()
    tally = await crowd.tally()
    return [
        Figure(
            f"A bad network to {where}: nothing is lost, and what waited is dealt with",
            f"{weather.latency} s latency for {weather.slow} s, {proxy.resets} answers cut or half "
            f"closed in {weather.cuts} s, {weather.silence} s of silence twice",
            "0 lost, 0 doubled, all dealt with <= 60 s after",
            f"{tally}; drained in {drained:.1f} s",
            is_held=(
                tally.is_clean and trial.is_soon(drained, DRAINED_WITHIN) and proxy.resets > 0
            ),
        )
    ]


async def _storms(trial: Trial, proxy: Proxy, weather: Weather) -> None:
    trial.tell("slow")
    proxy.latency = weather.latency
    await asyncio.sleep(weather.slow)
    proxy.latency = 0.0
    trial.tell("cut in the middle, and half closed")
    proxy.reset_share, proxy.half_close_share = 0.1, 0.02
    await asyncio.sleep(weather.cuts)
    proxy.reset_share = proxy.half_close_share = 0.0
    trial.tell("silent, then as before")
    proxy.is_silent = True
    await asyncio.sleep(weather.silence)
    proxy.is_silent = False
    await asyncio.sleep(2)
    trial.tell("silent, then cut")
    proxy.is_silent = True
    await asyncio.sleep(weather.silence)
    proxy.drop()
    proxy.is_silent = False


@asynccontextmanager
async def _chatting(crowd: Crowd) -> AsyncIterator[None]:
    """Let patients come until the block ends, and finish their chats."""
    over = asyncio.Event()
    chats = asyncio.create_task(crowd.chats(lambda: not over.is_set()))
    try:
        yield
        over.set()
        await chats
    finally:
        chats.cancel()


PIECES = (
    Piece("network_telegram", spoil_telegram, tested_on=(SQLITE,)),
    Piece("network_postgres", spoil_postgres, (POSTGRESQL,)),
)
