"""Secret addresses at which practitioners' calendar programs fetch what is booked with them.

Whoever has the address has the feed: 256 bits that nobody guesses, of which only the digest is
kept. A wrong address is answered like one that never was.
"""

from __future__ import annotations

import hashlib
import secrets
from http import HTTPStatus
from typing import Protocol

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from clinic.calendars.entry_files import feed_file
from clinic.lent import Now
from storage import feeds
from storage.database import Database

#: Wrong addresses that one caller may try; many calendars are fetched by one caller, so those that
#: are right are not counted.
WRONG = RateLimitItemPerMinute(20)

_TOKEN_BYTES = 32
_TOKEN_LENGTH = 43  # of so many bytes in letters that an address may have


class Site(Protocol):
    """What the console's site has, of which a feed needs little."""

    @property
    def database(self) -> Database:
        """The clinic's database."""
        ...

    @property
    def now(self) -> Now:
        """The time."""
        ...


def new_token() -> str:
    """Return a secret that nobody guesses, to be told once."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def digest(token: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def path(token: str) -> str:
    """Return the path of a feed."""
    return f"/feeds/{token}.ics"


def routes() -> list[Route]:
    """Return the feeds' one route, which needs nobody to be signed in."""
    return [Route("/feeds/{token}.ics", _Feeds().serve)]


class _Feeds:
    def __init__(self) -> None:
        self._wrong = MovingWindowRateLimiter(MemoryStorage())

    async def serve(self, request: Request) -> Response:
        """Return a feed, or that it has not changed since the caller fetched it."""
        caller = request.client.host if request.client else ""
        if not self._wrong.test(WRONG, caller):
            return _refused(HTTPStatus.TOO_MANY_REQUESTS)
        token = request.path_params["token"]
        site: Site = request.app.state.site
        found = None
        if len(token) == _TOKEN_LENGTH and token.isascii():
            found = await site.database.read(feeds.feed, digest(token), site.now())
        if found is None:
            self._wrong.hit(WRONG, caller)
            return _refused(HTTPStatus.NOT_FOUND)
        return _answer(request, feed_file(found))


def _answer(request: Request, content: bytes) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex",
    }
    known = request.headers.get("if-none-match", "")
    if tag in (each.strip().removeprefix("W/") for each in known.split(",")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers["Content-Disposition"] = 'inline; filename="appointments.ics"'
    return Response(content, headers=headers, media_type="text/calendar; charset=utf-8")


def _refused(status: HTTPStatus) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = "60"
    return PlainTextResponse(status.phrase, status, headers)
