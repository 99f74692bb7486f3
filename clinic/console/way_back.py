"""Where somebody was going when they had to sign in first: kept for ten minutes in a cookie.

Only paths of the console's own pages are kept, and they are checked again before anybody is
sent to one, so that a cookie from elsewhere leads nowhere else.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route

COOKIE = "__Host-console-way-back"
KEPT_FOR = 600  # seconds
HOME = "/today"

_PATH = re.compile(r"/[A-Za-z0-9][A-Za-z0-9_./-]{0,200}")
#: Not pages to come back to: ways in and out, a stream, files.
_ELSEWHERE = re.compile(
    r"/(?:sign-in|second-step|sign-out|static|feeds|live)\b|.*(?:\.json|/photos/)"
)


def keep(request: Request, answer: Response) -> None:
    """Remember where a request was going, if that is a page of ours.

    What was searched for there is left out: it may be a patient's name.
    """
    path = request.url.path
    if request.method == "GET" and path != HOME and _is_own(request, path):
        answer.set_cookie(
            COOKIE,
            quote(path, safe=""),
            max_age=KEPT_FOR,
            path="/",
            secure=True,
            httponly=True,
            samesite="lax",
        )


def onward(request: Request) -> Response:
    """Send somebody who has signed in to where they were going, else to *Today*."""
    kept = request.cookies.get(COOKIE, "")
    path = unquote(kept)
    answer = RedirectResponse(path if _is_own(request, path) else HOME, HTTPStatus.SEE_OTHER)
    if kept:
        answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer


def _is_own(request: Request, path: str) -> bool:
    if not _PATH.fullmatch(path) or _ELSEWHERE.match(path):
        return False
    asked = {"type": "http", "method": "GET", "path": path}
    return any(
        route.matches(asked)[0] is Match.FULL
        for route in request.app.routes
        if isinstance(route, Route)
    )
