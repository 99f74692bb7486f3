"""Erase a lead's person: what will be gone, asked once more, and then it is. Owners alone."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import views
from storage import erasure
from storage.clerks import ChangedMeanwhile


def routes() -> list[Route]:
    """Return the page's addresses."""
    own = "/leads/{lead_id:int}/erase"
    return [
        Route(own, views.owners_only(page)),
        Route(own, views.owners_only(erase), methods=["POST"]),
    ]


async def page(request: Request) -> Response:
    """Say what will be gone and ask."""
    site, me, lead = views.site_of(request), views.signed_in(request), _lead_id(request)
    found = await site.database.read(erasure.foresee, me.clinic_id, lead, site.now())
    if found is None:
        return views.not_found(request)
    return views.render(request, "lead_erase.html", lead_id=lead, found=found)


async def erase(request: Request) -> Response:
    """Erase, unless other visits would be cancelled than were shown."""
    site, me, lead = views.site_of(request), views.signed_in(request), _lead_id(request)
    shown = (await views.form(request)).get("visits", "")
    seen = int(shown) if shown.isdecimal() else -1
    try:
        done = await site.database.write(
            erasure.erase, me.clinic_id, me.staff_id, lead, seen, site.now()
        )
    except ChangedMeanwhile:
        words = "Something changed a moment ago. Please look again."
        return views.see_other(request, f"/leads/{lead}/erase", words)
    if done is None:
        return views.not_found(request)
    await site.database.forget_deleted()
    return views.see_other(request, "/leads", _told(len(done.cancelled)))


def _told(cancelled: int) -> str:
    if not cancelled:
        return "Erased."
    visits = "1 visit was" if cancelled == 1 else f"{cancelled} visits were"
    return f"Erased. {visits} cancelled."


def _lead_id(request: Request) -> int:
    return int(request.path_params["lead_id"])
