"""Is the process up, is it ready, and what has it counted: for whoever watches over it.

Served on a private address only: figures are nobody else's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.clock import Clock
from bot.meters import CONTENT_TYPE, Meters
from storage import inbox, migrations, outbox
from storage.database import Database
from storage.faults import DatabaseOutdated, StorageError

_LOOK_WITHIN = 3.0  # seconds that the database may take to answer

IsRunning = Callable[[], bool]


class Health:
    """Answers GET /healthz, /readyz and /metrics for one process with these `roles`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        meters: Meters,
        roles: Collection[str],
        *,
        look_within: float = _LOOK_WITHIN,
    ) -> None:
        self._database = database
        self._clock = clock
        self._meters = meters
        self._running: dict[str, IsRunning] = dict.fromkeys(roles, _not_yet)
        self._look_within = look_within

    def watch(self, role: str, is_running: IsRunning) -> None:
        """Note that a role was started; `is_running` says whether it still runs."""
        self._running[role] = is_running

    def app(self) -> Starlette:
        """Return the three answers as an ASGI application."""
        return Starlette(
            routes=[
                Route("/healthz", self._alive),
                Route("/readyz", self._ready),
                Route("/metrics", self._metrics),
            ]
        )

    async def _alive(self, _request: Request) -> Response:
        return PlainTextResponse("ok")

    async def _ready(self, _request: Request) -> Response:
        found = {"database": await self._database_state()}
        for role, is_running in self._running.items():
            found[role] = "ok" if is_running() else "not running"
        is_ready = set(found.values()) == {"ok"}
        return JSONResponse(found, 200 if is_ready else 503)

    async def _metrics(self, _request: Request) -> Response:
        now = self._clock.now()
        try:
            async with asyncio.timeout(self._look_within):
                lag = await self._database.read(outbox.lag, now)
                parked = await self._database.read(inbox.parked_count)
        except (StorageError, TimeoutError):
            self._meters.forget()
        else:
            self._meters.note(lag, parked)
        return Response(self._meters.text(), media_type=CONTENT_TYPE)

    async def _database_state(self) -> str:
        try:
            async with asyncio.timeout(self._look_within):
                await self._database.read(migrations.check, self._database.url)
        except TimeoutError:
            return "too slow"
        except DatabaseOutdated:
            return "other version"
        except StorageError:
            return "not reachable"
        return "ok"


def _not_yet() -> bool:
    return False
