"""After a backup was put back: what came due since it was made was perhaps sent since."""

from __future__ import annotations

from datetime import datetime, time

from flows.quiet_hours import QuietHours
from storage import follow_ups, outbox
from storage.database import Database
from storage.faults import DatabaseFault

_EVERYBODY = 1_000_000
#: A nudge of the day is made at night too; else it would wait for the morning and be sent again.
_NEVER = QuietHours(time(0), time(0))


async def doubt(database: Database, now: datetime) -> int:
    """Take every message that is due by `now` for perhaps sent; return how many there were.

    The kind of each decides, as for one whose sender vanished: a confirmation is sent once more, a
    nudge stays `uncertain` for staff to see. Nudges are made only when their time has come, so
    those are made first that a backup does not hold. Raises DatabaseFault.
    """
    for chat_id in await database.write(follow_ups.due, now, _EVERYBODY):
        try:
            await database.write(follow_ups.look_at_one, chat_id, now, _NEVER)
        except DatabaseFault:
            raise
        except Exception:  # noqa: BLE001, S112 - one who cannot be read is the bot's to report
            continue
    return await database.write(outbox.doubt_due, now)
