"""A clinic's people and their single-use links, on both databases."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from storage import audit, console_sessions, staff
from storage.database import Database
from storage.staff import StaffFault

URL = "https://desk.willow.example/"


async def somebody(
    database: Database, now: datetime, role: str = "owner", clinic: str = "willow"
) -> int:
    return await database.write(staff.add, clinic, "Amara", role, now)


async def test_a_member_is_listed_with_their_clinic(willow: Database, now: datetime) -> None:
    await willow.write(staff.add, "harbour", "  Inês   Marinho ", "staff", now)

    (ines,) = await willow.read(staff.members)

    assert (ines.name, ines.clinic, ines.clinic_name) == ("Inês Marinho", "harbour", "Harbour Skin")
    assert await willow.read(staff.members, "willow") == []


@pytest.mark.parametrize(
    ("clinic", "name", "role", "words"),
    [
        ("none", "Joe", "staff", "clinic must be one of harbour, willow, got 'none'"),
        ("willow", "Joe", "boss", "role must be owner or staff, got 'boss'"),
        ("willow", " ", "staff", "a name must be 1 to 80"),
        ("willow", "x" * 81, "staff", "a name must be 1 to 80"),
        ("willow", "a\x07b", "staff", "printable"),
    ],
)
async def test_what_cannot_be_is_named(
    willow: Database, now: datetime, clinic: str, name: str, role: str, words: str
) -> None:
    with pytest.raises(StaffFault, match=words):
        await willow.write(staff.add, clinic, name, role, now)


async def test_of_two_who_use_a_link_at_once_one_gets_in(willow: Database, now: datetime) -> None:
    staff_id = await somebody(willow, now)
    link = await willow.write(staff.sign_in_link, staff_id, URL, "t" * 43, now)
    assert link == "https://desk.willow.example/sign-in/" + "t" * 43

    entered = await asyncio.gather(*(willow.write(staff.sign_in, "t" * 43, now) for _ in range(5)))

    assert [one.id for one in entered if one] == [staff_id]


async def test_a_link_holds_until_it_is_too_old(willow: Database, now: datetime) -> None:
    staff_id = await somebody(willow, now)
    await willow.write(staff.sign_in_link, staff_id, URL, "t" * 43, now)

    last = now + staff.LINK_FOR - timedelta(seconds=1)
    assert await willow.read(staff.holds, "t" * 43, last)
    assert not await willow.read(staff.holds, "t" * 43, now + staff.LINK_FOR)
    assert not await willow.read(staff.holds, "u" * 43, now)


async def test_an_invitation_ties_a_chat_once(willow: Database, now: datetime) -> None:
    staff_id = await somebody(willow, now)
    payload = await willow.write(staff.invite, staff_id, "i" * 43, now)
    assert payload == "staff_" + "i" * 43

    joined = await willow.write(staff.join, "i" * 43, 500, now)
    again = await willow.write(staff.join, "i" * 43, 501, now)

    assert joined
    assert (joined.id, joined.chat_id, joined.joined_at, again) == (staff_id, 500, now, None)
    assert [one.id for one in await willow.read(staff.of_chat, 500)] == [staff_id]


async def test_an_invitation_opened_elsewhere_ends_what_the_old_chat_opened(
    willow: Database, now: datetime
) -> None:
    staff_id = await somebody(willow, now)
    for token, chat_id, is_open in (
        ("a" * 43, 500, True),
        ("b" * 43, 500, True),
        ("c" * 43, 501, False),
    ):
        await willow.write(staff.invite, staff_id, token, now)
        if token.startswith("a"):
            await willow.write(console_sessions.start, staff_id, "s" * 43, now, is_verified=True)
            await willow.write(staff.sign_in_link, staff_id, URL, "t" * 43, now)

        assert await willow.write(staff.join, token, chat_id, now)

        assert bool(await willow.read(console_sessions.find, "s" * 43, now)) is is_open
        assert await willow.read(staff.holds, "t" * 43, now) is is_open


async def test_an_invitation_is_no_sign_in_link_and_the_other_way_round(
    willow: Database, now: datetime
) -> None:
    staff_id = await somebody(willow, now)
    await willow.write(staff.invite, staff_id, "i" * 43, now)
    await willow.write(staff.sign_in_link, staff_id, URL, "t" * 43, now)

    assert await willow.write(staff.sign_in, "i" * 43, now) is None
    assert await willow.write(staff.join, "t" * 43, 500, now) is None


async def test_a_chat_that_is_a_colleague_s_cannot_be_tied_twice(
    willow: Database, now: datetime
) -> None:
    first, second = await somebody(willow, now), await somebody(willow, now, "staff")
    for staff_id, token, chat_id in ((first, "a" * 43, 500), (second, "b" * 43, 600)):
        await willow.write(staff.invite, staff_id, token, now)
        assert await willow.write(staff.join, token, chat_id, now)
    await willow.write(console_sessions.start, second, "s" * 43, now, is_verified=True)
    await willow.write(staff.invite, second, "c" * 43, now)

    assert await willow.write(staff.join, "c" * 43, 500, now) is None
    assert await willow.read(console_sessions.find, "s" * 43, now)  # nothing was tied anew


async def test_one_person_may_work_at_two_clinics(willow: Database, now: datetime) -> None:
    for clinic, token in (("willow", "a" * 43), ("harbour", "b" * 43)):
        staff_id = await somebody(willow, now, clinic=clinic)
        await willow.write(staff.invite, staff_id, token, now)
        await willow.write(staff.join, token, 500, now)

    assert [one.clinic for one in await willow.read(staff.of_chat, 500)] == ["willow", "harbour"]


async def test_who_leaves_keeps_no_link_and_no_chat(willow: Database, now: datetime) -> None:
    await somebody(willow, now)
    joe = await somebody(willow, now, "staff")
    await willow.write(staff.sign_in_link, joe, URL, "t" * 43, now)
    (one,) = [one for one in await willow.read(staff.members) if one.id == joe]

    await willow.write(staff.remove, one.clinic_id, joe, now)

    assert await willow.write(staff.sign_in, "t" * 43, now) is None
    assert joe not in {one.id for one in await willow.read(staff.members)}
    with pytest.raises(StaffFault, match="nobody who works"):
        await willow.write(staff.remove, one.clinic_id, joe, now)


async def test_somebody_of_another_clinic_is_nobody(willow: Database, now: datetime) -> None:
    ours, theirs = await somebody(willow, now), await somebody(willow, now, clinic="harbour")
    clinics = {one.id: one.clinic_id for one in await willow.read(staff.members)}

    assert await willow.read(staff.member, clinics[ours], theirs) is None
    with pytest.raises(StaffFault, match="nobody who works"):
        await willow.write(staff.remove, clinics[ours], theirs, now)


async def test_cards_go_to_who_joined_and_wants_them(willow: Database, now: datetime) -> None:
    amara, joe = await somebody(willow, now), await somebody(willow, now, "staff")
    for staff_id, token in ((amara, "a" * 43), (joe, "b" * 43)):
        await willow.write(staff.invite, staff_id, token, now)
        await willow.write(staff.join, token, 500 + staff_id, now)
    await willow.write(staff.set_cards, joe, wanted=False)
    clinic_id = (await willow.read(staff.members))[0].clinic_id

    assert [one.id for one in await willow.read(staff.wanting_cards, clinic_id)] == [amara]


async def test_the_record_is_a_clinic_s_own_and_newest_first(
    willow: Database, now: datetime
) -> None:
    amara = await somebody(willow, now)
    clinic_id = (await willow.read(staff.members))[0].clinic_id
    for lead_id in (1, 2):
        await willow.write(audit.record, clinic_id, amara, "lead.viewed", "lead", lead_id, now)

    entries = await willow.read(audit.entries, clinic_id)
    assert [(entry.staff, entry.subject_id) for entry in entries] == [
        ("Amara", "2"),
        ("Amara", "1"),
    ]
    assert await willow.read(audit.entries, clinic_id + 1) == []
    assert len(await willow.read(audit.entries, clinic_id, subject="lead", subject_id=1)) == 1
