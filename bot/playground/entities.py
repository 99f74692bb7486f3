"""Telegram's HTML subset: markup in, plain text and entities out, with Telegram's own errors.

Offsets and lengths of entities count UTF-16 code units, as the Bot API does.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from bot.playground.refusals import Refusal, bad_request

Entity = dict[str, object]

_TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "tg-spoiler": "spoiler",
    "blockquote": "blockquote",
}
_TOKEN = re.compile(r"<[^>]*>?|&[^;\s<&]{1,12};|[^<&]+|&")
_HREF = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_ESCAPES = {"&lt;", "&gt;", "&amp;", "&quot;"}
_FOUND = re.compile(r"(?P<url>https?://[^\s<>\"]+[\w/])|(?P<bot_command>(?<!\S)/[A-Za-z]\w{0,31})")


@dataclass(slots=True)
class _Open:
    tag: str
    kind: str
    offset: int
    extra: Entity


@dataclass(slots=True)
class _Reader:
    text: list[str] = field(default_factory=list)
    length: int = 0  # of the text so far, in UTF-16 units
    at: int = 0  # byte offset in the source, for error messages
    open: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def add(self, words: str) -> None:
        self.text.append(words)
        self.length += units(words)

    def begin(self, source: str) -> None:
        name, _, attributes = source[1:-1].strip().partition(" ")
        tag = name.lower()
        if tag == "span" and "tg-spoiler" in attributes:
            self.open.append(_Open(tag, "spoiler", self.length, {}))
            return
        if tag not in _TYPES:
            raise _cannot(f'Unsupported start tag "{tag}" at byte offset {self.at}')
        kind, extra = _TYPES[tag], _attributes(tag, attributes)
        if tag == "blockquote" and "expandable" in attributes:
            kind = "expandable_blockquote"
        self.open.append(_Open(tag, kind, self.length, extra))

    def end(self, source: str) -> None:
        tag = source[2:-1].strip().lower()
        if not self.open:
            raise _cannot(f"Unexpected end tag at byte offset {self.at}")
        begun = self.open.pop()
        if tag not in ("", begun.tag):
            raise _cannot(
                f"Unmatched end tag at byte offset {self.at}, "
                f'expected "</{begun.tag}>", found "</{tag}>"'
            )
        if self.length > begun.offset and not (begun.tag == "a" and not begun.extra):
            self.entities.append(_entity(begun, self.length))


def units(text: str) -> int:
    """Count UTF-16 code units, the unit of all entity offsets."""
    return len(text.encode("utf-16-le")) // 2


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Return plain text and entities; refuses what Telegram refuses ("can't parse entities")."""
    reader = _Reader()
    for token in _TOKEN.findall(source):
        _read(reader, token)
        reader.at += len(token.encode())
    if reader.open:
        raise _cannot(f'Can\'t find end tag corresponding to start tag "{reader.open[-1].tag}"')
    return _trimmed("".join(reader.text), reader.entities)


def plain(source: str) -> tuple[str, list[Entity]]:
    """Return text without markup, trimmed as Telegram trims it."""
    return _trimmed(source, [])


def with_found(text: str, entities: list[Entity]) -> list[Entity]:
    """Add the entities that Telegram finds by itself: web addresses and bot commands."""
    taken = [(int(str(e["offset"])), int(str(e["length"]))) for e in entities]
    found = list(entities)
    for match in _FOUND.finditer(text):
        offset, length = units(text[: match.start()]), units(match.group())
        if all(offset + length <= start or offset >= start + size for start, size in taken):
            found.append({"type": match.lastgroup, "offset": offset, "length": length})
    return sorted(found, key=lambda e: (int(str(e["offset"])), -int(str(e["length"]))))


def _read(reader: _Reader, token: str) -> None:
    if token.startswith("<"):
        if not token.endswith(">"):
            raise _cannot(f"Unclosed start tag at byte offset {reader.at}")
        (reader.end if token.startswith("</") else reader.begin)(token)
    elif token in _ESCAPES or token.startswith("&#"):
        reader.add(html.unescape(token))
    else:
        reader.add(token)


def _attributes(tag: str, attributes: str) -> Entity:
    if tag != "a":
        return {}
    match = _HREF.search(attributes)
    address = html.unescape(next((group for group in match.groups() if group), "")) if match else ""
    return {"url": address} if address else {}


def _entity(begun: _Open, until: int) -> Entity:
    size = until - begun.offset
    return {"type": begun.kind, "offset": begun.offset, "length": size, **begun.extra}


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    kept = text.strip()
    shift = units(text[: len(text) - len(text.lstrip())])
    size = units(kept)
    moved: list[Entity] = []
    for entity in sorted(entities, key=lambda e: (int(str(e["offset"])), -int(str(e["length"])))):
        start = int(str(entity["offset"])) - shift
        end = min(start + int(str(entity["length"])), size)
        if end > max(start, 0):
            moved.append({**entity, "offset": max(start, 0), "length": end - max(start, 0)})
    return kept, moved


def _cannot(detail: str) -> Refusal:
    return bad_request(f"can't parse entities: {detail}")
