"""What became of a delivery to a clinic's own systems that did not simply succeed.

Whoever delivers raises one of these; the worker notes it in the outbox. `why` is a code, shown to
staff and kept in the outbox: never an address, a name or an answer.
"""

from __future__ import annotations

from datetime import datetime


class DeliveryFault(Exception):
    """Not, or perhaps not, delivered."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TryAgain(DeliveryFault):
    """Certainly not taken; it is worth another try, as late as the other side asked for."""

    def __init__(self, why: str, at: datetime | None = None) -> None:
        super().__init__(why)
        self.at = at  # aware; None: as the kind's policy says


class Perhaps(DeliveryFault):
    """Nobody knows whether it arrived."""


class GiveUp(DeliveryFault):
    """Certainly not taken, and it will not be: somebody should look."""


class Unwanted(DeliveryFault):
    """There is nothing to deliver any more, and nobody misses it."""
