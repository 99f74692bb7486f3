"""The stand-in Bot API as a service beside the others; a container runs this file."""

from __future__ import annotations

import asyncio
import signal

from starlette.types import ASGIApp, Receive, Scope, Send

from bot.clock import SystemClock
from bot.listening import bind, listening
from bot.playground.app import create_app
from bot.playground.limits import TOKEN

PORT = 8081


class CalledByName:
    """Lets containers call by a service's name what answers its own machine only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on as one to this machine."""
        if scope["type"] == "http":
            kept = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {**scope, "headers": [*kept, (b"host", b"127.0.0.1")]}
        await self._app(scope, receive, send)


async def serve() -> None:
    """Serve until told to stop."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    app = create_app(token=TOKEN, clock=SystemClock(), webhook_first_wait=0.1)
    async with listening(CalledByName(app), bind("0.0.0.0", PORT)):
        await told.wait()


if __name__ == "__main__":
    asyncio.run(serve())
