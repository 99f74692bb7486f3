"""A clinic's own system that takes webhooks: checks signatures, misbehaves when it is told to."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook

#: Decides how a request is answered, by its webhook-id and which request of that id it is.
Mood = Callable[[str, int], int]

#: Instead of a status: take the event, then break the connection without an answer.
BREAK = -1


@dataclass
class Receiver:
    """What came in. `seen` counts every request, `taken` holds what was answered with 2xx."""

    url: str = ""
    secret: str = ""  # to check signatures with; empty: not checked
    mood: Mood = lambda _id, _try: 204
    headers: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    requests: list[web.Request] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    taken: dict[str, Any] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        body = await request.read()
        event_id = request.headers["webhook-id"]
        self.requests.append(request)
        self.bodies[event_id].add(body)
        if self.secret:
            event = Webhook(self.secret).verify(body, dict(request.headers))
        else:
            event = await request.json()
        self.events.append(event)
        tries = sum(each.headers["webhook-id"] == event_id for each in self.requests)
        status = self.mood(event_id, tries)
        if status == BREAK:
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(0)
            return web.Response()
        if 200 <= status < 300:
            self.taken[event_id] = event
        return web.Response(status=status, headers=self.headers)


@asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver on a free port of this machine."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        receiver.url = f"http{'s' if tls else ''}://127.0.0.1:{port}/hook"
        yield receiver
    finally:
        await runner.cleanup()
