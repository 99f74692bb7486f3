"""Updates as Telegram sends them, with the parts that matter given."""

from __future__ import annotations

from typing import Any

from telegram import Bot, Update

BOT = Bot("123456:ABC")
SAM = {"id": 7, "is_bot": False, "first_name": "Sam", "language_code": "en-GB"}
CHAT = {"id": 7, "type": "private", "first_name": "Sam"}


def an_update(number: int = 1, **content: Any) -> Update:
    """Return an update with this number."""
    return Update.de_json({"update_id": number, **content}, BOT)


def a_message(number: int = 1, *, chat: dict[str, Any] | None = None, **content: Any) -> Update:
    """Return a message of Sam's, in the private chat unless `chat` is given."""
    return an_update(number, message=_message(chat or CHAT, **content))


def an_edit(number: int = 1, **content: Any) -> Update:
    """Return an edit of message 5."""
    return an_update(number, edited_message={**_message(CHAT, **content), "edit_date": 2})


def a_press(data: str, number: int = 1, *, message_id: int = 5) -> Update:
    """Return a press of a button."""
    bots = {"id": 1, "is_bot": True, "first_name": "R"}
    message = {"message_id": message_id, "date": 1, "chat": CHAT, "from": bots, "text": "?"}
    query = {"id": "q1", "from": SAM, "chat_instance": "c", "message": message, "data": data}
    return an_update(number, callback_query=query)


def a_membership(status: str, chat: dict[str, Any] | None = None) -> Update:
    """Return what Telegram says when the bot is blocked, unblocked or added."""
    me = {"id": 1, "is_bot": True, "first_name": "R"}
    extra = {"until_date": 0} if status == "kicked" else {}
    return an_update(
        my_chat_member={
            "chat": chat or CHAT,
            "from": SAM,
            "date": 1,
            "old_chat_member": {"user": me, "status": "member"},
            "new_chat_member": {"user": me, "status": status, **extra},
        }
    )


def _message(chat: dict[str, Any], **content: Any) -> dict[str, Any]:
    return {"message_id": 5, "date": 1, "chat": chat, "from": SAM, **content}
