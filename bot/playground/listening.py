"""Serving the playground on a loopback address, inside the running event loop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette

from bot.playground import limits
from bot.playground.refusals import PlaygroundRefused

STOP_WITHIN = 2  # seconds that open answers get when the playground stops


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: whoever runs the playground decides."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one. Raises `PlaygroundRefused`."""
    limits.check_host(host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(256)
    except OSError as fault:
        bound.close()
        raise PlaygroundRefused(_why_not(fault, port)) from None
    return bound


@asynccontextmanager
async def listening(app: Starlette, bound: socket.socket) -> AsyncIterator[str]:
    """Serve `app` until the block ends; yields its address, such as `http://127.0.0.1:8080`."""
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=STOP_WITHIN,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        await server.up.wait()
        yield address(bound)
    finally:
        app.state.standin.close()
        server.should_exit = True
        await serving


def address(bound: socket.socket) -> str:
    """Return the web address of a listening socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _why_not(fault: OSError, port: int) -> str:
    if fault.errno == errno.EADDRINUSE:
        return f"port {port} is in use by another program; set HTTP_PORT to a free one"
    return f"cannot listen on port {port} ({fault.strerror}); set HTTP_PORT to another one"
