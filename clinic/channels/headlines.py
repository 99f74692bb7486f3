"""What happened to a lead or a booking, in a few words for staff: in mails and in the console."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "lead.qualified": "A new patient is ready to book",
    "lead.deferred": "A patient will be ready later",
    "lead.declined": "A patient was told that needling is not for them",
    "lead.review": "A patient needs a clinician's look",
    "lead.urgent": "A patient needs to be called soon",
    "lead.person_wanted": "A patient wants to talk to a person",
    "booking.held": "A time is waiting to be confirmed",
    "booking.confirmed": "A visit is booked",
    "booking.rescheduled": "A visit was moved",
    "booking.cancelled": "A visit was cancelled",
    "booking.no_show": "A patient did not come",
    "booking.completed": "A visit is done",
    "series.booked": "A series of visits is booked",
    "series.repaired": "A series of visits was moved",
    "series.completed": "A series of visits is done",
    "waitlist.offered": "A freed time was offered to somebody who waits",
    "waitlist.accepted": "Somebody who waits took a freed time",
    "waitlist.declined": "Somebody who waits does not want the freed time",
    "waitlist.expired": "A freed time was offered, and no answer came",
    "recall.due": "A patient is due for a call or a message",
    "recall.booked": "A patient who was due has a visit again",
    "consent.withdrawn": "A patient wants no more messages",
    "lead.erased": "A patient's data was erased: please delete yours too",
    "channel.test": "This is a test from Resurface",
}


def in_words(event_type: str) -> str:
    """Return what an event's type says; the type itself when it is unknown."""
    return _WORDS.get(event_type, event_type)
