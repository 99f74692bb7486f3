"""The cookie of those who signed in, and the session behind it."""

from __future__ import annotations

import re
import secrets

from starlette.requests import Request
from starlette.responses import Response

from clinic.console import views
from clinic.console.views import Site, Visit
from storage import console_sessions
from storage.console_sessions import NOTED_EVERY

COOKIE = "__Host-console"
SEARCHES_COOKIE = "__Host-console-searches"  # see `clinic.console.searches`

#: Ours have 43 characters; those of links that the bot gives have up to 64.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43,64}")


def new_token() -> str:
    """Return 256 random bits."""
    return secrets.token_urlsafe(32)


def is_token(text: str) -> bool:
    """Say whether a text could be one of our tokens."""
    return _TOKEN.fullmatch(text) is not None


async def find(site: Site, request: Request) -> Visit | None:
    """Return the session of a request's cookie while it holds, and note that it is in use.

    What a page fetches by itself does not count as use: an open page must not keep its reader
    signed in for ever.
    """
    token = request.cookies.get(COOKIE, "")
    if not is_token(token):
        return None
    now = site.now()
    found = await site.database.read(console_sessions.find, token, now)
    if found is None:
        return None
    session, member = found
    by_itself = request.headers.get("x-live") or request.url.path == "/live"
    if now - session.seen_at >= NOTED_EVERY and not by_itself:
        await site.database.write(console_sessions.note_use, session.digest, now)
    return views.visit_of(token, session, member)


def give(answer: Response, token: str) -> None:
    """Put a session's token into the answer's cookie, which ends with the browser at the latest."""
    answer.set_cookie(COOKIE, token, path="/", secure=True, httponly=True, samesite="lax")


def forget(answer: Response) -> None:
    """Take the cookies away from the browser."""
    for name in (COOKIE, views.NOTICE_COOKIE, SEARCHES_COOKIE):
        answer.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
