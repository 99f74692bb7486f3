"""What `fhir.resources` leaves unchecked: codes that FHIR fixes, and references within a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

#: Where the library's own list is cut short: the rest of R4B's value sets.
_MORE = {
    ("QuestionnaireItem", "type"): "time string text url choice open-choice attachment reference",
    ("Task", "status"): "rejected ready cancelled in-progress on-hold failed completed",
}


def unknown_codes(part: BaseModel, at: str = "") -> Iterator[str]:
    """Yield where a value is none of those that FHIR allows there."""
    for name, about in type(part).model_fields.items():
        value = getattr(part, name, None)
        extra = about.json_schema_extra
        allowed = extra.get("enum_values") if isinstance(extra, dict) else None
        more = _MORE.get((type(part).__name__, name), "").split()
        if value is not None and isinstance(allowed, list) and value not in [*allowed, *more]:
            yield f"{at}.{name} is {value!r}"
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, BaseModel):
                yield from unknown_codes(each, f"{at}.{name}")


def dangling(bundle: Any) -> list[str]:
    """Return the references that lead to nothing in the bundle."""
    known = {entry["fullUrl"] for entry in bundle["entry"]}
    return [url for url in _references(bundle) if url not in known]


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("reference"), str):
            yield part["reference"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
