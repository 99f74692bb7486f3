"""What stands before every page: host, size, pace, session, and proof that a form is our own.

A path is open to everyone only when it begins with one of `PUBLIC`; every other needs a session.
Every answer leaves with the headers of `safety_headers`, also a refusal and a failure.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clinic.console import limits, posting, sessions, views, way_back
from clinic.console.limits import Limits
from clinic.console.views import Site, Visit
from clinic.settings import LOOPBACK
from storage import waiting_work

logger = logging.getLogger(__name__)

#: Reached without a session. Pages that use one of these look after their own secrets.
PUBLIC = ("/static/", "/sign-in", "/feeds/")

#: Reached while the code of the second step is still to come.
HALF_WAY = ("/second-step", "/sign-out")

SAFE_METHODS = frozenset({"GET", "HEAD"})
YEAR = 31_536_000  # seconds

_LONG_NUMBER = re.compile(r"/[0-9]{16,}(/|$)")  # no id of ours; databases refuse larger ones


@dataclass(frozen=True, slots=True)
class Terms:
    """What the guard goes by."""

    public_host: str  # host of CONSOLE_URL; empty: this machine's own names alone
    framed_by: str = ""  # an origin that may show the console in a frame; empty: none


def safety_headers(nonce: str, terms: Terms) -> Mapping[str, str]:
    """Return what every answer carries."""
    framed_by = terms.framed_by or "'none'"
    headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; "
            "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
            f"object-src 'none'; frame-ancestors {framed_by}"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": (
            "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
            "microphone=(), midi=(), payment=(), usb=()"
        ),
    }
    if not terms.framed_by:
        headers["X-Frame-Options"] = "DENY"
    if terms.public_host:
        headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    return headers


class Guard:
    """The middleware; see the module."""

    def __init__(self, app: ASGIApp, site: Site, terms: Terms, pace: Limits) -> None:
        self._app = app
        self._site = site
        self._terms = terms
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a refusal, or pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answering = _Answering(send, scope, self._terms)
        try:
            await self._guarded(scope, receive, answering)
        except ClientDisconnect:
            return
        except Exception as fault:  # noqa: BLE001 - the last resort: nobody is shown what went wrong
            logger.error(
                "a page of the console failed",
                extra={"action": "console_failed", "error": type(fault).__name__}
                | {"place": _place(fault)},
            )
            if answering.begun:
                raise _Cut from None
            await _plain(HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, answering)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        refusal, visit = self._unwelcome(request), None
        if refusal is None:
            scope["visit"] = visit = await self._visit(request)
            refusal = self._too_fast(request, visit) or self._shut(request, visit)
        if refusal is None and scope["method"] not in SAFE_METHODS:
            refusal = await self._forged(request)
        if refusal is None and visit is not None:
            scope["waiting"] = await self._waiting(request, visit)
        await (refusal or self._app)(scope, receive, send)

    def _unwelcome(self, request: Request) -> Response | None:
        """Refuse what no browser on the console's own pages would send."""
        if not self._knows(request.headers.get("host", "")):
            return _plain(HTTPStatus.MISDIRECTED_REQUEST)
        if request.method not in {*SAFE_METHODS, "POST"}:
            return _plain(HTTPStatus.METHOD_NOT_ALLOWED)
        sent = request.url.path + request.scope["query_string"].decode("latin-1")
        if "\0" in sent or "%00" in sent:
            return _plain(HTTPStatus.BAD_REQUEST)
        if _LONG_NUMBER.search(request.url.path):
            return _plain(HTTPStatus.NOT_FOUND)
        return None

    def _knows(self, host: str) -> bool:
        if self._terms.public_host:
            return host.lower() == self._terms.public_host
        return (urlsplit(f"//{host}").hostname or "") in LOOPBACK if _is_host(host) else False

    async def _visit(self, request: Request) -> Visit | None:
        if request.url.path.startswith("/static/"):
            return None
        return await sessions.find(self._site, request)

    async def _waiting(self, request: Request, visit: Visit) -> waiting_work.Waiting | None:
        """Count what the navigation of a page tells; a stream and a half-way page tell nothing."""
        if request.url.path == "/live" or not visit.session.is_verified:
            return None
        return await self._site.database.read(
            waiting_work.count, visit.me.clinic_id, self._site.now()
        )

    def _too_fast(self, request: Request, visit: Visit | None) -> Response | None:
        if visit:
            fits = self._pace.allows(limits.BY_SESSION, "session", visit.session.digest)
        elif request.url.path.startswith("/static/"):
            fits = True
        else:
            fits = self._pace.allows(limits.BY_ADDRESS, "address", caller(request))
        if fits:
            return None
        return _plain(HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "60"})

    def _shut(self, request: Request, visit: Visit | None) -> Response | None:
        """Let nobody in without a session, or before the second step."""
        path = request.url.path
        if path.startswith(PUBLIC):
            return None
        if visit is None:
            answer = _elsewhere(request, "/sign-in")
            if answer.status_code == HTTPStatus.SEE_OTHER:
                way_back.keep(request, answer)
            if sessions.COOKIE in request.cookies:  # its session has ended, perhaps from elsewhere
                sessions.forget(answer)
            return answer
        if not visit.session.is_verified and path not in HALF_WAY:
            return _elsewhere(request, "/second-step")
        return None

    async def _forged(self, request: Request) -> Response | None:
        """Refuse a post from elsewhere; else leave its fields in the scope."""
        if not _from_here(request, self._terms):
            return self._denied("cross-site")
        try:
            posted = await posting.read(request)
        except posting.Unreadable as fault:
            return _plain(fault.status)
        visit = views.visit(request)
        given = posted.get("csrf") or request.headers.get("x-csrf-token", "")
        if visit and not request.url.path.startswith(PUBLIC) and not _is_same(given, visit):
            return self._denied("token")
        request.scope["form"] = posted
        return None

    def _denied(self, why: str) -> Response:
        logger.warning("a form was refused", extra={"action": "console_form_refused", "why": why})
        return _plain(HTTPStatus.FORBIDDEN)


class _Cut(Exception):
    """An answer that had begun cannot be finished; the connection is cut without a word of why."""


class _Answering:
    """Sends on, with the safety headers; knows whether an answer has begun."""

    def __init__(self, send: Send, scope: Scope, terms: Terms) -> None:
        self._send = send
        self.begun = False
        scope["nonce"] = secrets.token_urlsafe(16)
        self._headers = safety_headers(scope["nonce"], terms)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            headers.update(self._headers)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


def caller(request: Request) -> str:
    """Return the address that a request came from."""
    return request.client.host if request.client else ""


def _from_here(request: Request, terms: Terms) -> bool:
    """Say whether a page of the console itself sends this form.

    Browsers say so in Sec-Fetch-Site; those that do not yet send Origin. One that says neither is
    no browser.
    """
    headers: Headers = request.headers
    origin = headers.get("origin", "")
    site = headers.get("sec-fetch-site", "")
    if origin and origin != "null":
        scheme = "https" if terms.public_host else "http"
        own = f"{scheme}://{headers.get('host', '').lower()}"
        return origin.lower() == own and site in {"same-origin", ""}
    return site == "same-origin"


def _is_same(given: object, visit: Visit) -> bool:
    return hmac.compare_digest(str(given).encode(), visit.me.csrf.encode())


def _elsewhere(request: Request, path: str) -> Response:
    """Send a person on; tell a script that it is signed in no more."""
    if request.method == "POST" or request.headers.get("sec-fetch-mode", "navigate") == "navigate":
        return RedirectResponse(path, HTTPStatus.SEE_OTHER)
    return _plain(HTTPStatus.UNAUTHORIZED)


def _plain(status: HTTPStatus, headers: Mapping[str, str] | None = None) -> Response:
    return PlainTextResponse(f"{status.value} {status.phrase}\n", status, dict(headers or {}))


def _is_host(host: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?", host) is not None


def _place(fault: BaseException) -> str:
    """Return file and line where an error was raised: its words may quote a patient."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
