"""Updates as the bot fetches them: long polling, offsets, and what patients' actions become."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.error import BadRequest

from tests.patient import NotSeen, Patient
from tests.standin import RunningStandIn

BUTTON = InlineKeyboardMarkup([[InlineKeyboardButton("Go", callback_data="go")]])


async def test_a_waiting_poll_returns_as_soon_as_someone_writes(bot: Bot, maya: Patient):
    await _drain(bot)
    waiting = asyncio.create_task(bot.get_updates(offset=await _next(bot), timeout=10))
    await asyncio.sleep(0)
    await maya.says("hello /help")

    async with asyncio.timeout(5):
        (update,) = await waiting
    assert update.message.text == "hello /help"
    assert update.message.parse_entities(["bot_command"]) != {}
    assert update.effective_user.first_name == "Maya"


async def test_updates_stay_until_a_higher_offset_confirms_them(bot: Bot, maya: Patient):
    await maya.says("two")
    first = await bot.get_updates()
    again = await bot.get_updates()
    rest = await bot.get_updates(offset=first[0].update_id + 1)

    assert [u.update_id for u in first] == [u.update_id for u in again] == [1, 2]
    assert [u.update_id for u in rest] == [2]


async def test_a_limit_and_a_negative_offset_choose_from_the_queue(bot: Bot, maya: Patient):
    await maya.says("two")
    await maya.says("three")

    assert len(await bot.get_updates(limit=2)) == 2
    assert [u.message.text for u in await bot.get_updates(offset=-1)] == ["three"]
    assert len(await bot.get_updates()) == 1


async def test_only_the_kinds_that_were_asked_for_are_kept(bot: Bot, maya: Patient):
    await bot.get_updates(allowed_updates=["edited_message"])
    await maya.says("not wanted")
    await maya.edits("wanted")

    assert (await bot.get_updates())[-1].edited_message.text == "wanted"
    assert len(await bot.get_updates()) == 2  # the first /start came before


async def test_a_second_poller_ends_the_first_one(
    standin: RunningStandIn, http: aiohttp.ClientSession
):
    address = f"{standin.url}/bot{standin.token}/getUpdates?timeout=0.5"

    async def poll() -> dict[str, object]:
        async with http.get(address) as answer:
            body: dict[str, object] = await answer.json()
            return body

    ended, served = sorted(await asyncio.gather(poll(), poll()), key=lambda body: bool(body["ok"]))
    assert served == {"ok": True, "result": []}
    assert ended["error_code"] == 409
    assert "terminated by other getUpdates request" in str(ended["description"])


async def test_a_tap_brings_the_button_and_its_message(bot: Bot, maya: Patient):
    sent = await bot.send_message(maya.chat_id, "Ready?", reply_markup=BUTTON)
    await maya.taps("Go")
    query = (await _last(bot)).callback_query

    assert (query.data, query.message.message_id) == ("go", sent.message_id)
    assert query.chat_instance
    assert maya.tap_count == 2
    assert await query.answer("Done")
    assert await maya.sees_toast("done") == "Done"


async def test_a_tap_cannot_be_answered_after_150_seconds(
    standin: RunningStandIn, bot: Bot, maya: Patient
):
    await bot.send_message(maya.chat_id, "Ready?", reply_markup=BUTTON)
    await maya.taps("Go")
    query = (await _last(bot)).callback_query
    standin.moves(seconds=151)

    with pytest.raises(BadRequest, match=r"[Qq]uery is too old and response timeout expired"):
        await query.answer()
    with pytest.raises(BadRequest, match=r"(?i)message_too_long"):
        await query.answer("x" * 201)


async def test_media_contacts_and_blocking_have_telegrams_shapes(bot: Bot, maya: Patient):
    for kind in ("photo", "voice", "sticker", "document", "video", "location"):
        await maya.sends(kind, "look" if kind == "photo" else "")
    await maya.shares_contact_of_someone_else()
    await maya.blocks()
    await maya.blocks()
    await maya.unblocks()
    updates = await bot.get_updates()

    messages = [u.message for u in updates if u.message][1:]
    assert (messages[0].caption, messages[0].photo[-1].width) == ("look", 320)
    assert [bool(m.voice or m.sticker or m.document or m.video) for m in messages[1:5]] == [
        True
    ] * 4
    assert messages[5].location.latitude == 51.4779
    assert messages[6].contact.user_id is None
    members = [u.my_chat_member.new_chat_member.status for u in updates if u.my_chat_member]
    assert members == ["kicked", "member"]


async def test_ids_can_jump_and_an_update_can_come_twice(
    standin: RunningStandIn, bot: Bot, maya: Patient
):
    await _drain(bot)
    standin.state.queue.jump()
    await maya.says("after a quiet week")
    update = await _last(bot)
    assert update.update_id == standin.state.queue.last_id

    await bot.get_updates(offset=update.update_id + 1)
    standin.state.queue.redeliver()
    (again,) = await bot.get_updates(offset=update.update_id + 1)
    assert again.update_id == update.update_id
    assert await bot.get_updates(offset=update.update_id + 1) == ()


async def test_an_offset_from_before_a_jump_back_loses_nothing(
    standin: RunningStandIn, bot: Bot, maya: Patient
):
    standin.state.queue.jump(5_000_000)
    await maya.says("high")
    high = (await _last(bot)).update_id
    standin.state.queue.jump(10)
    await maya.says("low")

    assert [u.message.text for u in await bot.get_updates(offset=high + 1)] == ["low"]
    assert [u.message.text for u in await bot.get_updates(offset=high + 1)] == ["low"]


async def test_what_patients_cannot_do_is_refused(standin: RunningStandIn, maya: Patient):
    with pytest.raises(NotSeen, match="start payload"):
        await maya.starts("no spaces!")
    with pytest.raises(NotSeen, match="media must be one of"):
        await maya.sends("hologram")
    await maya.blocks()
    with pytest.raises(NotSeen, match="unblock the bot"):
        await maya.says("hello?")


async def test_a_button_that_is_gone_cannot_be_tapped(bot: Bot, maya: Patient):
    sent = await bot.send_message(maya.chat_id, "Ready?", reply_markup=BUTTON)
    button = await maya.sees_button("Go")
    await bot.edit_message_text("Too late", maya.chat_id, sent.message_id)

    with pytest.raises(NotSeen, match="no such button"):
        await maya.presses(button)


async def _drain(bot: Bot) -> None:
    await bot.get_updates(offset=await _next(bot))


async def _next(bot: Bot) -> int:
    updates = await bot.get_updates()
    return updates[-1].update_id + 1 if updates else 0


async def _last(bot: Bot) -> Update:
    return (await bot.get_updates())[-1]
