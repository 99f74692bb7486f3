"""A TCP proxy that spoils connections: slow, cut in the middle, silent, half closed."""

from __future__ import annotations

import asyncio
import contextlib
import random  # noqa: TID251 - seeded
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_CHUNK = 65536


@dataclass
class Proxy:
    """Sits in front of one server. Change its fields at any time."""

    host: str
    port: int
    rng: random.Random
    own_port: int = 0
    latency: float = 0.0  # seconds that each chunk of an answer takes longer
    reset_share: float = 0.0  # of the answers that are cut after their first bytes
    half_close_share: float = 0.0  # of the requests after which the server hears no more
    is_silent: bool = False  # a black hole: connections open, and nothing passes
    resets: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def connected(self, ours: asyncio.StreamReader, to_us: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        self._writers.add(to_us)
        to_server: asyncio.StreamWriter | None = None
        try:
            theirs, to_server = await asyncio.open_connection(self.host, self.port)
            self._writers.add(to_server)
            await asyncio.gather(self._ask(ours, to_server), self._answer(theirs, to_us))
        except OSError:
            pass  # one of the two sides is gone; so is the other one now
        finally:
            for writer in (to_us, to_server):
                if writer is not None:
                    self._writers.discard(writer)
                    writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            await self._heard()
            writer.write(data)
            await writer.drain()
            if self.rng.random() < self.half_close_share:
                self.resets += 1
                writer.write_eof()
                return
        with contextlib.suppress(OSError):
            writer.write_eof()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            await self._heard()
            await asyncio.sleep(self.latency)
            if self.rng.random() < self.reset_share:
                self.resets += 1
                writer.write(data[: len(data) // 2])
                await writer.drain()
                writer.transport.abort()
                raise ConnectionResetError
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _heard(self) -> None:
        """Wait while nothing passes."""
        while self.is_silent:  # noqa: ASYNC110 - changed from outside at any time
            await asyncio.sleep(0.05)

    def drop(self) -> None:
        """Cut every connection at once."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    @property
    def address(self) -> str:
        """Return HOST:PORT of the proxy."""
        return f"127.0.0.1:{self.own_port}"


@asynccontextmanager
async def proxy_to(host: str, port: int, rng: random.Random) -> AsyncIterator[Proxy]:
    """Run a proxy on a free port; at first it spoils nothing."""
    proxy = Proxy(host, port, rng)
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.own_port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.is_silent = False
        proxy.drop()
