"""Deliveries over real HTTP: who is let in, what is answered when, and what is logged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs
from telegram import Update
from telegram.ext import ExtBot

from bot.faults import BotFault
from bot.listening import bind
from bot.playground.faults import FaultKind
from bot.playground.limits import TOKEN
from bot.request import AiohttpRequest
from bot.webhook import PATH, SECRET_HEADER, Webhook, WebhookTerms, derived_secret
from storage.faults import DatabaseUnavailable
from tests.bot.test_request import unused_port
from tests.standin import RunningStandIn, running_standin

SECRET = "s" * 40
TERMS = WebhookTerms("http://127.0.0.1:1", SECRET, "127.0.0.1", 0, most_waiting=3, most_bytes=4000)
ignore_ptb = pytest.mark.filterwarnings("ignore:.*retry_after")
JSON_HEADERS = {"Content-Type": "application/json", SECRET_HEADER: SECRET}


@dataclass
class Desk:
    """A webhook that listens, what it handed on, and a way to hold updates back."""

    webhook: Webhook
    session: aiohttp.ClientSession
    taken: list[int] = field(default_factory=list)
    gates: dict[int, asyncio.Event] = field(default_factory=dict)
    settled: list[tuple[int, float]] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    parked: dict[int, str] = field(default_factory=dict)
    is_away: bool = False

    async def handle(self, update: Update) -> None:
        if gate := self.gates.get(update.update_id):
            await gate.wait()
        self.taken.append(update.update_id)

    async def park(self, number: int, _why: str, payload: str) -> None:
        if self.is_away:
            raise DatabaseUnavailable("the server cannot be reached")
        self.parked[number] = payload

    async def shown(self, chat_id: int, within: float) -> None:
        self.settled.append((chat_id, within))

    async def posts(self, body: Any, headers: dict[str, str] | None = None) -> int:
        return (await self.answer_to(body, headers)).status

    async def answer_to(self, body: Any, headers: dict[str, str] | None = None) -> Any:
        given = JSON_HEADERS if headers is None else headers
        url = self.webhook.address + PATH
        async with self.session.post(url, data=body, headers=given) as answer:
            await answer.read()
            return answer

    def posting(self, *bodies: bytes) -> list[asyncio.Task[int]]:
        return [asyncio.create_task(self.posts(body)) for body in bodies]


def an_update(number: int, chat_id: int = 7) -> bytes:
    chat = {"id": chat_id, "type": "private", "first_name": "Maya"}
    message = {"message_id": number, "date": 1, "chat": chat, "text": "my private words"}
    return json.dumps({"update_id": number, "message": message}).encode()


async def slept(_seconds: float) -> None:
    await asyncio.sleep(0)


@asynccontextmanager
async def desk_with(terms: WebhookTerms, standin: RunningStandIn) -> AsyncIterator[Desk]:
    bot: ExtBot[None] = ExtBot(TOKEN, f"{standin.url}/bot", request=AiohttpRequest())
    async with bot, aiohttp.ClientSession() as session:
        holder: list[Desk] = []
        webhook = Webhook(
            bot,
            lambda update: holder[0].handle(update),
            lambda chat_id, within: holder[0].shown(chat_id, within),
            lambda number, why, payload: holder[0].park(number, why, payload),
            terms,
            refused=lambda status: holder[0].refused.append(status),
            sleep=slept,
        )
        holder.append(Desk(webhook, session))
        await webhook.start()
        yield holder[0]
        await webhook.stop()


@pytest.fixture
async def standin() -> AsyncIterator[RunningStandIn]:
    async with running_standin() as running:
        yield running


@pytest.fixture
async def desk(standin: RunningStandIn) -> AsyncIterator[Desk]:
    async with desk_with(TERMS, standin) as running:
        yield running


async def until_waiting(desk: Desk, count: int) -> None:
    async with asyncio.timeout(5):
        while desk.webhook._queues.waiting != count:  # noqa: ASYNC110 - sets no event
            await asyncio.sleep(0.005)


async def test_an_update_with_the_secret_is_handed_on(desk: Desk) -> None:
    assert await desk.posts(an_update(1)) == 200
    assert desk.taken == [1]
    assert desk.settled == [(7, TERMS.reply_within)]


@pytest.mark.parametrize(
    ("secret", "status"), [(None, 401), ("wrong", 403), ("s" * 39, 403), ("\u00e4" * 40, 403)]
)
async def test_without_the_secret_nobody_is_let_in(
    desk: Desk, secret: str | None, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    if secret is not None:
        headers[SECRET_HEADER] = secret

    assert await desk.posts(an_update(1), headers) == status
    assert (desk.taken, desk.refused) == ([], [status])


async def test_only_json_is_read(desk: Desk) -> None:
    headers = {**JSON_HEADERS, "Content-Type": "text/plain"}

    assert await desk.posts(an_update(1), headers) == 415


async def test_a_body_that_is_too_large_is_refused_declared_or_not(desk: Desk) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 1000

    assert await desk.posts(b"x" * 4001) == 413
    assert await desk.posts(pieces()) == 413


async def test_a_body_that_never_ends_is_not_waited_for(standin: RunningStandIn) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)

    async with desk_with(replace(TERMS, read_within=0.05), standin) as desk:
        assert await desk.posts(pieces()) == 408


@pytest.mark.parametrize(
    "body",
    [b"", b"my private words", b"[]", b'{"message": {}}', b'{"update_id": "private"}'],
)
async def test_what_nobody_can_read_is_accepted_and_logged_without_its_words(
    desk: Desk, body: bytes
) -> None:
    with capture_logs() as logs:
        assert await desk.posts(body) == 200

    assert [log["action"] for log in logs] == ["update_unreadable"]
    assert "private" not in str(logs)


UNREADABLE = b'{"update_id": 5, "message": 3}'


async def test_an_update_that_nobody_can_read_is_put_aside(desk: Desk) -> None:
    assert await desk.posts(UNREADABLE) == 200

    assert desk.parked == {5: UNREADABLE.decode()}


async def test_it_is_sent_away_while_it_cannot_be_put_aside(desk: Desk) -> None:
    desk.is_away = True

    assert await desk.posts(UNREADABLE) == 503


async def test_200_is_not_said_before_the_update_is_dealt_with(desk: Desk) -> None:
    gate = desk.gates[1] = asyncio.Event()
    (post,) = desk.posting(an_update(1))
    await until_waiting(desk, 1)
    assert not post.done()

    gate.set()

    assert await post == 200


async def test_updates_of_one_chat_are_taken_in_order_and_others_pass(desk: Desk) -> None:
    gate = desk.gates[1] = asyncio.Event()
    first = desk.posting(an_update(1))
    await until_waiting(desk, 1)
    second = desk.posting(an_update(2))
    await until_waiting(desk, 2)
    assert await desk.posts(an_update(3, chat_id=8)) == 200

    gate.set()

    assert await asyncio.gather(*first, *second) == [200, 200]
    assert desk.taken == [3, 1, 2]


async def test_a_repetition_of_an_update_under_way_waits_for_it(desk: Desk) -> None:
    gate = desk.gates[1] = asyncio.Event()
    posts = desk.posting(an_update(1), an_update(1))
    await until_waiting(desk, 1)

    gate.set()

    assert await asyncio.gather(*posts) == [200, 200]
    assert desk.taken == [1]


async def test_when_too_many_wait_more_are_asked_to_come_again(desk: Desk) -> None:
    gate = asyncio.Event()
    desk.gates = dict.fromkeys((1, 2, 3), gate)
    posts = desk.posting(*(an_update(number, chat_id=number) for number in (1, 2, 3)))
    await until_waiting(desk, 3)

    answer = await desk.answer_to(an_update(4))
    gate.set()

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert await asyncio.gather(*posts) == [200] * 3
    assert await desk.posts(an_update(4)) == 200


async def test_an_update_that_takes_too_long_is_finished_and_comes_again(
    standin: RunningStandIn,
) -> None:
    async with desk_with(replace(TERMS, answer_within=0.05), standin) as desk:
        gate = desk.gates[1] = asyncio.Event()
        assert await desk.posts(an_update(1)) == 503
        gate.set()
        await until_waiting(desk, 0)

        assert desk.taken == [1]
        assert await desk.posts(an_update(1)) == 200


async def test_stopping_finishes_what_is_under_way_and_sends_the_rest_away(desk: Desk) -> None:
    gate = desk.gates[1] = asyncio.Event()
    posts = desk.posting(an_update(1))
    await until_waiting(desk, 1)

    stopping = asyncio.create_task(desk.webhook.stop())
    await asyncio.sleep(0)
    assert await desk.posts(an_update(2)) == 503
    gate.set()

    assert await asyncio.gather(*posts) == [200]
    await stopping
    await desk.webhook.run()


async def test_telegram_is_told_where_and_what_and_stopping_leaves_it_so(
    standin: RunningStandIn,
) -> None:
    async with desk_with(TERMS, standin):
        pass

    queue = standin.state.queue
    assert queue.webhook_url == "http://127.0.0.1:1/telegram"
    assert queue.allowed == {"message", "edited_message", "callback_query", "my_chat_member"}


@ignore_ptb
async def test_replicas_that_start_together_wait_for_each_other(standin: RunningStandIn) -> None:
    standin.fault(FaultKind.TOO_MANY_REQUESTS, "setWebhook", count=2)

    async with desk_with(TERMS, standin) as desk:
        assert desk.webhook.address


@ignore_ptb
@pytest.mark.parametrize("kind", [FaultKind.BAD_REQUEST, FaultKind.TOO_MANY_REQUESTS])
async def test_an_address_that_telegram_refuses_is_one_sentence(
    standin: RunningStandIn, kind: FaultKind
) -> None:
    standin.fault(kind, "setWebhook", count=9)

    with pytest.raises(BotFault, match="did not accept PUBLIC_URL"):
        async with desk_with(TERMS, standin):
            pass


async def test_a_port_in_use_is_one_sentence(standin: RunningStandIn) -> None:
    with (
        bind("127.0.0.1", 0) as taken,
        pytest.raises(BotFault, match="in use by another program; set HTTP_PORT"),
    ):
        async with desk_with(replace(TERMS, port=taken.getsockname()[1]), standin):
            pass


def test_an_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(BotFault, match=r"METRICS_HOST must be an address of this machine"):
        bind("192.0.2.1", unused_port(), "METRICS_PORT")


async def test_the_public_listener_tells_only_that_it_is_up(desk: Desk) -> None:
    statuses = {}
    for path in ("/healthz", "/readyz", "/metrics", "/"):
        async with desk.session.get(desk.webhook.address + path) as answer:
            statuses[path] = answer.status

    assert statuses == {"/healthz": 200, "/readyz": 404, "/metrics": 404, "/": 404}


def test_every_replica_derives_the_same_secret_and_it_is_not_the_token() -> None:
    assert derived_secret(TOKEN) == derived_secret(TOKEN) != derived_secret("2:other")
    assert len(derived_secret(TOKEN)) == 64
    assert TOKEN.partition(":")[2] not in derived_secret(TOKEN)
