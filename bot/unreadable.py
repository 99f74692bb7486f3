"""Updates that the library cannot read: kept like all that fail, so that a later version can."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import structlog

from storage.faults import DatabaseFault, StorageError

logger = structlog.get_logger(__name__)

#: Puts an update aside: its number, why, and all of it as JSON. Raises StorageError.
Park = Callable[[int, str, str], Awaitable[None]]

#: Why it was put aside, as staff read it in the list.
UNREADABLE = "Unreadable"


async def put_aside(park: Park, number: int, raw: object, why: Exception) -> None:
    """Keep an update that cannot be read; it is dealt with then.

    Raises DatabaseFault while the database cannot be used: it must come again. One that not even
    the database takes is let go, for it would hold up its chat for ever.
    """
    name = type(why).__name__  # its words may quote the patient
    logger.error("update is unreadable", action="update_unreadable", update_id=number, error=name)
    try:
        await park(number, UNREADABLE, json.dumps(raw))
    except DatabaseFault:
        raise
    except StorageError as fault:
        logger.error("update not kept", action="inbox_failed", error=type(fault).__name__)
