"""The Bot API's methods about the bot itself: name, descriptions, commands, chats and files."""

from __future__ import annotations

import re

from bot.playground import limits
from bot.playground.calls import Call
from bot.playground.chats import BOT_USER
from bot.playground.refusals import bad_request
from bot.playground.standin import StandIn

Json = dict[str, object]

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_ABOUT_BOT: Json = {
    "can_join_groups": False,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
    "can_connect_to_business": False,
    "has_main_web_app": False,
    "has_topics_enabled": False,
}


def get_me(standin: StandIn, _call: Call) -> object:
    """Handle getMe."""
    return {**BOT_USER, "first_name": standin.profile.name, **_ABOUT_BOT}


def set_my_name(standin: StandIn, call: Call) -> object:
    """Handle setMyName; one name for all languages is enough here."""
    standin.profile.name = call.text("name") or standin.profile.name
    return _told(standin)


def set_my_description(standin: StandIn, call: Call) -> object:
    """Handle setMyDescription: shown in the empty chat, before Start."""
    return _set_text(standin, call, "description", limits.DESCRIPTION)


def set_my_short_description(standin: StandIn, call: Call) -> object:
    """Handle setMyShortDescription: shown on the bot's profile."""
    return _set_text(standin, call, "short_description", limits.SHORT_DESCRIPTION)


def get_my_name(standin: StandIn, _call: Call) -> object:
    """Handle getMyName."""
    return {"name": standin.profile.name}


def get_my_description(standin: StandIn, call: Call) -> object:
    """Handle getMyDescription."""
    return {"description": standin.profile.text("description", call.text("language_code"))}


def get_my_short_description(standin: StandIn, call: Call) -> object:
    """Handle getMyShortDescription."""
    words = standin.profile.text("short_description", call.text("language_code"))
    return {"short_description": words}


def set_my_commands(standin: StandIn, call: Call) -> object:
    """Handle setMyCommands."""
    given = call.structure("commands")
    commands = [dict(c) for c in given if isinstance(c, dict)] if isinstance(given, list) else []
    if len(commands) > limits.COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not _COMMAND.fullmatch(str(command.get("command", ""))):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(str(command.get("description", ""))) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    standin.profile.commands[_scope(call)] = commands
    return _told(standin)


def get_my_commands(standin: StandIn, call: Call) -> object:
    """Handle getMyCommands."""
    return standin.profile.commands.get(_scope(call), [])


def delete_my_commands(standin: StandIn, call: Call) -> object:
    """Handle deleteMyCommands."""
    standin.profile.commands.pop(_scope(call), None)
    return _told(standin)


def set_chat_menu_button(standin: StandIn, call: Call) -> object:
    """Handle setChatMenuButton."""
    given = call.structure("menu_button")
    standin.profile.menu_button = dict(given) if isinstance(given, dict) else {"type": "default"}
    return True


def get_chat_menu_button(standin: StandIn, _call: Call) -> object:
    """Handle getChatMenuButton."""
    return standin.profile.menu_button


def get_chat(standin: StandIn, call: Call) -> object:
    """Handle getChat."""
    chat = standin.chats.chat(call.number("chat_id"))
    gifts = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription"), False
    )
    return {
        **chat.patient.chat(),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": {**gifts, "gifts_from_channels": False},
    }


def get_file(standin: StandIn, call: Call) -> object:
    """Handle getFile."""
    stored = standin.chats.file(call.text("file_id"))
    return {**stored.to_json(), "file_path": stored.path}


def say_yes(_standin: StandIn, _call: Call) -> object:
    """Handle logOut and close: nothing to do here."""
    return True


def _set_text(standin: StandIn, call: Call, kind: str, most: int) -> object:
    words = call.text(kind)
    if len(words) > most:
        raise bad_request(f"{kind.replace('_', ' ')} is too long")
    standin.profile.texts[(kind, call.text("language_code"))] = words
    return _told(standin)


def _scope(call: Call) -> tuple[str, str]:
    scope = call.structure("scope")
    kind = str(scope.get("type", "default")) if isinstance(scope, dict) else "default"
    if isinstance(scope, dict) and kind == "chat":
        kind = f"chat {scope.get('chat_id')}"
    return kind, call.text("language_code")


def _told(standin: StandIn) -> object:
    standin.feed.tell("bot", None, {})
    return True
