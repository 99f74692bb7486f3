"""A TOML table that is read key by key and reports what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from flows.protocol_faults import Code, Report

T = TypeVar("T", str, int, bool)
D = TypeVar("D")

KINDS: Mapping[type, str] = {
    str: "words in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


class Table:
    """Reads one table. A fault is reported and a harmless value stands in, so reading goes on."""

    def __init__(
        self, values: Mapping[str, object], report: Report, line: int, *, step: str = ""
    ) -> None:
        """Read `values`, which stand at `line` and belong to `step`."""
        self._values = values
        self.report = report
        self._unread = dict.fromkeys(values)
        self.line = line
        self.step = step

    def has(self, key: str) -> bool:
        """Tell whether the key is there."""
        return key in self._values

    def fault(self, code: Code, message: str) -> None:
        """Report a fault of this table."""
        self.report.add(code, message, line=self.line, step=self.step)

    def required(self, key: str) -> None:
        """Report the key when it is missing."""
        if key not in self._values:
            self.fault(Code.MISSING_KEY, f"{key} is missing")

    def take(self, key: str, default: T) -> T:
        """Read a value of the default's type; the default when missing or of another type."""
        self._unread.pop(key, None)
        value = self._values.get(key, default)
        if type(value) is type(default):
            return value
        return self._wrong(key, value, type(default), default)

    def number(self, key: str, low: int, high: int) -> int:
        """Read a whole number within `[low, high]`; report it and return `low` otherwise."""
        self.required(key)
        number = self.maybe_number(key, low, high)
        return low if number is None else number

    def maybe_number(self, key: str, low: int, high: int) -> int | None:
        """Read a whole number within `[low, high]`; None when missing or out of range."""
        if not self.has(key):
            return None
        value = self.take(key, low)
        if low <= value <= high:
            return value
        message = f"{key} must be between {low} and {high}, got {value}"
        self.fault(Code.OUT_OF_RANGE, message)
        return None

    def pair(self, key: str, low: int, high: int) -> tuple[int, int] | None:
        """Read two rising whole numbers within `[low, high]`; None when missing or wrong."""
        if not self.has(key):
            return None
        values = self._list(key)
        numbers = [value for value in values if type(value) is int]
        if len(values) != 2 or len(numbers) != 2:
            self.fault(Code.BAD_VALUE, f"{key} must be two whole numbers, got {values!r}")
            return None
        if not low <= numbers[0] <= numbers[1] <= high:
            message = f"{key} must rise and lie between {low} and {high}, got {values!r}"
            self.fault(Code.OUT_OF_RANGE, message)
            return None
        return numbers[0], numbers[1]

    def words(self, key: str) -> tuple[str, ...]:
        """Read a list of words; empty when missing or wrong."""
        values = self._list(key)
        words = tuple(value for value in values if isinstance(value, str))
        if len(words) != len(values):
            self.fault(Code.BAD_VALUE, f"{key} must be a list of words, got {values!r}")
        return words

    def choice(self, key: str, known: Mapping[str, D], default: str) -> D:
        """Read one of the known words and return what it stands for."""
        return self.known(key, self.take(key, default), known, default)

    def choices(self, key: str, known: Mapping[str, D], default: str) -> frozenset[D]:
        """Read a list of known words and return what they stand for."""
        return frozenset(self.known(key, word, known, default) for word in self.words(key))

    def known(self, key: str, word: str, known: Mapping[str, D], default: str) -> D:
        """Return what a word stands for; report it and take the default when it is not known."""
        if word not in known:
            self.fault(Code.BAD_VALUE, f"{key} must be one of {', '.join(known)}, got {word!r}")
        return known.get(word, known[default])

    def table(self, key: str, line: int | None = None) -> Table:
        """Read a table within this one; an empty table when missing or wrong."""
        self._unread.pop(key, None)
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            value = self._wrong(key, value, dict, {})
        at = self.line if line is None else line
        return Table(value, self.report, at, step=self.step)

    def tables(self, key: str) -> list[Mapping[str, object]]:
        """Read a list of tables; one table counts as a list of one."""
        self._unread.pop(key, None)
        value = self._values.get(key)
        values = [value] if isinstance(value, dict) else self._list(key)
        tables: list[Mapping[str, object]] = [item for item in values if isinstance(item, dict)]
        if len(tables) != len(values):
            self.fault(Code.BAD_VALUE, f"{key} must be a list of tables, got {values!r}")
        return tables

    def unread(self) -> tuple[str, ...]:
        """Return the keys that nobody has read yet."""
        return tuple(self._unread)

    def close(self) -> None:
        """Report the keys that nobody has read."""
        for key in self._unread:
            self.fault(Code.UNKNOWN_KEY, f"{key} is not a key that belongs here")

    def _list(self, key: str) -> list[object]:
        self._unread.pop(key, None)
        value = self._values.get(key, [])
        return value if isinstance(value, list) else self._wrong(key, value, list, [])

    def _wrong(self, key: str, value: object, kind: type, default: D) -> D:
        self.fault(Code.BAD_VALUE, f"{key} must be {KINDS[kind]}, got {value!r}")
        return default
