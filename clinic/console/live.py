"""`GET /live`: server-sent events that name what changed at the clinic; never the change itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from clinic.console import views
from clinic.console.views import Site, Visit
from storage import live_marks

STREAMS = 4  # at once for one session; browsers allow a host six connections
QUIET_FOR = 15  # looks without a change until a sign of life


class Live:
    """The streams of one process. `look_every` is how many seconds pass between two looks."""

    def __init__(self, look_every: float = 1.0) -> None:
        self._look_every = look_every
        self._open: Counter[str] = Counter()
        self.closing = asyncio.Event()  # set when the server is about to stop

    def routes(self) -> list[Route]:
        """Return the one address."""
        return [Route("/live", self.stream)]

    async def stream(self, request: Request) -> Response:
        """Tell the topics that change, until the session ends or the browser goes away."""
        visit = views.visit(request)
        if visit is None:
            return views.not_found(request)
        if self._open[visit.session.digest] >= STREAMS:
            return views.refused(request, HTTPStatus.TOO_MANY_REQUESTS)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        return StreamingResponse(
            self._changes(views.site_of(request), visit),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no"},
        )

    async def _changes(self, site: Site, visit: Visit) -> AsyncIterator[str]:
        self._open[visit.session.digest] += 1
        try:
            yield "retry: 2000\n\n"
            async for event in self._looks(site, visit):
                yield event
        finally:
            self._open[visit.session.digest] -= 1
            if not self._open[visit.session.digest]:
                del self._open[visit.session.digest]

    async def _looks(self, site: Site, visit: Visit) -> AsyncIterator[str]:
        known: dict[str, str] | None = None
        quiet = 0
        while not self.closing.is_set():
            seen = await site.database.read(
                live_marks.look, visit.me.clinic_id, visit.token, site.now()
            )
            if seen is None:
                yield "event: ended\ndata: signed out\n\n"
                return
            changed = [topic for topic in seen if known is not None and seen[topic] != known[topic]]
            known = seen
            quiet = 0 if changed else quiet + 1
            for topic in changed:
                yield f"event: changed\ndata: {topic}\n\n"
            if quiet >= QUIET_FOR:
                quiet = 0
                yield ": quiet\n\n"
            await self._wait()

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._look_every):
                await self.closing.wait()
