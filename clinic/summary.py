"""A clinic that was described, in plain lines for whoever described it."""

from __future__ import annotations

from clinic import countries, opening_words
from clinic.booking_modes import MODES
from flows.clinics import BookingMode
from storage.clinic_document import Document


def usual(document: Document) -> list[str]:
    """Return what a new clinic is given without being asked."""
    after = document["services"]["treatment"].get("after_minutes", 0)
    return [
        f"Time zone: {document['zone']}. {_dangers(document)}.",
        f"{after} minutes to tidy up after a session. {_service(document, 'consultation')}.",
        f"{_booking(document)} Its name in links: {document['slug']}",
    ]


def everything(document: Document, owner: str) -> list[str]:
    """Return what somebody is to look over once more; `owner` may be empty."""
    return [
        ", ".join(document[name] for name in ("name", "address", "phone")),
        *(_person(each) for each in document["practitioners"]),
        _service(document, "treatment"),
        _service(document, "consultation"),
        _booking(document),
        f"{_dangers(document)}.",
        f"{_holidays(document)}; time zone {document['zone']}",
        f"Owner: {owner or 'nobody yet'}",
    ]


def _person(person: Document) -> str:
    hours = opening_words.say_week(person.get("hours", {}))
    return f"{person['name']}: {hours or 'no hours that come every week'}"


def _service(document: Document, code: str) -> str:
    service = document["services"][code]
    after = int(service.get("after_minutes", 0))
    name = {"treatment": "Session", "consultation": "Consultation"}[code]
    tidying = f" + {after} to tidy up" if after else ""
    return f"{name}: {service['minutes']} min{tidying}, {service.get('price') or 'no price told'}"


def _booking(document: Document) -> str:
    title, words = MODES[BookingMode(document["booking"]["mode"])]
    return f"{title}: {words[0].lower()}{words[1:]}"


def _dangers(document: Document) -> str:
    despair = document.get("crisis_line") or "the same"
    return f"In danger: {document['emergency']}; in despair: {despair}"


def _holidays(document: Document) -> str:
    country = document["holidays"].get("country", "")
    if not country:
        return "No public holidays"
    region = document["holidays"].get("subdivision", "")
    of = countries.regions_of(country).get(region, region)
    return f"Public holidays: {countries.named(country)}{of and f', {of}'}"
