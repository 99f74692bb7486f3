"""What can happen in a conversation: past tense, typed. `bot.updates` makes them from updates."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from flows.conversation import Offer
from flows.follow_up import NudgeKind
from flows.slots import CalendarView


class Action(StrEnum):
    """Buttons of the screens that are not questions; `Chose.arg` is given where noted."""

    CLINIC = "clinic"  # arg: clinic slug
    CONTINUE = "continue"  # overlay: give the place back
    START_OVER = "start_over"  # overlay: yes, clear my answers
    CONFIRM = "confirm"  # review: all correct
    BOOK = "book"  # arg: index of the offer
    BOOK_FIRST = "book_first"  # only the first session of the offer; arg: index
    OTHER_TIMES = "other_times"
    WEEK = "week"  # arg: ISO date of the week's first day
    DAY = "day"  # arg: ISO date
    PART = "part"  # arg: morning, afternoon or evening
    TIME = "time"  # arg: index into Booking.times
    REACH_HERE = "reach_here"  # contact: write to me in this chat
    CHANGE = "change"  # booked: move an appointment
    MOVE = "move"  # arg: session number
    MEND = "mend"  # the later ones may move too
    CANCEL = "cancel"  # booked: cancel one visit, or everything
    CANCEL_ONE = "cancel_one"  # arg: session number
    CANCEL_YES = "cancel_yes"
    KEEP = "keep"  # back to the booked screen
    CALENDAR_FILE = "calendar_file"  # booked: send the .ics file again
    PREPARE = "prepare"  # booked: how to prepare
    AFTERCARE = "aftercare"
    WHERE = "where"  # booked: the address
    WAIT = "wait"  # booked: tell me if something earlier frees up
    WAIT_NO_MORE = "wait_no_more"
    BOOK_REST = "book_rest"  # booked: times for what is left of the course
    LASER = "laser"  # plan: the laser comparison
    PHOTOS = "photos"  # say what photos are for, and take them
    PHOTOS_YES = "photos_yes"  # photos: they may be kept
    PHOTOS_DELETE = "photos_delete"  # forget the photos that were kept
    ERASE = "erase"  # ask whether everything is to be deleted
    ERASE_YES = "erase_yes"  # erase: yes, everything


class NudgeAnswer(StrEnum):
    """Buttons under a message that came by itself."""

    GO = "go"  # yes: go on, start, show me times
    LATER = "later"  # not now
    COMING = "coming"  # I will come, and nothing has changed
    NEWS = "news"  # something has changed that the clinic must look at
    MOVE = "move"  # I need another time
    FINE = "fine"
    WORRY = "worry"
    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"
    FIVE = "5"
    STOP = "stop"  # no more messages of this kind


class Media(StrEnum):
    """Things patients send that are not words."""

    PHOTO = "photo"
    VOICE = "voice"
    STICKER = "sticker"
    VIDEO = "video"
    DOCUMENT = "document"
    LOCATION = "location"
    FORWARD = "forward"  # words of somebody else: never taken as an answer
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Started:
    """`/start`, with a deep-link payload `CLINIC` or `CLINIC-CAMPAIGN` where there was one."""

    payload: str = ""
    first_name: str = ""
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Answered:
    """A button that answers a question step, or "done" with all ticked codes."""

    step: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ticked:
    """A tick set or cleared on a MULTI step; an empty code opens ticking on a quick one."""

    step: str
    code: str


@dataclass(frozen=True, slots=True)
class Typed:
    """Words written by the patient. `message_id` lets a later edit find the answer it changes."""

    text: str
    message_id: int = 0


@dataclass(frozen=True, slots=True)
class Corrected:
    """An earlier message of the patient was edited: a correction of the step it answered."""

    text: str
    message_id: int = 0


@dataclass(frozen=True, slots=True)
class Edited:
    """The patient wants to change the answer of one step."""

    step: str


@dataclass(frozen=True, slots=True)
class Chose:
    """A button of a screen that is not a question."""

    action: Action
    arg: str = ""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question that the catalogue answers, by its id."""

    faq: str


@dataclass(frozen=True, slots=True)
class SentMedia:
    """A photo, voice note, sticker… `caption` is read for red flags."""

    media: Media
    caption: str = ""
    file_id: str = field(default="", repr=False)  # Telegram's name of a photo


@dataclass(frozen=True, slots=True)
class SharedContact:
    """The patient shared their own phone number with Telegram's button."""

    phone: str


@dataclass(frozen=True, slots=True)
class WentBack:
    """Back to the last relevant answered step."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Skip a step that allows it."""


@dataclass(frozen=True, slots=True)
class AskedHelp:
    """`/help`, the help button or the word."""


@dataclass(frozen=True, slots=True)
class AskedWhy:
    """Why do you ask?"""


@dataclass(frozen=True, slots=True)
class AskedForPerson:
    """The patient wants to talk to a person."""


@dataclass(frozen=True, slots=True)
class AskedPrivacy:
    """`/privacy`."""


@dataclass(frozen=True, slots=True)
class AskedToStartOver:
    """`/restart` or the words; asks for a yes first."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """`/stop`: no more messages."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """Show the current question again: a stale button, `/my` or a message we cannot use."""

    stale: bool = False


@dataclass(frozen=True, slots=True)
class AnsweredNudge:
    """A button under a message that came by itself; never stale, for it names what it is about."""

    kind: NudgeKind
    answer: NudgeAnswer
    ref: str = ""  # the appointment's UID, or the series


@dataclass(frozen=True, slots=True)
class CalendarSeen:
    """The shell read the calendar that a turn asked for (`Turn.look`)."""

    view: CalendarView


@dataclass(frozen=True, slots=True)
class SlotWasTaken:
    """The database refused `offer`: taken, or not offered any more. `view` is the calendar now."""

    offer: Offer
    view: CalendarView
    was_offered: bool = False  # to somebody who waits, by a message; not on a screen


Event = (
    Started
    | Answered
    | Ticked
    | Typed
    | Corrected
    | Edited
    | Chose
    | AskedQuestion
    | SentMedia
    | SharedContact
    | WentBack
    | Skipped
    | AskedHelp
    | AskedWhy
    | AskedForPerson
    | AskedPrivacy
    | AskedToStartOver
    | Stopped
    | Repeated
    | AnsweredNudge
    | CalendarSeen
    | SlotWasTaken
)
