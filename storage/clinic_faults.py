"""What is wrong with a clinic's description, in sentences that say where and what to write."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from storage.faults import StorageError
from storage.program import command

#: Where a value stands: names of tables and keys, and numbers in lists.
Path = tuple[int | str, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\"' -]+?)\s*\]")
_KEY = re.compile(r"\s*([\w.\"'-]+)\s*=")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to correct."""

    path: Path
    message: str
    line: int = 0  # in the file, from 1; 0 when nobody knows

    @property
    def where(self) -> str:
        """Return the path as `clinics[0].zone`."""
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return "".join(parts).lstrip(".")

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.path else self.message


class ClinicFileFaults(StorageError):
    """A clinic's description cannot be used; `faults` holds each thing to correct."""

    def __init__(self, file: str, faults: Sequence[Fault]) -> None:
        super().__init__(
            "\n".join(
                f"{file}:{each.line}: {each}" if each.line else f"{file}: {each}" for each in faults
            )
        )
        self.faults = tuple(faults)


class Lines:
    """Finds where a value stands in a TOML text.

    tomllib does not tell, so this scans for headers and keys at the start of a line.
    """

    def __init__(self, text: str) -> None:
        """Note the line of every header and key."""
        self._lines: dict[Path, int] = {}
        self._lists: dict[Path, int] = {}
        table: Path = ()
        for number, line in enumerate(text.splitlines(), start=1):
            if header := _HEADER.match(line):
                table = self._table(header[2], is_list=header[1] == "[[")
                self._lines.setdefault(table, number)
            elif key := _KEY.match(line):
                self._lines.setdefault((*table, *_names(key[1])), number)

    def of(self, path: Path) -> int:
        """Return the line of a value, else of the table it belongs in; 0 when there is none."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return 0

    def _table(self, header: str, *, is_list: bool) -> Path:
        names, path = _names(header), Path()
        for at, name in enumerate(names):
            path = (*path, name)
            if is_list and at == len(names) - 1:
                self._lists[path] = self._lists.get(path, -1) + 1
            if path in self._lists:
                path = (*path, self._lists[path])
        return path


def located(error: ValidationError, lines: Lines) -> list[Fault]:
    """Return what a validation found, each with its line."""
    return [
        Fault(fault["loc"], _sentence(fault), lines.of(fault["loc"]))
        for fault in error.errors(include_url=False)
    ]


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(name.strip(" \"'") for name in dotted.split("."))


#: What is wrong, by the kind that the validation gives it; `{got}` is what stands there.
_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": ("is no setting of a clinic: see how it is spelt in `{demo}`"),
    "greater_than_equal": "must be at least {ge}, got {got}",
    "less_than_equal": "must be at most {le}, got {got}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} letters long",
    "enum": "must be one of {expected}, got {got}",
    "int_parsing": "must be a whole number, got {got}",
    "int_type": "must be a whole number, got {got}",
    "int_from_float": "must be a whole number, got {got}",
    "string_type": "must be words in quotes, got {got}",
}


def _sentence(fault: Mapping[str, Any]) -> str:
    kind, got = str(fault["type"]), repr(fault["input"])
    if kind.startswith(("date_", "datetime_")):
        return f"must be a date such as 2026-12-24, got {got}"
    if kind in _SENTENCES:
        demo = command("clinic demo --print")
        return _SENTENCES[kind].format(**(fault.get("ctx") or {}), got=got, demo=demo)
    return str(fault["msg"]).removeprefix("Value error, ")
