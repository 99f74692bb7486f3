"""A webhook is told of an event, signed, as often as it takes and under one id."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from flows.effects import HandOffLead, LeadKind, MoveAppointment
from storage import lead_channels, outbox
from storage.sealing import Seal, load
from tests.builders import MONDAY, NOW, a_confirmation, a_decision, a_slot, four_weekly
from tests.clinic.channels.certificates import for_this_machine
from tests.clinic.channels.receiver import BREAK, Receiver, receiving
from tests.clinic.channels.world import CONSOLE, WILLOW, World
from tests.storage import persons

MANY = 1000


async def opened(world: World, receiver: Receiver) -> int:
    added = await world.channels.add(WILLOW, receiver.url)
    receiver.secret = added.secret or ""
    return added.id


async def state(world: World) -> list[tuple[str, str | None]]:
    return [(row.state, row.last_error) for row in await world.messages()]


async def test_a_lead_arrives_signed_and_without_an_answer(
    world: World, receiver: Receiver
) -> None:
    await opened(world, receiver)
    await world.lead()

    await world.send()

    (event,) = receiver.events
    assert event == {
        "type": "lead.qualified",
        "timestamp": "2026-03-02T09:00:00Z",
        "data": {
            "clinic": "willow",
            "lead": {
                "id": 1,
                "link": f"{CONSOLE}/leads/1",
                "status": "new",
                "score_band": "high",
                "recheck_on": None,
            },
        },
    }
    assert receiver.requests[0].headers["content-type"].startswith("application/json")
    assert await state(world) == [("sent", None)]


async def test_an_erased_lead_is_told_by_its_number_alone(world: World, receiver: Receiver) -> None:
    await opened(world, receiver)
    await world.lead(7, a_decision(), HandOffLead(LeadKind.BOOKED, 80), a_confirmation(a_slot()))

    await persons.erase(world.database, WILLOW, None, 1, NOW)
    await world.send()

    told = {event["type"]: event["data"] for event in receiver.events}
    assert {*told} == {"booking.cancelled", "lead.erased"}  # what waited is not sent any more
    assert told["lead.erased"] == {"clinic": "willow", "lead": {"id": 1}}
    assert {*told["booking.cancelled"]} == {"clinic", "booking"}


async def test_a_booking_and_a_move_are_told_with_their_times(
    world: World, receiver: Receiver
) -> None:
    await opened(world, receiver)
    await world.lead(7, a_decision(), a_confirmation(*four_weekly(a_slot(), 2)))
    moved = a_slot(MONDAY + timedelta(days=1), practitioner="rowan")
    await world.lead(7, MoveAppointment("series-1", moved), before=0)

    await world.send()

    told = {event["type"]: event["data"] for event in receiver.events}
    assert [s["starts_at"] for s in told["series.booked"]["series"]["sessions"]] == [
        "2026-03-09T10:00:00Z",
        "2026-04-06T10:00:00Z",
    ]
    assert told["booking.rescheduled"]["booking"]["starts_at"] == "2026-03-10T10:00:00Z"
    assert told["booking.rescheduled"]["previous"] == {
        "starts_at": "2026-03-09T10:00:00Z",
        "ends_at": "2026-03-09T11:00:00Z",
        "practitioner": "amara",
    }


async def test_a_retry_has_the_same_id_and_body_whatever_changed_meanwhile(
    world: World, receiver: Receiver
) -> None:
    await opened(world, receiver)
    receiver.mood = lambda _id, tries: 503 if tries == 1 else 204
    await world.lead(7, a_decision(), a_confirmation(a_slot()))
    await world.send()
    moved = a_slot(MONDAY + timedelta(days=1))
    await world.lead(7, MoveAppointment("series-1", moved), before=0)

    await world.later()
    await world.send()

    assert [event["type"] for event in receiver.taken.values()] == ["booking.confirmed"]
    (bodies,) = (receiver.bodies[event_id] for event_id in receiver.taken)
    assert len(bodies) == 1
    assert len(receiver.requests) == 3  # the move itself is told, and refused the first time


@pytest.mark.parametrize(
    ("status", "why"),
    [(500, "http_500"), (404, "http_404"), (302, "http_302"), (BREAK, "connection_broke")],
)
async def test_what_is_not_taken_is_tried_again(
    world: World, receiver: Receiver, status: int, why: str
) -> None:
    await opened(world, receiver)
    receiver.mood = lambda _id, _tries: status
    receiver.headers = {"Location": receiver.url}
    await world.lead()

    await world.send()

    assert await state(world) == [("pending", why)]
    assert len(receiver.requests) == 1


async def test_a_receiver_may_say_when_it_wants_the_next_try(
    world: World, receiver: Receiver
) -> None:
    await opened(world, receiver)
    receiver.mood = lambda _id, _tries: 429
    receiver.headers = {"Retry-After": "3600"}
    await world.lead()

    await world.send()

    (row,) = await world.messages()
    wait = row.due_at - world.wire.now()
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)


async def test_a_receiver_that_is_gone_is_turned_off_and_can_be_turned_on(
    world: World, receiver: Receiver
) -> None:
    number = await opened(world, receiver)
    receiver.mood = lambda _id, _tries: 410
    await world.lead()
    await world.send()

    (channel,) = await world.channels.listed(WILLOW)
    (undelivered,) = await world.channels.given_up(WILLOW)
    assert (channel.is_on, channel.disabled_why) == (False, "http_410")
    assert (undelivered.state, undelivered.why) == ("dead", "http_410")

    receiver.mood = lambda _id, _tries: 204
    await world.channels.enable(WILLOW, number)
    await world.database.write(outbox.replay, undelivered.message, NOW)
    await world.send()
    assert list(receiver.taken) == [undelivered.event_id]


async def test_leads_that_come_while_a_receiver_is_gone_wait_to_be_sent_again(
    world: World, receiver: Receiver
) -> None:
    number = await opened(world, receiver)
    receiver.mood = lambda _id, _tries: 410
    for chat_id in (7, 8, 9):
        await world.lead(chat_id)
        await world.send()

    assert await state(world) == [("dead", "http_410"), *[("dead", "channel_off")] * 2]
    assert len(receiver.requests) == 1

    receiver.mood = lambda _id, _tries: 204
    await world.channels.enable(WILLOW, number)
    lacking = await world.channels.given_up(WILLOW)
    for each in lacking:
        await world.database.write(outbox.replay, each.message, NOW)
    await world.send()
    assert (len(lacking), len(receiver.taken)) == (3, 3)


async def test_a_channel_that_staff_turned_off_misses_nothing(
    world: World, receiver: Receiver
) -> None:
    number = await opened(world, receiver)
    await world.channels.disable(WILLOW, number)
    await world.lead()

    assert await world.messages() == []


@pytest.mark.parametrize(
    "wanted", [f"Mon, 02 Mar {'9' * 20} 09:00:00 GMT", "soon", "Mon, 02 Mar 2026 09:00:00"]
)
async def test_a_wish_for_the_next_try_that_makes_no_sense_is_no_fault(
    world: World, receiver: Receiver, wanted: str
) -> None:
    await opened(world, receiver)
    receiver.mood = lambda _id, _tries: 429
    receiver.headers = {"Retry-After": wanted}
    await world.lead()

    await world.send()

    assert await state(world) == [("pending", "http_429")]


async def test_what_was_taken_is_delivered_whatever_else_the_answer_says(
    world: World, receiver: Receiver
) -> None:
    await opened(world, receiver)
    receiver.headers = {"Retry-After": f"Mon, 02 Mar {'9' * 20} 09:00:00 GMT"}
    await world.lead()

    await world.send()

    assert await state(world) == [("sent", None)]


async def test_both_secrets_sign_until_the_rotation_ends(world: World, receiver: Receiver) -> None:
    number = await opened(world, receiver)
    old = receiver.secret
    new = await world.channels.rotate(WILLOW, number)
    await world.lead(7)
    await world.send()
    receiver.secret = new
    await world.lead(8)
    await world.send()
    assert [row.state for row in await world.messages()] == ["sent", "sent"]

    await world.channels.forget_old(WILLOW, number)
    await world.lead(9)
    await world.send()

    request = receiver.requests[-1]
    body = next(iter(receiver.bodies[request.headers["webhook-id"]]))
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(body, dict(request.headers))
    assert Webhook(new).verify(body, dict(request.headers))["type"] == "lead.qualified"


async def test_secrets_are_sealed_in_the_database(world: World, receiver: Receiver) -> None:
    number = await opened(world, receiver)

    channel = await world.database.read(lead_channels.find, WILLOW, number)

    assert receiver.secret not in repr(channel)
    assert channel.secret is not None
    assert receiver.secret not in channel.secret
    assert world.wire.seal().open(channel.secret) == receiver.secret


async def test_answers_go_by_https_to_whoever_asked_for_them(world: World, tmp_path: Path) -> None:
    serving, world.changes["trust"] = for_this_machine(tmp_path)
    async with receiving(serving) as receiver:
        await world.channels.add(WILLOW, receiver.url, includes_answers=True)
        await world.lead()
        await world.send()

    (event,) = receiver.events
    assert event["data"]["decision"]["outcome"] == "eligible"
    assert event["data"]["decision"]["score"] == 80


async def test_a_certificate_that_nobody_vouches_for_is_not_believed(
    world: World, tmp_path: Path
) -> None:
    serving, _ = for_this_machine(tmp_path)
    async with receiving(serving) as receiver:
        await world.channels.add(WILLOW, receiver.url)
        await world.lead()
        await world.send()

    assert receiver.requests == []
    assert await state(world) == [("pending", "certificate")]


async def test_a_receiver_that_is_not_there_is_tried_again(world: World) -> None:
    async with receiving() as receiver:
        await world.channels.add(WILLOW, receiver.url)
    await world.lead()

    await world.send()

    assert await state(world) == [("pending", "not_reached")]


async def test_a_lost_key_is_said_and_not_sent_unsigned(
    world: World, receiver: Receiver, tmp_path: Path
) -> None:
    await opened(world, receiver)
    other: Seal = load(tmp_path / "other.txt")
    world.changes["seal"] = lambda: other
    await world.lead()

    await world.send()

    assert (receiver.requests, await state(world)) == ([], [("pending", "secret_sealed")])


async def test_a_lead_says_who_was_told_of_it_and_when(world: World, receiver: Receiver) -> None:
    await opened(world, receiver)
    await world.lead(7, a_decision(), HandOffLead(LeadKind.ELIGIBLE, 80), a_confirmation(a_slot()))
    await world.send()
    await world.channels.remove(WILLOW, 1)

    told = await world.database.read(lead_channels.deliveries_of, WILLOW, 1)

    assert [(each.event_type, each.address, each.state) for each in told] == [
        ("lead.qualified", receiver.url, "sent"),
        ("booking.confirmed", receiver.url, "sent"),
    ]
    assert all(each.sent_at is not None for each in told)
    assert await world.database.read(lead_channels.deliveries_of, 2, 1) == []


async def test_each_of_many_leads_is_delivered_by_a_receiver_that_fails_half_the_time(
    world: World, receiver: Receiver
) -> None:
    await opened(world, receiver)
    failures = (500, 429, 302, BREAK)

    def mood(event_id: str, tries: int) -> int:
        chance = hashlib.sha256(f"{event_id}{tries}".encode()).digest()
        return failures[chance[1] % 4] if chance[0] % 2 else 204

    receiver.mood = mood
    for chat_id in range(1, MANY + 1):
        await world.lead(chat_id)

    while any(row.state == "pending" for row in await world.messages()):
        await world.later()
        await world.send()

    assert [row.state for row in await world.messages()] == ["sent"] * MANY
    leads = sorted(event["data"]["lead"]["id"] for event in receiver.taken.values())
    assert leads == list(range(1, MANY + 1))
    assert all(len(bodies) == 1 for bodies in receiver.bodies.values())
    assert len(receiver.requests) > 1.5 * MANY
