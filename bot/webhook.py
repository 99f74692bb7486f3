"""Updates by webhook: Telegram is told 200 only after the update's turn is committed.

Any number of replicas may stand behind one address. Telegram holds back a chat's next update until
it has its 200, so the answer also waits a little for the reply to be shown: replies of two
replicas then keep their order, and what a replica leaves unanswered when it dies comes again.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from telegram import Bot, Update
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot import unreadable
from bot.chat_queues import ChatQueues, Done, Handle
from bot.faults import BotFault
from bot.listening import bind, listening
from bot.pace import Sleep
from bot.unreadable import Park
from bot.updates import ALLOWED, chat_of
from storage.faults import DatabaseFault

logger = structlog.get_logger(__name__)

#: Waits until the chat's replies are shown, at most so many seconds.
Settled = Callable[[int, float], Awaitable[None]]

#: Called with the status of every delivery that was not accepted.
Refused = Callable[[int], None]

PATH = "/telegram"  # no secret: the secret is in the header, out of every access log
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name

_GRACE = 3.0  # seconds that turns under way may take when the bot stops
_SET_TRIES = 5  # replicas that start together make Telegram ask each other to wait
_RETRY_AFTER = "1"  # seconds; Telegram heeds it


@dataclass(frozen=True, slots=True)
class WebhookTerms:
    """Where updates arrive, and how much at once."""

    public_url: str  # what Telegram calls: https://HOST, or http to this machine
    secret: str
    host: str
    port: int  # 0 takes a free one
    connections: int = 100  # deliveries at a time that Telegram is asked for, over all replicas
    most_waiting: int = 400  # updates in this process; more are sent away for a moment
    most_bytes: int = 1024 * 1024
    read_within: float = 10.0  # seconds for a body to arrive
    answer_within: float = 50.0  # seconds; Telegram itself gives up after 60
    reply_within: float = 5.0  # seconds that a 200 waits for the reply to be shown


class _Refusal(Exception):
    """A delivery that is not taken."""

    def __init__(self, status: int, why: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(why)
        self.response = PlainTextResponse(why, status, headers)


class Webhook:
    """Takes deliveries and hands each update to `handle`, in order within its chat.

    `park` keeps what the library cannot read.
    """

    def __init__(  # noqa: PLR0913 - the ends of everything that a delivery touches
        self,
        bot: Bot,
        handle: Handle,
        settled: Settled,
        park: Park,
        terms: WebhookTerms,
        *,
        refused: Refused = lambda _status: None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._bot = bot
        self._settled = settled
        self._park = park
        self._terms = terms
        self._refused = refused
        self._sleep = sleep
        self._queues = ChatQueues(handle)
        self._under_way: dict[int, Done] = {}
        self._is_stopping = False
        self._stopped = asyncio.Event()
        self._listener = AsyncExitStack()
        self.address = ""

    async def start(self) -> None:
        """Listen, then tell Telegram where; what it kept meanwhile arrives. Raises BotFault."""
        bound = bind(self._terms.host, self._terms.port)
        self.address = await self._listener.enter_async_context(listening(self.app(), bound))
        try:
            await self._announce()
        except BaseException:
            await self._listener.aclose()
            raise

    async def run(self) -> None:
        """Wait until `stop`."""
        await self._stopped.wait()

    async def stop(self) -> None:
        """Finish the turns under way, sending new deliveries away to come again.

        The webhook stays set: other replicas may go on, and when this was the last one Telegram
        keeps what patients write for a day and delivers it after the next start. `resurface run`
        without PUBLIC_URL removes it.
        """
        self._is_stopping = True
        await self._queues.finish(_GRACE)
        await self._listener.aclose()
        self._stopped.set()

    def app(self) -> Starlette:
        """Return the endpoint as an ASGI application."""
        return Starlette(
            routes=[
                Route(PATH, self._deliver, methods=["POST"]),
                Route("/healthz", _alive, methods=["GET"]),
            ]
        )

    async def _deliver(self, request: Request) -> Response:
        try:
            self._admit(request)
            update = await self._read(await self._body(request))
            if update is not None:
                await self._deal_with(update)
        except _Refusal as refusal:
            status = refusal.response.status_code
            logger.info("delivery not taken", action="delivery_refused", status=status)
            self._refused(status)
            return refusal.response
        return Response()

    def _admit(self, request: Request) -> None:
        given = request.headers.get(SECRET_HEADER)
        if given is None:
            raise _Refusal(401, "the secret is missing")
        if not hmac.compare_digest(given.encode(), self._terms.secret.encode()):
            raise _Refusal(403, "the secret is wrong")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise _Refusal(415, "updates come as application/json")
        if self._is_stopping or self._queues.waiting >= self._terms.most_waiting:
            raise _come_again()

    async def _body(self, request: Request) -> bytes:
        most, body = self._terms.most_bytes, bytearray()
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            raise _Refusal(413, "the body is too large")
        try:
            async with asyncio.timeout(self._terms.read_within):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > most:
                        raise _Refusal(413, "the body is too large")
        except TimeoutError:
            raise _Refusal(408, "the body took too long") from None
        except ClientDisconnect:
            raise _Refusal(400, "the body broke off") from None
        return bytes(body)

    async def _read(self, body: bytes) -> Update | None:
        """Return the update; None for what nobody can read.

        That is kept and accepted all the same: else it would be delivered again and again for a
        day, and nothing else of its chat.
        """
        raw: dict[str, Any] = {}
        number: int | None = None
        try:
            raw = json.loads(body)
            number = int(raw["update_id"])
            return Update.de_json(raw, self._bot)
        except Exception as error:  # noqa: BLE001 - anything can be in a body
            if number is None:  # nothing that Telegram would send
                name = type(error).__name__
                logger.error("body is unreadable", action="update_unreadable", error=name)
            else:
                await self._keep(number, raw, error)
            return None

    async def _keep(self, number: int, raw: object, why: Exception) -> None:
        try:
            await unreadable.put_aside(self._park, number, raw, why)
        except DatabaseFault:
            raise _come_again() from None

    async def _deal_with(self, update: Update) -> None:
        """Return when the update is committed or put aside; raise when that takes too long."""
        number = update.update_id
        done = self._under_way.get(number)
        if done is None:  # else it is a repetition of one that still is under way
            done = self._under_way[number] = self._queues.put(update)
            done.add_done_callback(lambda _done: self._under_way.pop(number))
        await asyncio.wait({done}, timeout=self._terms.answer_within)
        if not done.done() or done.cancelled():
            raise _come_again()
        await self._settled(chat_of(update), self._terms.reply_within)

    async def _announce(self) -> None:
        why = ""
        for _ in range(_SET_TRIES):
            try:
                await self._bot.set_webhook(
                    self._terms.public_url + PATH,
                    secret_token=self._terms.secret,
                    allowed_updates=ALLOWED,
                    max_connections=self._terms.connections,
                )
                return
            except BadRequest as refusal:
                raise _not_set(type(refusal).__name__) from None
            except RetryAfter as wait:
                after, why = wait.retry_after, "RetryAfter"
                seconds = after if isinstance(after, int | float) else after.total_seconds()
                await self._sleep(seconds)
            except TelegramError as error:
                why = type(error).__name__
                await self._sleep(1.0)
        raise _not_set(why)


def derived_secret(token: str) -> str:
    """Return a secret made from the bot's token, so that every replica has the same one."""
    return hmac.new(token.encode(), b"resurface webhook", sha256).hexdigest()


def _come_again() -> _Refusal:
    return _Refusal(503, "not now", {"Retry-After": _RETRY_AFTER})


def _not_set(name: str) -> BotFault:
    return BotFault(
        f"the Bot API did not accept PUBLIC_URL ({name}): it must be an https address of this bot "
        "that can be reached from the internet, on port 443, 80, 88 or 8443"
    )


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("ok")
