"""The bot's queue of updates: numbering, long polling, confirmation, redelivery."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass, field

from bot.playground import limits
from bot.playground.refusals import OTHER_POLLER, WEBHOOK_ACTIVE, Refusal

Json = dict[str, object]

#: Kinds that Telegram sends only to bots that ask for them by name.
ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
RANDOM_IDS = (1, 2**30)
SENT_KEPT = 1000  # updates that can be sent once more


@dataclass(frozen=True, slots=True)
class Update:
    """One update as the bot receives it."""

    update_id: int
    kind: str
    chat_id: int
    body: Json
    again: bool = False  # a redelivery: offsets do not hold it back

    def to_json(self) -> Json:
        """Return the update in the Bot API's shape."""
        return {"update_id": self.update_id, self.kind: self.body}


@dataclass(slots=True)
class UpdateQueue:
    """Updates that the bot has not confirmed, oldest first."""

    last_id: int = 0
    allowed: frozenset[str] = frozenset()  # empty: Telegram's default
    webhook_url: str = ""
    closed: bool = False
    pending: list[Update] = field(default_factory=list)
    sent: deque[Update] = field(default_factory=lambda: deque(maxlen=SENT_KEPT))
    _poller: asyncio.Future[None] | None = None
    _arrivals: set[asyncio.Future[None]] = field(default_factory=set)

    def push(self, kind: str, chat_id: int, body: Json) -> Update | None:
        """Append an update with the next id; None when the bot does not want this kind."""
        if not self._wanted(kind):
            return None
        self.last_id += 1
        update = Update(self.last_id, kind, chat_id, body)
        self._append(update)
        self.sent.append(update)
        return update

    def jump(self, last_id: int | None = None) -> int:
        """Let the next id be random, as after a week of silence; or just after `last_id`."""
        low, high = RANDOM_IDS
        self.last_id = low + secrets.randbelow(high - low) if last_id is None else last_id
        return self.last_id

    def redeliver(self, update_id: int | None = None) -> Update:
        """Send an update (default: the last one) once more, whatever has been confirmed."""
        found = next(u for u in reversed(self.sent) if update_id in (None, u.update_id))
        update = Update(found.update_id, found.kind, found.chat_id, found.body, again=True)
        self._append(update)
        return update

    def confirm(self, offset: int) -> None:
        """Drop everything before `offset`; a negative one keeps so many from the end."""
        if offset < 0:
            self.pending = self.pending[offset:]
            return
        ids = [update.update_id for update in self.pending if not update.again]
        if offset - 1 in ids:
            confirmed = set(ids[: ids.index(offset - 1) + 1])
        elif offset <= self.last_id + 1:
            confirmed = {update_id for update_id in ids if update_id < offset}
        else:  # an offset of before the ids jumped back confirms nothing
            confirmed = set()
        self.pending = [u for u in self.pending if u.again or u.update_id not in confirmed]

    async def poll(self, offset: int, limit: int, wait_for: float) -> list[Update]:
        """Answer getUpdates: confirm, then wait up to `wait_for` seconds for the first update."""
        if self.webhook_url:
            raise Refusal(409, WEBHOOK_ACTIVE)
        if offset:
            self.confirm(offset)
        mine = self._take_over()
        try:
            if not self.pending and wait_for > 0 and not self.closed:
                await self._first(mine, wait_for)
        finally:
            if self._poller is mine:
                self._poller = None
        if mine.done():
            raise Refusal(409, OTHER_POLLER)
        return self._batch(max(1, min(limit, limits.POLL_BATCH)))

    def drop(self, update: Update) -> None:
        """Forget an update that a webhook took."""
        self.pending = [pending for pending in self.pending if pending is not update]

    def arrival(self) -> asyncio.Future[None]:
        """Return a future that is done when the next update arrives, or the queue closes."""
        self._arrivals = {future for future in self._arrivals if not future.done()}
        future = asyncio.get_running_loop().create_future()
        self._arrivals.add(future)
        return future

    def close(self) -> None:
        """Let every waiting call return, so that the server can stop."""
        self.closed = True
        self.announce()

    def _wanted(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in ON_REQUEST

    def _append(self, update: Update) -> None:
        self.pending.append(update)
        self.announce()

    def announce(self) -> None:
        """Wake whoever waits for updates."""
        for future in self._arrivals:
            if not future.done():
                future.set_result(None)

    def _take_over(self) -> asyncio.Future[None]:
        if self._poller is not None and not self._poller.done():
            self._poller.set_result(None)
        self._poller = asyncio.get_running_loop().create_future()
        return self._poller

    async def _first(self, mine: asyncio.Future[None], wait_for: float) -> None:
        arrival = self.arrival()
        await asyncio.wait({arrival, mine}, timeout=wait_for, return_when=asyncio.FIRST_COMPLETED)
        self._arrivals.discard(arrival)

    def _batch(self, limit: int) -> list[Update]:
        batch = self.pending[:limit]
        taken = [update for update in batch if update.again]
        self.pending = [u for u in self.pending if not any(u is again for again in taken)]
        return batch
