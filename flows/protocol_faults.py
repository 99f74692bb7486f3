"""What can be wrong with a protocol file, and where: codes, faults, and a report of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Code(StrEnum):
    """Stable codes of faults; `docs/protocol.md` explains each with its cure."""

    NOT_TOML = "P001"
    UNKNOWN_KEY = "P002"
    MISSING_KEY = "P003"
    BAD_VALUE = "P004"
    OUT_OF_RANGE = "P005"
    BAD_NAME = "P006"
    MISPLACED = "P007"
    DUPLICATE_STEP = "P010"
    STAGE_NAME = "P011"
    DUPLICATE_OPTION = "P012"
    UNKNOWN_STEP = "P013"
    UNKNOWN_OPTION = "P014"
    LATER_STEP = "P015"
    UNREACHABLE = "P016"
    DEAD_END = "P017"
    NONE_NOT_EXCLUSIVE = "P018"
    NUMBERS = "P019"
    BUTTON_TOO_LONG = "P020"
    NO_SOURCE = "P030"
    UNKNOWN_SOURCE = "P031"
    WAITING_TIME = "P032"
    SKIPPED_RULE = "P033"
    WEIGHTS = "P040"
    SCORE_PART = "P041"
    POINTS = "P042"
    SPACING = "P050"
    PLAN = "P051"
    PLAN_STEP = "P052"
    MISSING_TEXT = "P060"
    TEXT_TOO_LONG = "P061"
    PLACEHOLDER = "P062"
    MARKUP = "P063"
    TEXT_KIND = "P064"
    SAME_WORDS = "P065"
    PHRASE_GROUPS = "P066"
    NOT_CHANGEABLE = "P070"
    OTHER_PROTOCOL = "P071"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, where it stands, and what is expected instead."""

    file: str
    line: int  # 1-based; 0 when nobody can tell
    step: str  # step id; "" when the fault is not about one step
    code: str
    message: str

    def __str__(self) -> str:
        """Say it in one line: `file:line: step: CODE message`."""
        step = f"{self.step}: " if self.step else ""
        return f"{self.file}:{self.line}: {step}{self.code} {self.message}"


class ProtocolFaults(ValueError):
    """A protocol or a clinic's overrides cannot be used; `faults` holds every reason."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep the faults in the order of their files and lines."""
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Lines:
    """Finds where a table, a step or an option stands in a TOML text.

    tomllib does not tell, so this scans for headers and keys at the start of a line.
    """

    def __init__(self, text: str) -> None:
        """Note the line of every header, key and option code."""
        self._tables: dict[str, int] = {}
        self._keys: dict[tuple[str, str], int] = {}
        self._steps: list[int] = []
        self._options: list[list[int]] = []
        table = ""
        for number, line in enumerate(text.splitlines(), start=1):
            if header := re.match(r"\s*\[\[?\s*([\w.\"-]+)\s*\]", line):
                table = header[1]
                self._tables.setdefault(table, number)
                if table == "step":
                    self._steps.append(number)
                    self._options.append([])
            elif key := re.match(r"\s*\"?([\w.-]+)\"?\s*=", line):
                self._keys.setdefault((table, key[1]), number)
            if self._options:
                codes = re.findall(r"\bcode\s*=", line.split("#")[0])
                self._options[-1].extend(number for _ in codes)

    def table(self, name: str) -> int:
        """Return the line of `[name]`; 1 when it is nowhere to be seen."""
        return self._tables.get(name, 1)

    def key(self, table: str, key: str) -> int:
        """Return the line of a key in a table, or of the table `table.key`, else of `table`."""
        line = self._keys.get((table, key)) or self._tables.get(f"{table}.{key}")
        return line or self.table(table)

    def step(self, index: int) -> int:
        """Return the line of the n-th `[[step]]`."""
        return self._steps[index] if index < len(self._steps) else 1

    def option(self, index: int, option: int) -> int:
        """Return the line of the n-th option of the n-th step, else the step's line."""
        lines = self._options[index] if index < len(self._options) else []
        return lines[option] if option < len(lines) else self.step(index)


@dataclass(slots=True)
class Report:
    """Collects the faults of one file while it is read and checked."""

    file: str
    lines: Lines
    faults: list[Fault] = field(default_factory=list)

    def add(self, code: Code, message: str, *, line: int, step: str = "") -> None:
        """Note one fault."""
        self.faults.append(Fault(self.file, line, step, code, message))
