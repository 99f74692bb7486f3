"""Telegram's pace: one message a second in a chat, thirty overall, replies before nudges."""

from __future__ import annotations

import asyncio

from bot.pace import Limits, Pace, Priority


class Time:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def a_pace(**limits: float) -> tuple[Pace, Time]:
    time = Time()
    known = Limits(**{"chat_burst": 2, "overall_burst": 4, **limits})  # type: ignore[arg-type]
    return Pace(known, time.monotonic, time.sleep), time


async def test_a_burst_passes_at_once_and_then_one_a_second() -> None:
    pace, time = a_pace()
    passed = []

    for _ in range(4):
        await pace.new_message(1)
        passed.append(round(time.now, 2))

    assert passed == [0, 0, 1, 2]


async def test_chats_do_not_wait_for_each_other() -> None:
    pace, time = a_pace()
    for _ in range(2):
        await pace.new_message(1)

    await pace.new_message(2)

    assert time.now == 0


async def test_all_chats_together_stay_below_the_overall_rate() -> None:
    pace, time = a_pace(overall_rate=10)

    for chat_id in range(14):
        await pace.new_message(chat_id)

    assert round(time.now, 6) == 1.0  # 4 at once, then 10 in one second


async def test_edits_do_not_count_as_new_messages_of_the_chat() -> None:
    pace, time = a_pace()

    for _ in range(4):
        await pace.change(1)

    assert time.now == 0


async def test_a_chat_that_must_wait_waits_alone() -> None:
    pace, time = a_pace()
    pace.hold(1, 25)
    pace.hold(1, 5)  # a shorter wait does not shorten the longer one

    await pace.new_message(2)
    assert time.now == 0
    await pace.change(1)
    assert time.now == 25


async def test_a_nudge_leaves_half_of_the_burst_to_replies() -> None:
    pace, time = a_pace(overall_rate=1)
    for chat_id in range(2):
        await pace.new_message(chat_id, Priority.NUDGE)
    assert time.now == 0

    await pace.new_message(9, Priority.NUDGE)

    assert time.now == 1


async def test_a_waiting_reply_goes_before_a_waiting_nudge() -> None:
    pace, _ = a_pace(overall_rate=1)
    for chat_id in range(4):
        await pace.new_message(chat_id)
    order: list[str] = []

    async def pass_as(name: str, priority: Priority) -> None:
        await pace.new_message(hash(name), priority)
        order.append(name)

    await asyncio.gather(pass_as("nudge", Priority.NUDGE), pass_as("reply", Priority.REPLY))

    assert order == ["reply", "nudge"]


async def test_idle_chats_are_forgotten() -> None:
    pace, time = a_pace(overall_rate=1e9)
    for chat_id in range(10_001):
        await pace.new_message(chat_id)
    time.now += 10

    await pace.new_message(-1)

    assert len(pace._chats) == 1
