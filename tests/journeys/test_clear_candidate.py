"""The main job: from /start to every session of the plan in the clinic's calendar."""

from flows.conversation import Stage
from tests.journeys.world import World


async def test_a_clear_candidate_books_a_series_in_at_most_fourteen_taps(here: World, capsys):
    guide = await here.meets("Maya")
    start = guide.patient.tap_count

    assert await guide.answers() == Stage.REVIEW
    assert await guide.taps("All correct") == Stage.PLAN
    assert await guide.taps("Book all 4") == Stage.CONTACT
    assert await guide.taps("Here in Telegram") == Stage.BOOKED

    taps = guide.patient.tap_count - start
    with capsys.disabled():
        print(f"\n  clear candidate: {taps} taps from /start to booked, nothing typed")
    assert taps <= 14
    assert guide.patient.typed_count == 0
