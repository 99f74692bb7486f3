"""Serving HTTP inside the running event loop; whoever runs the program decides when it ends."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from bot.faults import BotFault

STOP_WITHIN = 1  # seconds that open answers get when the server stops


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def bind(host: str, port: int, setting: str = "HTTP_PORT") -> socket.socket:
    """Return a listening socket; port 0 takes a free one.

    Raises BotFault, which names `setting` (and its sister ending in HOST) as what to change.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once, not after the other side's delayed answer, only where TCP is named.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(256)
    except OSError as fault:
        bound.close()
        raise BotFault(_why_not(fault, host, port, setting)) from None
    return bound


@asynccontextmanager
async def listening(app: ASGIApp, bound: socket.socket) -> AsyncIterator[str]:
    """Serve `app` until the block ends; yields its address, such as `http://127.0.0.1:8080`.

    An application with endless answers has an event `state.closing`, which tells it to end them.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=STOP_WITHIN,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await server.up.wait()
        yield address(bound)
    finally:
        closing = getattr(getattr(app, "state", None), "closing", None)
        if closing is not None:
            closing.set()
        server.should_exit = True
        await serving


def address(bound: socket.socket) -> str:
    """Return the web address of a listening socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _why_not(fault: OSError, host: str, port: int, setting: str) -> str:
    if fault.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program; set {setting} to a free one"
    if fault.errno == errno.EADDRNOTAVAIL or isinstance(fault, socket.gaierror):
        named = setting.replace("PORT", "HOST")
        return f"{named} must be an address of this machine, got {host!r}"
    return f"cannot listen on port {port} ({fault.strerror}); set {setting} to another one"
