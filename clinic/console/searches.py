"""What staff search for: kept sealed in a cookie of their browser, and never in an address.

An address names a search by letters that mean nothing elsewhere, so that each tab, the way back
and a page that fetches itself anew show what was searched for there.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from clinic.console import sessions, views
from storage.console_sessions import LASTS_FOR
from storage.sealing import SealFault

LONGEST = 80  # characters of a text

#: A browser takes 4 KB for a cookie: five of the longest texts, in the widest letters.
_KEPT = 5


def keep(request: Request, text: str, address: Callable[[str], str]) -> Response:
    """Send on to where a text is searched for; `address` makes it of the search's name."""
    site, kept = views.site_of(request), dict(_kept(request))
    name = next((known for known, other in kept.items() if other == text), "")
    kept.pop(name, None)
    name = name or secrets.token_urlsafe(6)
    newest = dict([*kept.items(), (name, text)][-_KEPT:])
    answer = views.see_other(request, address(name))
    told = {"session": _session(request), "texts": newest}
    answer.set_cookie(
        sessions.SEARCHES_COOKIE,
        site.seal.close(json.dumps(told, ensure_ascii=False)),
        max_age=int(LASTS_FOR.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return answer


def find(request: Request, name: str) -> str:
    """Return what a search of this session is for; empty when it is none, or long ago."""
    return _kept(request).get(name, "")


def _kept(request: Request) -> Mapping[str, str]:
    """Return the last searches of this session, text by name, the newest last."""
    sealed = request.cookies.get(sessions.SEARCHES_COOKIE, "")
    if not sealed:
        return {}
    try:
        told = json.loads(views.site_of(request).seal.open(sealed))
    except (SealFault, ValueError):
        return {}
    texts: Mapping[str, str] = told["texts"] if told["session"] == _session(request) else {}
    return texts


def _session(request: Request) -> str:
    found = views.visit(request)
    return found.session.digest if found else ""
