"""What tests run as real processes: forked from a small server, so that a start costs little.

A program may be told to end at a crash point: at once, as a power cut would end it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from telegram import Bot

from bot import log
from bot.app import serve
from bot.clock import Clock, SystemClock
from bot.live import until_told
from bot.pace import UNLIMITED
from bot.request import AiohttpRequest
from bot.webhook import WebhookTerms
from bot.worker import Terms, Worker
from storage import protocol_files
from storage.database import connect
from storage.outbox import OutboxRow
from tests.journeys.balancer import SECRET
from tests.standin import StoppedClock

ENDED = 137  # what a shell reports for a process that was killed

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__])

#: A short lease, so that what a killed worker held is soon taken over.
TERMS = Terms(lease_for=timedelta(seconds=3), idle_for=0.1)

Point = tuple[str, int]  # a crash point's name, and which time it is passed, from 1


@dataclass(frozen=True, slots=True)
class Orders:
    """What a program is to do."""

    token: str
    api_url: str
    database_url: str
    log: str  # the file for what it has to say
    front_url: str = ""  # of a load balancer: updates come by webhook
    ends_at: Point | None = None
    points: str = ""  # a file that gets the name of every point that is passed
    now: datetime | None = None  # its clock stands still there
    most_bytes: int = 0  # no file may grow beyond this; 0: as large as it likes


class Watch:
    """Notes every crash point, and ends the process at one of them."""

    def __init__(self, orders: Orders) -> None:
        self._ends_at = orders.ends_at
        self._times: Counter[str] = Counter()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(orders.points, flags) if orders.points else None

    def passed(self, point: str) -> None:
        """Take note of a point."""
        self._times[point] += 1
        if self._file is not None:
            os.write(self._file, f"{point}\n".encode())
        if self._ends_at == (point, self._times[point]):
            os._exit(ENDED)


def bot(orders: Orders, ready: Connection) -> None:
    """Run the bot; `ready` gets its address, empty when it polls."""
    settle_in(orders.log)
    asyncio.run(until_told(_bot(orders, ready)))


async def _bot(orders: Orders, ready: Connection) -> None:
    watch = Watch(orders)
    database = connect(orders.database_url, passed=watch.passed)
    terms = WebhookTerms(orders.front_url, SECRET, "127.0.0.1", 0) if orders.front_url else None
    try:
        async with serve(
            token=orders.token,
            api_url=orders.api_url,
            database=database,
            clock=clock_of(orders),
            new_token=lambda: secrets.token_hex(16),
            catalogues=protocol_files.load_catalogues(),
            limits=UNLIMITED,
            webhook=terms,
            passed=watch.passed,
        ) as serving:
            ready.send(serving.address)
            await serving.failed()
    finally:
        await database.close()


def worker(orders: Orders, ready: Connection) -> None:
    """Serve the outbox: each message's key is what the patient reads."""
    settle_in(orders.log)
    asyncio.run(until_told(_worker(orders, ready)))


async def _worker(orders: Orders, ready: Connection) -> None:
    watch = Watch(orders)
    database = connect(orders.database_url, passed=watch.passed)
    request = AiohttpRequest(passed=watch.passed)
    api = Bot(orders.token, base_url=f"{orders.api_url}/bot", request=request)

    async def deliver(row: OutboxRow) -> int | None:
        return (await api.send_message(row.chat_id or 0, row.key)).message_id

    serving = Worker(database, deliver, clock_of(orders), lambda: secrets.token_hex(16), TERMS)
    await request.initialize()
    try:
        ready.send("")
        await serving.run()
    finally:
        await serving.stop()
        await request.shutdown()
        await database.close()


def clock_of(orders: Orders) -> Clock:
    """Return the clock that the orders ask for."""
    return StoppedClock(orders.now) if orders.now else SystemClock()


def settle_in(path: str) -> None:
    """Write what the program logs to a file, and end when the tests do."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(file, 2)
    os.close(file)
    log.configure("WARNING", "json")


class Program:
    """One process from start to end."""

    def __init__(self, run: Callable[[Orders, Connection], None], orders: Orders) -> None:
        self._ready, theirs = FORKS.Pipe(duplex=False)
        self._process: BaseProcess = FORKS.Process(target=run, args=(orders, theirs), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """Return what it ended with; None while it runs, negative for a signal."""
        return self._process.exitcode

    async def ready(self) -> str:
        """Return the address that it reports when it works. Raises EOFError when it ended."""
        await _readable(self._ready.fileno())
        address: str = self._ready.recv()
        return address

    async def ended(self) -> int:
        """Wait for its end; return what it ended with."""
        await _readable(self._process.sentinel)
        self._process.join()
        return self._process.exitcode or 0

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        self._process.kill()

    def terminate(self) -> None:
        """Ask it to stop, as `kill` does."""
        self._process.terminate()


async def _readable(file: int) -> None:
    loop = asyncio.get_running_loop()
    seen = loop.create_future()
    loop.add_reader(file, lambda: seen.done() or seen.set_result(None))
    try:
        await seen
    finally:
        loop.remove_reader(file)
