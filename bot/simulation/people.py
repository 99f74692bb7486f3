"""Made-up patients in their chats: they press what the screens offer, through the stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.callback_data import Press, unpack
from bot.playground import patients
from bot.playground.chats import Chat, Message
from bot.simulation.agenda import Deed
from bot.simulation.choices import Look, Wish
from bot.simulation.ledger import Act, Done, Ledger
from bot.simulation.personas import Fate, Persona
from bot.simulation.watching import WatchedStandIn, nudge_in
from flows.events import Action, AnsweredNudge, AskedForPerson, Chose, NudgeAnswer, Repeated
from flows.follow_up import NudgeKind

_PATIENCE = 60.0  # seconds of real time after which an act counts as unanswered
_MOST_ACTS = 60  # in one look at the chat; more is going round in circles
_LOOKED_AT = 12  # newest messages in which a screen may be found

_ALARMING = "i have a fever and the redness is spreading"
_QUESTION = "Is it all right to fly the day after?"

#: Buttons of news about a visit, which is no screen.
_OF_NEWS = frozenset({Repeated(), AskedForPerson(), Chose(Action.OTHER_TIMES)})


class LostPatience(Exception):
    """The bot did not answer."""


@dataclass(slots=True)
class _Answering:
    """What of an answer is still to come: the screen, and the end of the button's spinner."""

    left: int
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Person:
    """One made-up patient with a chat."""

    def __init__(
        self,
        persona: Persona,
        chat: Chat,
        standin: WatchedStandIn,
        ledger: Ledger,
        clinic: str,
    ) -> None:
        self.persona = persona
        self.chat = chat
        self._clinic = clinic
        self._standin = standin
        self._ledger = ledger
        self._answering: _Answering | None = None
        self._one_at_a_time = asyncio.Lock()
        self._has_stopped = False

    @property
    def chat_id(self) -> int:
        """Return the chat's id."""
        return self.chat.patient.chat_id

    def sees(self) -> None:
        """Notice one part of an answer: the screen, or that the button's spinner ended."""
        if self._answering is not None:
            self._answering.left -= 1
            if self._answering.left <= 0:
                self._answering.done.set()

    async def alone(self, deed: Deed) -> None:
        """Do one thing after the other: nobody presses a button that is just being replaced."""
        async with self._one_at_a_time:
            await deed()

    # What people do --------------------------------------------------------------------------

    async def arrive(self) -> None:
        """Follow the clinic's link and answer, for as long as they like."""
        await self._start(self._clinic)
        if self.persona.fate is Fate.URGENT:
            await self._look(Look(), at_most=3)
            await self.alarm()
            return
        await self._look(Look(), at_most=self.persona.hesitates_after)

    async def alarm(self) -> None:
        """Write of something urgent, whatever is asked."""
        if not self.chat.blocked:
            await self._act(Done(self.chat_id, self._now, Act.ALARMED), self._writing(_ALARMING))

    async def cancel(self) -> None:
        """Take the booking back."""
        await self.write("/my")
        await self._look(Look(Wish.CANCEL))

    async def cancel_one(self) -> None:
        """Take one visit of several back."""
        await self.write("/my")
        await self._look(Look(Wish.CANCEL_ONE))

    async def wait(self) -> None:
        """Ask to be told when something earlier than the next visit frees up."""
        await self.write("/my")
        await self._look(Look(Wish.EARLIER))

    async def stop(self) -> None:
        """Ask for no more messages."""
        if not self.chat.blocked:
            await self._act(Done(self.chat_id, self._now, Act.STOPPED), self._writing("/stop"))
            self._has_stopped = True

    async def stop_kind(self, kind: NudgeKind) -> None:
        """Ask for no more messages of a kind, under the last one that came."""
        for message in reversed(list(self.chat.messages.values())):
            nudge = nudge_in(message)
            if nudge is not None and nudge.kind is kind:
                await self.answer(message.message_id, NudgeAnswer.STOP, None)
                return

    async def ask(self) -> None:
        """Write to a person of the clinic."""
        for message, row, column, press in self._offered():
            if press == AskedForPerson() and not self.chat.blocked:
                await self._tap(message, row, column)
                await self.write(_QUESTION)
                return

    async def block(self) -> None:
        """Block the bot."""
        if not self.chat.blocked:
            blocking = Done(self.chat_id, self._now, Act.BLOCKED)
            await self._act(blocking, lambda: self._set_blocked(blocked=True))

    async def unblock(self) -> None:
        """Unblock the bot, press Start and go on."""
        if self.chat.blocked:
            self._set_blocked(blocked=False)
            self._ledger.done.append(Done(self.chat_id, self._now, Act.UNBLOCKED))
            await self._start()
            await self._look(Look())

    async def answer(self, message_id: int, answer: NudgeAnswer, wish: Wish | None) -> None:
        """Press an answer under a message that came by itself, then go on if there is a wish."""
        message = self.chat.message(message_id)
        if self.chat.blocked or message is None:
            return
        for row, column, press in _presses(message):
            if isinstance(press, AnsweredNudge) and press.answer is answer:
                done = Done(
                    self.chat_id,
                    self._now,
                    stopped_kind=press.kind.value if answer is NudgeAnswer.STOP else "",
                    nudge=press.kind.value,
                    heard_at=datetime.fromtimestamp(message.date, UTC),
                )
                await self._tap(message, row, column, done)
                break
        if wish is not None:
            await self._look(Look(wish))

    async def write(self, words: str) -> None:
        """Write something."""
        if not self.chat.blocked:
            await self._act(Done(self.chat_id, self._now), self._writing(words))

    # How they do it --------------------------------------------------------------------------

    async def _look(self, look: Look, at_most: int | None = None) -> None:
        for _ in range(_MOST_ACTS if at_most is None else at_most):
            offered = self._offered()
            press = look.next_press(self.persona, [each for *_, each in offered])
            if press is None or self.chat.blocked:
                return
            message, row, column, _ = next(each for each in offered if each[3] == press)
            comes_back = self._has_stopped and press == Chose(Action.CONTINUE)
            act = Act.RETURNED if comes_back else Act.WROTE
            await self._tap(message, row, column, Done(self.chat_id, self._now, act))
            self._has_stopped = self._has_stopped and not comes_back

    def _offered(self) -> list[tuple[Message, int, int, Press]]:
        """Return the buttons of the current screen."""
        newest = list(self.chat.messages.values())[-_LOOKED_AT:]
        for message in reversed(newest):
            if message.from_bot and message.inline_keyboard and nudge_in(message) is None:
                presses = list(_presses(message))
                if not {press for *_, press in presses} <= _OF_NEWS:
                    return [(message, *each) for each in presses]
        return []

    async def _start(self, payload: str = "") -> None:
        starting = Done(self.chat_id, self._now, Act.RETURNED)
        await self._act(starting, lambda: patients.start(self._standin, self.chat, payload))
        self._has_stopped = False

    @property
    def _now(self) -> datetime:
        return self._standin.clock.now()

    def _writing(self, words: str) -> Callable[[], object]:
        return lambda: patients.say(self._standin, self.chat, words)

    def _set_blocked(self, *, blocked: bool) -> None:
        patients.set_blocked(self._standin, self.chat, blocked=blocked)

    async def _tap(self, message: Message, row: int, column: int, done: Done | None = None) -> None:
        def tap() -> None:
            patients.tap(self._standin, self.chat, message.message_id, row, column)

        await self._act(done or Done(self.chat_id, self._now), tap, parts=2)

    async def _act(self, done: Done, do: Callable[[], object], *, parts: int = 1) -> None:
        """Do something and wait until the bot has answered it in full; raises LostPatience.

        What it was goes into the ledger with what came of it.
        """
        answering = self._answering = _Answering(parts)
        before, answered = len(self._ledger.delivered), True
        do()
        try:
            async with asyncio.timeout(_PATIENCE):
                await answering.done.wait()
        except TimeoutError:
            answered = False
        self._answering = None
        was_over = any(
            each.says_over and each.chat_id == self.chat_id
            for each in self._ledger.delivered[before:]
        )
        self._ledger.done.append(replace(done, answered=answered, was_over=was_over))
        if not answered:
            raise LostPatience


def _presses(message: Message) -> Iterator[tuple[int, int, Press]]:
    for row, buttons in enumerate(message.inline_keyboard):
        for column, button in enumerate(buttons):
            read = unpack(str(button.get("callback_data", "")))
            if read is not None:
                yield row, column, read[1]
