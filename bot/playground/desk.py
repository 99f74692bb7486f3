"""The clinic's console beside the chat: where it is, and a way in for whoever opened the page.

There is one console, the real one, and one way in, a single-use link. The playground makes a link
for the demo clinic's owner and presses its button for the visitor; the cookie that the console
gives is handed on, which a browser takes because both are one host.
"""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

import aiohttp

from bot import listening
from bot.clock import Clock
from bot.faults import BotFault
from bot.playground import limits
from bot.playground.refusals import PlaygroundRefused
from storage import console_sessions, staff
from storage.database import Database

OWNER_NAME = "Demo Owner"

_PRESSED_ON_ITS_OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
_WAIT = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Opened:
    """A way into the console."""

    address: str
    cookies: tuple[str, ...]  # `Set-Cookie` headers for the visitor; none: they are signed in


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket for the console: on this port, or a free one if it is taken."""
    limits.check_host(host)
    try:
        return listening.bind(host, port, "CONSOLE_PORT")
    except BotFault:
        pass
    try:
        return listening.bind(host, 0, "CONSOLE_PORT")
    except BotFault as fault:
        raise PlaygroundRefused(str(fault)) from None


def origins(bound: socket.socket) -> str:
    """Return what pages served here are called in a browser, as a list for a safety header."""
    port = bound.getsockname()[1]
    return f"http://127.0.0.1:{port} http://localhost:{port}"


async def owner_of(database: Database, clinic: str, clock: Clock) -> int:
    """Return the id of an owner of the clinic; the first run writes one down."""
    for member in await database.read(staff.members, clinic):
        if member.is_owner:
            return member.id
    return await database.write(staff.add, clinic, OWNER_NAME, staff.OWNER, clock.now())


@dataclass(frozen=True, slots=True)
class Desk:
    """The console at `address`, and the owner whom visitors are signed in as."""

    database: Database
    clock: Clock
    address: str
    owner_id: int

    async def open(self, cookies: str) -> Opened:
        """Sign a visitor in, unless the cookies they came with do; never raises.

        Where the console is not to be reached they get no cookie, and the page that says how to
        sign in.
        """
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(cookie_jar=jar, timeout=_WAIT) as http:
            try:
                if cookies and await self._lets_in(http, cookies):
                    return Opened(self.address, ())
                return Opened(self.address, await self._signed_in(http))
            except (TimeoutError, aiohttp.ClientError):
                return Opened(self.address, ())

    async def take_along(self, by: timedelta) -> None:
        """Keep the owner signed in while the clock is moved."""
        at = self.clock.now() if by > timedelta(0) else self.clock.now() - by
        await self.database.write(console_sessions.carry, self.owner_id, by, at)

    async def _lets_in(self, http: aiohttp.ClientSession, cookies: str) -> bool:
        headers = {"Cookie": cookies}
        page = http.get(f"{self.address}/today", headers=headers, allow_redirects=False)
        async with page as answer:
            return answer.status == HTTPStatus.OK

    async def _signed_in(self, http: aiohttp.ClientSession) -> tuple[str, ...]:
        token, now = secrets.token_urlsafe(32), self.clock.now()
        await self.database.write(staff.sign_in_link, self.owner_id, self.address, token, now)
        pressed = http.post(
            f"{self.address}/sign-in",
            data={"link": token},
            headers=_PRESSED_ON_ITS_OWN_PAGE,
            allow_redirects=False,
        )
        async with pressed as answer:
            if answer.status != HTTPStatus.SEE_OTHER:
                return ()
            return tuple(answer.headers.getall("Set-Cookie", []))
