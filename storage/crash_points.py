"""Named points at which a test may end the process; in production nothing happens at them.

Every write has three, made by `storage.database`: `turns.commit begun` and `turns.commit written`
inside its transaction, `turns.commit committed` after it. Every call of the Bot API has two, made
by `bot.request`: `sendMessage called` and `sendMessage answered`. So no commit and no send can be
added without its points.
"""

from __future__ import annotations

from collections.abc import Callable

#: Called with a point's name, in whatever thread passes it.
Passed = Callable[[str], None]


def unwatched(_point: str) -> None:
    """Pass a point as production does."""


def name_of(write: Callable[..., object]) -> str:
    """Return a write's name, such as `turns.commit`."""
    return f"{write.__module__.rpartition('.')[2]}.{getattr(write, '__name__', 'write')}"
