"""The tables. The migrations make them; a test proves that the two agree."""

from storage.models.bookings import (
    EXPECTED,
    LEAD_STATUSES,
    OCCUPYING,
    STATES,
    Appointment,
    Lead,
)
from storage.models.channels import (
    CalendarAccount,
    CalendarClash,
    CalendarPush,
    ExternalBusy,
    FeedToken,
    LeadChannel,
)
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
from storage.models.decisions import Decision, ProtocolSignature, ProtocolVersion
from storage.models.desk import Finding, LeadNote, Photo, Thread, ThreadMessage
from storage.models.follow_up import FollowUp, SeriesReview, WaitlistEntry, WaitlistOffer
from storage.models.intakes import Intake, StepVisit
from storage.models.outbox import OUTBOX_STATES, WAITING, Outbox
from storage.models.staff import AuditEntry, ConsoleSession, StaffMember, StaffToken

__all__ = [
    "EXPECTED",
    "LEAD_STATUSES",
    "OCCUPYING",
    "OUTBOX_STATES",
    "STATES",
    "WAITING",
    "Appointment",
    "AuditEntry",
    "CalendarAccount",
    "CalendarClash",
    "CalendarPush",
    "Clinic",
    "Closure",
    "ConsoleSession",
    "Conversation",
    "DayOverride",
    "Decision",
    "Event",
    "ExternalBusy",
    "FeedToken",
    "Finding",
    "FollowUp",
    "Inbox",
    "Intake",
    "Lead",
    "LeadChannel",
    "LeadNote",
    "Model",
    "OpeningHours",
    "Outbox",
    "Patient",
    "Photo",
    "Practitioner",
    "ProtocolSignature",
    "ProtocolVersion",
    "SeriesReview",
    "Service",
    "StaffMember",
    "StaffToken",
    "StepVisit",
    "Thread",
    "ThreadMessage",
    "UtcDateTime",
    "WaitlistEntry",
    "WaitlistOffer",
    "table_of",
]
