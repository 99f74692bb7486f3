"""*Settings*: the clinic's profile, services, practitioners, hours, days off and booking.

Everybody reads them; owners change them, one part at a time. A part that somebody else changed
meanwhile is not written over, and what was typed is never lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import holidays
from babel import Locale
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.booking_modes import MODES
from clinic.console import calendar, setting_forms, setting_previews, views
from clinic.console.setting_forms import WHOLE, Form, FormFault
from flows.slots import local_start
from storage import clinic_settings, outside_hours
from storage.clerks import ChangedMeanwhile, Clerk
from storage.clinic_document import Document
from storage.clinic_faults import ClinicFileFaults
from storage.clinic_file import WEEKDAYS
from storage.clinic_settings import Change, NoSuchPart
from storage.outside_hours import Outside

#: The pages of the settings, in their order: path and label.
TABS: tuple[tuple[str, str], ...] = (
    ("/settings", "Clinic"),
    ("/settings/services", "Services"),
    ("/settings/people", "Practitioners and hours"),
    ("/settings/closed", "Days off"),
    ("/settings/booking", "Booking"),
    ("/settings/channels", "Channels"),
    ("/settings/calendars", "Calendars"),
    ("/settings/links", "Links"),
    ("/settings/protocol", "Protocol"),
)

DAY_NAMES = dict(
    zip(
        WEEKDAYS,
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        strict=True,
    )
)

#: Parts that say when the clinic is open.
OPENING = frozenset({"hours", "days", "people", "closures", "holidays"})

CHANGED = (
    "Somebody else changed this meanwhile. What you typed is still here: save again to keep it."
)


def routes() -> list[Route]:
    """Return the addresses of these pages."""
    return [
        Route("/settings", page),
        Route("/settings/services", page),
        Route("/settings/people", page),
        Route("/settings/people/{practitioner}", page),
        Route("/settings/closed", page),
        Route("/settings/booking", page),
        Route("/settings/change", change, methods=["POST"]),
    ]


async def page(request: Request) -> Response:
    """Show one page of the settings."""
    return await _shown(request, request.url.path)


@views.owners_only
async def change(request: Request) -> Response:
    """Store one part, or show its page again with what is wrong."""
    site, me = views.site_of(request), views.signed_in(request)
    given = await views.form(request)
    part, seen = given.get("part", ""), given.get("seen", "")
    document = await site.database.read(clinic_settings.read, me.clinic_id)
    try:
        path = _page_of(part)
        form = setting_forms.stored(document, part)
        typed = replace(form, values={**form.values, **_typed(given)})
        today = site.now().astimezone(ZoneInfo(me.zone)).date()
        value = setting_forms.value(document, part, given, today)
        clerk = Clerk(me.clinic_id, me.staff_id, site.now())
        await site.database.write(clinic_settings.change, clerk, Change(part, value, seen))
    except NoSuchPart:
        return views.not_found(request)
    except FormFault as fault:
        return await _shown(request, path, replace(typed, faults={fault.field: str(fault)}))
    except ClinicFileFaults as fault:
        told = setting_forms.faults(fault, given)
        return await _shown(request, path, replace(typed, faults=told))
    except ChangedMeanwhile:
        return await _shown(request, path, replace(typed, faults={WHOLE: CHANGED}))
    outside = await _outside(request, path) if part.partition(":")[0] in OPENING else ()
    notice = f"{_told(part, given)} {_left(len(outside))}".strip()
    return views.see_other(request, f"{path}#{anchor(part)}", notice)


def anchor(part: str) -> str:
    """Return the id of a part's form in its page."""
    return part.replace(":", "-")


async def _shown(request: Request, path: str, wrong: Form | None = None) -> Response:
    site, me = views.site_of(request), views.signed_in(request)
    document = await site.database.read(clinic_settings.read, me.clinic_id)
    slug = path.removeprefix("/settings/people/") if path.startswith("/settings/people/") else ""
    names = {person["slug"]: person["name"] for person in document["practitioners"]}
    if slug and slug not in names:
        return views.not_found(request)
    forms = {part: setting_forms.stored(document, part) for part in _parts(path, slug, document)}
    if wrong is not None:
        forms[wrong.part] = wrong
    return views.render(
        request,
        _template(path),
        problems=_problems(wrong) if wrong else None,
        **frame(path, await _outside(request, path)),
        forms=forms,
        document=document,
        slug=slug,
        person_name=names.get(slug, ""),
        preview=await setting_previews.preview(request, slug),
        left=_left,
        week_of=lambda each: calendar.address(
            local_start(each.slot, me.zone).date(), each.slot.practitioner
        ),
        **_choices(path, document, forms, me.locale),
    )


def _problems(wrong: Form) -> dict[str, str]:
    """Return what is wrong with a form by the ids of its fields, and of the form itself."""
    own = anchor(wrong.part)
    return {f"{own}-{name}" if name else own: words for name, words in wrong.faults.items()}


async def _outside(request: Request, path: str) -> tuple[Outside, ...]:
    """Return the visits outside the hours that a page is about; none for pages without hours."""
    site, me = views.site_of(request), views.signed_in(request)
    if path in {"/settings/services", "/settings/booking"}:
        return ()
    found = await site.database.read(outside_hours.read, me.clinic_id, site.now())
    _, of_person, slug = path.partition("/settings/people/")
    return tuple(each for each in found if not of_person or each.slot.practitioner == slug)


def _left(visits: int) -> str:
    """Return in words that so many visits are outside the hours; empty for none."""
    if not visits:
        return ""
    which = "1 booked visit is" if visits == 1 else f"{visits} booked visits are"
    return f"{which} outside the opening hours."


def frame(path: str, outside: tuple[Outside, ...] = ()) -> dict[str, Any]:
    """Return what every page of the settings needs; `outside` are visits to be told of."""
    here = "/settings/people" if path.startswith("/settings/people") else path
    return {
        "tabs": TABS,
        "here": here,
        "anchor": anchor,
        "day_names": DAY_NAMES,
        "outside": outside,
    }


def _template(path: str) -> str:
    if path.startswith("/settings/people/"):
        return "settings_person.html"
    return f"settings_{path.rpartition('/')[2].replace('settings', 'clinic')}.html"


def _parts(path: str, slug: str, document: Document) -> tuple[str, ...]:
    if slug:
        return f"person:{slug}", f"hours:{slug}", f"days:{slug}", "people"
    match path:
        case "/settings/services":
            return tuple(f"service:{code}" for code in document["services"])
        case "/settings/people":
            return ("people",)
        case "/settings/closed":
            return "closures", "holidays"
        case "/settings/booking":
            return ("booking",)
        case _:
            return ("profile",)


def _page_of(part: str) -> str:
    kind, _, name = part.partition(":")
    match kind:
        case "service":
            return "/settings/services"
        case "person" | "hours" | "days":
            return f"/settings/people/{name}"
        case "people":
            return "/settings/people"
        case "closures" | "holidays":
            return "/settings/closed"
        case "booking":
            return "/settings/booking"
        case _:
            return "/settings"


def _typed(given: Mapping[str, str]) -> dict[str, str]:
    return {name: each for name, each in given.items() if name not in {"part", "seen", "csrf"}}


def _told(part: str, given: Mapping[str, str]) -> str:
    kind = part.partition(":")[0]
    if given.get("act") == "remove":
        return "Taken out."
    if kind == "hours" and not any(given.get(day, "").strip() for day in WEEKDAYS):
        return "Saved. All days are closed: patients are offered no times."
    if kind == "hours":
        return "Saved. Patients are offered times in these hours from now on."
    return "Added." if kind in {"days", "closures"} else "Saved."


def _choices(
    path: str, document: Document, forms: Mapping[str, Form], locale: str
) -> dict[str, Any]:
    """Return what the fields of a page offer to choose from."""
    if path == "/settings":
        return {"zones": sorted(zone for zone in available_timezones() if "/" in zone)}
    if path == "/settings/booking":
        return {"modes": MODES}
    if path != "/settings/closed":
        return {}
    country = forms["holidays"].values.get("country", "")
    regions = holidays.list_supported_countries(include_aliases=False)
    territories = Locale.parse(locale, sep="-").territories
    return {
        "countries": sorted(
            ((code, territories.get(code, code)) for code in regions), key=lambda each: each[1]
        ),
        "regions": sorted(regions.get(country, [])),
        "public": _public(document),
    }


def _public(document: Document) -> Any:
    country = document["holidays"].get("country", "")
    if not country:
        return None
    region = document["holidays"].get("subdivision") or None
    return lambda years: sorted(
        holidays.country_holidays(country, subdiv=region, years=years).items()
    )
