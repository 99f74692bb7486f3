"""Photos: asked for first, kept as Telegram's names alone, gone at a word."""

from __future__ import annotations

from sqlalchemy import select

from flows.conversation import Overlay, Stage
from flows.events import Media
from storage.models import Event, Photo
from tests.journeys.guide import Guide
from tests.journeys.world import World


async def kept(here: World) -> list[str]:
    statement = select(Photo.file_id).order_by(Photo.id)
    return await here.database.read(lambda c: list(c.execute(statement).scalars()))


async def log(here: World) -> str:
    return await here.database.read(lambda c: "".join(c.execute(select(Event.what)).scalars()))


async def at_plan(here: World) -> Guide:
    guide = await here.meets("Maya")
    await guide.answers()
    assert await guide.taps("All correct") == Stage.PLAN
    return guide


async def test_a_photo_is_kept_only_after_a_yes(here: World) -> None:
    maya = await at_plan(here)
    await maya.sends(Media.PHOTO)
    await maya.patient.sees("I have not kept it")
    assert await kept(here) == []

    assert await maya.taps("Yes, I agree") == Stage.PLAN
    for number in range(1, 5):
        await maya.sends(Media.PHOTO)
        await maya.patient.sees(f"I have kept photo {number} of 4")
    await maya.sends(Media.PHOTO)
    await maya.patient.sees("4 photos are enough")

    names = await kept(here)
    assert len(names) == 4
    logged = await log(here)
    assert not any(name in logged for name in names)
    assert await maya.taps("I am done") == Stage.PLAN


async def test_no_thank_you_leads_back_and_nothing_is_kept(here: World) -> None:
    maya = await at_plan(here)
    await maya.taps("Send a photo")
    await maya.patient.sees("You never need to")

    assert await maya.taps("No, thank you") == Stage.PLAN
    assert (await maya.conversation()).overlay is None
    assert await kept(here) == []


async def test_photos_are_deleted_at_a_word(here: World) -> None:
    maya = await at_plan(here)
    await maya.follows("Send a photo", "Yes, I agree")
    await maya.sends(Media.PHOTO)
    await maya.taps("I am done")
    assert len(await kept(here)) == 1

    assert await maya.says("delete my photos") == Stage.PLAN
    await maya.patient.sees("Your photos are deleted")
    assert await kept(here) == []
    assert not (await maya.conversation()).photo_consent


async def test_photos_in_the_middle_of_the_questions_keep_the_question(here: World) -> None:
    maya = await here.meets("Maya")
    await maya.taps("Yes, let")
    await maya.taps("22 or older")
    await maya.sends(Media.PHOTO)
    assert (await maya.conversation()).overlay is Overlay.PHOTOS
    await maya.taps("Yes, I agree")
    await maya.sends(Media.PHOTO)

    assert await maya.taps("I am done") == "acne_now"
    assert await maya.taps("No spots now") == "scar_type"
    assert len(await kept(here)) == 1


async def test_a_minor_is_not_asked_for_photos(here: World) -> None:
    young = await here.meets("Young")
    await young.answers(age="under_18")
    await young.sends(Media.PHOTO)

    await young.patient.sees("I can't look at pictures")
    assert await kept(here) == []
