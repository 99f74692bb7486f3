"""Values that tests need, with the parts that matter given and the others filled in."""

from __future__ import annotations

import calendar
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.conversation import BookedSession, Conversation
from flows.effects import ConfirmSeries, HoldSeries, RecordDecision
from flows.eligibility import Reason, Score, Verdict
from flows.protocol import Outcome, Severity
from flows.slots import Slot
from storage import clinics
from storage.turns import TurnWrites

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday
MONDAY = datetime(2026, 3, 9, 10, 0, tzinfo=UTC)


def open_all_year() -> str:
    """Return the demo's clinics with Willow open on public holidays: on such Mondays tests book."""
    gb = 'country = "GB"\nsubdivision = "ENG"\n'
    return clinics.demo_text().replace(f"[clinics.holidays]\n{gb}\n", "", 1)


def open_always() -> str:
    """Return the demo's clinics with Willow open at any minute, for now as for two years ahead.

    For tests that book whenever it suits them.
    """
    willow, rest = open_all_year().split('[[clinics]]\nslug = "harbour"')
    for terms in (("notice_hours = 24", "notice_hours = 0"), ("_days = 300", "_days = 730")):
        willow = willow.replace(*terms)
    week = "".join(f'{day} = ["00:00-23:59"]\n' for day in calendar.day_abbr).lower()
    head, *people = willow.split("[clinics.practitioners.hours]\n")
    people = [re.sub(r"(?m)^[a-z]{3} = \[.*\n", "", each) for each in people]
    whole = "".join(f"[clinics.practitioners.hours]\n{week}{each}" for each in people)
    return f'{head}{whole}[[clinics]]\nslug = "harbour"{rest}'


def a_conversation(chat_id: int = 7, **changes: Any) -> Conversation:
    """Return Ada's conversation with the willow clinic, on the plan screen."""
    ada = Conversation(
        chat_id=chat_id,
        state="plan",
        clinic="willow",
        protocol="microneedling/2026-01-01/0123456789ab",
        first_name="Ada",
    )
    return replace(ada, **changes)


def a_slot(starts_at: datetime = MONDAY, *, minutes: int = 60, practitioner: str = "amara") -> Slot:
    """Return an hour with Amara on Monday at 10."""
    return Slot(starts_at, starts_at + timedelta(minutes=minutes), practitioner)


def sessions(*slots: Slot, uid: str = "uid") -> tuple[BookedSession, ...]:
    """Return the slots as the numbered sessions of one series."""
    return tuple(
        BookedSession(f"{uid}-{number}", slot, number) for number, slot in enumerate(slots, 1)
    )


def four_weekly(first: Slot, count: int = 4) -> tuple[Slot, ...]:
    """Return `count` slots four weeks apart."""
    step = timedelta(weeks=4)
    return tuple(
        replace(first, starts_at=first.starts_at + n * step, ends_at=first.ends_at + n * step)
        for n in range(count)
    )


def a_verdict(outcome: Outcome = Outcome.ELIGIBLE, *, open_ended: bool = False) -> Verdict:
    """Return a verdict; one that is not `eligible` has a reason."""
    if outcome is Outcome.ELIGIBLE:
        return Verdict(outcome, ())
    severity = Severity.DEFERRED if open_ended else Severity[outcome.name]
    return Verdict(outcome, (Reason("step.option", severity, (), "P", open_ended=open_ended),))


def a_decision(outcome: Outcome = Outcome.ELIGIBLE, *, open_ended: bool = False) -> RecordDecision:
    """Return the effect of a verdict with a readiness of 80."""
    return RecordDecision(a_verdict(outcome, open_ended=open_ended), Score(80, ()), None)


def a_hold(*slots: Slot, series: str = "series", **changes: Any) -> HoldSeries:
    """Return the effect that holds treatment times for ten minutes."""
    until = NOW + timedelta(minutes=10)
    hold = HoldSeries(series, "treatment", sessions(*slots, uid=series), until)
    return replace(hold, **changes)


def a_confirmation(*slots: Slot, series: str = "series", **changes: Any) -> ConfirmSeries:
    """Return the effect that books treatment times."""
    booked = ConfirmSeries(series, "AB12", "treatment", sessions(*slots, uid=series), pending=False)
    return replace(booked, **changes)


def a_turn(*effects: Any, before: int | None = None, **changes: Any) -> TurnWrites:
    """Return a turn of Ada's; `before` is the revision it was made from."""
    conversation = changes.pop("conversation", None) or a_conversation()
    conversation = replace(conversation, revision=0 if before is None else before + 1)
    writes = TurnWrites(
        update_id=1000 * conversation.chat_id + conversation.revision,
        chat_id=conversation.chat_id,
        before_revision=before,
        conversation=conversation,
        event_log=("something happened",),
        effects=effects,
        now=NOW,
    )
    return replace(writes, **changes)
