"""A load balancer for tests: one address, replicas taking turns behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from bot.webhook import PATH, SECRET_HEADER

SECRET = "a-secret-that-only-telegram-knows-0123456789"


@dataclass
class Balancer:
    """Passes each delivery to the next replica, and on to another one when that is gone."""

    url: str = ""
    replicas: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    taken_by: list[str] = field(default_factory=list)
    _turn: int = 0

    async def passes_on(self, request: web.Request) -> web.Response:
        """Pass one delivery on."""
        body = await request.read()
        self.bodies.append(body)
        headers = {name: request.headers[name] for name in ("Content-Type", SECRET_HEADER)}
        status = await self.delivers(body, headers)
        self.statuses.append(status)
        return web.Response(status=status)

    async def delivers(self, body: bytes, headers: dict[str, str] | None = None) -> int:
        """Post a body to the replica whose turn it is; return the answer's status."""
        headers = headers or {"Content-Type": "application/json", SECRET_HEADER: SECRET}
        async with aiohttp.ClientSession() as session:
            for _ in self.replicas:
                self._turn += 1
                url = self.replicas[self._turn % len(self.replicas)]
                try:
                    async with session.post(url + PATH, data=body, headers=headers) as answer:
                        if answer.status != 503:
                            self.taken_by.append(url)
                            return answer.status
                except aiohttp.ClientError:
                    continue
        return 503


@asynccontextmanager
async def balancer() -> AsyncIterator[Balancer]:
    """Run a balancer without replicas on a free port."""
    front = Balancer()
    app = web.Application()
    app.router.add_post(PATH, front.passes_on)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    front.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield front
    finally:
        await runner.cleanup()
