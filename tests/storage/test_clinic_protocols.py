"""Each clinic has its protocol, and its clinicians' signatures under exact versions."""

from __future__ import annotations

from storage import audit, clinic_protocols, clinics, staff
from storage.clinic_protocols import Version
from storage.database import Database
from storage.protocol_versions import ProtocolText
from tests.builders import NOW

OWN = Version("small/1/abc", "abcdef", ProtocolText("text", "overrides"))


async def protocols(willow: Database) -> dict[str, str]:
    found = await willow.read(clinics.load_all)
    return {slug: clinic.protocol for slug, clinic in found.items()}


async def test_a_new_packaged_protocol_leaves_a_clinic_s_own(willow: Database) -> None:
    await willow.write(clinic_protocols.use, "willow", OWN, NOW)
    await willow.write(clinics.use_protocol, "small/2/def")

    assert await protocols(willow) == {"willow": "small/1/abc", "harbour": "small/2/def"}
    assert await willow.read(clinic_protocols.overrides) == {"willow": "overrides"}
    assert await willow.read(clinic_protocols.source, 1) == OWN.source


async def test_a_clinic_goes_back_to_the_packaged_one(willow: Database) -> None:
    await willow.write(clinic_protocols.use, "willow", OWN, NOW)
    await willow.write(clinic_protocols.use_packaged, "willow", NOW)
    await willow.write(clinics.use_protocol, "small/2/def")

    assert set((await protocols(willow)).values()) == {"small/2/def"}
    lines = await willow.read(audit.entries, 1)
    assert [(line.what, line.subject_id) for line in lines] == [
        ("protocol.used", ""),
        ("protocol.used", "small/1/abc"),
    ]


async def test_a_version_counts_as_signed_until_another_one_is_used(willow: Database) -> None:
    noor = await willow.write(staff.add, "willow", "Noor", "owner", NOW)
    before = await willow.read(clinic_protocols.is_signed, 1)
    await willow.write(
        clinic_protocols.sign, 1, noor, ("small/1/abc", "abcdef"), "Dr N. Haddad", "GMC 7", NOW
    )
    signed = await willow.read(clinic_protocols.is_signed, 1)
    await willow.write(clinics.use_protocol, "small/2/def")

    after = await willow.read(clinic_protocols.is_signed, 1)

    assert (before, signed, after) == (False, True, False)
    assert not await willow.read(clinic_protocols.is_signed, 2)


async def test_signatures_say_who_when_and_which_version(willow: Database) -> None:
    noor = await willow.write(staff.add, "willow", "Noor", "owner", NOW)
    signed = ("small/1/abc", "abcdef")
    await willow.write(clinic_protocols.sign, 1, noor, signed, "Dr N. Haddad", "GMC 7", NOW)

    (found,) = await willow.read(clinic_protocols.signatures, 1)
    assert (found.key, found.digest) == signed
    assert (found.name, found.post, found.staff, found.at) == ("Dr N. Haddad", "GMC 7", "Noor", NOW)
    assert await willow.read(clinic_protocols.signatures, 2) == []
