"""What happened in the chats, as the stand-in saw it: every message and every act, with its time.

It knows nothing of the bot's own database, so that the two can be held against each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Act(StrEnum):
    """What a patient did."""

    WROTE = "wrote"  # any message or tap that says nothing special
    STOPPED = "stopped"  # asked for no more messages
    RETURNED = "returned"  # pressed Start, or the button to come back: messages are welcome again
    ALARMED = "alarmed"  # wrote of something urgent
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"


@dataclass(frozen=True, slots=True)
class Done:
    """One act of a patient. `stopped_kind` is the kind of nudge that they want no more of."""

    chat_id: int
    at: datetime  # aware UTC
    act: Act = Act.WROTE
    stopped_kind: str = ""
    answered: bool = True  # by a screen, before the patient stopped waiting
    nudge: str = ""  # the kind of the message under which a button was pressed, if it was a nudge
    heard_at: datetime | None = None  # when that message came
    was_over: bool = False  # the answer was that it is no longer open


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message that the bot sent. `nudge` is what its own buttons say it is, if it is one."""

    chat_id: int
    message_id: int
    at: datetime  # aware UTC
    nudge: str = ""
    says_over: bool = False  # that what a button spoke of is no longer open


@dataclass(slots=True)
class Ledger:
    """Both in the order in which they happened."""

    delivered: list[Delivered] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)  # lines of the log that tell of a fault
