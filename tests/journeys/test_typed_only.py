"""A patient who never presses a button."""

from flows.conversation import Stage
from tests.journeys.world import World

WORDS = (
    ("yes", "age"),
    ("I'm 34", "acne_now"),
    ("clear", "scar_type"),
    ("soft waves", "visibility"),
    ("easy to see, flat when stretched", "area"),
    ("face", "today"),
    ("none", "history"),
    ("none of these", "goal"),
    ("softer scars", "practical"),
    ("all fine", "timing"),
    ("within a month", Stage.REVIEW),
    ("yes", Stage.PLAN),
    ("thursday at 17:00", Stage.PLAN),
    ("book all", Stage.CONTACT),
    ("here", Stage.BOOKED),
)


async def test_every_button_has_words(here: World):
    guide = await here.meets("Typist")
    taps = guide.patient.tap_count

    for words, state in WORDS:
        assert await guide.says(words) == state, words

    assert guide.patient.tap_count == taps
    sessions = (await guide.conversation()).booking.sessions
    assert sessions[0].slot.starts_at.isoformat() == "2026-11-26T17:00:00+00:00"


async def test_a_typed_number_is_kept(here: World):
    guide = await here.meets("Typist")
    for words, _ in WORDS[:-1]:
        await guide.says(words)

    assert await guide.says("+44 20 7946 0123") == Stage.BOOKED


async def test_a_visit_is_moved_and_cancelled_in_words(here: World):
    guide = await here.meets("Typist")
    for words, _ in WORDS:
        await guide.says(words)

    assert await guide.says("move my appointment") == Stage.CHANGE
    assert await guide.says("the 4th") == Stage.PICK_DAY
    days = (await guide.conversation()).booking.days
    assert await guide.says(days[-1][0].strftime("%d %B %Y")) == Stage.PICK_TIME
    assert await guide.taps("10:00") == Stage.BOOKED
    assert await guide.says("cancel") == Stage.CANCEL
    assert await guide.says("all of them") == Stage.CANCEL
    assert await guide.says("yes") == Stage.PLAN
