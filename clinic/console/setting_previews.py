"""What patients will see of a clinic, and the next times that the bot would offer them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape
from starlette.requests import Request

from clinic.console import views
from flows import slots, wording
from flows.clinics import Clinic
from flows.texts import Catalogue
from storage import calendar_store, clerks, clinics

DAYS = 42  # looked at for free times
SHOWN_DAYS = 7  # with a free time, of each service: a whole week, Saturday too
SHOWN_TIMES = 5  # of each of these days

#: Messages of the bot that a clinic's settings change most, in the order patients meet them.
MESSAGES = ("step.consent.question", "faq.price.answer", "note.person")


@dataclass(frozen=True, slots=True)
class Offer:
    """A service and when it could be booked next."""

    service: str  # name
    minutes: int
    price: str
    days: tuple[tuple[date, tuple[datetime, ...], int], ...]  # with how many more there are


@dataclass(frozen=True, slots=True)
class Preview:
    """What patients will see."""

    messages: tuple[Markup, ...]
    offers: tuple[Offer, ...]
    days: int


async def preview(request: Request, practitioner: str = "") -> Preview:
    """Return the preview of the clinic as it is stored now: of one practitioner, or of all."""
    site, me = views.site_of(request), views.signed_in(request)
    now = site.now()
    today = now.astimezone(ZoneInfo(me.zone)).date()
    clinic = (await site.database.read(clinics.load_all))[me.clinic]
    catalogue = site.catalogues.get(clinic.locale) or site.catalogues["en"]
    offers = [
        Offer(
            service.name,
            service.minutes,
            service.price,
            await _days(request, clinic, service.code, today, practitioner),
        )
        for service in clinic.services
    ]
    return Preview(tuple(_said(catalogue, key, clinic) for key in MESSAGES), tuple(offers), DAYS)


async def _days(
    request: Request, clinic: Clinic, service: str, today: date, practitioner: str
) -> tuple[tuple[date, tuple[datetime, ...], int], ...]:
    """Return the first days with times, as patients would get them."""
    site, until = views.site_of(request), today + timedelta(days=DAYS)
    zone = ZoneInfo(clinic.zone)
    view = await site.database.read(
        calendar_store.view, clinic.slug, service, today, until, site.now(), clerks.NO_CHAT
    )
    starts = sorted(
        {
            slot.starts_at
            for timetable in view.timetables
            if practitioner in ("", timetable.practitioner)
            for slot in slots.free_slots(view, timetable, today, until)
        }
    )
    by_day = groupby(starts, key=lambda at: at.astimezone(zone).date())
    days = [(on, tuple(times)) for on, times in islice(by_day, SHOWN_DAYS)]
    return tuple((on, times[:SHOWN_TIMES], max(len(times) - SHOWN_TIMES, 0)) for on, times in days)


def _said(catalogue: Catalogue, key: str, clinic: Clinic) -> Markup:
    """Fill a text as the bot does: the words are ours, what is filled in is escaped."""
    values = {name: str(escape(value)) for name, value in wording.values_of(clinic).items()}
    return Markup(catalogue.text(key, **values).replace("\n", "<br>"))  # noqa: S704 - see above
