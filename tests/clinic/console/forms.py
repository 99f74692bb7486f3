"""The forms of pages and of templates: where they are sent to, and with which fields."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib import resources

_FIELDS = ("input", "select", "textarea", "button")
_NAME = re.compile(r"\w+")
#: How the pages read what they are asked for, such as `given.get("slot")`.
_READ = re.compile(r"""(?:\.get|one_of)\(\s*"(\w+)\"""")


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


def known_names() -> tuple[str, ...]:
    """Return the name of every field that a template has or that a page reads, sorted."""
    console, reader, read = resources.files("clinic.console"), _Reader(), set[str]()
    for template in (console / "templates").iterdir():
        reader.feed(template.read_text(encoding="utf-8"))
    for module in console.iterdir():
        if module.name.endswith(".py"):
            read |= set(_READ.findall(module.read_text(encoding="utf-8")))
    return tuple(sorted(reader.names | read))
