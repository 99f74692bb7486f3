"""How often what may be tried: counted in memory by each process."""

from __future__ import annotations

import hashlib

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

#: Requests of one session: a person who clicks, and pages that fetch their parts anew.
BY_SESSION = RateLimitItemPerMinute(300)
#: Requests of one address without a session.
BY_ADDRESS = RateLimitItemPerMinute(120)
#: Sign-in links tried from one address. A wrong link belongs to no account, so it can lock none.
SIGN_INS = RateLimitItemPerMinute(10, 5)
#: Codes of the second step that an account may try; who tries has used up a link of the account's.
CODES = RateLimitItemPerMinute(10, 15)
#: Wrong codes until a session that waits for one ends.
CODES_OF_SESSION = RateLimitItemPerMinute(5, 10)


class Limits:
    """Counts tries; one of these serves one process. `times` is how much more it allows."""

    def __init__(self, times: int = 1) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._times = times

    def allows(self, limit: RateLimitItem, *who: str) -> bool:
        """Count a try and say whether it is within the limit."""
        scaled = type(limit)(limit.amount * self._times, limit.multiples)
        return self._window.hit(scaled, *(_key(part) for part in who))


def _key(part: str) -> str:
    """Return what is kept of an address or a session's token."""
    return hashlib.sha256(part.encode()).hexdigest()[:24]
