"""Counts as they may be shown: nobody can be picked out of a small group.

Every count is rounded down to fives, so that the difference between two of them does not tell the
size of a small group either. Groups under five have no number at all.
"""

from __future__ import annotations

LEAST = 5

#: Below so many people a share would say more than they can carry.
_ENOUGH = 20


def rounded(count: int) -> int:
    """Return a count as it may be shown; 0 stands for fewer than five."""
    return count - count % LEAST


def words(count: int) -> str:
    """Return a count in words."""
    return str(rounded(count)) if count >= LEAST else "fewer than 5"


def share(part: int, whole: int) -> str:
    """Return a share, told from the shown numbers alone; empty where they are too small for it."""
    shown, of = rounded(part), rounded(whole)
    if not shown or of < _ENOUGH:
        return ""
    middle = LEAST // 2  # of the five counts that a shown number can stand for
    percent = 100 * (shown + middle) / (of + middle)
    return f"about {min(100, LEAST * round(percent / LEAST))} %"
