"""The page's side: what patients do and what anyone may watch, as JSON under `/playground/`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.clock import Clock, MovableClock
from bot.playground import patients
from bot.playground.chats import Chat
from bot.playground.desk import Desk
from bot.playground.faults import Fault, FaultKind
from bot.playground.feed import Happening
from bot.playground.refusals import Refusal, bad_request
from bot.playground.standin import StandIn
from bot.playground.travel import Travel

Json = dict[str, object]
Peek = Callable[[int], Awaitable[Json]]
Action = Callable[["Page", Chat, "Arguments"], object]

LONGEST_WAIT = 30.0  # seconds that a follower may wait for a change of one chat
HEARTBEAT_FOR = 15.0  # seconds between signs of life on a quiet event stream
NAMES = ("Maya", "Daniel", "Aisha", "Tom", "Elena", "Kofi", "Grace", "Ivan")


@dataclass(frozen=True, slots=True)
class Arguments:
    """The JSON body of a request."""

    body: Mapping[str, object]

    def text(self, name: str) -> str:
        """Return a string; empty when absent."""
        return str(self.body.get(name) or "")

    def number(self, name: str, default: float = 0) -> float:
        """Return a number."""
        value = self.body.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise bad_request(f"{name} must be a number")
        return value

    def flag(self, name: str) -> bool:
        """Return a yes or no."""
        return self.body.get(name) is True


@dataclass(frozen=True, slots=True)
class Page:
    """What the page's endpoints work on."""

    standin: StandIn
    clock: Clock
    peek: Peek | None = None
    zone: str = "UTC"  # IANA zone that times are shown in until a clinic is chosen
    links: tuple[tuple[str, str], ...] = ()  # deep links to offer: (payload, what it leads to)
    travel: Travel | None = None  # None: nothing but the clock itself moves
    desk: Desk | None = None  # None: there is no console

    def routes(self) -> list[Route]:
        """Return every address under `/playground/`."""
        one = "/playground/patients/{chat_id:int}"
        acts = [Route(f"{one}/{name}", self._acting(act), methods=["POST"]) for name, act in _ACTS]
        return [
            Route("/playground/state", self.state),
            Route("/playground/events", self.events),
            Route("/playground/files/{file_id}", self.file),
            Route("/playground/patients", self.new_patient, methods=["POST"]),
            Route(one, self.one_patient),
            *acts,
            Route("/playground/peek/{chat_id:int}", self.peeked),
            Route("/playground/clock", self.move_clock, methods=["POST"]),
            Route("/playground/next", self.to_next_event, methods=["POST"]),
            Route("/playground/console", self.open_console, methods=["POST"]),
            Route("/playground/faults", self.plan_fault, methods=["POST"]),
            Route("/playground/updates", self.disturb_updates, methods=["POST"]),
        ]

    async def state(self, _request: Request) -> Response:
        """Answer with everything that the page needs at first."""
        profile = self.standin.profile
        bot: Json = {
            "name": profile.name,
            "description": profile.text("description", ""),
            "about": profile.text("short_description", ""),
        }
        body: Json = {
            "bot": bot,
            "patients": [self.summary(chat) for chat in self.standin.chats],
            "number": self.standin.feed.number,
            "links": [{"payload": payload, "label": label} for payload, label in self.links],
            "can_peek": self.peek is not None,
            "can_travel": self.travel is not None,
            "has_console": self.desk is not None,
            **self._time(),
        }
        return JSONResponse(body)

    async def events(self, request: Request) -> Response:
        """Stream what happens as server-sent events, from `Last-Event-ID` or now on."""
        last = request.headers.get("last-event-id", "") or request.query_params.get("after", "")
        number = int(last) if last.isdecimal() else self.standin.feed.number
        headers = {"Cache-Control": "no-store"}
        return StreamingResponse(
            self._stream(number), media_type="text/event-stream", headers=headers
        )

    async def file(self, request: Request) -> Response:
        """Answer with a photo, document… of a message."""
        try:
            stored = self.standin.chats.file(request.path_params["file_id"])
        except Refusal as refusal:
            return _refused(refusal)
        shown = stored.mime_type in ("image/png", "image/jpeg", "image/webp")
        kind = stored.mime_type if shown else "application/octet-stream"
        return Response(stored.content, media_type=kind, headers={"Cache-Control": "max-age=3600"})

    async def new_patient(self, request: Request) -> Response:
        """Add a patient."""
        arguments = await _arguments(request)
        count = sum(1 for _ in self.standin.chats)
        name = arguments.text("first_name").strip()[:64] or NAMES[count % len(NAMES)]
        chat = self.standin.chats.open(name, arguments.text("language") or "en")
        self.standin.feed.tell("patient", chat.patient.chat_id, self.summary(chat))
        return JSONResponse(self.snapshot(chat))

    async def one_patient(self, request: Request) -> Response:
        """Answer with a whole chat; with `since` and `wait`, once it has changed after that."""
        try:
            chat = self._chat(request)
        except Refusal as refusal:
            return _refused(refusal)
        if "since" in request.query_params:
            await self._change(chat, request)
        return JSONResponse(self.snapshot(chat))

    async def peeked(self, request: Request) -> Response:
        """Answer with what lies behind the chat: state, answers, verdict, calendar."""
        if self.peek is None:
            return JSONResponse({})
        return JSONResponse(await self.peek(request.path_params["chat_id"]))

    async def move_clock(self, request: Request) -> Response:
        """Move the playground's clock by `hours`, or `reset` it to the machine's."""
        clock = self.clock
        if not isinstance(clock, MovableClock):
            return _refused(bad_request("this clock cannot be moved"))
        try:
            arguments = await _arguments(request)
            hours = timedelta(hours=arguments.number("hours"))
        except Refusal as refusal:
            return _refused(refusal)
        by = -clock.offset if arguments.flag("reset") else hours
        if self.travel is not None:
            return JSONResponse({"came": await self.travel.move(by), **self._time()})
        clock.move(by)
        self.standin.feed.tell("clock", None, self._time())
        return JSONResponse(self._time())

    async def to_next_event(self, _request: Request) -> Response:
        """Move the clock to the next event of anybody, and answer with what came of it."""
        if self.travel is None:
            return _refused(bad_request("there is nothing to travel to"))
        return JSONResponse({"came": await self.travel.to_next(), **self._time()})

    async def open_console(self, request: Request) -> Response:
        """Sign the visitor in to the clinic's console and answer with its port."""
        if self.desk is None:
            return _refused(bad_request("this playground has no console"))
        opened = await self.desk.open(request.headers.get("cookie", ""))
        answer = JSONResponse({"port": urlsplit(opened.address).port})
        for cookie in opened.cookies:
            answer.headers.append("Set-Cookie", cookie)
        return answer

    async def plan_fault(self, request: Request) -> Response:
        """Let the next calls of a method go wrong; see `faults.Fault`."""
        try:
            arguments = await _arguments(request)
            self.standin.faults.plan(_fault(arguments))
        except (Refusal, ValueError):
            kinds = ", ".join(FaultKind)
            return _refused(bad_request(f"a fault needs a kind, one of {kinds}"))
        return JSONResponse({"planned": len(self.standin.faults.planned)})

    async def disturb_updates(self, request: Request) -> Response:
        """Let update ids jump (`jump`), or send the last update once more (`redeliver`)."""
        arguments = await _arguments(request)
        queue = self.standin.queue
        if arguments.flag("jump"):
            queue.jump()
        if arguments.flag("redeliver") and queue.sent:
            queue.redeliver()
        return JSONResponse({"last_id": queue.last_id})

    def summary(self, chat: Chat) -> Json:
        """Return a line of the chat list."""
        last = next(reversed(chat.messages.values()), None)
        return {
            "chat_id": chat.patient.chat_id,
            "first_name": chat.patient.first_name,
            "language": chat.patient.language,
            "blocked": chat.blocked,
            "started": chat.started,
            "last": self.standin.shown(chat, last) if last else None,
        }

    def snapshot(self, chat: Chat) -> Json:
        """Return a whole chat."""
        chat_id = chat.patient.chat_id
        return {
            **self.summary(chat),
            "phone": chat.patient.phone,
            "messages": [self.standin.shown(chat, m) for m in chat.messages.values()],
            "keyboard": chat.keyboard,
            "commands": self.standin.profile.commands_for(
                chat.patient.language, chat.patient.chat_id
            ),
            "toasts": [{"change": change, "text": text} for change, text in chat.toasts],
            "changes": chat.changes,
            "number": self.standin.feed.number,
            "taps": chat.taps,
            "waiting_taps": self.standin.unanswered_taps(chat_id),
        }

    def _chat(self, request: Request) -> Chat:
        return self.standin.chats.chat(request.path_params["chat_id"])

    def _acting(self, act: Action) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                chat = self._chat(request)
                done = act(self, chat, await _arguments(request))
            except Refusal as refusal:
                return _refused(refusal)
            return JSONResponse({"done": done, "changes": chat.changes})

        return endpoint

    async def _change(self, chat: Chat, request: Request) -> None:
        since = _decimal(request.query_params["since"])
        wait_for = min(_decimal(request.query_params.get("wait", "0")), LONGEST_WAIT)
        deadline = asyncio.get_running_loop().time() + wait_for
        while chat.changes <= since and not self.standin.feed.closed:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return
            await self.standin.feed.next(left)

    async def _stream(self, number: int) -> AsyncIterator[str]:
        yield "retry: 1000\n\n"
        async for news in self.standin.feed.follow(number, HEARTBEAT_FOR):
            yield "".join(_event(happening) for happening in news) or ": quiet\n\n"

    def _time(self) -> Json:
        clock = self.clock
        moved = clock.offset if isinstance(clock, MovableClock) else timedelta(0)
        return {
            "now": clock.now().timestamp(),
            "moved": moved.total_seconds(),
            "zone": self.zone,
        }


def _start(page: Page, chat: Chat, arguments: Arguments) -> object:
    return patients.start(page.standin, chat, arguments.text("payload")).message_id


def _say(page: Page, chat: Chat, arguments: Arguments) -> object:
    return patients.say(page.standin, chat, arguments.text("text")).message_id


def _edit(page: Page, chat: Chat, arguments: Arguments) -> object:
    message_id = int(arguments.number("message_id"))
    return patients.edit(page.standin, chat, message_id, arguments.text("text")).message_id


def _tap(page: Page, chat: Chat, arguments: Arguments) -> object:
    message_id = int(arguments.number("message_id"))
    row, column = int(arguments.number("row")), int(arguments.number("column"))
    return patients.tap(page.standin, chat, message_id, row, column)


def _media(page: Page, chat: Chat, arguments: Arguments) -> object:
    kind, caption = arguments.text("kind"), arguments.text("caption")
    return patients.send_media(page.standin, chat, kind, caption).message_id


def _contact(page: Page, chat: Chat, arguments: Arguments) -> object:
    someone_else = arguments.flag("of_someone_else")
    return patients.share_contact(page.standin, chat, of_someone_else=someone_else).message_id


def _block(page: Page, chat: Chat, _arguments: Arguments) -> object:
    patients.set_blocked(page.standin, chat, blocked=True)
    return True


def _unblock(page: Page, chat: Chat, _arguments: Arguments) -> object:
    patients.set_blocked(page.standin, chat, blocked=False)
    return True


_ACTS: tuple[tuple[str, Action], ...] = (
    ("start", _start),
    ("text", _say),
    ("edit", _edit),
    ("tap", _tap),
    ("media", _media),
    ("contact", _contact),
    ("block", _block),
    ("unblock", _unblock),
)


def _fault(arguments: Arguments) -> Fault:
    return Fault(
        FaultKind(arguments.text("kind")),
        arguments.text("method") or "*",
        int(arguments.number("count", 1)),
        arguments.number("seconds", 1),
    )


def _event(happening: Happening) -> str:
    body = {**happening.body, "chat_id": happening.chat_id}
    return f"id: {happening.number}\nevent: {happening.kind}\ndata: {json.dumps(body)}\n\n"


async def _arguments(request: Request) -> Arguments:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad_request("the body must be a JSON object")
    return Arguments(body)


def _decimal(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0


def _refused(refusal: Refusal) -> Response:
    return JSONResponse(refusal.to_json(), status_code=refusal.code)
