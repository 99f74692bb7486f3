"""Makes up hostile updates; every one of them can be made again from the seed."""

from __future__ import annotations

import copy
import random  # noqa: TID251 - for its type: chance is an argument
from collections.abc import Callable, Sequence
from typing import Any

from bot.playground.chats import BOT_USER, Chat

Json = dict[str, Any]

#: Stands for half a pair of surrogates until the last moment.
LONE = "\ue0ff"
LONE_ESCAPED = b"\\ud800"

TEXTS = (
    *("", " ", "\n\n\n", "0", "-1", "1e309", "NaN", "9" * 4096, "🎈" * 2048, "x" * 4096),
    *(
        "\u202eevil\u202c",
        "\u200b\u200d\ufeff",
        "ع" * 500,
        "e\u0301" * 999,
        "Ａ１",
        "\x00",
        "a\x00b",
    ),
    *(LONE, f"hi {LONE} there", LONE * 100, "\x1b[31mred\x1b[0m", "line\r\nINFO fake log line"),
    *("<b>bold", "</b></i>", "<script>alert(1)</script>", "&lt;&amp;&#0;", "<a href='x'>", "&"),
    *("*bold* _it_ `c` [l](http://x)", "{clinic} {0} {__class__}", "%s%s%n", "${jndi:ldap://x}"),
    *("'; DROP TABLE patients; --", '" OR 1=1', "=cmd|' /C calc'!A0", "@SUM(1+1)", "+1", "-2+3"),
    *("../../etc/passwd", "file:///etc/passwd", "http://127.0.0.1/", "\\u0000", "\ufffe\uffff"),
    *("yes", "no", "none", "back", "stop", "start over", "person", "help", "privacy", "skip"),
    *("22", "17", "next friday at 10", "31 february", "99/99/9999", "0000-00-00", "10:99"),
    *("I can't breathe", "my face is swelling up", "does it hurt?", "?" * 300, "İ" * 60, "ß" * 60),
    *("/start", "/start willow", "/start " + "a" * 64, "/start \x00", "/START@other_bot", "/"),
    *("/stop", "/restart", "/back", "/my", "/person", "/privacy", "/help", "/nothing", "/ start"),
)
DATA = (
    *("", ".", "0.", "0.a", "0.a.", "..........", "z" * 64, "0.c.book.99999999999999999999"),
    *("0.a.consent.agree", "1.a.consent.agree", "1.e.consent", "1.e.nothing", "1.q.nothing"),
    *("1.t.today.nothing", "1.d.nothing", "1.c.day.9999-12-31", "1.c.week.0001-01-01"),
    *("1.c.time.-1", "1.c.move.x", "1.c.clinic.", "1.c.part.night", "01.b", "1.b.b.b", "1.x"),
    *("é" * 32, "\x00" * 64, f"1.a.{LONE}", "1.c.book.１", "1.c.clinic.__class__", "-1.b", "1.S"),
)
ARGUMENTS = ("0", "99", "-1", "x", "9999-12-31", "0001-01-01", "night", "１", "willow", "\x00")
DATES = ("9999-12-31", "9999-12-25", "0001-01-01", "2026-02-30", "2026-W53-1", "٢٠٢٦-١١-٢٣", "")
VERBS = "atedqcbshwpvrxnz"
WORDS = (
    *("consent", "age", "today", "history", "nothing", "book", "day", "week", "time", "move"),
    *("cancel", "cancel_yes", "confirm", "keep", "part", "clinic", "continue", "start_over"),
)
NAMES = ("Maya", "<b>", "Ω" * 64, "a\x00b", LONE, "\u202eayaM", "=1+1", "🎈", "&amp;", " ")

MEDIA: dict[str, Any] = {
    "photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}],
    "voice": {"file_id": "a", "file_unique_id": "b", "duration": 10**9},
    "document": {"file_id": "a", "file_unique_id": "b", "file_name": "../../x\x00.exe"},
    "location": {"latitude": 1e308, "longitude": -1e308},
    "contact": {"phone_number": "=HYPERLINK(1)" * 20, "first_name": "<b>"},
    "dice": {"emoji": "🎲", "value": 6},
    "sticker": {
        **{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1},
        **{"is_animated": False, "is_video": False, "type": "regular"},
    },
    "new_chat_title": "<b>",
    "pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}},
}
UNKNOWN = ("business_message", "poll", "chat_join_request", "purchased_paid_media", "from_2031")
MEMBERS = ("kicked", "member", "left", "restricted", "administrator", "of_2031")


class Hostile:
    """Somebody who sends whatever does harm."""

    def __init__(self, chance: random.Random, chats: Sequence[Chat]) -> None:
        self._chance = chance
        self._chats = chats
        self._number = 10**6  # of messages
        self._kinds: tuple[Callable[[Chat], tuple[str, Json]], ...] = (
            *(self._words, self._words, self._words, self._edited, self._media, self._captioned),
            *(self._pressed, self._pressed, self._garbage, self._garbage, self._garbage),
            *(self._broken, self._unknown, self._elsewhere, self._member, self._contact),
        )

    @staticmethod
    def names(count: int) -> list[str]:
        """Return first names, dangerous ones among them; the stand-in can show each."""
        shown = [name for name in NAMES if LONE not in name]
        return [shown[number % len(shown)] for number in range(count)]

    def update(self) -> tuple[str, Chat, Json]:
        """Return the kind, the chat and the body of the next update."""
        chat = self._chance.choice(self._chats)
        kind, body = self._chance.choice(self._kinds)(chat)
        return kind, chat, body

    def _words(self, chat: Chat) -> tuple[str, Json]:
        return "message", self._message(chat) | {"text": self._text()}

    def _edited(self, chat: Chat) -> tuple[str, Json]:
        old = {"message_id": self._chance.choice((0, 1, self._number, 2**40)), "edit_date": 1}
        return "edited_message", self._message(chat) | old | {"text": self._text()}

    def _media(self, chat: Chat) -> tuple[str, Json]:
        kind = self._chance.choice(list(MEDIA))
        return "message", self._message(chat) | {kind: copy.deepcopy(MEDIA[kind])}

    def _captioned(self, chat: Chat) -> tuple[str, Json]:
        album = {"media_group_id": self._chance.choice(("1", "2", LONE, ""))}
        words = {"caption": self._text()[:1024], "photo": copy.deepcopy(MEDIA["photo"])}
        return "message", self._message(chat) | words | album

    def _contact(self, chat: Chat) -> tuple[str, Json]:
        phone = self._chance.choice(("+44 7700 900123", "", "\x00", LONE, "9" * 500, "=1+1"))
        card = {"phone_number": phone, "first_name": "x", "user_id": chat.patient.chat_id}
        return "message", self._message(chat) | {"contact": card}

    def _pressed(self, chat: Chat) -> tuple[str, Json]:
        """Press a real button of any message, current or old."""
        offered = [
            button["callback_data"]
            for message in list(chat.messages.values())[-6:]
            for row in message.inline_keyboard
            for button in row
            if "callback_data" in button
        ]
        data = str(self._chance.choice(offered)) if offered else "0.n"
        return "callback_query", self._query(chat, data)

    def _garbage(self, chat: Chat) -> tuple[str, Json]:
        """Press a button that never was, often with the number of the current screen."""
        last = chat.last(from_bot=True)
        rows = last.inline_keyboard if last else []
        real = str(rows[0][0].get("callback_data", "0.n")) if rows and rows[0] else "0.n"
        revision = real.partition(".")[0]
        verb, word = self._chance.choice(VERBS), self._chance.choice(WORDS)
        data = self._chance.choice(
            (
                self._chance.choice(DATA),
                f"{revision}.{verb}.{word}",
                f"{revision}.{verb}.{word}.{self._chance.choice(ARGUMENTS)}",
                f"{revision}.c.{word}.{self._chance.choice(ARGUMENTS)}",
                f"{revision}.c.{self._chance.choice(('week', 'day'))}.{self._chance.choice(DATES)}",
                real[: self._chance.randrange(len(real) + 1)],
                f"{revision}{self._text()}"[:64],
            )
        )
        return "callback_query", self._query(chat, data)

    def _broken(self, chat: Chat) -> tuple[str, Json]:
        """Take parts out of an update, or put something else in their place."""
        make = self._chance.choice((self._words, self._media, self._garbage, self._edited))
        kind, body = make(chat)
        key = self._chance.choice(list(body))
        if self._chance.random() < 0.5:
            del body[key]
        else:
            body[key] = self._chance.choice((None, "", [], {}, 0, -1, 2**80, "x", True))
        return kind, body

    def _unknown(self, chat: Chat) -> tuple[str, Json]:
        kind = self._chance.choice(UNKNOWN)
        return kind, self._message(chat) | {"id": "1", "question": "?", "what": [1, {"a": None}]}

    def _elsewhere(self, chat: Chat) -> tuple[str, Json]:
        """Speak in a group or a channel."""
        kind = self._chance.choice(("message", "channel_post", "edited_channel_post"))
        place = {"id": -(10**12), "type": self._chance.choice(("group", "supergroup", "channel"))}
        title = {"chat": place | {"title": "<b>"}}
        text = self._chance.choice((self._text(), "@resurface_playground_bot hi", "/start"))
        return kind, self._message(chat) | title | {"text": text}

    def _member(self, chat: Chat) -> tuple[str, Json]:
        def member() -> Json:
            return {
                "user": dict(BOT_USER),
                "status": self._chance.choice(MEMBERS),
                "until_date": 0,
            }

        body = {"chat": chat.patient.chat(), "from": chat.patient.user(), "date": 1}
        return "my_chat_member", body | {"old_chat_member": member(), "new_chat_member": member()}

    def _message(self, chat: Chat) -> Json:
        self._number += 1
        user = chat.patient.user() | {"first_name": self._chance.choice(NAMES)}
        if self._chance.random() < 0.2:
            user |= {"language_code": self._chance.choice(("de", "", "x" * 99, "\x00", LONE))}
        date = self._chance.choice((0, 1, 1_790_000_000, 2**31))
        here = chat.patient.chat()
        return {"message_id": self._number, "date": date, "chat": here, "from": user}

    def _query(self, chat: Chat, data: str) -> Json:
        shown = chat.last(from_bot=True)
        body: Json = {
            "id": str(self._chance.randrange(2**62)),
            "from": chat.patient.user() | {"first_name": self._chance.choice(NAMES)},
            "chat_instance": "1",
            "data": data,
        }
        if shown is not None and self._chance.random() < 0.95:
            body["message"] = shown.to_json(chat.patient)
        return body

    def _text(self) -> str:
        text = self._chance.choice(TEXTS)
        if self._chance.random() < 0.2:
            text = (text + self._chance.choice(TEXTS))[:4096]
        return text
