from __future__ import annotations

from typing import Any

import pytest
from telegram import Update

from bot.updates import UpdateReader

CHAT = {"id": 7, "type": "private", "first_name": "Maya"}
MAYA = {"id": 7, "is_bot": False, "first_name": "Maya"}
MESSAGE = {"message_id": 1, "date": 1, "chat": CHAT, "from": MAYA, "text": "hello"}
QUERY = {"id": "1", "from": MAYA, "chat_instance": "1", "data": "0.n", "message": MESSAGE}


def read(kind: str, **changes: Any) -> object:
    body = {"message": MESSAGE, "callback_query": QUERY}[kind] | changes
    update = Update.de_json({"update_id": 1, kind: body}, None)
    return UpdateReader({"en"}).read(update)


@pytest.mark.parametrize("kind", ["message", "callback_query"])
def test_an_update_with_all_its_parts_is_read(kind: str) -> None:
    assert read(kind) is not None


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("message", {"text": 5}),
        ("message", {"text": True}),
        ("message", {"message_id": []}),
        ("message", {"message_id": 2**80}),
        ("message", {"from": MAYA | {"first_name": None, "language_code": 7}}),
        ("callback_query", {"data": 7}),
        ("callback_query", {"from": None}),
        ("callback_query", {"from": MAYA | {"id": "seven"}}),
    ],
)
def test_an_update_whose_parts_are_something_else_is_left_out(
    kind: str, changes: dict[str, Any]
) -> None:
    assert read(kind, **changes) is None
