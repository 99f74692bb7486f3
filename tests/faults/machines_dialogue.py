"""Any mix of what a patient can do, against a plain record of what must hold at every moment.

The record reads the severities straight from the protocol's file and never asks the code that
judges answers. What is done is chosen among the buttons of the real screens, older screens'
buttons, typed words and everything else that Telegram can bring.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import flows
from bot import callback_data, screens
from bot.callback_data import Press
from bot.markup import LABEL_LIMIT, TEXT_LIMIT, Screen, plain
from flows import dialogue
from flows.clinics import BookingMode
from flows.conversation import Conversation, Overlay, Stage
from flows.effects import (
    AllowMessages,
    CancelAppointment,
    CancelSeries,
    ConfirmSeries,
    Effect,
    ErasePatient,
    HoldSeries,
    MoveAppointment,
    RecordDecision,
    ReleaseHold,
    StopMessages,
)
from flows.events import (
    Action,
    Answered,
    AskedForPerson,
    AskedHelp,
    AskedQuestion,
    AskedToStartOver,
    Chose,
    Corrected,
    Edited,
    Event,
    Media,
    Repeated,
    SentMedia,
    SharedContact,
    Skipped,
    Started,
    Stopped,
    Ticked,
    Typed,
    WentBack,
)
from flows.protocol import Kind
from flows.turn import Turn
from storage import documents
from tests.flows.chat import CLEAR, NOW, Chat, a_clinic, a_scene, a_view, protocol

SHIPPED = Path(flows.__file__).parent / "protocols" / "microneedling.toml"
RANK = ("", "counsel", "deferred", "review", "declined", "urgent")
FIRST = "consent"

WORDS = (
    *("yes", "no", "22", "17", "clear", "none of these", "rolling", "not sure", "3", "12 june"),
    *("back", "skip", "why", "help", "stop", "start over", "person", "again", "privacy"),
    *("next friday at 10", "other times", "book", "cancel", "tomorrow", "in 3 weeks", "10:30"),
    *("does it hurt?", "how much is it", "xyzzy plugh", "", "?", "\u202eabc\u200b", "9" * 400),
)
RED_FLAGS = ("I can't breathe", "I want to die", "I have a fever and the redness is spreading")
PAYLOADS = ("willow", "willow-autumn", "harbour", "", "nowhere")
ARGUMENTS = ("", "0", "1", "9", "-1", "2026-12-07", "2027-13-45", "morning", "willow", "x")


@lru_cache
def severities() -> dict[tuple[str, str], int]:
    """Return the rank of every answer, as the protocol's file says it."""
    read = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    return {
        (step["id"], option["code"]): RANK.index(option.get("severity", ""))
        for step in read["step"]
        for option in step.get("options", ())
    }


class Record:
    """What must be remembered to judge a conversation: plain facts of its own."""

    def __init__(self) -> None:
        self.run = 0
        self.bookable: str | None = None  # by the last verdict of this run
        self.held: str | None = None
        self.booked: set[str] = set()
        self.stopped = False

    def begin(self, run: int) -> None:
        """Forget the verdict of an earlier run."""
        if run != self.run:
            self.run, self.bookable = run, None

    def note(self, effect: Effect, after: Conversation) -> None:
        """Take one effect into the record, and complain when it must not be."""
        match effect:
            case RecordDecision():
                self.bookable = effect.verdict.bookable
            case HoldSeries() | ConfirmSeries():
                self._may_book(effect, after)
                self._books(effect)
            case MoveAppointment():
                assert effect.uid in self.booked, "what was never booked is moved"
                assert not after.red_flag, "a time is moved after a red flag"
            case ReleaseHold():
                assert effect.series_id == self.held, "what is not held is given back"
                self.held = None
            case CancelSeries():
                self.booked.clear()
            case CancelAppointment():
                assert effect.uid in self.booked, "what was never booked is cancelled"
                self.booked.remove(effect.uid)
            case StopMessages() | AllowMessages():
                self.stopped = isinstance(effect, StopMessages)

    def _may_book(self, effect: HoldSeries | ConfirmSeries, after: Conversation) -> None:
        assert self.bookable == effect.service, f"{effect.service} is booked without its verdict"
        assert not after.red_flag, "something is booked after a red flag"
        ranks = list(_ranks(after))
        limit = "counsel" if effect.service == "treatment" else "review"
        assert max(ranks, default=0) <= RANK.index(limit), "an answer forbids this booking"

    def _books(self, effect: HoldSeries | ConfirmSeries) -> None:
        starts = [session.slot.starts_at for session in effect.sessions]
        assert starts == sorted(set(starts)), "the sessions of a series are out of order"
        if isinstance(effect, HoldSeries):
            self.held = effect.series_id
            return
        assert self.held in (None, effect.series_id), "another series than the held one is booked"
        self.held = None
        self.booked = {session.uid for session in effect.sessions}


def _ranks(conversation: Conversation) -> Iterator[int]:
    for step, answer in conversation.answers.items():
        codes = answer.codes
        if answer.text is not None or answer.on is not None:
            codes = (*codes, "given")
        yield from (severities().get((step, code), 0) for code in codes)


def _captioned(text: str) -> Event:
    return SentMedia(Media.PHOTO, text)


class DialogueMachine(RuleBasedStateMachine):
    """One patient of a clinic, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.chat = Chat()
        self.now = NOW
        self.turns = 0
        self.record = Record()
        self.screen = Screen("")
        self.old: list[Press] = []

    @initialize(
        mode=st.sampled_from(BookingMode),
        payload=st.sampled_from(PAYLOADS),
        clear=st.sampled_from((0, 5, 11, 11)),
    )
    def opens(self, mode: BookingMode, payload: str, clear: int) -> None:
        self.clinics = (a_clinic(booking_mode=mode), a_clinic("harbour", name="Harbour <b>&"))
        self._do(Started(payload, "Sam <&>", "en"))
        self.answers_what_is_clear(clear)

    # What the patient does -----------------------------------------------------------------------

    @rule(data=st.data(), faster=st.booleans())
    def presses(self, data: st.DataObject, *, faster: bool) -> None:
        """Press a button of the screen; somebody else may have been faster with the time."""
        offered = [button.press for row in self.screen.rows for button in row if button.press]
        self._do(self._pressed(data.draw(st.sampled_from(offered))), faster=faster)

    @rule(data=st.data())
    @precondition(lambda self: self._step)
    def answers(self, data: st.DataObject) -> None:
        step = protocol().step(self._step)
        codes = data.draw(st.lists(st.sampled_from([o.code for o in step.options]), max_size=3))
        self._do(Answered(step.id, tuple(codes)))

    @rule(steps=st.integers(1, 12))
    @precondition(lambda self: self._step)
    def answers_what_is_clear(self, steps: int) -> None:
        for _ in range(steps):
            if self._step in CLEAR:
                self._do(Answered(self._step, CLEAR[self._step]))
        if self._here.state == Stage.REVIEW:
            self._do(Chose(Action.CONFIRM))

    @rule(data=st.data())
    @precondition(lambda self: self.old)
    def presses_an_old_button(self, data: st.DataObject) -> None:
        """Once as the bot tells old ones, once as if the number on it fitted after all."""
        press = data.draw(st.sampled_from(self.old[-30:]))
        self._do(Repeated(stale=True) if data.draw(st.booleans()) else self._pressed(press))

    @rule(action=st.sampled_from(Action), arg=st.sampled_from(ARGUMENTS))
    def makes_up_a_button(self, action: Action, arg: str) -> None:
        self._do(Chose(action, arg))

    @rule(text=st.one_of(st.sampled_from(WORDS), st.text(max_size=30)), to=st.integers(0, 9))
    def types(self, text: str, to: int) -> None:
        self._do(Typed(text, message_id=to))

    @rule(text=st.sampled_from(RED_FLAGS), how=st.sampled_from((Typed, Corrected, _captioned)))
    @precondition(lambda self: self.turns > 20)
    def raises_a_red_flag(self, text: str, how: Callable[[str], Event]) -> None:
        self._do(how(text))
        assert self._here.state == Stage.URGENT

    @rule(text=st.sampled_from(WORDS), of=st.integers(0, 9))
    def corrects(self, text: str, of: int) -> None:
        self._do(Corrected(text, of))

    @rule(data=st.data())
    def edits(self, data: st.DataObject) -> None:
        self._do(Edited(data.draw(st.sampled_from([step.id for step in protocol().steps]))))

    @rule(
        event=st.one_of(
            st.sampled_from(
                (WentBack(), Skipped(), AskedToStartOver(), Stopped(), Repeated(), AskedHelp())
            ),
            st.builds(SentMedia, st.sampled_from(Media), st.sampled_from(WORDS)),
            st.builds(Started, st.sampled_from(PAYLOADS)),
            st.sampled_from(protocol().faqs).map(AskedQuestion),
            st.just(SharedContact("+44 7700 900123")),
        )
    )
    def does(self, event: Event) -> None:
        self._do(event)

    @rule(data=st.data())
    @precondition(lambda self: self._step)
    def ticks(self, data: st.DataObject) -> None:
        codes = [option.code for option in protocol().step(self._step).options]
        self._do(Ticked(self._step, data.draw(st.sampled_from(["", *codes]))))

    @rule(hours=st.sampled_from((0.1, 1, 11, 30, 24 * 40, 24 * 200)))
    def time_passes(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_bot_starts_again(self) -> None:
        kept = documents.write_conversation(self._here)
        assert documents.read_conversation(kept) == self._here

    # What must hold ------------------------------------------------------------------------------

    @invariant()
    def nothing_is_asked_before_consent(self) -> None:
        here = self._here
        given = here.answers.get(FIRST)
        agreed = given is not None and given.codes == ("agree",)
        assert agreed or not here.answers
        assert agreed or not self._step or self._step == FIRST
        assert agreed or here.state not in (Stage.REVIEW, Stage.PLAN, Stage.CONSULT, Stage.CONTACT)

    @invariant()
    def the_record_agrees(self) -> None:
        booking = self._here.booking
        assert self.record.held == (booking.series_id if booking.hold_until else None)
        resting = self._here.state in (Stage.STOPPED, Stage.URGENT)
        assert resting or not self.record.stopped, "a patient who is back hears nothing"
        assert self.record.stopped or self._here.state != Stage.STOPPED

    @invariant()
    def the_screen_can_be_sent(self) -> None:
        assert 0 < len(plain(self.screen.html)) <= TEXT_LIMIT
        for row in self.screen.rows:
            for button in row:
                assert 0 < len(button.label) <= LABEL_LIMIT
                assert button.press is None or callback_data.pack(
                    self.screen.revision, button.press
                )

    @invariant()
    def there_is_a_way_out_and_a_person(self) -> None:
        presses = {button.press for row in self.screen.rows for button in row}
        assert presses & {AskedForPerson(), AskedHelp()}, "no person and no help on the screen"
        person = self._try(AskedForPerson())
        assert person.notes, "nobody answers who asks for a person"
        assert self._try(Stopped()).conversation.state == Stage.STOPPED
        over = self._try(AskedToStartOver())
        moved = over.conversation.overlay is Overlay.START_OVER or over.notes
        assert moved or self._here.state == Stage.URGENT or not self._here.answers

    @invariant()
    def back_and_on_leads_to_the_same_place(self) -> None:
        here = self._here
        if not self._step or here.overlay or self._step in here.answers:
            return
        there = self._try(WentBack()).conversation
        if there.state == here.state:
            return
        kind = protocol().step(there.state).kind
        codes = there.answers[there.state].codes
        plain_answer = bool(codes) and kind in (Kind.CHOICE, Kind.MULTI)
        on = Answered(there.state, codes) if plain_answer else Chose(Action.KEEP)
        again = self._try(on, there).conversation
        assert (again.state, again.answers) == (here.state, here.answers)

    # How it is done ------------------------------------------------------------------------------

    @property
    def _here(self) -> Conversation:
        assert self.chat.conversation is not None
        return self.chat.conversation

    @property
    def _step(self) -> str:
        """Return the question on the screen; empty on the other screens."""
        here = self.chat.conversation
        return "" if here is None or here.state in set(Stage) else here.state

    def _pressed(self, press: Press) -> Event:
        """Return what the bot makes of a button: "done" means what was ticked."""
        if isinstance(press, Answered) and not press.codes:
            return replace(press, codes=self._here.ticks)
        return press

    def _do(self, event: Event, *, faster: bool = False) -> None:
        self.turns += 1
        token = f"{self.turns:08d}abcdefgh{self.turns * 7919 % 10**8:08d}"
        self.chat.scene = replace(a_scene(*self.clinics, now=self.now), token=token)
        self.chat.view = a_view(self.now)
        before, seen = self.chat.conversation, len(self.chat.effects)
        if faster and before is not None and _takes_times(self._try(event)):
            self.chat.is_refused(event)
        else:
            self.chat.does(event)
        assert self.chat.turn is not None
        if ErasePatient() in self.chat.turn.effects:  # to the bot the chat was never seen
            assert before is not None
            assert before.overlay is Overlay.ERASE
            self.chat, self.record = Chat(), Record()
            self._do(Started("willow"))
            return
        self._judge(before, self.chat.turn, self.chat.effects[seen:])
        pressed = [button.press for row in self.screen.rows for button in row if button.press]
        self.old += [press for press in pressed if press not in self.old]
        self.screen = screens.render(self._here, self.chat.turn.notes, self.chat.scene)

    def _judge(self, before: Conversation | None, turn: Turn, effects: list[Effect]) -> None:
        after = self._here
        self.record.begin(after.run)
        for effect in effects:
            self.record.note(effect, after)
        if before is None or after.run != before.run:
            return
        assert after.revision > before.revision or turn.silent
        flag_ends = not before.answers and not after.answers
        assert not before.red_flag or after.red_flag or flag_ends, "a red flag was forgotten"

    def _try(self, event: Event, conversation: Conversation | None = None) -> Turn:
        """Return what would come of an event, without doing it."""
        return dialogue.advance(conversation or self._here, event, self.chat.scene, chat_id=7)


def _takes_times(turn: Turn) -> bool:
    return any(
        isinstance(effect, HoldSeries | ConfirmSeries | MoveAppointment) for effect in turn.effects
    )
