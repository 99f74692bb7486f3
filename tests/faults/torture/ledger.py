"""The table of docs/reliability.md: read, brought up to date, written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "reliability.md"
BEGINS, ENDS = "<!-- measured: begin -->", "<!-- measured: end -->"
HEAD = ("claim", "size", "target", "measured", "held", "seed", "database", "date")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    claim: str
    size: str
    target: str
    measured: str
    held: str
    seed: str
    database: str
    date: str

    @property
    def key(self) -> tuple[str, str]:
        """What the row is about."""
        return self.claim, self.database


def read(page: str) -> list[Row]:
    """Return the rows of a page. Raises ValueError when its table is broken."""
    lines = _between(page)[1].strip().splitlines()
    return [Row(*_cells(line)) for line in lines[2:]]


def updated(page: str, measured: Iterable[Row]) -> str:
    """Return the page with new rows; those that were not measured again stay as they are."""
    rows = {row.key: row for row in read(page)}
    rows |= {row.key: row for row in measured}
    before, _, after = _between(page)
    lines = [_line(HEAD), _line(("---",) * len(HEAD)), *map(_row_line, rows.values())]
    return f"{before}{BEGINS}\n" + "\n".join(lines) + f"\n{ENDS}{after}"


def write(measured: Iterable[Row], path: Path = PAGE) -> None:
    """Bring the page up to date."""
    path.write_text(updated(path.read_text(encoding="utf-8"), measured), encoding="utf-8")


def _between(page: str) -> tuple[str, str, str]:
    before, begins, rest = page.partition(BEGINS)
    table, ends, after = rest.partition(ENDS)
    if not begins or not ends:
        raise ValueError(f"the page must hold {BEGINS} and {ENDS} around its table")
    return before, table, after


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _row_line(row: Row) -> str:
    return _line(astuple(row))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
