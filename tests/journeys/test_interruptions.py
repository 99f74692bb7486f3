"""Life gets in the way: restarts, stale buttons, questions, photos, another patient."""

import asyncio

from flows.conversation import Stage
from flows.events import Media
from tests.journeys.world import World, bot_on


async def test_start_in_the_middle_offers_to_continue_at_the_same_place(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")
    await guide.starts_again()

    await guide.patient.sees("Welcome back")
    assert await guide.taps("Continue") == "age"


async def test_start_over_asks_nothing_again_that_was_not_asked(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")
    await guide.starts_again()

    assert await guide.taps("Start over") == "consent"
    assert (await guide.conversation()).answers == {}


async def test_a_bot_that_restarts_in_the_middle_knows_where_it_was(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")
    await here.stop_bot()
    await guide.patient.taps("22 or older")  # nobody is listening yet

    async with bot_on(here):
        assert await guide.arrives() == "acne_now"
        assert await guide.taps("No spots now") == "scar_type"


async def test_days_later_the_old_button_still_works(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")
    here.moves_clock(days=9)

    assert await guide.taps("22 or older") == "acne_now"


async def test_a_time_taken_between_offer_and_tap_is_replaced_by_the_nearest(here: World):
    slow, fast = await here.meets("Slow"), await here.meets("Fast")
    for guide in (slow, fast):
        await guide.answers()
        await guide.taps("All correct")

    assert await fast.taps("Book all 4") == Stage.CONTACT
    assert await slow.taps("Book all 4") == Stage.PLAN

    await slow.patient.sees("those times are no longer free")
    first = (await slow.conversation()).booking.offers[0]
    held = (await fast.conversation()).booking.sessions
    assert {(s.starts_at, s.practitioner) for s in first.slots}.isdisjoint(
        {(s.slot.starts_at, s.slot.practitioner) for s in held}
    )
    assert await slow.taps("Book all 4") == Stage.CONTACT


async def test_a_double_tap_counts_once_and_shows_the_current_question(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")
    await here.stop_bot()
    button = await guide.patient.sees_button("22 or older")
    await guide.patient.presses(button)
    await guide.patient.presses(button)

    async with bot_on(here):
        await guide.patient.sees("That button is from an earlier question")
        assert (await guide.conversation()).state == "acne_now"


async def test_a_question_is_answered_and_the_open_one_asked_again_once(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")

    await guide.says("does it hurt?")

    said = await guide.patient.sees("How old are you?")
    assert said.text.count("How old are you?") == 1
    assert (await guide.conversation()).state == "age"


async def test_why_help_and_a_person_never_lose_the_place(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")
    for label in ("Why?", "Help", "Talk to a person"):
        assert await guide.taps(label) == "age"

    await guide.patient.sees("The surest way is to call")


async def test_photos_voice_and_stickers_get_a_kind_word(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")
    for media, words in (
        (Media.PHOTO, "Thank you for the photo"),
        (Media.VOICE, "voice messages"),
        (Media.STICKER, "Nice one"),
    ):
        await guide.patient.sends(media)
        await guide.patient.sees(words)

    assert (await guide.conversation()).state == "age"


async def test_an_edited_message_corrects_its_answer(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")
    await guide.says("34")

    await guide.patient.edits("20")
    await guide.patient.sees("I have changed your answer")

    assert (await guide.conversation()).answers["age"].codes == ("18_21",)


async def test_two_quick_answers_are_taken_in_order(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")

    await guide.patient.says("34")
    await guide.patient.says("no spots now")
    await guide.patient.sees("Which picture looks most like")

    assert (await guide.conversation()).state == "scar_type"


async def test_patient_words_cannot_become_markup(here: World):
    guide = await here.meets()
    await guide.answers(history="other")
    await guide.says("<b>asthma</b> & <script>alert(1)</script>")
    await guide.answers()

    await guide.patient.sees("<script>alert(1)</script>")


async def test_stop_means_stop_and_the_way_back_is_open(here: World):
    guide = await here.meets()
    await guide.taps("Yes, let")

    assert await guide.says("/stop") == Stage.STOPPED
    assert await guide.taps("Continue here") == "age"


async def test_many_patients_at_once_each_keep_their_own_place(here: World):
    guides = [await here.meets(f"Patient {number}") for number in range(12)]

    await asyncio.gather(*(guide.answers() for guide in guides))

    states = {(await guide.conversation()).state for guide in guides}
    assert states == {Stage.REVIEW}
