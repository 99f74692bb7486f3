"""What patients do: every action becomes messages in the chat and an update for the bot."""

from __future__ import annotations

import re

from bot.playground import entities, limits, media
from bot.playground.chats import BOT_USER, Chat, Message
from bot.playground.refusals import bad_request
from bot.playground.standin import StandIn

Json = dict[str, object]

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]*")


def start(standin: StandIn, chat: Chat, payload: str = "") -> Message:
    """Press Start, after following a deep link when `payload` is given."""
    if len(payload) > limits.START_PAYLOAD or not _PAYLOAD.fullmatch(payload):
        raise bad_request("start payload must be at most 64 characters of A-Z, a-z, 0-9, _ and -")
    return say(standin, chat, f"/start {payload}".strip())


def say(standin: StandIn, chat: Chat, text: str) -> Message:
    """Send words."""
    words, _ = entities.plain(text)
    limits.check_text(words)
    return _send(standin, chat, words, {})


def edit(standin: StandIn, chat: Chat, message_id: int, text: str) -> Message:
    """Edit one of the patient's own messages."""
    message = chat.message(message_id)
    if message is None or message.from_bot or not message.text:
        raise bad_request("message can't be edited")
    words, _ = entities.plain(text)
    limits.check_text(words)
    message.text, message.entities = words, entities.with_found(words, [])
    message.edit_date = standin.chats.now()
    standin.publish("edited", chat, message)
    standin.queue.push("edited_message", chat.patient.chat_id, message.to_json(chat.patient))
    return message


def send_media(standin: StandIn, chat: Chat, kind: str, caption: str = "") -> Message:
    """Send a stand-in photo, voice note, sticker, document, video or location."""
    if kind not in media.PATIENT_MEDIA:
        raise bad_request(f"media must be one of {', '.join(media.PATIENT_MEDIA)}, got {kind!r}")
    limits.check_caption(caption)
    captionable = kind not in ("sticker", "location")
    parts = media.PATIENT_MEDIA[kind](standin.chats)
    return _send(standin, chat, caption if captionable else "", parts)


def share_contact(standin: StandIn, chat: Chat, *, of_someone_else: bool = False) -> Message:
    """Press the reply keyboard's button for sharing the phone number."""
    patient = chat.patient
    contact: Json = {"phone_number": patient.phone, "first_name": patient.first_name}
    if not of_someone_else:
        contact["user_id"] = patient.chat_id
    if chat.keyboard and chat.keyboard.get("one_time_keyboard"):
        chat.keyboard = None
    return _send(standin, chat, "", {"contact": contact})


def tap(standin: StandIn, chat: Chat, message_id: int, row: int, column: int) -> str:
    """Tap an inline button; return the callback query's id."""
    message = chat.message(message_id)
    try:
        button = message.inline_keyboard[row][column] if message else {}
    except IndexError:
        button = {}
    if message is None or "callback_data" not in button:
        raise bad_request("there is no such button in this message")
    query_id = standin.begin_tap(chat, message)
    body: Json = {
        "id": query_id,
        "from": chat.patient.user(),
        "message": message.to_json(chat.patient),
        "chat_instance": chat.chat_instance,
        "data": button["callback_data"],
    }
    standin.queue.push("callback_query", chat.patient.chat_id, body)
    return query_id


def set_blocked(standin: StandIn, chat: Chat, *, blocked: bool) -> None:
    """Block or unblock the bot; it learns that from a `my_chat_member` update."""
    if chat.blocked == blocked:
        return
    chat.blocked = blocked
    member, kicked = _membership("member"), _membership("kicked")
    body: Json = {
        "chat": chat.patient.chat(),
        "from": chat.patient.user(),
        "date": standin.chats.now(),
        "old_chat_member": member if blocked else kicked,
        "new_chat_member": kicked if blocked else member,
    }
    standin.feed.tell("patient", chat.patient.chat_id, {"blocked": blocked})
    standin.queue.push("my_chat_member", chat.patient.chat_id, body)


def _send(standin: StandIn, chat: Chat, text: str, parts: Json) -> Message:
    if chat.blocked:
        raise bad_request("unblock the bot before you write to it")
    chat.started = True
    message = standin.chats.add(chat, from_bot=False, text=text, parts=parts)
    message.entities = entities.with_found(text, [])
    standin.publish("message", chat, message)
    standin.queue.push("message", chat.patient.chat_id, message.to_json(chat.patient))
    return message


def _membership(status: str) -> Json:
    until: Json = {"until_date": 0} if status == "kicked" else {}
    return {"user": dict(BOT_USER), "status": status, **until}
