"""One patient's year in which every promise was kept, to be broken in one place at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot.simulation.ledger import Act, Delivered, Done, Ledger
from bot.simulation.promises import Evidence, broken
from flows.plan import Plan
from flows.protocol import Spacing
from storage.accounts import Account, MessageLine, VerdictLine, VisitLine
from storage.outbox_policy import Kind

CHAT = 7
FIRST_AT = datetime(2027, 1, 11, 10, 0, tzinfo=UTC)
SECOND_AT = datetime(2027, 2, 22, 10, 0, tzinfo=UTC)
DECIDED_AT = FIRST_AT - timedelta(days=5)
REFRESHER_AT = datetime(2028, 2, 22, 10, 0, tzinfo=UTC)
UNTIL = datetime(2028, 5, 1, tzinfo=UTC)

PLAN = Plan(
    sessions=2,
    at_least=2,
    at_most=4,
    spacing=Spacing(28, 42, 56),
    downtime_days=(1, 3),
    minor_days=7,
    starts_on=date(2027, 1, 7),
    proposed_on=(date(2027, 1, 11), date(2027, 2, 22)),
    review_on=date(2027, 5, 17),
    refresher_on=date(2028, 2, 22),
)


def a_visit(number: int, at: datetime, **changes: object) -> VisitLine:
    visit = VisitLine(
        uid=f"visit-{number}",
        version=1,
        chat_id=CHAT,
        clinic_id=1,
        zone="Europe/London",
        practitioner_id=1,
        service="treatment",
        series_id="series",
        number=number,
        run=1,
        starts_at=at,
        ends_at=at + timedelta(hours=1),
        blocks_from=at,
        blocks_until=at + timedelta(minutes=75),
        state="fulfilled",
        created_at=DECIDED_AT,
        updated_at=at + timedelta(hours=2),
    )
    return replace(visit, **changes)


def a_verdict(outcome: str = "eligible", **changes: object) -> VerdictLine:
    plan = PLAN if outcome == "eligible" else None
    return replace(VerdictLine(CHAT, 1, outcome, None, plan, DECIDED_AT), **changes)


class Year:
    """What is known of the year; every change returns the year itself."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.messages: list[MessageLine] = []
        self.visits = [a_visit(1, FIRST_AT), a_visit(2, SECOND_AT)]
        self.verdicts = [a_verdict()]
        self.unanswered: tuple[int, ...] = ()
        self.put_aside = 0
        self.does(DECIDED_AT, Act.RETURNED)

    def does(self, at: datetime, act: Act = Act.WROTE, **more: object) -> Year:
        self.ledger.done.append(Done(CHAT, at, act, **more))
        self.ledger.done.sort(key=lambda done: done.at)
        return self

    def answers(self, kind: str, heard_at: datetime, after: timedelta, **more: object) -> Year:
        """Press a button of a nudge some time after it came, and read that it is over."""
        more = {"was_over": True, **more}
        return self.does(heard_at + after, nudge=kind, heard_at=heard_at, **more)

    def hears(
        self, kind: str, ref: str, at: datetime, *, noted: bool = True, **changes: object
    ) -> Year:
        """Let a nudge arrive; without being `noted`, the outbox knows nothing of it."""
        message_id = self._arrives(at, kind)
        if noted:
            line = MessageLine(message_id, Kind.NUDGE, CHAT, "sent", kind, ref, "", False, at)
            self.messages.append(replace(line, **changes))
        return self

    def hears_news(self, at: datetime, **changes: object) -> Year:
        """Let news of the first visit arrive."""
        kind = Kind.CONFIRMATION
        line = MessageLine(self._arrives(at), kind, CHAT, "sent", "", "", "visit-1", True, at)
        self.messages.append(replace(line, **changes))
        return self

    def is_offered_the_refresher(self) -> Year:
        return self.hears("refresher", "series:series", REFRESHER_AT)

    def breaks(self) -> list[str]:
        """Return the promises that were broken."""
        return [each.promise for each in broken(self.evidence())]

    def evidence(self) -> Evidence:
        account = Account(
            zones={CHAT: "Europe/London"},
            agreed=frozenset({CHAT}),
            refreshing=frozenset(),
            visits=tuple(self.visits),
            messages=tuple(self.messages),
            verdicts=tuple(self.verdicts),
            unanswered=self.unanswered,
            put_aside=self.put_aside,
        )
        return Evidence.of(self.ledger, account, UNTIL)

    def _arrives(self, at: datetime, kind: str = "") -> int:
        message_id = len(self.ledger.delivered) + 1
        self.ledger.delivered.append(Delivered(CHAT, message_id, at, kind))
        self.ledger.delivered.sort(key=lambda each: each.at)
        return message_id
