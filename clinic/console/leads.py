"""*Leads*: the inbox, with filters, search, order and pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import views
from flows.effects import LeadKind
from flows.protocol import Outcome
from storage import lead_list
from storage.lead_list import BANDS, LeadPage, Order, Wanted
from storage.models import LEAD_STATUSES

_LONGEST = 80  # characters of a search or of a campaign's name
_MOST_PAGES = 100_000

ORDERS: Mapping[Order, str] = {
    Order.TURN: "Whoever needs you first",
    Order.NEWEST: "Newest first",
    Order.OLDEST: "Oldest first",
    Order.SCORE: "Most ready first",
    Order.VISIT: "Next visit first",
}

VERDICTS: Mapping[str, str] = {
    Outcome.URGENT.value: "Urgent",
    Outcome.REVIEW.value: "To review",
    Outcome.ELIGIBLE.value: "Suitable",
    Outcome.DEFERRED.value: "Later",
    Outcome.DECLINED.value: "Declined",
}

BAND_WORDS: Mapping[str, str] = {"high": "High", "medium": "Medium", "low": "Low"}

KINDS: Mapping[str, str] = {
    LeadKind.BOOKED.value: "Booked",
    LeadKind.ELIGIBLE.value: "Not booked yet",
    LeadKind.REVIEW.value: "For a first visit",
    LeadKind.DEFERRED.value: "Not now",
    LeadKind.DECLINED.value: "Declined",
    LeadKind.URGENT.value: "Red flag",
    LeadKind.PERSON.value: "Asked for a person",
}

STATUSES: Mapping[str, str] = {
    "new": "New",
    "accepted": "Accepted",
    "contacted": "Contacted",
    "declined": "Declined",
}


@dataclass(frozen=True, slots=True)
class Pages:
    """Where in the list one is, for the pager."""

    number: int
    pages: int
    href: Callable[[int], str]


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [Route("/leads", page)]


async def page(request: Request) -> Response:
    """Show the leads that are asked for."""
    site, me = views.site_of(request), views.signed_in(request)
    wanted = _wanted(request.query_params)
    found = await site.database.read(lead_list.page, me.clinic_id, wanted, site.now())
    counts = await site.database.read(lead_list.counts, me.clinic_id)
    return views.render(
        request,
        "leads.html",
        wanted=wanted,
        found=found,
        counts=counts,
        pages=_pages(wanted, found),
        tabs=_tabs(wanted),
        is_filtered=bool(_query(replace(wanted, status="", order=Order.TURN, page=1))),
        orders=ORDERS,
        verdicts=VERDICTS,
        bands=BAND_WORDS,
        kinds=KINDS,
        no_campaign=lead_list.NO_CAMPAIGN,
    )


def _wanted(query: QueryParams) -> Wanted:
    """Read what is asked for; what does not exist is not asked for."""

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
        text=query.get("text", "").strip()[:_LONGEST],
        order=Order(order) if order else Order.TURN,
        page=min(int(number), _MOST_PAGES) if number.isascii() and number.isdigit() else 1,
    )


def _query(wanted: Wanted) -> str:
    """Return the address's query that asks for this, without what is asked for anyway."""
    asked = asdict(wanted)
    asked["order"] = "" if wanted.order is Order.TURN else wanted.order.value
    asked["page"] = "" if wanted.page == 1 else str(wanted.page)
    asked["person"] = "yes" if asked.pop("wants_person") else ""
    asked["review"] = "yes" if asked.pop("awaits_review") else ""
    return urlencode({name: value for name, value in asked.items() if value})


def _address(wanted: Wanted) -> str:
    query = _query(wanted)
    return f"/leads?{query}" if query else "/leads"


def _pages(wanted: Wanted, found: LeadPage) -> Pages:
    return Pages(found.number, found.pages, lambda number: _address(replace(wanted, page=number)))


def _tabs(wanted: Wanted) -> list[tuple[str, str, str]]:
    """Return (status, words, address) of each tab; an empty status shows all."""
    tabs = [("", "All"), *STATUSES.items()]
    return [
        (status, words, _address(replace(wanted, status=status, page=1))) for status, words in tabs
    ]
