"""Judges a history of bookings: what every booker asked and was told, and the rows that are left.

A pure function, used on the logs of races, of kills and of made-up calendars. Each chat acts in
order; different chats act at the same time. An answer that never came (the program was killed) may
have been carried out or not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from flows.slots import Slot

OCCUPYING = frozenset({"held", "pending", "booked", "arrived"})


class Deed(StrEnum):
    """What a booker wants."""

    HOLD = "hold"
    BOOK = "book"
    RELEASE = "release"
    MOVE = "move"
    CANCEL = "cancel"


class Told(StrEnum):
    """What a booker heard."""

    DONE = "done"
    TAKEN = "taken"
    ABSENT = "absent"  # there is nothing (any more) to move
    NOTHING = "nothing"  # killed, or the connection was cut: done or not


@dataclass(frozen=True, slots=True)
class Ask:
    """One wish and its answer. `asked` and `heard` are ticks of one clock of all bookers."""

    chat: int
    deed: Deed
    series: str
    told: Told
    now: datetime  # as the booker gave it to the database
    asked: float = 0.0
    heard: float = 0.0
    slots: tuple[Slot, ...] = ()  # of a move: the new one alone
    uids: tuple[str, ...] = ()  # of the sessions, in the order of `slots`
    hold_until: datetime | None = None
    pending: bool = False  # staff are to confirm it


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One appointment as the database has it."""

    uid: str
    chat: int
    series: str
    slot: Slot
    blocks_from: datetime
    blocks_until: datetime
    state: str
    sequence: int = 0
    version: int = 1
    hold_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What the clinic demands of every booking."""

    before: timedelta = timedelta()
    after: timedelta = timedelta()
    gaps: tuple[timedelta, timedelta] | None = None  # least and most between sessions of a series


World = Mapping[str, Row]  # by uid


def complaints(asks: Sequence[Ask], rows: Iterable[Row], rules: Rules) -> list[str]:
    """Return what is wrong, one sentence each; nothing when the history is sound.

    `asks` of one chat must stand in the order in which it acted.
    """
    left = sorted(rows)
    return [
        *_overlaps(left),
        *_wrong_buffers(left, rules),
        *_bad_gaps(left, rules),
        *_two_owners(asks, rules),
        *_unlike_the_answers(asks, left, rules),
    ]


def _overlaps(rows: Sequence[Row]) -> Iterator[str]:
    taking = [row for row in rows if row.state in OCCUPYING]
    by_person: dict[tuple[str, object], list[tuple[datetime, datetime, str]]] = defaultdict(list)
    for row in taking:
        mine = (row.blocks_from, row.blocks_until, row.uid)
        by_person["practitioner", row.slot.practitioner].append(mine)
        by_person["patient", row.chat].append((row.slot.starts_at, row.slot.ends_at, row.uid))
    for (kind, who), spans in by_person.items():
        for first, second in pairwise(sorted(spans)):
            if second[0] < first[1]:
                yield f"{kind} {who} has {first[2]} and {second[2]} at once"


def _wrong_buffers(rows: Sequence[Row], rules: Rules) -> Iterator[str]:
    for row in rows:
        wanted = (row.slot.starts_at - rules.before, row.slot.ends_at + rules.after)
        if (row.blocks_from, row.blocks_until) != wanted:
            yield f"{row.uid} does not block its buffers"


def _bad_gaps(rows: Sequence[Row], rules: Rules) -> Iterator[str]:
    if rules.gaps is None:
        return
    least, most = rules.gaps
    by_series: dict[tuple[int, str], list[datetime]] = defaultdict(list)
    for row in rows:
        if row.state in OCCUPYING:
            by_series[row.chat, row.series].append(row.slot.starts_at)
    for (_, series), starts in by_series.items():
        for first, second in pairwise(sorted(starts)):
            if not least <= second - first <= most:
                yield f"series {series} has a gap of {second - first}"


# Who owned a time when ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Owned:
    """A time that certainly was a chat's from one tick to another."""

    ask: Ask
    slot: Slot
    until: float


def _two_owners(asks: Sequence[Ask], rules: Rules) -> Iterator[str]:
    """Find a time that was given to one while it certainly was another's."""
    by_practitioner: dict[str, list[_Owned]] = defaultdict(list)
    for owned in _ownerships(asks):
        by_practitioner[owned.slot.practitioner].append(owned)
    room = rules.before + rules.after
    for owners in by_practitioner.values():
        owners.sort(key=lambda owned: owned.slot)
        for number, first in enumerate(owners):
            for second in owners[number + 1 :]:
                if second.slot.starts_at >= first.slot.ends_at + room:
                    break
                if _took(first, second) or _took(second, first):
                    chats = f"{first.ask.chat} and {second.ask.chat}"
                    yield f"a time of {second.slot.practitioner} was of {chats} at once"


def _took(owner: _Owned, other: _Owned) -> bool:
    if owner.ask.chat == other.ask.chat:
        return False
    if not (owner.ask.heard <= other.ask.asked and other.ask.heard <= owner.until):
        return False
    ends = owner.ask.hold_until
    return ends is None or other.ask.now < ends


def _ownerships(asks: Sequence[Ask]) -> Iterator[_Owned]:
    for mine in _by_chat(asks).values():
        for number, ask in enumerate(mine):
            if ask.told is not Told.DONE or ask.deed in (Deed.RELEASE, Deed.CANCEL):
                continue
            later = mine[number + 1 :]
            for slot in ask.slots:
                until = min((b.asked for b in later if _may_end(b, ask)), default=float("inf"))
                yield _Owned(ask, slot, until)


def _may_end(later: Ask, ask: Ask) -> bool:
    """Say whether a later wish of the same chat may have given the time away."""
    if later.told in (Told.TAKEN, Told.ABSENT):
        return False
    own_hold = ask.deed is Deed.HOLD and later.deed in (Deed.HOLD, Deed.BOOK)
    return own_hold or (later.series == ask.series and later.deed is not Deed.HOLD)


# What the answers leave behind -------------------------------------------------------------------


def _unlike_the_answers(asks: Sequence[Ask], rows: Sequence[Row], rules: Rules) -> Iterator[str]:
    found: dict[int, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        found[row.chat][row.uid] = row
    latest = max((ask.now for ask in asks), default=None)
    told = _by_chat(asks)
    for chat in sorted({*found, *told}):
        worlds = _worlds(told.get(chat, ()), rules)
        differing = [_difference(world, found[chat], latest) for world in worlds]
        if all(differing):
            yield f"chat {chat}: {min(differing, key=len)}"


def _worlds(asks: Sequence[Ask], rules: Rules) -> list[World]:
    """Return every state that the answers allow; more than one only where answers are missing."""
    worlds: list[World] = [{}]
    for ask in asks:
        after = [_after(world, ask, rules) for world in worlds]
        if ask.told is Told.DONE:
            worlds = after
        elif ask.told is Told.NOTHING:
            worlds += [world for world in after if world not in worlds]
    return worlds


def _after(world: World, ask: Ask, rules: Rules) -> World:
    match ask.deed:
        case Deed.HOLD | Deed.BOOK:
            return _without_holds(world) | _taken(ask, rules)
        case Deed.RELEASE:
            return {
                uid: row
                for uid, row in world.items()
                if (row.series, row.state) != (ask.series, "held")
            }
        case Deed.CANCEL:
            kept = _after(world, replace(ask, deed=Deed.RELEASE), rules)
            return {uid: _cancelled(row, ask) for uid, row in kept.items()}
        case Deed.MOVE:
            (uid,), (slot,) = ask.uids, ask.slots
            if uid not in world:
                return world
            return {**world, uid: _touched(world[uid], slot=slot, **_blocks(slot, rules))}


def _taken(ask: Ask, rules: Rules) -> dict[str, Row]:
    booked = "pending" if ask.pending else "booked"
    state = "held" if ask.deed is Deed.HOLD else booked
    until = ask.hold_until if ask.deed is Deed.HOLD else None
    return {
        uid: Row(
            uid, ask.chat, ask.series, slot, **_blocks(slot, rules), state=state, hold_until=until
        )
        for uid, slot in zip(ask.uids, ask.slots, strict=True)
    }


def _cancelled(row: Row, ask: Ask) -> Row:
    mine = row.series == ask.series and row.state in ("pending", "booked")
    if not mine or row.slot.starts_at <= ask.now:
        return row
    return _touched(row, state="cancelled")


def _touched(row: Row, **changes: object) -> Row:
    touched = replace(row, sequence=row.sequence + 1, version=row.version + 1)
    return replace(touched, **changes)


def _blocks(slot: Slot, rules: Rules) -> dict[str, datetime]:
    return {
        "blocks_from": slot.starts_at - rules.before,
        "blocks_until": slot.ends_at + rules.after,
    }


def _without_holds(world: World) -> dict[str, Row]:
    return {uid: row for uid, row in world.items() if row.state != "held"}


def _difference(world: World, found: World, latest: datetime | None) -> str:
    """Say how the rows differ from a world; a hold whose time is over may be there or not."""
    for uid in sorted({*world, *found}):
        wanted, row = world.get(uid), found.get(uid)
        if wanted is None:
            return f"has {uid}, which nobody was told of"
        if row is None:
            if wanted.state != "held" or not _is_over(wanted, latest):
                return f"was told of {uid}, which is not there"
        elif row != wanted:
            names = ("state", "sequence", "version", "slot", "hold_until")
            unlike = [name for name in names if getattr(row, name) != getattr(wanted, name)]
            return f"{uid} is not as told: {', '.join(unlike) or 'otherwise'}"
    return ""


def _is_over(row: Row, latest: datetime | None) -> bool:
    return row.hold_until is not None and latest is not None and row.hold_until <= latest


def _by_chat(asks: Iterable[Ask]) -> dict[int, list[Ask]]:
    by_chat: dict[int, list[Ask]] = defaultdict(list)
    for ask in asks:
        by_chat[ask.chat].append(ask)
    return by_chat
