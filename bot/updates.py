"""What Telegram sends, as events of the dialogue: the only reader of `telegram.Update`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from telegram import Chat, ChatMember, Message, Update, User

from bot import callback_data
from bot.wholeness import is_whole
from flows.events import (
    Action,
    AskedForPerson,
    AskedHelp,
    AskedPrivacy,
    AskedToStartOver,
    Chose,
    Corrected,
    Event,
    Media,
    Repeated,
    SentMedia,
    SharedContact,
    Started,
    Stopped,
    Typed,
    WentBack,
)
from storage import staff

#: The kinds of update that are asked for; Telegram keeps every other kind to itself.
ALLOWED = ("message", "edited_message", "callback_query", "my_chat_member")

_COMMANDS: dict[str, Event] = {
    "help": AskedHelp(),
    "back": WentBack(),
    "my": Repeated(),
    "restart": AskedToStartOver(),
    "stop": Stopped(),
    "privacy": AskedPrivacy(),
    "person": AskedForPerson(),
    "delete": Chose(Action.ERASE),
}
_STAFF_COMMANDS = frozenset({"today", "week", "off", "console", "cards", "leave", "help"})
_ALBUMS_REMEMBERED = 1000

#: What the payload of a staff member's button begins with; none of the dialogue's does.
STAFF_MARK = "!"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing a patient did in a private chat."""

    update_id: int
    chat_id: int
    event: Event
    typed: bool  # a message of their own, not a button
    callback_query_id: str | None = None
    message_id: int | None = None  # the message with the button, or the patient's own
    revision: int | None = None  # of the button; None when the payload is not ours
    first_name: str = ""
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class StaffCall:
    """Something that only a clinic's people do; from anybody else it is `arrival`."""

    arrival: Arrival
    name: str  # a command, `join` or `press`
    rest: str  # words after the command, the invitation's token, the button's payload


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """Somebody spoke to the bot in a group, where health is not discussed."""

    update_id: int
    chat_id: int


@dataclass(frozen=True, slots=True)
class Blocked:
    """A patient blocked the bot. Letting it back in needs no answer: they write next."""

    update_id: int
    chat_id: int


def chat_of(update: Update) -> int:
    """Return the chat whose order this update belongs to; 0 for an update without one."""
    chat = update.effective_chat
    if chat is not None:
        return chat.id
    user = update.effective_user
    return user.id if user is not None else 0


class UpdateReader:
    """Turns updates into arrivals. Remembers albums, so that each is answered once."""

    def __init__(self, locales: Collection[str], bot_name: str = "") -> None:
        self._locales = locales
        self._bot_name = bot_name.lower()
        self._albums: OrderedDict[str, int] = OrderedDict()

    def read(self, update: Update) -> Arrival | StaffCall | GroupMessage | Blocked | None:
        """Return what happened; None for everything that needs no answer."""
        found = self._read(update)
        return _staff_call(update, found) if isinstance(found, Arrival) else found

    def _read(self, update: Update) -> Arrival | GroupMessage | Blocked | None:
        chat = update.effective_chat
        if chat is None or not is_whole(update):
            return None
        if update.my_chat_member is not None:
            return _membership(update, chat)
        if chat.type != Chat.PRIVATE:
            return self._group(update, chat)
        if update.callback_query is not None:
            return self._pressed(update, chat)
        if update.edited_message is not None:
            return self._edited(update, chat, update.edited_message)
        if update.message is not None:
            return self._spoken(update, chat, update.message)
        return None

    def _pressed(self, update: Update, chat: Chat) -> Arrival:
        query = update.callback_query
        assert query is not None  # noqa: S101 - told apart by the caller
        unpacked = callback_data.unpack(query.data or "")
        revision, event = unpacked if unpacked else (None, Repeated(stale=True))
        return Arrival(
            update.update_id,
            chat.id,
            event,
            typed=False,
            callback_query_id=query.id,
            message_id=query.message.message_id if query.message else None,
            revision=revision,
            first_name=query.from_user.first_name,
            locale=self._locale(query.from_user),
        )

    def _edited(self, update: Update, chat: Chat, message: Message) -> Arrival | None:
        text = message.text or message.caption
        if not text:
            return None
        return self._said(update, chat, message, Corrected(text, message.message_id))

    def _spoken(self, update: Update, chat: Chat, message: Message) -> Arrival | None:
        if self._seen_album(update, message):
            return None
        event = self._event(message)
        return None if event is None else self._said(update, chat, message, event)

    def _said(self, update: Update, chat: Chat, message: Message, event: Event) -> Arrival:
        user = message.from_user
        return Arrival(
            update.update_id,
            chat.id,
            event,
            typed=True,
            message_id=message.message_id,
            first_name=user.first_name if user else "",
            locale=self._locale(user),
        )

    def _event(self, message: Message) -> Event | None:
        if message.text is not None and message.text.startswith("/"):
            return self._command(message)
        if message.contact is not None:
            return _contact(message)
        media = _media(message)
        if media is not None:
            words = message.text or message.caption or ""
            return SentMedia(media, words, _file_id(message, media))
        if message.text is not None:
            return Typed(message.text, message.message_id)
        return None  # a service message such as a pinned note

    def _command(self, message: Message) -> Event:
        head, _, rest = (message.text or "").partition(" ")
        name = head[1:].partition("@")[0].lower()
        if name == "start":
            user = message.from_user
            first_name = user.first_name if user else ""
            return Started(rest.strip(), first_name, self._locale(user))
        return _COMMANDS.get(name, AskedHelp())

    def _group(self, update: Update, chat: Chat) -> GroupMessage | None:
        message = update.message
        if chat.type not in (Chat.GROUP, Chat.SUPERGROUP) or message is None:
            return None
        text = (message.text or "").lower()
        called = text.startswith("/start") or (
            self._bot_name != "" and f"@{self._bot_name}" in text
        )
        return GroupMessage(update.update_id, chat.id) if called else None

    def _seen_album(self, update: Update, message: Message) -> bool:
        album = message.media_group_id
        if album is None or message.caption or message.photo:
            return False  # a caption may hold a red flag; each photo may be one to keep
        first = self._albums.setdefault(album, update.update_id)
        if len(self._albums) > _ALBUMS_REMEMBERED:
            self._albums.popitem(last=False)
        return first != update.update_id

    def _locale(self, user: User | None) -> str:
        language = (user.language_code or "") if user else ""
        locale = language.partition("-")[0].lower()
        return locale if locale in self._locales else "en"


def _staff_call(update: Update, arrival: Arrival) -> Arrival | StaffCall:
    if update.callback_query is not None:
        data = update.callback_query.data or ""
        is_staffs = data.startswith(STAFF_MARK)
        return StaffCall(arrival, "press", data.removeprefix(STAFF_MARK)) if is_staffs else arrival
    if isinstance(arrival.event, Started) and arrival.event.payload.startswith(staff.INVITE_PREFIX):
        return StaffCall(arrival, "join", arrival.event.payload.removeprefix(staff.INVITE_PREFIX))
    text = (update.message.text or "") if update.message is not None else ""
    head, _, rest = text.partition(" ")
    name = head[1:].partition("@")[0].lower()
    if head.startswith("/") and name in _STAFF_COMMANDS:
        return StaffCall(arrival, name, rest.strip())
    return arrival


def _contact(message: Message) -> Event:
    contact, user = message.contact, message.from_user
    # A contact can be anybody's card; only the sender's own number is theirs to give.
    if contact is None or user is None or contact.user_id != user.id:
        return SentMedia(Media.OTHER)
    return SharedContact(contact.phone_number)


def _media(message: Message) -> Media | None:
    if message.forward_origin is not None:
        return Media.FORWARD
    found = (
        (message.photo, Media.PHOTO),
        (message.voice or message.audio, Media.VOICE),
        (message.sticker or message.animation, Media.STICKER),
        (message.video or message.video_note, Media.VIDEO),
        (message.document, Media.DOCUMENT),
        (message.location or message.venue, Media.LOCATION),
        (message.poll or message.dice or message.story, Media.OTHER),
    )
    return next((media for part, media in found if part), None)


def _file_id(message: Message, media: Media) -> str:
    """Return Telegram's name of the largest size of a photo, nothing for anything else."""
    return message.photo[-1].file_id if media is Media.PHOTO else ""


def _membership(update: Update, chat: Chat) -> Blocked | None:
    member = update.my_chat_member
    if member is None or chat.type != Chat.PRIVATE:
        return None
    gone = member.new_chat_member.status in (ChatMember.BANNED, ChatMember.LEFT)
    return Blocked(update.update_id, chat.id) if gone else None
