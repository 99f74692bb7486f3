"""The Bot API's methods that write, edit and delete messages."""

from __future__ import annotations

from bot.playground import limits, media
from bot.playground.calls import Call
from bot.playground.chats import Chat, Message
from bot.playground.markup import Keyboard, Words, read_caption, read_keyboard, read_text
from bot.playground.refusals import NOT_MODIFIED, bad_request
from bot.playground.standin import StandIn, hours_between

Json = dict[str, object]

DELETABLE_HOURS = 48


def send_message(standin: StandIn, call: Call) -> object:
    """Handle sendMessage."""
    words, keyboard = read_text(call), read_keyboard(call)
    chat = standin.reachable(call.number("chat_id"))
    return _send(standin, chat, words, keyboard, {})


def send_photo(standin: StandIn, call: Call) -> object:
    """Handle sendPhoto."""
    words, keyboard = read_caption(call), read_keyboard(call)
    chat = standin.reachable(call.number("chat_id"))
    photo = media.read_file(standin.chats, call, "photo")
    return _send(standin, chat, words, keyboard, {"photo": media.photo_sizes(photo)})


def send_document(standin: StandIn, call: Call) -> object:
    """Handle sendDocument."""
    words, keyboard = read_caption(call), read_keyboard(call)
    chat = standin.reachable(call.number("chat_id"))
    stored = media.read_file(standin.chats, call, "document")
    return _send(standin, chat, words, keyboard, {"document": media.document(stored)})


def send_chat_action(standin: StandIn, call: Call) -> object:
    """Handle sendChatAction: the page shows it for five seconds or until the next message."""
    chat = standin.reachable(call.number("chat_id"))
    action = call.text("action")
    if not action:
        raise bad_request("wrong parameter action in request")
    standin.feed.tell("typing", chat.patient.chat_id, {"action": action})
    return True


def edit_message_text(standin: StandIn, call: Call) -> object:
    """Handle editMessageText; without `reply_markup` the keyboard goes, as on Telegram."""
    words, keyboard = read_text(call), read_keyboard(call)
    chat, message = _editable(standin, call)
    if message.parts:
        raise bad_request("there is no text in the message to edit")
    return _edit(standin, chat, message, words, keyboard)


def edit_message_caption(standin: StandIn, call: Call) -> object:
    """Handle editMessageCaption."""
    words, keyboard = read_caption(call), read_keyboard(call)
    chat, message = _editable(standin, call)
    if not message.captioned:
        raise bad_request("there is no caption in the message to edit")
    return _edit(standin, chat, message, words, keyboard)


def edit_message_reply_markup(standin: StandIn, call: Call) -> object:
    """Handle editMessageReplyMarkup."""
    keyboard = read_keyboard(call)
    chat, message = _editable(standin, call)
    return _edit(standin, chat, message, Words(message.text, message.entities), keyboard)


def edit_message_media(standin: StandIn, call: Call) -> object:
    """Handle editMessageMedia for photos and documents."""
    given = call.structure("media")
    if not isinstance(given, dict) or given.get("type") not in ("photo", "document"):
        raise bad_request("wrong type of the media; the playground knows photo and document")
    kind = str(given["type"])
    inner = Call(call.method, {**given, kind: given.get("media")}, call.uploads)
    words, keyboard = read_caption(inner), read_keyboard(call)
    chat, message = _editable(standin, call)
    stored = media.read_file(standin.chats, inner, kind)
    photo = kind == "photo"
    message.parts = {kind: media.photo_sizes(stored) if photo else media.document(stored)}
    return _edit(standin, chat, message, words, keyboard, even_if_same=True)


def delete_message(standin: StandIn, call: Call) -> object:
    """Handle deleteMessage."""
    chat = standin.chats.chat(call.number("chat_id"))
    message = chat.message(call.number("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    if hours_between(message.date, standin.chats.now()) > DELETABLE_HOURS:
        raise bad_request("message can't be deleted for everyone")
    del chat.messages[message.message_id]
    chat.changes += 1
    gone: Json = {"message_id": message.message_id}
    standin.feed.tell("deleted", chat.patient.chat_id, gone)
    return True


def answer_callback_query(standin: StandIn, call: Call) -> object:
    """Handle answerCallbackQuery: ends the button's spinner and may show a toast."""
    text = call.text("text")
    if len(text) > limits.TOAST:
        raise bad_request("MESSAGE_TOO_LONG")
    tap = standin.answer_tap(call.text("callback_query_id"))
    toast: Json = {
        "message_id": tap.message_id,
        "text": text,
        "alert": call.flag("show_alert"),
    }
    chat = standin.chats.chat(tap.chat_id)
    if text:
        chat.changes += 1
        chat.toasts.append((chat.changes, text))
    standin.feed.tell("toast", tap.chat_id, toast)
    return True


def _send(standin: StandIn, chat: Chat, words: Words, keyboard: Keyboard, parts: Json) -> Json:
    message = standin.chats.add(chat, from_bot=True, text=words.text, parts=parts)
    message.entities = words.entities
    message.inline_keyboard = keyboard.inline
    keyboard.attach(chat)
    standin.publish("message", chat, message)
    return message.to_json(chat.patient)


def _editable(standin: StandIn, call: Call) -> tuple[Chat, Message]:
    chat = standin.reachable(call.number("chat_id"))
    message = chat.message(call.number("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if not message.from_bot:
        raise bad_request("message can't be edited")
    return chat, message


def _edit(
    standin: StandIn,
    chat: Chat,
    message: Message,
    words: Words,
    keyboard: Keyboard,
    *,
    even_if_same: bool = False,
) -> Json:
    before = (message.text, message.entities, message.inline_keyboard)
    after = (words.text, words.entities, keyboard.inline)
    if before == after and not even_if_same:
        standin.touch(chat, message)
        raise bad_request(NOT_MODIFIED)
    message.text, message.entities, message.inline_keyboard = after
    message.edit_date = standin.chats.now()
    standin.publish("edited", chat, message)
    return message.to_json(chat.patient)
