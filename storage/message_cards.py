"""A card for staff when a patient goes on with a conversation. It says nothing of what they wrote.

Whoever asks for a person for the first time is told of by `storage.staff_cards`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from flows.conversation import Conversation
from flows.effects import LeadKind
from storage import cards, staff
from storage.models import Lead


def enqueue(
    connection: Connection,
    conversation: Conversation,
    message_id: int,
    on_it: int | None,
    now: datetime,
) -> int:
    """Leave a card for the member who is on the thread, else for all who want cards."""
    lead = connection.execute(
        select(Lead.id, Lead.clinic_id).where(
            Lead.chat_id == conversation.chat_id, Lead.run == conversation.run
        )
    ).one_or_none()
    if lead is None or lead.clinic_id is None:
        return 0
    wanting = staff.wanting_cards(connection, lead.clinic_id)
    theirs = [member for member in wanting if member.id == on_it]
    says = {"lead": lead.id, "kind": LeadKind.PERSON.value}
    return sum(
        cards.put(connection, f"{lead.id}:message:{message_id}", member.id, says, now)
        for member in theirs or wanting
    )
