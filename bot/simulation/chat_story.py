"""One chat's story, put together from what was delivered and from the final database. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from bot.simulation.ledger import Act, Done, Ledger
from flows.plan import Plan
from storage.accounts import Account, VerdictLine, VisitLine
from storage.outbox_policy import Kind

_DAY = timedelta(days=1)
_MORNING = time(10)
_AT_ONCE = timedelta(minutes=5)
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)

#: States of a visit that was or will be kept.
_KEPT = frozenset({"booked", "arrived", "fulfilled"})

#: Acts that the bot takes for a sign of life.
_SIGNS = frozenset({Act.WROTE, Act.STOPPED, Act.RETURNED, Act.ALARMED})


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that came by itself; `is_known` when the outbox has it under its id.

    `by_staff`: somebody of the clinic chose to send it, so it may repeat another or follow soon.
    """

    kind: str
    ref: str
    at: datetime
    is_known: bool
    by_staff: bool = False


@dataclass(slots=True)
class Story:
    """What one patient heard, did and had, each in order of time."""

    zone: str = "UTC"
    nudges: list[Heard] = field(default_factory=list)
    news_at: list[datetime] = field(default_factory=list)  # of visits, told by the clinic
    done: list[Done] = field(default_factory=list)
    visits: list[VisitLine] = field(default_factory=list)
    verdicts: list[VerdictLine] = field(default_factory=list)

    @property
    def wrote_at(self) -> Iterator[datetime]:
        """Yield when the patient wrote or tapped."""
        return (each.at for each in self.done if each.act in _SIGNS)

    def has_stopped(self, at: datetime) -> bool:
        """Say whether the patient wanted no messages at a time."""
        return self._last(at, Act.STOPPED, Act.RETURNED) is Act.STOPPED

    def has_stopped_kind(self, kind: str, at: datetime) -> bool:
        """Say whether the patient wanted no more messages of a kind at a time."""
        return any(each.stopped_kind == kind and each.at < at for each in self.done)

    def is_alarmed(self, at: datetime) -> bool:
        """Say whether something urgent had been said. Coming back to the visits ends nothing."""
        return self._last(at, Act.ALARMED) is Act.ALARMED

    def is_blocked(self, at: datetime) -> bool:
        """Say whether the bot must take the patient for out of reach."""
        return self._last(at, Act.BLOCKED, *_SIGNS) is Act.BLOCKED

    def may_hear(self, kind: str, due_at: datetime) -> bool:
        """Say whether nothing stood against a message, when it was due and until the next day."""
        return not any(
            self.has_stopped(at)
            or self.has_stopped_kind(kind, at)
            or self.is_alarmed(at)
            or self.is_blocked(at)
            for at in (due_at, due_at + _DAY)
        )

    def finished(self) -> list[str]:
        """Return the series of which every planned session took place."""
        found = []
        for series_id in sorted({visit.series_id for visit in self.visits}):
            done = self._fulfilled(series_id)
            plan = self._plan_of(done[-1].run) if done else None
            if plan is not None and len(done) >= plan.sessions:
                found.append(series_id)
        return found

    def refresher_due_at(self, series_id: str) -> datetime | None:
        """Return when the look a year later is due; None when a later visit made it needless."""
        last = self._fulfilled(series_id)[-1]
        ended_on = last.ends_at.astimezone(ZoneInfo(last.zone)).date()
        due_at = _on_morning(_a_year_after(ended_on), last.zone)
        later = (visit for visit in self.visits if visit.starts_at > last.ends_at)
        return None if any(_stood(visit, due_at) for visit in later) else due_at

    def refreshers_of_no_course(self) -> list[datetime]:
        """Return when refreshers came whose course was not finished by then."""
        ended_at = {each: self._fulfilled(each)[-1].ends_at for each in self.finished()}
        return [
            nudge.at
            for nudge in self.nudges
            if nudge.kind == "refresher"
            and not any(each in nudge.ref and at <= nudge.at for each, at in ended_at.items())
        ]

    def dead_ends(self) -> list[Done]:
        """Return the answers to a message, given at once, that were told it is no longer open.

        At once: within minutes, and the patient did nothing and heard of no change in between.
        """
        found = []
        for before, done in pairwise((None, *self.done)):
            if done is None or done.heard_at is None or not done.was_over:
                continue
            heard_at = done.heard_at
            is_at_once = done.at - heard_at <= _AT_ONCE and (before is None or before.at < heard_at)
            if is_at_once and not any(heard_at <= at <= done.at for at in self.news_at):
                found.append(done)
        return found

    def rechecks_due(self) -> list[tuple[datetime, datetime]]:
        """Return when each re-check is due, and until when it is of use: the next verdict."""
        found = []
        ends = (*(verdict.at for verdict in self.verdicts[1:]), _NEVER)
        for verdict, until_at in zip(self.verdicts, ends, strict=False):
            if verdict.outcome == "deferred" and verdict.recheck_on is not None:
                due_at = _on_morning(verdict.recheck_on, self.zone)
                if due_at < until_at:
                    found.append((due_at, until_at))
        return found

    def rechecks_of_no_deferral(self) -> list[datetime]:
        """Return when re-checks came that no deferral called for."""
        due = self.rechecks_due()
        return [
            nudge.at
            for nudge in self.nudges
            if nudge.kind == "recheck"
            and not any(due_at <= nudge.at <= until_at for due_at, until_at in due)
        ]

    def _fulfilled(self, series_id: str) -> list[VisitLine]:
        return [
            visit
            for visit in self.visits
            if (visit.series_id, visit.service, visit.state)
            == (series_id, "treatment", "fulfilled")
        ]

    def _plan_of(self, run: int) -> Plan | None:
        plans = [each.plan for each in self.verdicts if each.run == run and each.plan is not None]
        return plans[-1] if plans else None

    def _last(self, at: datetime, *acts: Act) -> Act | None:
        found = (each.act for each in reversed(self.done) if each.at < at and each.act in acts)
        return next(found, None)


def stories(ledger: Ledger, account: Account) -> dict[int, Story]:
    """Return every chat's story."""
    found: dict[int, Story] = {}

    def of(chat_id: int) -> Story:
        return found.setdefault(chat_id, Story(account.zones.get(chat_id, "UTC")))

    for done in ledger.done:
        of(done.chat_id).done.append(done)
    for visit in account.visits:
        if visit.chat_id is not None:
            of(visit.chat_id).visits.append(visit)
    for verdict in account.verdicts:
        of(verdict.chat_id).verdicts.append(verdict)
    _add_heard(ledger, account, of)
    return found


def _add_heard(ledger: Ledger, account: Account, of: Callable[[int], Story]) -> None:
    known = {(each.chat_id, each.message_id): each for each in account.messages}
    for each in ledger.delivered:
        message = known.get((each.chat_id, each.message_id))
        if each.nudge:
            ref = message.ref if message else ""
            by_staff = message is not None and message.by_staff
            heard = Heard(each.nudge, ref, each.at, message is not None, by_staff)
            of(each.chat_id).nudges.append(heard)
        elif message is not None and message.kind is Kind.CONFIRMATION:
            of(each.chat_id).news_at.append(each.at)


def _stood(visit: VisitLine, due_at: datetime) -> bool:
    """Say whether a visit made a refresher needless: one that ended otherwise stood until then."""
    if visit.created_at >= due_at + _DAY:
        return False
    return visit.state in _KEPT or visit.updated_at > due_at


def _a_year_after(on: date) -> date:
    is_leap_day = (on.month, on.day) == (2, 29)
    return on.replace(year=on.year + 1, day=28 if is_leap_day else on.day)


def _on_morning(on: date, zone: str) -> datetime:
    return datetime.combine(on, _MORNING, ZoneInfo(zone)).astimezone(UTC)
