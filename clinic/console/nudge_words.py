"""Nudges in the words of the clinic's people: which, how it stands, and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from flows.follow_up import Silence
from flows.nudges import Standing
from flows.recalls import Why
from storage.nudge_work import NudgeLine, NudgeSheet

NUDGES: Mapping[str, str] = {
    "unfinished_soon": "You have not finished yet",
    "unfinished_later": "Your answers are still here",
    "hold_ends": "Your times are kept for a few minutes",
    "prepare_week": "One week before the visit",
    "reminder": "Two days before the visit",
    "prepare_day": "The day before the visit",
    "today": "Three hours before the visit",
    "aftercare": "After-care",
    "check_in_first": "How are you, one day after",
    "check_in_second": "How are you, three days after",
    "missed": "We missed you",
    "next_session": "Time to plan the next visit",
    "series_review": "How do you feel about the result",
    "recheck": "The day we said we would ask again",
    "refresher": "One year later",
    "waitlist_offer": "An earlier time is free",
}

WHYS: Mapping[Why, str] = {
    Why.MISSED: "Did not come, no new time yet",
    Why.NEXT_SESSION: "The next session has no time",
    Why.RECHECK: "Had to wait until this day",
    Why.REFRESHER: "A year since the course",
    Why.UNFINISHED: "Stopped before booking",
    Why.UNHAPPY: "Rated the result 1 or 2 of 5",
}

SILENCES: Mapping[str, str] = {
    Silence.STOPPED: "they want no messages",
    Silence.UNREACHABLE: "they blocked the bot",
    Silence.PAUSED: "paused by your team",
    Silence.RED_FLAG: "after a red flag nothing is sent",
    Silence.WITHDRAWN: "they took their agreement back",
}

_REASONS: Mapping[str, str] = {
    "TooLate": "its time had passed",
    "Stopped": "they want no messages",
    "Unreachable": "they blocked the bot",
    "AppointmentGone": "the visit was cancelled",
    "Cancelled": "the visit was cancelled",
    "Paused": "paused by your team",
    "RedFlag": SILENCES[Silence.RED_FLAG],
    "Withdrawn": SILENCES[Silence.WITHDRAWN],
    "Unwanted": "they stopped messages of this kind",
    "Outdated": "what it was about has changed",
    "Moved": "the visit was moved",
    "SomethingChanged": "paused: something has changed",
    "NothingToSay": "what it was about is gone",
}

_STANDINGS: Mapping[Standing, tuple[str, str]] = {
    Standing.SENT: ("done", "Sent"),
    Standing.WAITING: ("plain", "Waiting"),
    Standing.SILENT: ("wait", "Held back"),
    Standing.PAUSED: ("wait", "Held back"),
    Standing.UNWANTED: ("wait", "Stopped by them"),
    Standing.MISSED: ("done", "Not sent"),
}


def name(kind: str) -> str:
    """Return what a nudge is about."""
    return NUDGES.get(kind, kind.replace("_", " "))


def parted(sheet: NudgeSheet, now: datetime) -> tuple[tuple[NudgeLine, ...], tuple[NudgeLine, ...]]:
    """Return what lies ahead, the next first, and what is over."""
    ahead = [each for each in sheet.lines if each.standing is Standing.WAITING or each.at >= now]
    return tuple(ahead), tuple(each for each in sheet.lines if each not in ahead)


def standing(line: NudgeLine) -> tuple[str, str]:
    """Return (tone, words) of how a nudge stands."""
    return _STANDINGS[line.standing]


def reason(line: NudgeLine) -> str:
    """Return why a nudge was not, or may not be, sent; empty where nothing is in the way."""
    if line.state == "uncertain":
        return "perhaps not arrived"
    if line.standing is Standing.PAUSED:
        return _REASONS["SomethingChanged"]
    if not line.why:
        return "its time had passed" if line.standing is Standing.MISSED and not line.state else ""
    return SILENCES.get(line.why) or _REASONS.get(line.why, f"not delivered ({line.why})")


def silence(sheet: NudgeSheet) -> str:
    """Return why this patient gets nothing by itself; empty while they do."""
    others = sorted(sheet.silences - {Silence.PAUSED})
    return SILENCES[others[0]] if others else ""
