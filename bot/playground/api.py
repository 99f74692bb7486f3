"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.playground import limits
from bot.playground.calls import Call, read_call
from bot.playground.faults import Fault, FaultKind
from bot.playground.methods import Methods
from bot.playground.refusals import BLOCKED, Refusal, bad_request, too_many
from bot.playground.standin import StandIn

_BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head></html>"


class BrokenConnection(Response):
    """An answer of which only the head arrives: the server then closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head with a length that never comes."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class BotApi:
    """Answers the bot's calls."""

    def __init__(self, standin: StandIn, methods: Methods) -> None:
        self._standin = standin
        self._methods = methods

    def routes(self) -> list[Route]:
        """Return the two addresses of the Bot API."""
        return [
            Route("/bot{token}/{method}", self.answer, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self.download, methods=["GET"]),
        ]

    async def answer(self, request: Request) -> Response:
        """Answer one call."""
        try:
            _check_token(request)
            call = await read_call(request.path_params["method"], request)
            self._standin.calls.append((call.method, call.chat_id))
            fault = self._standin.faults.take(call.method, call.chat_id)
            return await self._run(call, fault)
        except Refusal as refusal:
            return _refused(refusal)
        except ClientDisconnect:  # a bot that was killed while it asked
            return Response(status_code=400)

    async def download(self, request: Request) -> Response:
        """Answer with a file's bytes."""
        try:
            _check_token(request)
            stored = self._standin.chats.file(request.path_params["path"].split("/")[1])
        except (Refusal, IndexError):
            return _refused(Refusal(404, "Not Found"))
        return Response(stored.content, media_type=stored.mime_type)

    async def _run(self, call: Call, fault: Fault | None) -> Response:
        match fault.kind if fault else None:
            case FaultKind.TOO_MANY_REQUESTS:
                raise too_many(int(fault.seconds) if fault else 1)
            case FaultKind.BLOCKED:
                raise Refusal(403, BLOCKED)
            case FaultKind.BAD_REQUEST:
                raise bad_request("the playground was asked to refuse this call")
            case FaultKind.BAD_GATEWAY:
                return HTMLResponse(_BAD_GATEWAY, status_code=502)
            case FaultKind.DELAY:
                await asyncio.sleep(fault.seconds if fault else 0)
        result = await self._methods.run(call)
        if fault and fault.kind is FaultKind.RESET_AFTER_DELIVERY:
            return BrokenConnection()
        return JSONResponse({"ok": True, "result": result})


def _check_token(request: Request) -> None:
    if request.path_params["token"] != limits.TOKEN:
        raise Refusal(401, "Unauthorized")


def _refused(refusal: Refusal) -> Response:
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    return JSONResponse(refusal.to_json(), status_code=refusal.code, headers=headers)
