"""A part of a clinic is changed as it was shown, checked as a file is, and put on record."""

from __future__ import annotations

import pytest

from storage import audit, clinic_document, clinic_settings, staff
from storage.clerks import ChangedMeanwhile, Clerk
from storage.clinic_faults import ClinicFileFaults
from storage.clinic_settings import Change, NoSuchPart
from storage.database import Database
from tests.builders import NOW


async def clerk_of(willow: Database) -> Clerk:
    return Clerk(1, await willow.write(staff.add, "willow", "Noor", "owner", NOW), NOW)


async def shown(willow: Database, part: str) -> str:
    return clinic_settings.mark(await willow.read(clinic_settings.read, 1), part)


async def test_a_part_is_changed_and_put_on_record(willow: Database) -> None:
    clerk, seen = await clerk_of(willow), await shown(willow, "hours:amara")
    wanted = Change("hours:amara", {"mon": ["08:00-12:00"]}, seen)

    clinic = await willow.write(clinic_settings.change, clerk, wanted)

    assert clinic == await willow.read(clinic_document.entry_of, "willow")
    assert clinic_document.words(clinic.practitioners[0].hours["mon"]) == ["08:00-12:00"]
    (line,) = await willow.read(audit.entries, 1)
    assert (line.staff, line.what, line.subject_id) == ("Noor", "settings.hours", "amara")


async def test_a_part_that_changed_meanwhile_is_not_written_over(willow: Database) -> None:
    clerk, seen = await clerk_of(willow), await shown(willow, "booking")
    booking = {"mode": "instant", "hold_minutes": 5}
    await willow.write(clinic_settings.change, clerk, Change("booking", booking, seen))

    with pytest.raises(ChangedMeanwhile):
        await willow.write(clinic_settings.change, clerk, Change("booking", {}, seen))


async def test_other_parts_may_change_meanwhile(willow: Database) -> None:
    clerk, seen = await clerk_of(willow), await shown(willow, "closures")
    names = Change("person:rowan", {"name": "Rowan P"}, await shown(willow, "person:rowan"))
    await willow.write(clinic_settings.change, clerk, names)
    closed = [{"from": "2026-12-27", "until": "2026-12-30"}]

    clinic = await willow.write(clinic_settings.change, clerk, Change("closures", closed, seen))

    assert (clinic.practitioners[1].name, len(clinic.closures)) == ("Rowan P", 1)


async def test_a_faulty_part_changes_nothing(willow: Database) -> None:
    clerk, seen = await clerk_of(willow), await shown(willow, "service:treatment")
    before = await willow.read(clinic_document.entry_of, "willow")
    longer = Change("service:treatment", {"name": "Long", "minutes": 480}, seen)

    with pytest.raises(ClinicFileFaults, match="hours long enough for the treatment"):
        await willow.write(clinic_settings.change, clerk, longer)

    assert await willow.read(clinic_document.entry_of, "willow") == before
    assert await willow.read(audit.entries, 1) == []


@pytest.mark.parametrize("part", ["", "slug", "hours:ines", "service:facial", "hours"])
async def test_an_unknown_part_is_refused(willow: Database, part: str) -> None:
    document = await willow.read(clinic_settings.read, 1)

    with pytest.raises(NoSuchPart):
        clinic_settings.mark(document, part)
