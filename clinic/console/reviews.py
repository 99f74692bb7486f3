"""*Reviews*: red flags and verdicts that a clinician should look at."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import views
from clinic.standings import KINDS
from storage import lead_list


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [Route("/reviews", page)]


async def page(request: Request) -> Response:
    """Show what waits for a finding, red flags first."""
    site, me = views.site_of(request), views.signed_in(request)
    lines = await site.database.read(lead_list.reviews, me.clinic_id, site.now())
    return views.render(request, "reviews.html", lines=lines, kinds=KINDS)
