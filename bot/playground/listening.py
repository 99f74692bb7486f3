"""Serving the playground on a loopback address only."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from bot import listening as http
from bot.faults import BotFault
from bot.playground import limits
from bot.playground.refusals import PlaygroundRefused


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises `PlaygroundRefused`."""
    limits.check_host(host)
    try:
        return http.bind(host, port)
    except BotFault as fault:
        raise PlaygroundRefused(str(fault)) from None


@asynccontextmanager
async def listening(app: Starlette, bound: socket.socket) -> AsyncIterator[str]:
    """Serve `app` until the block ends; yields its address, such as `http://127.0.0.1:8080`."""
    async with http.listening(app, bound) as address:
        try:
            yield address
        finally:
            app.state.standin.close()  # lets the long polls return
