"""The recall list and a lead's follow-up in the console."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import update

from clinic.console import nudge_words, recall
from flows.conversation import Answer
from flows.effects import HandOffLead, LeadKind
from flows.follow_up import NudgeKind, Silence
from flows.recalls import Why
from storage import follow_ups, outbox, turns, waitlist
from storage.models import Appointment, Outbox, Patient
from storage.models.follow_up import OFFER_STATES
from storage.outbox import Message
from storage.outbox_policy import Kind
from tests.builders import a_confirmation, a_conversation, a_slot, a_turn
from tests.clinic.console.world import Browser, ConsoleWorld, commit_at_any_hour
from tests.storage.test_follow_ups import DECIDED


async def booked(world: ConsoleWorld, chat_id: int, name: str, start: datetime) -> str:
    """Let somebody book nine days ago; return the visit's UID."""
    conversation = a_conversation(
        chat_id, first_name=name, state="booked", answers={"consent": Answer(("agree",))}
    )
    visit = a_confirmation(a_slot(start), series=name)
    turn = a_turn(DECIDED, visit, HandOffLead(LeadKind.BOOKED, 80), conversation=conversation)
    long_ago = world.clock() - timedelta(days=9)
    outcome = await world.database.write(commit_at_any_hour, replace(turn, now=long_ago))
    assert outcome == turns.Committed()
    return f"{name}-1"


async def missed(world: ConsoleWorld, name: str = "Kofi") -> None:
    """Let somebody book, and not come the day before yesterday."""
    await booked(world, 70, name, world.clock() - timedelta(days=2))
    absent = update(Appointment).values(state="noshow")
    await world.database.write(lambda c: c.execute(absent).rowcount)
    await world.database.write(follow_ups.look, world.clock())


async def waits(world: ConsoleWorld) -> tuple[str, str]:
    """Let Kofi wait for something before his visit; return an earlier visit's UID, and his."""
    start = world.clock().replace(hour=14, minute=0) + timedelta(days=7)
    freed = await booked(world, 71, "Maya", start)
    later = await booked(world, 72, "Kofi", start + timedelta(days=7))
    await world.database.write(waitlist.join, 72, later, world.clock())
    return freed, later


async def test_who_is_due_is_listed_with_what_can_be_done(
    world: ConsoleWorld, member: Browser
) -> None:
    await missed(world)
    page = (await member.get("/recall")).text

    assert "Did not come, no new time yet" in page
    for label in ("Write", "Called", "Pause messages"):
        assert f'aria-label="{label}: Kofi #1"' in page
    assert "What came after the messages" in page


async def test_writing_opens_the_thread(world: ConsoleWorld, member: Browser) -> None:
    await missed(world)
    await member.get("/recall")
    answer = await member.post("/leads/1/thread", {"back": "due"})

    assert re.fullmatch(r"/messages/\d+", answer.headers["location"])


async def test_one_tap_notes_a_call_and_the_list_is_empty(
    world: ConsoleWorld, member: Browser
) -> None:
    await missed(world)
    await member.get("/recall")
    page = await member.follows(await member.post("/leads/1/called", {"back": "due"}))

    assert "Noted: you called them." in page.text
    assert "Nobody is due." in page.text
    assert "Called Tue 24 Nov 2026" in (await member.get("/recall?group=waiting")).text


async def test_a_lead_shows_the_next_three_messages_and_folds_the_rest(
    world: ConsoleWorld, member: Browser
) -> None:
    await booked(world, 73, "Maya", world.clock() + timedelta(days=9))
    page = (await member.get("/leads/1")).text
    card = page[page.index('id="follow-up"') :]
    shown = card[: card.index('id="nudges-later"')]

    assert shown.count("<strong>") == 3
    assert "One week before the visit" in shown
    assert "Three hours before the visit" in card[len(shown) :]


async def test_the_history_names_each_message_that_came_by_itself(
    world: ConsoleWorld, member: Browser
) -> None:
    uid = await booked(world, 73, "Maya", world.clock() + timedelta(days=9))
    payload = {"nudge": "reminder", "ref": uid}
    message = Message("n", Kind.NUDGE, world.clock(), 73, "appointment", uid, payload=payload)
    await world.database.write(outbox.enqueue, message, world.clock())

    page = (await member.get("/leads/1")).text

    assert "Two days before the visit" in page[page.index("What was sent") :]


async def test_a_lead_tells_its_follow_up_and_pauses_it(
    world: ConsoleWorld, member: Browser
) -> None:
    await missed(world)
    page = (await member.get("/leads/1")).text
    assert ("We missed you" in page, "Waiting" in page) == (True, True)

    paused = await member.follows(await member.post("/leads/1/nudges/pause"))
    assert "Paused by Joe Penhale" in paused.text
    assert "paused by your team" in paused.text

    resumed = await member.follows(await member.post("/leads/1/nudges/resume"))
    assert "Messages come by themselves again." in resumed.text


async def test_a_nudge_is_sent_by_hand_once_a_day(world: ConsoleWorld, member: Browser) -> None:
    await missed(world)
    await member.get("/leads/1")
    fields = {"kind": "missed"}
    first = await member.follows(await member.post("/leads/1/nudges/send", fields))
    second = await member.follows(await member.post("/leads/1/nudges/send", fields))

    assert ("On its way" in first.text, "chosen by your team" in first.text) == (True, True)
    assert "That was sent today already." in second.text


async def test_why_a_nudge_was_not_sent_is_told(world: ConsoleWorld, member: Browser) -> None:
    await missed(world)
    failed = update(Outbox).where(Outbox.kind == "nudge")
    values = {"state": "cancelled", "last_error": "TooLate"}
    await world.database.write(lambda c: c.execute(failed.values(**values)).rowcount)
    page = (await member.get("/leads/1")).text

    assert ("its time had passed" in page, "Not sent" in page) == (True, True)


async def test_who_stopped_messages_cannot_be_sent_any(
    world: ConsoleWorld, member: Browser
) -> None:
    await missed(world)
    stopped = update(Patient).values(stopped_at=world.clock())
    await world.database.write(lambda c: c.execute(stopped).rowcount)
    page = (await member.get("/leads/1")).text

    assert "they want no messages" in page
    assert "Send a message now" not in page


async def test_who_waits_for_something_earlier_is_listed_with_their_offers(
    world: ConsoleWorld, member: Browser
) -> None:
    assert "Nobody waits for an earlier time." in (await member.get("/recall")).text
    freed, later = await waits(world)
    page = (await member.get("/recall")).text
    assert f'Before <a href="/calendar/visits/{later}">Tue 8 Dec, 14:00</a> with Amara' in page
    assert ("Waiting since" in page, "Nothing was offered yet." in page) == (True, True)

    await member.get(f"/calendar/visits/{freed}")
    await member.post(f"/calendar/visits/{freed}/cancel", {"seen": f"{freed}:1"})
    page = (await member.get("/recall")).text
    assert "Offered Tue 1 Dec, 14:00: may answer until Tue 24 Nov, 12:20" in page


async def test_another_clinic_sees_nobody_who_waits(world: ConsoleWorld) -> None:
    await waits(world)
    stranger = await world.signed_in_client("owner", "harbour")

    assert "Kofi" not in (await stranger.get("/recall")).text
    assert "Nobody waits for an earlier time." in (await stranger.get("/recall")).text


def test_what_became_of_every_offer_has_words() -> None:
    assert {*recall.OFFERS, "offered"} == set(OFFER_STATES)


def test_every_nudge_silence_and_reason_has_words() -> None:
    assert set(nudge_words.NUDGES) == set(NudgeKind)
    assert set(nudge_words.SILENCES) == set(Silence)
    assert set(nudge_words.WHYS) == set(Why)


async def test_another_clinic_sees_nobody(world: ConsoleWorld) -> None:
    await missed(world)
    stranger = await world.signed_in_client("owner", "harbour")
    await stranger.get("/recall")

    assert "Kofi" not in (await stranger.get("/recall")).text
    for path in ("called", "nudges/pause", "nudges/resume", "nudges/send"):
        assert (await stranger.post(f"/leads/1/{path}", {"kind": "missed"})).status_code == 404
