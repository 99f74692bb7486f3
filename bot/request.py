"""HTTP to the Bot API over aiohttp, in place of PTB's own transport.

Addresses hold the bot's token, so none is ever logged or put into an error.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aiohttp
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest

from storage import crash_points

if TYPE_CHECKING:
    from telegram._utils.types import JSONDict, ODVInput
    from telegram.request import RequestData

#: Failures before a single byte was sent: the request may safely be made again.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)

_FAILED = 500  # the first of the status codes by which a server says that it failed

TELEGRAM = "https://api.telegram.org"


def base_urls(api_url: str | None) -> tuple[str, str]:
    """Return a `telegram.Bot`'s `base_url` and `base_file_url`, of `api_url` or of Telegram."""
    root = (api_url or TELEGRAM).rstrip("/")
    return f"{root}/bot", f"{root}/file/bot"


class NotSent(NetworkError):
    """The request certainly did not reach the Bot API; every other network error is ambiguous."""


class ServerFailed(NetworkError):
    """The Bot API answered with a failure of its own (5xx): very likely nothing was done."""


class AiohttpRequest(BaseRequest):
    """One keep-alive pool of connections to the Bot API. Timeouts are in seconds."""

    def __init__(
        self,
        *,
        connections: int = 256,
        read_timeout: float = 20.0,
        write_timeout: float = 20.0,
        connect_timeout: float = 10.0,
        passed: crash_points.Passed = crash_points.unwatched,
    ) -> None:
        self._connections = connections
        self._read_timeout = read_timeout
        self._write_timeout = write_timeout
        self._connect_timeout = connect_timeout
        self._passed = passed
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Return how long an answer is waited for, in seconds."""
        return self._read_timeout

    async def initialize(self) -> None:
        """Open the pool. Repeated calls do nothing."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )

    async def shutdown(self) -> None:
        """Close the pool. Repeated calls do nothing."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @staticmethod
    def parse_json_payload(payload: bytes) -> JSONDict:
        """Return the parsed answer. Unlike PTB's own, it never logs what could not be read."""
        try:
            answer: JSONDict = json.loads(payload.decode("utf-8", "replace"))
        except ValueError:
            raise TelegramError("the Bot API answered with something that is not JSON") from None
        return answer

    async def do_request(  # noqa: PLR0913 - the signature is PTB's
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Make one request; return the status code and the body.

        Raises `NotSent` when nothing was sent, `ServerFailed` when that is very likely, `TimedOut`
        or `NetworkError` when it is unknown.
        """
        if self._session is None:
            raise RuntimeError("the request pool must be initialized before it is used")
        timeout = self._timeout(read_timeout, write_timeout, connect_timeout, pool_timeout)
        body, headers = _body(request_data)
        called = url.rpartition("/")[2]
        self._passed(f"{called} called")
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                answer = await response.read()
                self._passed(f"{called} answered")
                if response.status >= _FAILED:
                    raise ServerFailed(f"the Bot API failed ({response.status})")
                return response.status, answer
        except _NEVER_SENT as error:
            raise NotSent(_described(error)) from None
        except TimeoutError:
            raise TimedOut("the Bot API did not answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(_described(error)) from None

    def _timeout(
        self,
        read: ODVInput[float],
        write: ODVInput[float],
        connect: ODVInput[float],
        pool: ODVInput[float],
    ) -> aiohttp.ClientTimeout:
        read_for = _seconds(read, self._read_timeout)
        write_for = _seconds(write, self._write_timeout)
        connect_for = _seconds(connect, self._connect_timeout)
        parts = [part for part in (read_for, write_for, connect_for) if part is not None]
        # aiohttp has no limit for writing, so sending is bounded by the sum of all three.
        return aiohttp.ClientTimeout(
            total=sum(parts) if len(parts) == 3 else None,
            connect=_seconds(pool, None),
            sock_connect=connect_for,
            sock_read=read_for,
        )


def _seconds(given: ODVInput[float], default: float | None) -> float | None:
    return given if given is None or isinstance(given, (int, float)) else default


def _body(data: RequestData | None) -> tuple[bytes | aiohttp.FormData | None, dict[str, str]]:
    if data is None:
        return None, {}
    if not data.contains_files:
        body = json.dumps(data.parameters, ensure_ascii=False, separators=(",", ":"))
        return body.encode(), {"Content-Type": "application/json"}
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return form, {}


def _described(error: Exception) -> str:
    # The error's own words may quote the address, which holds the token.
    reason = error.strerror if isinstance(error, OSError) and error.strerror else ""
    name = type(error).__name__
    return f"no connection to the Bot API ({name}: {reason})" if reason else f"network ({name})"
