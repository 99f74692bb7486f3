"""What the bot says about itself, and how calls may be made."""

from __future__ import annotations

import aiohttp
import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    MenuButtonCommands,
)
from telegram.error import BadRequest

from tests.patient import Patient
from tests.standin import RunningStandIn


async def test_the_bot_knows_itself(bot: Bot):
    me = await bot.get_me()

    assert (me.id, me.is_bot, me.username) == (1000000001, True, "resurface_playground_bot")


async def test_commands_are_kept_by_scope_and_language(
    standin: RunningStandIn, bot: Bot, maya: Patient
):
    private = BotCommandScopeAllPrivateChats()
    await bot.set_my_commands([BotCommand("start", "Begin")])
    await bot.set_my_commands([BotCommand("help", "Hilfe")], private, language_code="de")

    assert [c.command for c in await bot.get_my_commands()] == ["start"]
    assert standin.state.profile.commands_for("en")[0]["command"] == "start"
    assert standin.state.profile.commands_for("de")[0]["command"] == "help"
    await bot.delete_my_commands()
    assert await bot.get_my_commands() == ()
    assert standin.state.profile.commands_for("en") == []


async def test_one_chat_may_have_commands_of_its_own(
    standin: RunningStandIn, bot: Bot, maya: Patient
):
    await bot.set_my_commands([BotCommand("start", "Begin")])
    await bot.set_my_commands([BotCommand("today", "x")], BotCommandScopeChat(maya.chat_id))

    profile = standin.state.profile
    assert profile.commands_for("en", maya.chat_id)[0]["command"] == "today"
    assert profile.commands_for("en", maya.chat_id + 1)[0]["command"] == "start"
    await bot.delete_my_commands(BotCommandScopeChat(maya.chat_id))
    assert profile.commands_for("en", maya.chat_id)[0]["command"] == "start"


@pytest.mark.parametrize(
    ("commands", "complaint"),
    [
        ([("Start", "x")], "command_invalid"),
        ([("start", "")], "description_invalid"),
        ([("x", "x")] * 101, "too_much"),
    ],
)
async def test_commands_outside_the_limits_are_refused(
    bot: Bot, commands: list[tuple[str, str]], complaint: str
):
    with pytest.raises(BadRequest, match=f"(?i){complaint}"):
        await bot.set_my_commands(commands)


async def test_name_and_descriptions_are_kept(bot: Bot):
    await bot.set_my_name("Willow")
    await bot.set_my_description("Long", language_code="de")
    await bot.set_my_short_description("Short")

    assert (await bot.get_my_name()).name == "Willow"
    assert (await bot.get_my_description("de")).description == "Long"
    assert (await bot.get_my_description()).description == ""
    assert (await bot.get_my_short_description("de")).short_description == "Short"
    with pytest.raises(BadRequest, match="Description is too long"):
        await bot.set_my_description("x" * 513)


async def test_chats_and_the_menu_button_can_be_asked_for(bot: Bot, maya: Patient):
    await bot.set_chat_menu_button(menu_button=MenuButtonCommands())

    assert (await bot.get_chat(maya.chat_id)).first_name == "Maya"
    assert (await bot.get_chat_menu_button()).type == "commands"
    assert await bot.log_out()


@pytest.mark.parametrize(
    ("path", "code", "description"),
    [
        ("bot1000000002:somebody-elses/getMe", 401, "Unauthorized"),
        ("bot1000000001:playground/sendHologram", 404, "Not Found: method not found"),
    ],
)
async def test_a_wrong_token_and_an_unknown_method_are_told_apart(
    standin: RunningStandIn, http: aiohttp.ClientSession, path: str, code: int, description: str
):
    async with http.get(f"{standin.url}/{path}") as answer:
        body = await answer.json()

    assert (answer.status, body) == (
        code,
        {"ok": False, "error_code": code, "description": description},
    )


async def test_calls_may_come_as_address_form_or_json(
    standin: RunningStandIn, maya: Patient, http: aiohttp.ClientSession
):
    address = f"{standin.url}/bot{standin.token}/SENDMESSAGE"
    fields = {"chat_id": str(maya.chat_id), "text": "x", "reply_markup": ""}

    for arguments in ({"params": fields}, {"data": fields}, {"json": fields}):
        async with http.post(address, **arguments) as answer:
            assert (await answer.json())["result"]["text"] == "x"
    async with http.get(address, params=fields) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"chat_id": "maya", "text": "x"}, "parameter chat_id must be a number"),
        ({"text": "x", "reply_markup": "{"}, "can't parse reply_markup JSON object"),
        ({"text": "x", "reply_markup": "[]"}, "object expected as reply markup"),
        ({"text": "x", "reply_markup": '{"inline_keyboard": 1}'}, "must be of type Array"),
    ],
)
async def test_calls_that_make_no_sense_are_refused(
    standin: RunningStandIn, http: aiohttp.ClientSession, fields: dict[str, str], complaint: str
):
    address = f"{standin.url}/bot{standin.token}/sendMessage"
    async with http.post(address, data=fields) as answer:
        body = await answer.json()

    assert (answer.status, body["ok"]) == (400, False)
    assert complaint in body["description"]


async def test_a_body_that_is_no_object_is_refused(
    standin: RunningStandIn, http: aiohttp.ClientSession
):
    address = f"{standin.url}/bot{standin.token}/getMe"
    headers = {"Content-Type": "application/json"}
    async with http.post(address, data="[1", headers=headers) as answer:
        assert (await answer.json())["description"].endswith("must be a JSON object")


async def test_a_file_needs_the_token_and_must_exist(
    standin: RunningStandIn, http: aiohttp.ClientSession
):
    for path in (f"bot{standin.token}/files/none/x", f"bot{standin.token}/none", "botx/files/a/b"):
        async with http.get(f"{standin.url}/file/{path}") as answer:
            assert answer.status == 404
