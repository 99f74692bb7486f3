"""Words and keyboards of a call: parsed, checked and attached to a chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.playground import entities, limits
from bot.playground.calls import Call
from bot.playground.chats import Chat
from bot.playground.entities import Entity
from bot.playground.refusals import bad_request

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Words:
    """A text or caption as Telegram stores it."""

    text: str
    entities: list[Entity]


@dataclass(frozen=True, slots=True)
class Keyboard:
    """The `reply_markup` of a call: an inline keyboard, a reply keyboard, or its removal."""

    inline: list[list[Json]]
    reply: Json | None = None
    remove: bool = False

    def attach(self, chat: Chat) -> None:
        """Show or remove the reply keyboard in the chat."""
        if self.remove:
            chat.keyboard = None
        elif self.reply is not None:
            chat.keyboard = self.reply


def read_words(call: Call, name: str, entities_name: str) -> Words:
    """Read a text with its parse mode or its entities."""
    source = call.text(name)
    mode = call.text("parse_mode").lower()
    if mode == "html":
        text, found = entities.parse_html(source)
    elif mode in ("markdown", "markdownv2"):
        raise bad_request("can't parse entities: the playground knows parse_mode HTML only")
    else:
        text, found = entities.plain(source)
        given = call.structure(entities_name)
        found = (
            [dict(e) for e in given if isinstance(e, dict)] if isinstance(given, list) else found
        )
    return Words(text, entities.with_found(text, found))


def read_text(call: Call) -> Words:
    """Read and check the text of a message."""
    words = read_words(call, "text", "entities")
    limits.check_text(words.text)
    return words


def read_caption(call: Call) -> Words:
    """Read and check a caption."""
    words = read_words(call, "caption", "caption_entities")
    limits.check_caption(words.text)
    return words


def read_keyboard(call: Call) -> Keyboard:
    """Read and check `reply_markup`; an empty keyboard when there is none."""
    markup = call.structure("reply_markup")
    if markup is None:
        return Keyboard([])
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        rows = _rows(markup["inline_keyboard"])
        limits.check_inline_keyboard(rows)
        return Keyboard(rows)
    if "keyboard" in markup:
        return Keyboard([], reply={**markup, "keyboard": _rows(markup["keyboard"])})
    return Keyboard([], remove=bool(markup.get("remove_keyboard")))


def _rows(value: object) -> list[list[Json]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise bad_request('field "inline_keyboard" must be of type Array')
    rows = [[_button(button) for button in row] for row in value]
    return [row for row in rows if row]


def _button(value: object) -> Json:
    return dict(value) if isinstance(value, dict) else {"text": str(value)}
