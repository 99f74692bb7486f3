"""*Today*: who comes when."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import views
from storage import day_sheet


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [Route("/today", page)]


async def page(request: Request) -> Response:
    """Show one day, today's unless another one is asked for."""
    site, me = views.site_of(request), views.signed_in(request)
    now = site.now()
    today = now.astimezone(ZoneInfo(me.zone)).date()
    on = _day(request.query_params.get("on", ""), today)
    from_at, until_at = bounds(on, me.zone)
    columns = await site.database.read(day_sheet.sheet, me.clinic_id, from_at, until_at, now)
    return views.render(
        request,
        "today.html",
        columns=columns,
        on=on,
        today=today,
        before=on - timedelta(days=1),
        after=on + timedelta(days=1),
    )


def bounds(on: date, zone: str) -> tuple[datetime, datetime]:
    """Return when a local day begins and ends."""
    here = ZoneInfo(zone)
    return datetime.combine(on, time(), here), datetime.combine(
        on + timedelta(days=1), time(), here
    )


def _day(text: str, today: date) -> date:
    """Return the asked day within two years of today; else today."""
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        return today
    return asked if abs((asked - today).days) <= 731 else today
