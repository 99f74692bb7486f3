"""Clinics come from files; importing again changes them where they stand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from flows.clinics import BookingMode
from storage import calendar_store, clinics, protocol_versions, turns
from storage.clinic_faults import ClinicFileFaults
from storage.database import Database
from storage.protocol_versions import ProtocolText
from tests.builders import MONDAY, NOW, a_confirmation, a_decision, a_slot, a_turn

HOURS = 'mon = ["09:00-13:00", "14:00-17:30"]'


async def test_the_demo_comes_back_as_clinics(willow: Database) -> None:
    found = await willow.read(clinics.load_all)

    assert list(found) == ["willow", "harbour"]
    clinic = found["willow"]
    assert clinic.hold_for == timedelta(minutes=10)
    assert clinic.service("treatment").duration == timedelta(hours=1)
    assert clinic.practitioners == (("amara", "Amara Osei"), ("rowan", "Rowan Pell"))
    assert found["harbour"].booking_mode is BookingMode.REQUEST


async def test_importing_again_changes_a_clinic_where_it_stands(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot())))
    text = clinics.demo_text().replace("£180", "£190").replace("Willow Skin", "Willow Park")
    slugs = await willow.write(clinics.import_clinic, text, "mine.toml")

    clinic = (await willow.read(clinics.load_all))["willow"]
    assert slugs == ("willow", "harbour")
    assert (clinic.name, clinic.service("treatment").price) == ("Willow Park Clinic", "£190")
    agenda = await willow.read(calendar_store.agenda, "willow", NOW, MONDAY + timedelta(days=1))
    assert [row.uid for row in agenda] == ["series-1"]


async def test_a_practitioner_who_vanished_is_closed_but_not_forgotten(willow: Database) -> None:
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot())))
    text = clinics.demo_text()
    without = text[: text.index('slug = "amara"')] + text[text.index('slug = "rowan"') :]
    await willow.write(clinics.import_clinic, without, "mine.toml")

    clinic = (await willow.read(clinics.load_all))["willow"]
    agenda = await willow.read(calendar_store.agenda, "willow", NOW, MONDAY + timedelta(days=1))
    assert clinic.practitioners == (("rowan", "Rowan Pell"),)
    assert [row.practitioner for row in agenda] == ["amara"]

    await willow.write(clinics.import_clinic, text, "mine.toml")
    assert len((await willow.read(clinics.load_all))["willow"].practitioners) == 2


async def test_importing_again_replaces_the_hours(willow: Database) -> None:
    text = clinics.demo_text().replace(HOURS, 'mon = ["08:00-12:00"]', 1)
    await willow.write(clinics.import_clinic, text, "mine.toml")
    day = date(2026, 3, 9)

    view = await willow.read(calendar_store.view, "willow", "treatment", day, day, NOW, 7)

    amara = view.timetables[0]
    assert [hours.opens.hour for hours in amara.hours if hours.weekday == 0] == [8]


async def test_a_faulty_file_changes_nothing(willow: Database) -> None:
    text = clinics.demo_text().replace("Willow Skin", "Other").replace("Europe/Lisbon", "Nowhere")

    with pytest.raises(ClinicFileFaults):
        await willow.write(clinics.import_clinic, text, "mine.toml")

    assert (await willow.read(clinics.load_all))["willow"].name == "Willow Skin Clinic"


async def test_clinics_take_the_protocol_they_are_given(willow: Database) -> None:
    await willow.write(clinics.use_protocol, "needling/2026-01-01/abc")
    await willow.write(clinics.import_clinic, clinics.demo_text(), "mine.toml")

    found = await willow.read(clinics.load_all)
    assert {clinic.protocol for clinic in found.values()} == {"needling/2026-01-01/abc"}


async def test_a_protocol_once_used_stays_as_it_was(database: Database) -> None:
    first = ProtocolText("text", "overrides")
    await database.write(protocol_versions.remember, "key", "digest", first, NOW)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    await database.write(
        protocol_versions.remember, "key", "digest", ProtocolText("other", ""), later
    )

    assert await database.read(protocol_versions.load_all) == {"key": first}
