"""A database that tells of every committed write, for whoever waits for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from storage.database import Database

P = ParamSpec("P")
T = TypeVar("T")

#: Gets the function that wrote, and what it was given beside the connection.
OnWritten = Callable[[Callable[..., object], tuple[object, ...]], None]


class WatchedDatabase(Database):
    """Another database with an observer. Closing it leaves the other one open."""

    def __init__(self, watched: Database, on_written: OnWritten) -> None:
        self.url = watched.url
        self._watched = watched
        self._on_written = on_written

    async def read(
        self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Read as the other one does."""
        return await self._watched.read(fn, *args, **kwargs)

    async def write(
        self, fn: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Write as the other one does, then tell."""
        result = await self._watched.write(fn, *args, **kwargs)
        self._on_written(fn, args)
        return result

    async def close(self) -> None:
        """Do nothing: whoever opened the other one closes it."""
