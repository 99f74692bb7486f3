"""Starts a program again whenever it ends, as a clinic's server does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection

from tests.faults import programs
from tests.faults.programs import Orders, Point, Program
from tests.journeys.balancer import Balancer

_STARTS_WITHIN = 30.0  # seconds


@dataclass
class Keeper:
    """Keeps one program running; each start may be given a point at which it ends."""

    orders: Orders
    ends_at: list[Point] = field(default_factory=list)  # one for each start, then none
    front: Balancer | None = None
    run: Callable[[Orders, Connection], None] = programs.bot
    endings: list[int] = field(default_factory=list)
    reached: list[Point] = field(default_factory=list)
    program: Program | None = None
    is_serving: bool = False

    @property
    def is_running(self) -> bool:
        """Tell whether the program runs, be it only starting."""
        return self.program is not None and self.program.exit_code is None

    def kill(self) -> None:
        """End the program at once; it is started again."""
        if self.program is not None:
            self.program.kill()

    async def keep(self) -> None:
        """Start the program again and again until cancelled."""
        while True:
            point = self.ends_at[0] if self.ends_at else None
            self.program = program = await self._started(replace(self.orders, ends_at=point))
            address = ""
            try:
                ended = asyncio.ensure_future(program.ended())
                address = await self._introduced(program)
                self.is_serving = True
                self.endings.append(await ended)
            finally:
                self.is_serving = False
                program.kill()
                if self.front is not None and address in self.front.replicas:
                    self.front.replicas.remove(address)
            if self.endings[-1] == programs.ENDED:
                self.reached.append(self.ends_at.pop(0))

    async def _started(self, orders: Orders) -> Program:
        # Beside the loop: on a busy machine a start takes seconds.
        starting = asyncio.create_task(asyncio.to_thread(Program, self.run, orders))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            (await starting).kill()
            raise

    async def _introduced(self, program: Program) -> str:
        try:
            async with asyncio.timeout(_STARTS_WITHIN):
                address = await program.ready()
        except (EOFError, OSError):
            return ""  # it ended before it worked
        if self.front is not None:
            self.front.replicas.append(address)
        return address


@asynccontextmanager
async def kept(*keepers: Keeper) -> AsyncIterator[None]:
    """Keep programs running until the block ends, then end them."""
    tasks = [asyncio.create_task(keeper.keep()) for keeper in keepers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                task.result()
