"""What every page works with: the site, who is signed in, and how answers are made."""

from __future__ import annotations

import functools
import hashlib
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from jinja2 import Environment
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from clinic.lent import Now, Telegram
from clinic.settings import ConsoleSettings
from flows.texts import Catalogue
from storage.console_sessions import Session
from storage.database import Database
from storage.sealing import Seal
from storage.staff import Member

logger = logging.getLogger(__name__)

Endpoint = Callable[[Request], Awaitable[Response]]

#: `__Host-` cookies are taken over https, and by browsers on 127.0.0.1 and localhost, only; they
#: hold for this one host and can be set by no other.
NOTICE_COOKIE = "__Host-console-notice"
NOTICE_FOR = 60  # seconds; a notice is shown on the page that comes next

#: Refusals of somebody who is signed in that are logged: in which words, and as which action.
_LOGGED: Mapping[HTTPStatus, tuple[str, str]] = {
    HTTPStatus.FORBIDDEN: ("somebody was refused", "console_refused"),
    HTTPStatus.NOT_FOUND: (
        "somebody asked for what is not there, or is another clinic's",
        "console_not_found",
    ),
}


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages share, as `request.app.state.site`."""

    database: Database
    now: Now
    telegram: Telegram
    seal: Seal
    catalogues: Mapping[str, Catalogue]
    settings: ConsoleSettings
    pages: Environment


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who asks, and for which clinic: nobody sees another clinic's."""

    staff_id: int
    name: str
    role: str  # owner or staff
    clinic_id: int
    clinic: str  # slug
    clinic_name: str
    zone: str  # IANA
    locale: str
    csrf: str  # what each form must carry

    @property
    def is_owner(self) -> bool:
        """Say whether they may change the clinic's settings and people."""
        return self.role == "owner"


@dataclass(frozen=True, slots=True)
class Undo:
    """A form beside a notice that takes back what the notice tells."""

    action: str  # path to post to
    fields: Mapping[str, str]
    label: str = "Undo"


@dataclass(frozen=True, slots=True)
class Visit:
    """The session that a request belongs to, as the guard found it."""

    token: str  # of the cookie
    session: Session
    member: Member
    me: SignedIn


def visit_of(token: str, session: Session, member: Member) -> Visit:
    """Join what is known of whoever sent the cookie."""
    me = SignedIn(
        staff_id=member.id,
        name=member.name,
        role=member.role,
        clinic_id=member.clinic_id,
        clinic=member.clinic,
        clinic_name=member.clinic_name,
        zone=member.zone,
        locale=member.locale,
        csrf=hmac.new(token.encode(), b"console form", hashlib.sha256).hexdigest(),
    )
    return Visit(token, session, member, me)


def site_of(request: Request) -> Site:
    """Return what all pages share."""
    site: Site = request.app.state.site
    return site


def visit(request: Request) -> Visit | None:
    """Return whose request it is; None for a page that is public."""
    found: Visit | None = request.scope.get("visit")
    return found


def signed_in(request: Request) -> SignedIn:
    """Return who asks. The guard lets nobody else reach a page that is not public."""
    found = visit(request)
    if found is None:
        raise LookupError("a public page asked who is signed in")
    return found.me


async def form(request: Request) -> Mapping[str, str]:
    """Return the fields of a posted form: the last value of each, without files."""
    return {name: value for name, value in fields(request).items() if isinstance(value, str)}


def fields(request: Request) -> FormData:
    """Return a posted form whole, with files and repeated fields, as the guard read it."""
    posted: FormData = request.scope.get("form") or FormData()
    return posted


def owners_only(endpoint: Endpoint) -> Endpoint:
    """Let owners alone reach this endpoint."""

    @functools.wraps(endpoint)
    async def guarded(request: Request) -> Response:
        if not signed_in(request).is_owner:
            return refused(request, HTTPStatus.FORBIDDEN)
        return await endpoint(request)

    guarded.owners_only = True  # type: ignore[attr-defined]  # read by the tests of all routes
    return guarded


def render(
    request: Request,
    name: str,
    /,
    status: int = 200,
    *,
    problems: Mapping[str, str] | None = None,
    undone: str = "Not saved",
    **values: Any,
) -> HTMLResponse:
    """Return a template as a page; it may use `me`, `now`, `path`, `notice`, `elsewhere`.

    `problems` are why a form was not taken: sentences by the id of the field, empty for the form as
    a whole. The page begins with them, after what was not done, and its status is 422.
    """
    site = site_of(request)
    found = visit(request)
    verified = found is not None and found.session.is_verified
    text, undo = _notice(request) if found else ("", None)
    page = site.pages.get_template(name).render(
        me=found.me if found and verified else None,
        csrf=found.me.csrf if found else "",
        nonce=request.scope["nonce"],
        now=site.now(),
        path=request.url.path,
        notice=text,
        undo=undo,
        elsewhere=request.scope.get("waiting"),
        problems=problems or {},
        undone=undone,
        **values,
    )
    answer = HTMLResponse(page, HTTPStatus.UNPROCESSABLE_ENTITY if problems else status)
    if text and request.headers.get("x-live") is None:
        answer.delete_cookie(NOTICE_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer


def see_other(request: Request, path: str, notice: str = "", undo: Undo | None = None) -> Response:
    """Send the browser on to a path of the console, where the notice is shown once."""
    answer = RedirectResponse(path, HTTPStatus.SEE_OTHER)
    found = visit(request)
    if notice and found:
        told: dict[str, object] = {"text": notice}
        if undo:
            told["undo"] = {"action": undo.action, "fields": undo.fields, "label": undo.label}
        answer.set_cookie(
            NOTICE_COOKIE,
            _signer(found).dumps(told),
            max_age=NOTICE_FOR,
            path="/",
            secure=True,
            httponly=True,
            samesite="lax",
        )
    return answer


def not_found(request: Request) -> Response:
    """Return the same answer for what does not exist and for what is another clinic's."""
    return refused(request, HTTPStatus.NOT_FOUND)


def refused(request: Request, status: HTTPStatus) -> Response:
    """Return the plain page of a refusal, which tells no detail; whose it was is logged."""
    found = visit(request)
    if found and status in _LOGGED:
        words, action = _LOGGED[status]
        logger.warning(
            words,
            extra={"action": action, "status": status.value, "staff_id": found.me.staff_id},
        )
    return render(request, "refused.html", status=status, code=status.value)


async def bot_name(site: Site) -> str:
    """Return the bot's name without `@`; empty while Telegram cannot be asked."""
    try:
        return await site.telegram.username()
    except Exception as fault:  # noqa: BLE001 - whoever is lent to us raises errors of its own
        logger.warning(
            "the bot's name could not be asked for",
            extra={"action": "username_failed", "error": type(fault).__name__},
        )
        return ""


def local_now(request: Request) -> datetime:
    """Return the current instant, aware UTC."""
    return site_of(request).now()


def _signer(found: Visit) -> URLSafeSerializer:
    return URLSafeSerializer(found.token, salt="console notice")


def _notice(request: Request) -> tuple[str, Undo | None]:
    found = visit(request)
    told = request.cookies.get(NOTICE_COOKIE, "")
    if not told or found is None:
        return "", None
    try:
        values = _signer(found).loads(told)
    except (BadSignature, json.JSONDecodeError):
        return "", None
    undo = values.get("undo")
    return values["text"], Undo(**undo) if undo else None
