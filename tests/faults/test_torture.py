"""Every piece of the torture holds at its quick size, and the figures are kept faithfully."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.torture import ledger, registry
from tests.faults.torture.figures import POSTGRESQL, Piece, Size, Trial

PAGE = f"""# Figures

{ledger.BEGINS}
| claim | size | target | measured | held | seed | database | date |
|---|---|---|---|---|---|---|---|
| one | 3 | 0 | 0 | yes | 7 | sqlite | 2026-01-02 |
| two | 3 | 0 | 0 | yes | 7 | sqlite | 2026-01-02 |
{ledger.ENDS}

The end.
"""

TRIED = [
    (piece, kind)
    for piece in registry.pieces()
    for kind in piece.databases
    if piece.in_tests and kind in piece.tested_on
]


@pytest.mark.filterwarnings("ignore:.*retry_after")  # of PTB, to whoever asks an error for it
@pytest.mark.parametrize(("piece", "kind"), TRIED, ids=lambda value: getattr(value, "name", value))
async def test_a_piece_holds_at_its_quick_size(
    piece: Piece, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: Any = request.getfixturevalue("postgres_server") if kind == POSTGRESQL else None

    figures = await piece.run(Trial(Size.QUICK, 1, kind, tmp_path, server))

    assert figures
    assert [figure for figure in figures if not figure.is_held] == []


def test_a_row_that_was_not_measured_again_stays_with_its_date() -> None:
    fresh = ledger.Row("two", "9", "0", "1", "**no**", "8", "sqlite", "2026-03-04")

    page = ledger.updated(PAGE, [fresh])

    assert [row.date for row in ledger.read(page)] == ["2026-01-02", "2026-03-04"]
    assert page.endswith("\n\nThe end.\n")


def test_another_database_is_another_row() -> None:
    row = ledger.Row("two", "3", "0", "0", "yes", "7", "postgresql", "2026-01-02")

    assert len(ledger.read(ledger.updated(PAGE, [row]))) == 3


def test_the_page_has_its_table() -> None:
    assert ledger.updated(page := ledger.PAGE.read_text(encoding="utf-8"), []) == page
