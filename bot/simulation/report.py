"""What came of a simulation, as figures and as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from bot.simulation.ledger import Act
from bot.simulation.opening import Hours
from bot.simulation.promises import PROMISES, Broken, Evidence, broken
from storage.outbox_policy import Kind

_SHOWN = 10  # broken promises listed of each kind

Rows = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that is reported of a simulation."""

    funnel: Rows
    verdicts: Rows
    visits: Rows
    messages: Rows
    acts: Rows
    patients: int  # who pressed Start
    hours: Hours
    broken: tuple[Broken, ...]


def outcome(evidence: Evidence, hours: Hours) -> Outcome:
    """Count what happened and check every promise."""
    account = evidence.account
    started = {done.chat_id for done in evidence.ledger.done}
    latest = {verdict.chat_id: verdict.outcome for verdict in account.verdicts}
    return Outcome(
        funnel=_funnel(evidence, len(started)),
        verdicts=_counted(latest.values()),
        visits=_counted(visit.state for visit in account.visits),
        messages=_messages(evidence),
        acts=_acts(evidence),
        patients=len(started),
        hours=hours,
        broken=broken(evidence),
    )


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Add up what came of several towns. A broken promise says in which of them, from 1 on."""
    if len(outcomes) == 1:
        return outcomes[0]
    return Outcome(
        funnel=_added(each.funnel for each in outcomes),
        verdicts=_by_size(_added(each.verdicts for each in outcomes)),
        visits=_by_size(_added(each.visits for each in outcomes)),
        messages=_by_size(_added(each.messages for each in outcomes)),
        acts=_by_size(_added(each.acts for each in outcomes)),
        patients=sum(each.patients for each in outcomes),
        hours=sum((each.hours for each in outcomes), Hours(timedelta(0), timedelta(0))),
        broken=tuple(
            replace(each, where=f"town {number}: {each.where}")
            for number, town in enumerate(outcomes, 1)
            for each in town.broken
        ),
    )


def show(found: Outcome, console: Console, took: str) -> None:
    """Print the tables, then each broken promise and how long it took."""
    console.print(_table("From first word to refresher", "Patients", found.funnel))
    console.print(_table("Last verdict", "Patients", found.verdicts))
    console.print(_table("Visits", "Number", found.visits))
    if found.hours.share is not None:
        console.print(f"opening hours in which somebody was treated: {found.hours.share:.1%}")
    console.print(_per_patient(found))
    console.print(_table("What patients did", "Times", found.acts))
    console.print(_promises(found))
    _list(found, console)
    console.print(took, highlight=False, soft_wrap=True)


def _funnel(evidence: Evidence, started: int) -> Rows:
    account = evidence.account
    of_patients = [visit for visit in account.visits if visit.chat_id is not None]
    again = {v.chat_id for v in of_patients if (v.chat_id, v.run) in account.refreshing}
    came = {visit.chat_id for visit in of_patients if visit.state == "fulfilled"}
    offered = {each.chat_id for each in evidence.ledger.delivered if each.nudge == "refresher"}
    return [
        ("started", started),
        ("agreed to be asked", len(account.agreed)),
        ("reached a verdict", len({verdict.chat_id for verdict in account.verdicts})),
        ("booked", len({visit.chat_id for visit in of_patients})),
        ("came at least once", len(came)),
        ("finished a course", sum(bool(each.finished()) for each in evidence.stories.values())),
        ("were offered the refresher", len(offered)),
        ("booked the refresher", len(again)),
    ]


def _messages(evidence: Evidence) -> Rows:
    news = {
        (message.chat_id, message.message_id)
        for message in evidence.account.messages
        if message.kind is Kind.CONFIRMATION
    }
    return _counted(
        each.nudge or ("news of a visit" if (each.chat_id, each.message_id) in news else "answers")
        for each in evidence.ledger.delivered
    )


def _acts(evidence: Evidence) -> Rows:
    words = {Act.WROTE: "wrote or tapped", Act.RETURNED: "pressed Start or came back"}
    return _counted(words.get(done.act, str(done.act)) for done in evidence.ledger.done)


def _counted(values: Iterable[str]) -> Rows:
    return _by_size(Counter(values).items())


def _added(tables: Iterable[Rows]) -> Rows:
    """Return every row's sum, in the order in which the rows are first met."""
    total: Counter[str] = Counter()
    for rows in tables:
        total.update(dict(rows))
    return list(total.items())


def _by_size(rows: Iterable[tuple[str, int]]) -> Rows:
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def _table(title: str, unit: str, rows: Rows) -> Table:
    table = Table(title)
    table.add_column(unit, justify="right")
    for name, count in rows:
        table.add_row(name, f"{count:,}")
    return table


def _per_patient(found: Outcome) -> Table:
    table = Table("Messages")
    table.add_column("Number", justify="right")
    table.add_column("A patient", justify="right")
    for kind, count in found.messages:
        table.add_row(kind, f"{count:,}", f"{count / max(1, found.patients):.2f}")
    return table


def _promises(found: Outcome) -> Table:
    failures = Counter(each.promise for each in found.broken)
    table = Table("What must hold", "Holds")
    for promise in PROMISES:
        table.add_row(promise, f"no: {failures[promise]:,}" if failures[promise] else "yes")
    return table


def _list(found: Outcome, console: Console) -> None:
    for promise in PROMISES:
        where = [each.where for each in found.broken if each.promise == promise]
        for each in where[:_SHOWN]:
            words = f"broken: {promise}: {each}"
            console.print(words, soft_wrap=True, highlight=False, markup=False)
        if len(where) > _SHOWN:
            console.print(f"  and {len(where) - _SHOWN:,} more", highlight=False)
