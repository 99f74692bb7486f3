"""Visits before which something changed: nothing is said about them until somebody has looked."""

from __future__ import annotations

from typing import Any

_TO_COME = ("pending", "booked")


def waits_for_a_look(row: Any) -> bool:
    """Say whether an appointment's row is paused; who came has been seen."""
    return row.paused_at is not None and row.state in _TO_COME
