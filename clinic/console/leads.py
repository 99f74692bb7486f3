"""*Leads*: the inbox, with filters, search, order and pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic import lead_export
from clinic.console import searches, views
from clinic.standings import KINDS, STATUSES, VERDICTS
from storage import lead_list
from storage.lead_list import BANDS, Order, Wanted
from storage.models import LEAD_STATUSES

_LONGEST = 80  # characters of a campaign's name
_MOST_PAGES = 100_000

ORDERS: Mapping[Order, str] = {
    Order.TURN: "Whoever needs you first",
    Order.NEWEST: "Newest first",
    Order.OLDEST: "Oldest first",
    Order.SCORE: "Most ready first",
    Order.VISIT: "Next visit first",
}

BAND_WORDS: Mapping[str, str] = {"high": "High", "medium": "Medium", "low": "Low"}


@dataclass(frozen=True, slots=True)
class Pages:
    """Where in the list one is, for the pager."""

    number: int
    pages: int
    href: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, and the name of the search that its words are kept under."""

    wanted: Wanted
    search: str = ""

    def query(self, **changes: Any) -> str:
        """Return the address's query for it, without what is asked for anyway, or any words."""
        asked = asdict(replace(self.wanted, **changes))
        order, page = asked["order"], asked["page"]
        asked["order"] = "" if order is Order.TURN else order.value
        asked["page"] = "" if page == 1 else str(page)
        asked["person"] = "yes" if asked.pop("wants_person") else ""
        asked["review"] = "yes" if asked.pop("awaits_review") else ""
        del asked["text"]
        asked["search"] = self.search
        return urlencode({name: value for name, value in asked.items() if value})

    def address(self, path: str = "/leads", **changes: Any) -> str:
        """Return the address of the same with these changes."""
        query = self.query(**changes)
        return f"{path}?{query}" if query else path


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [
        Route("/leads", page),
        Route("/leads/search", search, methods=["POST"]),
        Route("/leads/export.csv", export),
    ]


async def page(request: Request) -> Response:
    """Show the leads that are asked for."""
    site, me = views.site_of(request), views.signed_in(request)
    asked = _asked(request)
    wanted = asked.wanted
    found = await site.database.read(lead_list.page, me.clinic_id, wanted, site.now())
    counts = await site.database.read(lead_list.counts, me.clinic_id)
    return views.render(
        request,
        "leads.html",
        wanted=wanted,
        found=found,
        counts=counts,
        pages=Pages(found.number, found.pages, lambda number: asked.address(page=number)),
        tabs=_tabs(asked),
        as_file=asked.address("/leads/export.csv", page=1),
        without_search=_Asked(wanted).address(page=1),
        without_filters=_Asked(Wanted(status=wanted.status), asked.search).address(),
        is_filtered=bool(_Asked(wanted).query(status="", order=Order.TURN, page=1)),
        orders=ORDERS,
        verdicts=VERDICTS,
        bands=BAND_WORDS,
        kinds=KINDS,
        no_campaign=lead_list.NO_CAMPAIGN,
    )


async def export(request: Request) -> Response:
    """Give the whole list that is asked for as a file; which leads it holds is recorded."""
    site, me, asked = views.site_of(request), views.signed_in(request), _asked(request)
    if request.query_params.get("search") and not asked.search:  # it would hold everybody
        return views.see_other(request, asked.address(), "That search is over. Search again.")
    lines = await site.database.write(
        lead_list.export, me.clinic_id, me.staff_id, asked.wanted, site.now()
    )
    return Response(
        lead_export.as_csv(lines, me.zone),
        media_type="text/csv",
        headers={
            "Content-Disposition": 'attachment; filename="leads.csv"',
            "Cache-Control": "no-store",
        },
    )


async def search(request: Request) -> Response:
    """Search as a form asks: by its filters in the address, and by its words beside it."""
    given = await views.form(request)
    wanted, text = _wanted(given), given.get("text", "").strip()[: searches.LONGEST]
    if not text:
        return views.see_other(request, _Asked(wanted).address())
    return searches.keep(request, text, lambda name: _Asked(wanted, name).address())


def _asked(request: Request) -> _Asked:
    """Read what an address asks for; a search that is over asks for nothing."""
    name = request.query_params.get("search", "")
    wanted = replace(_wanted(request.query_params), text=searches.find(request, name))
    return _Asked(wanted, name if wanted.text else "")


def _wanted(query: Mapping[str, str]) -> Wanted:
    """Read what is asked for but for its words; what does not exist is not asked for."""

    def one_of(name: str, known: Mapping[str, str] | tuple[str, ...]) -> str:
        value = query.get(name, "")
        return value if value in known else ""

    order = one_of("order", tuple(order.value for order in Order))
    number = query.get("page", "")
    return Wanted(
        status=one_of("status", LEAD_STATUSES),
        verdict=one_of("verdict", VERDICTS),
        band=one_of("band", tuple(BANDS)),
        kind=one_of("kind", KINDS),
        campaign=query.get("campaign", "")[:_LONGEST],
        wants_person=query.get("person") == "yes",
        awaits_review=query.get("review") == "yes",
        order=Order(order) if order else Order.TURN,
        page=min(int(number), _MOST_PAGES) if number.isascii() and number.isdigit() else 1,
    )


def _tabs(asked: _Asked) -> list[tuple[str, str, str]]:
    """Return (status, words, address) of each tab; an empty status shows all."""
    tabs = [("", "All"), *STATUSES.items()]
    return [(status, words, asked.address(status=status, page=1)) for status, words in tabs]
