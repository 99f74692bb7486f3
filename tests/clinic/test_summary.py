"""A clinic that was described, in plain lines."""

from __future__ import annotations

from clinic import summary
from storage import clinic_document, clinic_file, clinics
from storage.clinic_document import Document


def demo() -> Document:
    return clinic_document.document(clinic_file.parse(clinics.demo_text(), "demo.toml")[0])


def test_what_is_not_there_is_said_too() -> None:
    visiting = {"slug": "gast", "name": "Dr Gast", "hours": {}}
    bare = {**demo(), "practitioners": [visiting], "holidays": {}, "crisis_line": ""}

    lines = summary.everything(bare, "")

    assert "Dr Gast: no hours that come every week" in lines
    assert any(line.endswith("; in despair: the same.") for line in lines)
    assert f"No public holidays; time zone {bare['zone']}" in lines
    assert lines[-1] == "Owner: nobody yet"


def test_holidays_of_a_region_are_called_by_its_name() -> None:
    scottish = {**demo(), "holidays": {"country": "GB", "subdivision": "SCT"}}

    told = "\n".join(summary.everything(scottish, "Ada"))

    assert "Public holidays: United Kingdom, Scotland; time zone" in told
