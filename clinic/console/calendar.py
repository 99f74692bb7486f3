"""*Calendar*: a week of one practitioner or a day of all, and what does not agree with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import calendar_grid, today, views
from storage import calendar_accounts, calendar_sheet, clashes
from storage.calendar_accounts import Account, WhenStale
from storage.calendar_sheet import CalendarSheet
from storage.clashes import Clash

WEEK, DAY = "week", "day"


@dataclass(frozen=True, slots=True)
class Connected:
    """A practitioner's own calendar, in words for staff."""

    name: str  # the practitioner's
    synced_at: datetime | None
    failure: str
    is_stale: bool
    is_shut: bool  # nothing is offered because of it


@dataclass(frozen=True, slots=True)
class Shown:
    """What part of the calendar is looked at."""

    view: str
    on: date
    who: str  # slug; empty when nobody works there

    def at(self, on: date | None = None, view: str = "", who: str = "") -> str:
        """Return the address of another day, view or practitioner."""
        return address(on or self.on, who or self.who, view or self.view)

    @property
    def days(self) -> tuple[date, ...]:
        """Return the local days that are shown."""
        if self.view == DAY:
            return (self.on,)
        monday = self.on - timedelta(days=self.on.weekday())
        return tuple(monday + timedelta(days=number) for number in range(7))

    @property
    def step(self) -> timedelta:
        """Return how far the next page is."""
        return timedelta(days=len(self.days))


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [
        Route("/calendar", page),
        Route("/calendar/clashes/{clash_id:int}/settle", settle, methods=["POST"]),
    ]


def address(on: date, who: str = "", view: str = WEEK) -> str:
    """Return the address of the calendar around a day."""
    return "/calendar?" + urlencode({"view": view, "on": on.isoformat(), "who": who})


async def page(request: Request) -> Response:
    """Show a week of one practitioner, or a day of all of them."""
    site, me = views.site_of(request), views.signed_in(request)
    now, asked = site.now(), request.query_params
    this_day = now.astimezone(ZoneInfo(me.zone)).date()
    on = today.day_of(asked.get("on", ""), this_day)
    shown = Shown(DAY if asked.get("view") == DAY else WEEK, on, asked.get("who", ""))
    first, last = shown.days[0], shown.days[-1]
    from_at, until_at = today.bounds(first, me.zone)[0], today.bounds(last, me.zone)[1]
    sheet = await site.database.read(
        calendar_sheet.read, me.clinic_id, (first, last), from_at, until_at, now
    )
    slugs = [column.slug for column in sheet.columns]
    if shown.who not in slugs:
        shown = Shown(shown.view, on, slugs[0] if slugs else "")
    people = slugs if shown.view == DAY else slugs and [shown.who]
    return views.render(
        request,
        "calendar.html",
        shown=shown,
        today=this_day,
        grid=calendar_grid.grid(sheet, shown.days, people, me.zone, now),
        people=sheet.columns,
        names=_names(sheet),
        clashes=[(clash, _where(clash, me.zone)) for clash in sheet.clashes],
        accounts=_connected(sheet.accounts, _names(sheet), now),
        closed_on=sheet.closed_on,
    )


async def settle(request: Request) -> Response:
    """Note that somebody has seen to a clash."""
    site, me = views.site_of(request), views.signed_in(request)
    number = request.path_params["clash_id"]
    if number >= 2**31:
        return views.not_found(request)
    if not await site.database.write(clashes.settle, me.clinic_id, number, site.now()):
        return views.not_found(request)
    return views.see_other(request, "/calendar", "Noted. It is not shown any more.")


def _names(sheet: CalendarSheet) -> dict[str, str]:
    return {column.slug: column.name for column in sheet.columns}


def _where(clash: Clash, zone: str) -> str:
    on = clash.appointment_starts_at.astimezone(ZoneInfo(zone)).date()
    return address(on, clash.practitioner)


def _connected(
    accounts: Sequence[Account], names: dict[str, str], now: datetime
) -> list[Connected]:
    shut = {each.id for each in calendar_accounts.closed(accounts, now)}
    return [
        Connected(
            name=names.get(each.practitioner, each.practitioner),
            synced_at=each.synced_at,
            failure=each.trouble or "",
            is_stale=each.is_stale(now),
            is_shut=each.id in shut and each.terms.when_stale is WhenStale.CLOSED,
        )
        for each in accounts
    ]
