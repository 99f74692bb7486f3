"""The forms of pages and of templates: where they are sent to, and with which fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib import resources

_FIELDS = ("input", "select", "textarea", "button")
_NAME = re.compile(r"\w+")


@dataclass
class Form:
    """A form of a page with the values that stand in it; a choice stands for itself."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get")))
        name = given.get("name", "")
        if tag in _FIELDS and _NAME.fullmatch(name):
            self.names.add(name)
            if self.forms:
                self.forms[-1].fields[name] = given.get("value", "")


def forms_of(page: str) -> list[Form]:
    """Return the forms of a page in their order."""
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def names_in_templates() -> tuple[str, ...]:
    """Return the name of every field that the console's templates have, sorted."""
    found: set[str] = set()
    for template in (resources.files("clinic.console") / "templates").iterdir():
        reader = _Reader()
        reader.feed(template.read_text(encoding="utf-8"))
        found |= reader.names
    return tuple(sorted(found))
