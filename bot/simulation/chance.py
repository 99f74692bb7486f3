"""The one generator of made-up people's chance; a seed always gives the same numbers."""

from __future__ import annotations

from random import Random  # noqa: TID251 - made here from a seed, an argument everywhere else


def seeded(seed: int) -> Random:
    """Return a generator for people who do not exist: nothing here is a secret."""
    return Random(seed)  # noqa: S311


__all__ = ["Random", "seeded"]
