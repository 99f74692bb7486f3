"""Secret feeds: one address at a time, and nothing about patients."""

from __future__ import annotations

from datetime import timedelta

from flows.effects import CancelSeries
from storage import feeds, turns
from storage.database import Database
from tests.builders import (
    MONDAY,
    NOW,
    a_confirmation,
    a_decision,
    a_hold,
    a_slot,
    a_turn,
    four_weekly,
)

AMARA = 1


async def test_a_feed_is_found_by_its_digest_alone(willow: Database) -> None:
    await willow.write(feeds.renew, AMARA, "0a", NOW)

    assert await willow.read(feeds.feed, "0b", NOW) is None
    feed = await willow.read(feeds.feed, "0a", NOW)
    assert feed is not None
    assert (feed.practitioner, feed.entries) == ("Amara Osei", ())


async def test_a_new_address_takes_the_old_one_back(willow: Database) -> None:
    await willow.write(feeds.renew, AMARA, "0a", NOW)
    await willow.write(feeds.renew, AMARA, "0b", NOW)

    assert await willow.read(feeds.feed, "0a", NOW) is None
    assert await willow.read(feeds.feed, "0b", NOW) is not None


async def test_an_address_can_be_taken_back(willow: Database) -> None:
    await willow.write(feeds.renew, AMARA, "0a", NOW)

    assert await willow.write(feeds.revoke, AMARA, NOW) == 1
    assert await willow.write(feeds.revoke, AMARA, NOW) == 0
    assert await willow.read(feeds.feed, "0a", NOW) is None


async def test_a_session_says_which_of_how_many_it_is(willow: Database) -> None:
    await willow.write(feeds.renew, AMARA, "0a", NOW)
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(*four_weekly(a_slot()))))

    feed = await willow.read(feeds.feed, "0a", NOW)

    assert feed is not None
    assert [(each.number, each.count, each.code) for each in feed.entries] == [
        (1, 4, "AB12"),
        (2, 4, "AB12"),
        (3, 4, "AB12"),
        (4, 4, "AB12"),
    ]


async def test_holds_are_not_in_a_feed(willow: Database) -> None:
    await willow.write(feeds.renew, AMARA, "0a", NOW)
    await willow.write(turns.commit, a_turn(a_decision(), a_hold(a_slot())))

    feed = await willow.read(feeds.feed, "0a", NOW)

    assert feed is not None
    assert feed.entries == ()


async def test_what_was_cancelled_stays_in_a_feed_with_a_higher_sequence(willow: Database) -> None:
    await willow.write(feeds.renew, AMARA, "0a", NOW)
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot())))
    await willow.write(turns.commit, a_turn(CancelSeries("series"), before=0))

    feed = await willow.read(feeds.feed, "0a", NOW)

    assert feed is not None
    assert [(each.state, each.sequence) for each in feed.entries] == [("cancelled", 1)]


async def test_what_is_long_over_leaves_the_feed(willow: Database) -> None:
    await willow.write(feeds.renew, AMARA, "0a", NOW)
    await willow.write(turns.commit, a_turn(a_decision(), a_confirmation(a_slot())))

    feed = await willow.read(feeds.feed, "0a", MONDAY + timedelta(days=32))

    assert feed is not None
    assert feed.entries == ()
