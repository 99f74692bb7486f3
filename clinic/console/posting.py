"""Reading a posted form before any page sees it: its kind, its size, and no NUL in it."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive

LONGEST = 1_048_576  # bytes of a whole body
MOST_FIELDS = 1000

_KINDS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Unreadable(Exception):
    """A body that is no form of the console's."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class _TooLong(Exception):
    """More than `LONGEST` bytes."""


async def read(request: Request) -> FormData:
    """Return the fields of a posted form. Raises Unreadable."""
    kind = request.headers.get("content-type", _KINDS[0]).partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise Unreadable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    try:
        posted = await Request(request.scope, _measured(request)).form(
            max_fields=MOST_FIELDS, max_files=4
        )
    except _TooLong:
        raise Unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from None
    except (HTTPException, MultiPartException, ValueError):
        raise Unreadable(HTTPStatus.BAD_REQUEST) from None
    if any(_has_nul(part) for pair in posted.multi_items() for part in pair):
        raise Unreadable(HTTPStatus.BAD_REQUEST)
    return posted


def _measured(request: Request) -> Receive:
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        if read > LONGEST:
            raise _TooLong
        return message

    return receive


def _has_nul(part: object) -> bool:
    """PostgreSQL keeps no NUL, and nobody types one."""
    return isinstance(part, str) and "\0" in part
