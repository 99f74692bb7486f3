"""Delivery of updates by HTTP POST, in order within a chat, repeated until the bot takes them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from bot.playground import limits
from bot.playground.refusals import bad_request
from bot.playground.standin import StandIn
from bot.playground.update_queue import Update

Json = dict[str, object]

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  a header's name
LONGEST_WAIT = 60.0  # seconds between two attempts
ANSWER_WITHIN = 60.0  # seconds, as Telegram waits


@dataclass(slots=True)
class Webhook:
    """Where and how updates are delivered; nothing runs until `start`."""

    standin: StandIn
    first_wait: float = 2.0  # seconds before the second retry; the first one comes at once
    secret: str = ""
    max_connections: int = 40
    last_error_date: int = 0
    last_error: str = ""
    _courier: asyncio.Task[None] | None = None
    _busy: set[int] = field(default_factory=set)  # chats with a delivery under way

    async def start(self, url: str, secret: str) -> None:
        """Deliver to `url` from now on. Only loopback addresses: nothing leaves the machine."""
        if urlsplit(url).hostname not in limits.LOOPBACK:
            raise bad_request("bad webhook: the playground delivers to this machine only")
        await self.stop()
        self.standin.queue.webhook_url, self.secret = url, secret
        self.last_error, self.last_error_date = "", 0
        self._courier = asyncio.create_task(self._deliver_all(url))

    async def stop(self) -> None:
        """Stop delivering; what was not taken stays in the queue."""
        self.standin.queue.webhook_url = ""
        if self._courier is not None:
            self._courier.cancel()
            await asyncio.gather(self._courier, return_exceptions=True)
        self._courier = None
        self._busy.clear()

    def to_json(self) -> Json:
        """Return getWebhookInfo's answer."""
        queue = self.standin.queue
        body: Json = {
            "url": queue.webhook_url,
            "has_custom_certificate": False,
            "pending_update_count": len(queue.pending),
            "max_connections": self.max_connections,
        }
        if queue.allowed:
            body["allowed_updates"] = sorted(queue.allowed)
        if self.last_error:
            body["last_error_date"] = self.last_error_date
            body["last_error_message"] = self.last_error
        return body

    async def _deliver_all(self, url: str) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN)
        async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
            while not self.standin.queue.closed:
                arrival = self.standin.queue.arrival()
                for update in self._next_ones():
                    self._busy.add(update.chat_id)
                    group.create_task(self._deliver(session, url, update))
                await arrival

    def _next_ones(self) -> list[Update]:
        first: dict[int, Update] = {}
        for update in self.standin.queue.pending:
            first.setdefault(update.chat_id, update)
        free = [update for chat_id, update in first.items() if chat_id not in self._busy]
        return free[: max(0, self.max_connections - len(self._busy))]

    async def _deliver(self, session: aiohttp.ClientSession, url: str, update: Update) -> None:
        wait = 0.0
        while not await self._post(session, url, update):
            await asyncio.sleep(wait)
            wait = min(max(wait * 2, self.first_wait), LONGEST_WAIT)
        self.standin.queue.drop(update)
        self._busy.discard(update.chat_id)
        self.standin.queue.announce()

    async def _post(self, session: aiohttp.ClientSession, url: str, update: Update) -> bool:
        headers = {SECRET_HEADER: self.secret} if self.secret else {}
        try:
            async with session.post(url, json=update.to_json(), headers=headers) as response:
                if 200 <= response.status < 300:
                    return True
                self.last_error = f"Wrong response from the webhook: {response.status}"
        except (aiohttp.ClientError, TimeoutError):
            self.last_error = "Connection refused"
        self.last_error_date = self.standin.chats.now()
        return False
