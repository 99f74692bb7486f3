"""The playground as one ASGI application: Bot API, page and the guard around both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.clock import Clock
from bot.playground import limits
from bot.playground.api import BotApi
from bot.playground.desk import Desk
from bot.playground.methods import Methods
from bot.playground.page import Page, Peek
from bot.playground.standin import StandIn
from bot.playground.travel import Travel
from bot.playground.webhook import Webhook

PAGES = Path(__file__).parent / "pages"
ASSETS = {
    "chat.css": "text/css",
    "icon.svg": "image/svg+xml",
    **dict.fromkeys(
        (
            *("chat.js", "bubbles.js", "dom.js", "peek.js", "wire.js"),
            *("ahead.js", "clinic.js", "travel.js"),
        ),
        "text/javascript",
    ),
}
SAFETY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class LocalOnly:
    """Answers only requests made for this machine, and none that another web page makes.

    Without it a page from elsewhere could reach the playground by a name that resolves to
    127.0.0.1, or post to it from the same browser. `framed` is what the page may show in a frame.
    """

    def __init__(self, app: ASGIApp, framed: str = "") -> None:
        self._app = app
        policy = SAFETY["Content-Security-Policy"]
        framing = {"Content-Security-Policy": f"{policy}; frame-src {framed}"} if framed else {}
        self._safety = {**SAFETY, **framing}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with 403, or pass on and add the safety headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        origin = headers.get("origin", "")
        if _name_of(host) not in limits.LOOPBACK or origin not in ("", f"http://{host}"):
            refusal = PlainTextResponse("The playground answers this machine only.", 403)
            await refusal(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._safety)
            await send(message)

        await self._app(scope, receive, guarded)


def create_app(  # noqa: PLR0913  the parts of one application, all but two optional
    *,
    token: str,
    clock: Clock,
    standin: StandIn | None = None,
    peek: Peek | None = None,
    zone: str = "UTC",
    links: tuple[tuple[str, str], ...] = (),
    webhook_first_wait: float = 2.0,
    travel: Travel | None = None,
    desk: Desk | None = None,
    framed: str = "",
) -> Starlette:
    """Build the playground; `app.state.standin` is its `StandIn`.

    `peek(chat_id)` gives what the page shows beside the chat; `zone` is the IANA zone that times
    are shown in; `links` are deep links for new patients, as (payload, label). `travel` moves the
    clock with all that hangs on it, `desk` is the clinic's console, whose origins are `framed`.
    Raises `PlaygroundRefused` for any token but the playground's own.
    """
    limits.check_token(token)
    known = standin or StandIn(clock)
    webhook = Webhook(known, webhook_first_wait)
    api = BotApi(known, Methods(known, webhook))
    page = Page(known, clock, peek, zone, links, travel, desk)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        known.close()
        await webhook.stop()

    routes = [Route("/", _index), Route("/{asset}", _asset), *api.routes(), *page.routes()]
    app = Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(LocalOnly, framed)])
    app.state.standin = known
    return app


async def _index(_request: Request) -> Response:
    return FileResponse(PAGES / "index.html", headers={"Cache-Control": "no-cache"})


async def _asset(request: Request) -> Response:
    name = request.path_params["asset"]
    if name not in ASSETS:
        return PlainTextResponse("Not found", 404)
    headers = {"Cache-Control": "no-cache"}
    return FileResponse(PAGES / name, media_type=ASSETS[name], headers=headers)


def _name_of(host: str) -> str:
    name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
    return name.strip("[]")
