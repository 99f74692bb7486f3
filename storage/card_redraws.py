"""Cards that staff have in Telegram are drawn anew when staff change a lead or its visits to come.

The outbox carries it, so that it reaches Telegram whichever process made the change.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from storage import cards, staff, withdrawals
from storage.models import Lead, Outbox


def enqueue(connection: Connection, clinic_id: int, lead_id: int, now: datetime) -> int:
    """Let every card of a lead be drawn anew, once for all that happens now; return how many.

    What waits from before is taken back: a card is drawn as the lead stands when it is sent.
    """
    members = [str(member.id) for member in staff.wanting_cards(connection, clinic_id)]
    theirs = (Outbox.ref_type == withdrawals.STAFF, Outbox.ref_id.in_(members))
    cards.take_back(connection, f"{lead_id}:redraw", *theirs, Outbox.created_at != now)
    shown = connection.execute(
        select(Outbox.ref_id, Outbox.message_id)
        .where(*theirs, Outbox.key.startswith(f"card:{lead_id}:"), Outbox.message_id.is_not(None))
        .order_by(Outbox.id)
    ).all()
    return sum(
        cards.put(
            connection,
            f"{lead_id}:redraw:{card.message_id}:{now:%Y%m%d%H%M%S%f}",
            int(card.ref_id),
            {"lead": lead_id, "redraw": card.message_id},
            now,
        )
        for card in shown
    )


def of_run(
    connection: Connection, clinic_id: int, chat_id: int | None, run: int, now: datetime
) -> int:
    """Do the same for the lead of a run, if there is one; somebody without a chat has none."""
    lead_id = connection.execute(
        select(Lead.id).where(Lead.clinic_id == clinic_id, Lead.chat_id == chat_id, Lead.run == run)
    ).scalar()
    return 0 if lead_id is None else enqueue(connection, clinic_id, lead_id, now)
