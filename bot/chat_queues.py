"""Updates in order within their chat, many chats at once.

The order holds inside one process. Across processes the conversation's revision keeps it: a turn
that another process overtook is taken again (see bot.turns).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from telegram import Update

from bot.updates import chat_of

Handle = Callable[[Update], Awaitable[None]]
Done = asyncio.Future[None]


class ChatQueues:
    """Hands each update to `handle`, which returns when it is dealt with and must not raise."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._queues: dict[int, deque[tuple[Update, Done]]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._waiting = 0

    @property
    def waiting(self) -> int:
        """Return how many updates are not dealt with."""
        return self._waiting

    def put(self, update: Update) -> Done:
        """Append an update to its chat's queue.

        The future is done when the update is dealt with, cancelled when it will not be.
        """
        done: Done = asyncio.get_running_loop().create_future()
        done.add_done_callback(self._count_down)
        self._waiting += 1
        chat_id = chat_of(update)
        queue = self._queues.get(chat_id)
        if queue is not None:
            queue.append((update, done))
            return done
        self._queues[chat_id] = deque([(update, done)])
        worker = asyncio.create_task(self._work(chat_id))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)
        return done

    async def finish(self, within: float) -> None:
        """Let the turns under way finish; give up what takes longer than `within` seconds."""
        if self._workers:
            _, late = await asyncio.wait(set(self._workers), timeout=within)
            for worker in late:
                worker.cancel()

    def _count_down(self, _done: Done) -> None:
        self._waiting -= 1

    async def _work(self, chat_id: int) -> None:
        queue = self._queues[chat_id]
        try:
            while queue:
                update, done = queue[0]
                await self._handle(update)
                if not done.done():
                    done.set_result(None)
                queue.popleft()
        finally:
            del self._queues[chat_id]
            for _, done in queue:
                done.cancel()
