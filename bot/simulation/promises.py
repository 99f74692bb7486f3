"""Holds what was delivered against what Resurface promises. Pure.

Every check reads the stand-in's ledger and the final database's account, and none asks the code
that decides on messages: that is the code being checked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from bot.simulation.chat_story import Story, stories
from bot.simulation.ledger import Ledger
from storage.accounts import Account, VisitLine

_QUIET_FROM, _QUIET_UNTIL = time(21), time(8)
_APART = timedelta(hours=12)
_LATE = timedelta(days=2)  # what is due so shortly before the end may still be on its way

#: States of a visit whose time nobody else may have had.
_TOOK_TIME = frozenset({"pending", "booked", "arrived", "fulfilled", "noshow"})
_KEPT = frozenset({"booked", "arrived", "fulfilled"})


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept, and where. Names ids, never people."""

    promise: str
    where: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the checks look at."""

    ledger: Ledger
    account: Account
    until: datetime  # when the simulated days ended
    stories: Mapping[int, Story]

    @classmethod
    def of(cls, ledger: Ledger, account: Account, until: datetime) -> Evidence:
        """Sort what happened by chat."""
        return cls(ledger, account, until, stories(ledger, account))

    def local(self, chat_id: int, at: datetime) -> datetime:
        """Return a time on the clock of the chat's clinic."""
        return at.astimezone(ZoneInfo(self.account.zones.get(chat_id, "UTC")))


def broken(evidence: Evidence) -> tuple[Broken, ...]:
    """Return every promise that was not kept, in the order of `PROMISES`."""
    return tuple(
        Broken(name, where) for name, check in PROMISES.items() for where in check(evidence)
    )


def _double_bookings(evidence: Evidence) -> Iterator[str]:
    took = [visit for visit in evidence.account.visits if visit.state in _TOOK_TIME]
    for visits in _grouped(took, lambda visit: visit.practitioner_id).values():
        for earlier, later in pairwise(sorted(visits, key=lambda visit: visit.blocks_from)):
            if later.blocks_from < earlier.blocks_until:
                yield f"visits {earlier.uid} and {later.uid} of one practitioner"
    for visits in _grouped(took, lambda visit: visit.chat_id).values():
        for earlier, later in pairwise(sorted(visits, key=lambda visit: visit.starts_at)):
            if later.starts_at < earlier.ends_at:
                yield f"visits {earlier.uid} and {later.uid} of one patient"


def _gaps(evidence: Evidence) -> Iterator[str]:
    plans = {
        (verdict.chat_id, verdict.run): verdict.plan
        for verdict in evidence.account.verdicts
        if verdict.plan is not None
    }
    treatments = [
        visit
        for visit in evidence.account.visits
        if visit.service == "treatment" and visit.state in _KEPT
    ]
    for visits in _grouped(treatments, lambda visit: visit.chat_id).values():
        for earlier, later in pairwise(sorted(visits, key=lambda visit: visit.starts_at)):
            plan = plans.get((later.chat_id or 0, later.run))
            days = (_local_day(later) - _local_day(earlier)).days
            if plan is not None and days < plan.spacing.min_days:
                yield f"{days} days between visits {earlier.uid} and {later.uid}"


def _quiet(evidence: Evidence) -> Iterator[str]:
    for chat_id, story in evidence.stories.items():
        for nudge in story.nudges:
            clock = evidence.local(chat_id, nudge.at).time()
            if clock >= _QUIET_FROM or clock < _QUIET_UNTIL:
                yield f"{nudge.kind} to chat {chat_id} at {clock:%H:%M}"


def _cap(evidence: Evidence) -> Iterator[str]:
    for chat_id, story in evidence.stories.items():
        for earlier, later in pairwise(story.nudges):
            wrote = any(earlier.at <= at <= later.at for at in story.wrote_at)
            if later.at - earlier.at < _APART and not wrote and not later.by_staff:
                yield f"{earlier.kind} and {later.kind} to chat {chat_id} {_on(later.at)}"


def _after_stop(evidence: Evidence) -> Iterator[str]:
    for chat_id, story in evidence.stories.items():
        for nudge in story.nudges:
            if story.has_stopped(nudge.at) or story.has_stopped_kind(nudge.kind, nudge.at):
                yield f"{nudge.kind} to chat {chat_id} {_on(nudge.at)}"
        for at in story.news_at:
            if story.has_stopped(at):
                yield f"news of a visit to chat {chat_id} {_on(at)}"


def _after_alarm(evidence: Evidence) -> Iterator[str]:
    for chat_id, story in evidence.stories.items():
        for nudge in story.nudges:
            if story.is_alarmed(nudge.at):
                yield f"{nudge.kind} to chat {chat_id} {_on(nudge.at)}"


def _about_cancelled(evidence: Evidence) -> Iterator[str]:
    gone_at = {
        visit.uid: visit.updated_at
        for visit in evidence.account.visits
        if visit.state == "cancelled"
    }
    sent_at = {(each.chat_id, each.message_id): each.at for each in evidence.ledger.delivered}
    for message in evidence.account.messages:
        if message.uid not in gone_at or message.may_outlive:
            continue
        at = sent_at.get((message.chat_id or 0, message.message_id or 0))
        if at is not None and at > gone_at[message.uid]:
            yield f"{message.nudge or message.kind} about visit {message.uid}"


def _twice(evidence: Evidence) -> Iterator[str]:
    for chat_id, story in evidence.stories.items():
        for nudge in story.nudges:
            if not nudge.is_known:
                yield f"{nudge.kind} to chat {chat_id} that the outbox does not know of"
        said = Counter[tuple[str, str]]()
        for nudge in (each for each in story.nudges if each.is_known):
            said[nudge.kind, nudge.ref] += 1
            if said[nudge.kind, nudge.ref] > 1 and not nudge.by_staff:
                yield f"{nudge.kind} of {nudge.ref} to chat {chat_id} again {_on(nudge.at)}"


def _refreshers(evidence: Evidence) -> Iterator[str]:
    for chat_id, story in evidence.stories.items():
        for series_id in story.finished():
            offers = [
                nudge.at
                for nudge in story.nudges
                if nudge.kind == "refresher" and series_id in nudge.ref
            ]
            due_at = story.refresher_due_at(series_id)
            if len(offers) > 1:
                yield f"{len(offers)} refreshers to chat {chat_id} for one course"
            elif due_at is None or due_at + _LATE > evidence.until:
                continue
            elif not offers and story.may_hear("refresher", due_at):
                yield f"no refresher to chat {chat_id} {_on(due_at)}"
            elif offers and offers[0] < due_at:
                yield f"refresher to chat {chat_id} before {_on(due_at)}"


def _unfinished(evidence: Evidence) -> Iterator[str]:
    for chat_id, story in evidence.stories.items():
        for at in story.refreshers_of_no_course():
            yield f"refresher to chat {chat_id} {_on(at)}"


def _dead_ends(evidence: Evidence) -> Iterator[str]:
    for chat_id, story in evidence.stories.items():
        for done in story.dead_ends():
            yield f"{done.nudge} of chat {chat_id} {_on(done.at)}"


def _rechecks(evidence: Evidence) -> Iterator[str]:
    for chat_id, story in evidence.stories.items():
        for due_at, until_at in story.rechecks_due():
            asked = [
                nudge.at
                for nudge in story.nudges
                if nudge.kind == "recheck" and due_at <= nudge.at <= until_at
            ]
            if len(asked) > 1:
                yield f"{len(asked)} re-checks to chat {chat_id} for one deferral"
            elif min(evidence.until, until_at) < due_at + _LATE:
                continue
            elif story.may_hear("recheck", due_at) and not _on_day(
                evidence, chat_id, asked, due_at
            ):
                yield f"no re-check to chat {chat_id} {_on(due_at)}"
        for at in story.rechecks_of_no_deferral():
            yield f"re-check to chat {chat_id} {_on(at)}, due on no day"


def _on_day(evidence: Evidence, chat_id: int, asked: list[datetime], due_at: datetime) -> bool:
    day = evidence.local(chat_id, due_at).date()
    return any(evidence.local(chat_id, at).date() == day for at in asked)


def _unanswered(evidence: Evidence) -> Iterator[str]:
    for done in evidence.ledger.done:
        if not done.answered:
            yield f"{done.act} of chat {done.chat_id} {_on(done.at)}"
    for chat_id in evidence.account.unanswered:
        story = evidence.stories.get(chat_id)
        if story is None or not story.is_blocked(evidence.until):
            yield f"the last turn of chat {chat_id}"


def _lost(evidence: Evidence) -> Iterator[str]:
    for message in evidence.account.messages:
        if message.state in ("dead", "uncertain"):
            yield f"{message.nudge or message.kind} to chat {message.chat_id}: {message.state}"


def _errors(evidence: Evidence) -> Iterator[str]:
    yield from evidence.ledger.errors
    if evidence.account.put_aside:
        yield f"{evidence.account.put_aside} updates put aside"


def _local_day(visit: VisitLine) -> date:
    return visit.starts_at.astimezone(ZoneInfo(visit.zone)).date()


def _on(at: datetime) -> str:
    return f"on {at:%d %b %Y at %H:%M} UTC"


def _grouped(
    visits: Iterable[VisitLine], key: Callable[[VisitLine], int | None]
) -> dict[int, list[VisitLine]]:
    groups: dict[int, list[VisitLine]] = defaultdict(list)
    for visit in visits:
        if (value := key(visit)) is not None:
            groups[value].append(visit)
    return groups


#: Every promise by the words that a failed one is reported with.
PROMISES: Mapping[str, Callable[[Evidence], Iterable[str]]] = {
    "no time is booked twice": _double_bookings,
    "sessions are as far apart as the plan asks": _gaps,
    "no message by itself in quiet hours": _quiet,
    "at most one message by itself in 12 hours": _cap,
    "no message after a stop": _after_stop,
    "no message by itself after a red flag": _after_alarm,
    "no message about a cancelled visit": _about_cancelled,
    "no message twice": _twice,
    "one refresher for every finished course": _refreshers,
    "no refresher of an unfinished course": _unfinished,
    "one re-check on the day for everyone who had to wait": _rechecks,
    "the buttons of what came by itself lead on": _dead_ends,
    "every act is answered": _unanswered,
    "no message is lost": _lost,
    "no error": _errors,
}
