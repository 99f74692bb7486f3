"""Which of the offered buttons a made-up person presses. Pure, but for the person's own chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.callback_data import Press
from bot.simulation.personas import Persona
from flows.events import Action, Answered, Chose, Skipped, Ticked


class Wish(StrEnum):
    """What somebody is in the chat for."""

    GET_TIMES = "get_times"
    MOVE = "move"
    CANCEL = "cancel"
    CANCEL_ONE = "cancel_one"  # of several
    EARLIER = "earlier"  # than the next visit, when something frees up


#: What is pressed wherever it stands, before anything else.
_ONWARDS = (Action.CONTINUE, Action.CONFIRM, Action.REACH_HERE)

Chosen = dict[Action, Chose]


@dataclass(slots=True)
class Look:
    """One look at the chat: what it is for, and what was done already."""

    wish: Wish = Wish.GET_TIMES
    began: bool = False  # the wish was made known
    other_times: bool = False

    def next_press(self, person: Persona, offered: Sequence[Press]) -> Press | None:
        """Return what to press of what is offered; None when there is nothing more to do."""
        answer = _answer(person, offered)
        if answer is not None:
            return answer
        chosen = {press.action: press for press in reversed(offered) if isinstance(press, Chose)}
        for action in _ONWARDS:
            if action in chosen and not (action is Action.REACH_HERE and person.leaves_hold):
                return chosen[action]
        match self.wish:
            case Wish.CANCEL | Wish.CANCEL_ONE:
                return self._cancel(person, offered, chosen)
            case Wish.EARLIER:
                return chosen.get(Action.WAIT)
            case Wish.MOVE:
                return self._move(person, offered, chosen)
            case Wish.GET_TIMES:
                return _time(person, offered) or self._offer(person, offered, chosen)

    def _cancel(self, person: Persona, offered: Sequence[Press], chosen: Chosen) -> Press | None:
        """Say yes, to all or to the one that was named; then take the repair, if one is offered."""
        ones = [p for p in offered if isinstance(p, Chose) and p.action is Action.CANCEL_ONE]
        if ones and self.wish is Wish.CANCEL_ONE:
            return person.rng.choice(ones)
        if Action.CANCEL_YES in chosen:
            return chosen[Action.CANCEL_YES]
        if self.began:
            return chosen.get(Action.MEND)
        self.began = Action.CANCEL in chosen
        return chosen.get(Action.CANCEL)

    def _move(self, person: Persona, offered: Sequence[Press], chosen: Chosen) -> Press | None:
        if (time := _time(person, offered)) is not None:
            self.began = True
            return time
        if self.began:
            return None
        return chosen.get(Action.MOVE) or chosen.get(Action.CHANGE) or chosen.get(Action.WEEK)

    def _offer(self, person: Persona, offered: Sequence[Press], chosen: Chosen) -> Press | None:
        """Take an offer, or look for other times once where there is none or it does not suit."""
        books = [p for p in offered if isinstance(p, Chose) and p.action is Action.BOOK]
        wants_others = person.picks_other_times or not books
        if Action.OTHER_TIMES in chosen and wants_others and not self.other_times:
            self.other_times = True
            return chosen[Action.OTHER_TIMES]
        if person.books_only_first and Action.BOOK_FIRST in chosen:
            return chosen[Action.BOOK_FIRST]
        return person.rng.choice(books) if books else chosen.get(Action.WEEK)


def _time(person: Persona, offered: Sequence[Press]) -> Press | None:
    for action in (Action.TIME, Action.DAY):
        found = [each for each in offered if isinstance(each, Chose) and each.action is action]
        if found:
            return person.rng.choice(found)
    return None


def _answer(person: Persona, offered: Sequence[Press]) -> Press | None:
    """Answer the question that is asked, if one is."""
    answers = [press for press in offered if isinstance(press, Answered)]
    ticks = [press for press in offered if isinstance(press, Ticked)]
    if not answers and not ticks:
        return next((press for press in offered if isinstance(press, Skipped)), None)
    wanted = person.answers.get((answers or ticks)[0].step, ())
    for press in answers:
        if not press.codes or press.codes[0] in wanted:  # no codes: "done", once one is ticked
            return press
    if tick := next((press for press in ticks if press.code in wanted), None):
        return tick
    return person.rng.choice(answers) if answers else person.rng.choice(ticks)
