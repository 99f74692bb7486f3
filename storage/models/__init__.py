"""The tables. The migrations make them; a test proves that the two agree."""

from storage.models.bookings import OCCUPYING, STATES, Appointment, Lead
from storage.models.chats import Conversation, Event, Inbox, Patient
from storage.models.clinics import (
    Clinic,
    Closure,
    DayOverride,
    OpeningHours,
    Practitioner,
    Service,
)
from storage.models.columns import Model, UtcDateTime, table_of
from storage.models.decisions import Decision, ProtocolVersion
from storage.models.outbox import OUTBOX_STATES, WAITING, Outbox

__all__ = [
    "OCCUPYING",
    "OUTBOX_STATES",
    "STATES",
    "WAITING",
    "Appointment",
    "Clinic",
    "Closure",
    "Conversation",
    "DayOverride",
    "Decision",
    "Event",
    "Inbox",
    "Lead",
    "Model",
    "OpeningHours",
    "Outbox",
    "Patient",
    "Practitioner",
    "ProtocolVersion",
    "Service",
    "UtcDateTime",
    "table_of",
]
