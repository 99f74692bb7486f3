"""Hostile updates through the real bot."""

from __future__ import annotations

from storage.database import connect
from tests.faults import hostile
from tests.faults.torture.figures import Figure, Piece, Trial


async def endure(trial: Trial) -> list[Figure]:
    """Send what nobody should send, then see whether every chat goes on."""
    count = trial.at(quick=300, full=10_000)
    database = connect(await trial.database_url())
    try:
        ordeal = await hostile.endure(database, count, trial.seed)
    finally:
        await database.close()
    for what, times in (ordeal.errors | ordeal.refused).items():
        trial.tell(f"{times} x {what}")
    exceptions = max(ordeal.failed, sum(ordeal.errors.values()))
    trial.tell(f"memory grew by {ordeal.grown_mb:.0f} MB, the stand-in's included")
    return [
        Figure(
            "Hostile updates do no harm",
            f"{ordeal.sent} updates in {hostile.CHATS} chats",
            "0 unhandled exceptions, 0 stuck chats, 0 of our texts refused",
            f"{exceptions} exceptions, {len(ordeal.stuck)} stuck, "
            f"{sum(ordeal.refused.values())} refused, {ordeal.unreadable} unreadable put aside, "
            f"+{ordeal.grown_mb:.0f} MB with the stand-in",
            is_held=not (exceptions or ordeal.parked or ordeal.stuck or ordeal.refused),
        )
    ]


PIECES = (Piece("hostile", endure),)
