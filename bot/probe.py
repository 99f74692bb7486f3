"""Is the process in this container ready? What its health check runs: `python -m bot.probe`.

Only the standard library, for it is started anew every half a minute for as long as the container
runs.
"""

from __future__ import annotations

import http.client
import os
import sys
from collections.abc import Mapping

_WITHIN = 5.0  # seconds


def port(environment: Mapping[str, str]) -> int:
    """Return where /readyz is served with these settings, as docs/running.md says."""
    if environment.get("PUBLIC_URL"):
        return int(environment.get("METRICS_PORT") or 9090)
    return int(environment.get("HTTP_PORT") or 8080)


def look(at: int) -> tuple[bool, str]:
    """Ask /readyz on this machine; return whether all is well, and what was said."""
    connection = http.client.HTTPConnection("127.0.0.1", at, timeout=_WITHIN)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status == http.HTTPStatus.OK, answer.read().decode()
    except (OSError, http.client.HTTPException) as fault:
        return False, f"port {at} does not answer: {type(fault).__name__}"
    finally:
        connection.close()


def main() -> int:
    """Print what was said; return the program's exit code."""
    is_ready, words = look(port(os.environ))
    print(words)  # noqa: T201 - Docker keeps it beside the container's health
    return 0 if is_ready else 1


if __name__ == "__main__":
    sys.exit(main())
