"""The console as one ASGI application: pages, files, live changes, and the guard before them."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from clinic.calendars import feeds
from clinic.console import (
    account,
    calendar,
    calendar_move,
    calendar_new,
    calendar_off,
    calendar_visit,
    erase,
    funnel,
    lead,
    lead_booking,
    leads,
    messages,
    pages,
    people,
    photos,
    recall,
    reviews,
    setting_links,
    setting_pages,
    setting_posters,
    setting_protocol,
    today,
    views,
    walk_in,
)
from clinic.console.guard import Guard, Terms
from clinic.console.limits import Limits
from clinic.console.live import Live
from clinic.console.pages import Assets
from clinic.console.signing_in import SigningIn
from clinic.console.views import Site
from clinic.lent import Now, Telegram
from clinic.settings import ConsoleSettings
from storage import protocol_files, sealing
from storage.database import Database

FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Link:
    """A page of the navigation, shown to owners alone where `owners` says so."""

    path: str
    label: str
    icon: str
    owners: bool = False


#: The navigation, in its order; each page adds its own line.
PAGES: tuple[Link, ...] = (
    Link("/today", "Today", "today"),
    Link("/leads", "Leads", "leads"),
    Link("/calendar", "Calendar", "calendar"),
    Link("/messages", "Messages", "messages"),
    Link("/funnel", "Funnel", "funnel"),
    Link("/recall", "Recall", "recall"),
    Link("/people", "Team", "people", owners=True),
    Link("/settings", "Settings", "settings"),
)


def create_console(  # noqa: PLR0913 - what a process lends, and three choices
    database: Database,
    now: Now,
    telegram: Telegram,
    settings: ConsoleSettings,
    *,
    framed_by: str = "",
    look_every: float = 1.0,
    pace: Limits | None = None,
) -> Starlette:
    """Build the console.

    `framed_by` is an origin that may show it in a frame; `look_every` is how many seconds pass
    between two looks for changes; `pace` counts tries. Raises ConsoleRefused for settings that
    would leave it open, and SealFault.
    """
    settings.refuse_open()
    assets, pace = Assets(), pace or Limits()
    site = Site(
        database=database,
        now=now,
        telegram=telegram,
        seal=sealing.load(settings.keys_file),
        catalogues=protocol_files.load_catalogues(),
        settings=settings,
        pages=pages.environment(assets, PAGES),
    )
    live = Live(look_every)
    terms = Terms(settings.public_host, framed_by)
    app = Starlette(
        routes=[
            Route("/", _home),
            Route("/static/{name}", _Static(assets).serve),
            *SigningIn(pace).routes(),
            *live.routes(),
            *account.Account(pace).routes(),
            *today.routes(),
            *walk_in.routes(),
            *people.routes(),
            *feeds.routes(),
            *leads.routes(),
            *lead.Lead().routes(),
            *lead_booking.routes(),
            *erase.routes(),
            *photos.routes(),
            *reviews.routes(),
            *funnel.Funnel().routes(),
            *recall.routes(),
            *calendar.routes(),
            *calendar_new.routes(),
            *calendar_off.routes(),
            *calendar_move.routes(),
            *calendar_visit.routes(),
            *messages.routes(),
            *setting_pages.routes(),
            *setting_links.LinkPages().routes(),
            *setting_posters.routes(),
            *setting_protocol.ProtocolPage().routes(),
        ],
        middleware=[
            Middleware(Guard, site=site, terms=terms, pace=pace),
        ],
        exception_handlers={HTTPException: _refused},
    )
    app.router.redirect_slashes = False
    app.state.site = site
    app.state.closing = live.closing
    return app


class _Static:
    """Files under names that change with their content, so that browsers may keep them."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    async def serve(self, request: Request) -> Response:
        """Answer with a file."""
        found = self._assets.file(request.path_params["name"])
        if found is None:
            return views.not_found(request)
        content, media_type = found
        return Response(content, media_type=media_type, headers={"Cache-Control": FOR_EVER})


async def _home(_request: Request) -> Response:
    return RedirectResponse("/today", HTTPStatus.SEE_OTHER)


async def _refused(request: Request, fault: Exception) -> Response:
    status = getattr(fault, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR)
    return views.refused(request, HTTPStatus(status))
