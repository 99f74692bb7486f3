"""Waiting for what sets no event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_LOOK_EVERY = 0.01


async def until(is_true: Callable[[], bool], within: float = 3600.0) -> bool:
    """Wait until it is true; False when it is not within so many seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not is_true():
        if loop.time() > deadline:
            return False
        await asyncio.sleep(_LOOK_EVERY)
    return True
