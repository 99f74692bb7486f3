"""The chats of the playground: patients, their messages and the files in them, in memory."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.clock import Clock
from bot.playground import limits
from bot.playground.entities import Entity
from bot.playground.refusals import bad_request

Json = dict[str, object]

BOT_ID = int(limits.TOKEN.partition(":")[0])
BOT_USER: Json = {
    "id": BOT_ID,
    "is_bot": True,
    "first_name": "Resurface",
    "username": "resurface_playground_bot",
}
FIRST_CHAT_ID = 700_000_001


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Bytes that the bot or a patient sent. `file_id` is a random secret, as Telegram's are."""

    file_id: str
    content: bytes
    name: str
    mime_type: str
    width: int = 0
    height: int = 0

    @property
    def path(self) -> str:
        """Return the `file_path` that getFile gives out."""
        return f"files/{self.file_id}/{self.name}"

    def to_json(self) -> Json:
        """Return the fields that every kind of file has."""
        unique = self.file_id[:12]
        return {
            "file_id": self.file_id,
            "file_unique_id": unique,
            "file_size": len(self.content),
        }


@dataclass(slots=True)
class Patient:
    """The person on the other side of one chat; in private chats the ids are the same."""

    chat_id: int
    first_name: str
    language: str = "en"
    phone: str = "+44 7700 900123"  # from the range that Ofcom keeps for drama

    def user(self) -> Json:
        """Return the patient as a `User`."""
        return {
            "id": self.chat_id,
            "is_bot": False,
            "first_name": self.first_name,
            "language_code": self.language,
        }

    def chat(self) -> Json:
        """Return the private chat as a `Chat`."""
        return {"id": self.chat_id, "type": "private", "first_name": self.first_name}


@dataclass(slots=True)
class Message:
    """One message of a chat. `parts` holds its photo, document, voice… in Telegram's shape."""

    message_id: int
    date: int  # Unix seconds
    from_bot: bool
    text: str = ""
    entities: list[Entity] = field(default_factory=list)
    parts: Json = field(default_factory=dict)
    inline_keyboard: list[list[Json]] = field(default_factory=list)
    edit_date: int | None = None
    reply_to: int | None = None
    change: int = 0  # number of the chat's change that wrote it last
    touched: int = 0  # like `change`, and also counts edits that changed nothing

    @property
    def captioned(self) -> bool:
        """Tell whether the words are a caption."""
        return bool(self.parts.keys() & {"photo", "document", "voice", "video"})

    def to_json(self, patient: Patient) -> Json:
        """Return the message as the Bot API shows it."""
        body: Json = {
            "message_id": self.message_id,
            "date": self.date,
            "chat": patient.chat(),
            "from": BOT_USER if self.from_bot else patient.user(),
            **self.parts,
        }
        if self.text:
            body["caption" if self.captioned else "text"] = self.text
        if self.entities:
            body["caption_entities" if self.captioned else "entities"] = self.entities
        if self.inline_keyboard:
            body["reply_markup"] = {"inline_keyboard": self.inline_keyboard}
        if self.edit_date is not None:
            body["edit_date"] = self.edit_date
        return body


@dataclass(slots=True)
class Chat:
    """One patient's chat with the bot."""

    patient: Patient
    chat_instance: str
    messages: dict[int, Message] = field(default_factory=dict)
    keyboard: Json | None = None  # the reply keyboard that is shown
    blocked: bool = False
    started: bool = False
    changes: int = 0
    taps: int = 0
    toasts: list[tuple[int, str]] = field(default_factory=list)  # (change, words)

    def message(self, message_id: int) -> Message | None:
        """Return a message that still exists."""
        return self.messages.get(message_id)

    def last(self, *, from_bot: bool) -> Message | None:
        """Return the newest message of one side."""
        matching = (m for m in reversed(self.messages.values()) if m.from_bot is from_bot)
        return next(matching, None)


class Chats:
    """Every chat and file of the playground."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._chats: dict[int, Chat] = {}
        self._files: dict[str, StoredFile] = {}
        self._last_message_id = 0
        self._next_chat_id = FIRST_CHAT_ID

    def __iter__(self) -> Iterator[Chat]:
        return iter(self._chats.values())

    def start_after(self, chat_id: int) -> None:
        """Give out chat ids after this one: earlier ones belong to earlier runs."""
        self._next_chat_id = max(self._next_chat_id, chat_id + 1)

    def restore(self, chats: Sequence[Chat], files: Sequence[StoredFile]) -> None:
        """Take back what an earlier run kept."""
        self._chats = {chat.patient.chat_id: chat for chat in chats}
        self._files = {stored.file_id: stored for stored in files}
        ids = [message_id for chat in chats for message_id in chat.messages]
        self._last_message_id = max(ids, default=0)
        self.start_after(max(self._chats, default=FIRST_CHAT_ID))

    def files(self) -> Iterator[StoredFile]:
        """Return every stored file."""
        return iter(self._files.values())

    def open(self, first_name: str, language: str = "en") -> Chat:
        """Add a patient who has not written yet."""
        chat_id = self._next_chat_id
        self._next_chat_id += 1
        instance = str(secrets.randbits(62))
        chat = Chat(Patient(chat_id, first_name, language), instance)
        self._chats[chat_id] = chat
        return chat

    def chat(self, chat_id: int) -> Chat:
        """Return a chat; Telegram's 400 when there is none."""
        if chat_id not in self._chats:
            raise bad_request("chat not found")
        return self._chats[chat_id]

    def add(
        self, chat: Chat, *, from_bot: bool, text: str = "", parts: Json | None = None
    ) -> Message:
        """Append a message with the next id and the present time."""
        self._last_message_id += 1
        message = Message(self._last_message_id, self.now(), from_bot, text, parts=parts or {})
        chat.messages[message.message_id] = message
        return message

    def now(self) -> int:
        """Return the present as Unix seconds, the unit of every date in the Bot API."""
        return int(self.clock.now().timestamp())

    def keep(
        self, content: bytes, name: str, mime_type: str, size: tuple[int, int] = (0, 0)
    ) -> StoredFile:
        """Store a file under a fresh id."""
        stored = StoredFile(secrets.token_urlsafe(24), content, name, mime_type, *size)
        self._files[stored.file_id] = stored
        return stored

    def file(self, file_id: str) -> StoredFile:
        """Return a file; Telegram's 400 when there is none."""
        if file_id not in self._files:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        return self._files[file_id]
