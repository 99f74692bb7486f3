"""A plan drawn as a line of days: pins for sessions, bars for downtime, a flag for the event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from babel.dates import format_date

from bot.canvas import CARD, PAPER, SOFT_INK, Box, Canvas, wrap
from flows.plan import Plan, note_values
from flows.texts import Catalogue

WIDTH, HEIGHT = 1080, 640
_EVENT_ROOM = 84  # of the height, for plans with an event

_LEFT, _RIGHT = 88.0, 980.0  # first and last day on the page
_LINE = 362.0  # middle of the line of days
_PIN = 282.0  # middle of a session's pin
_ABOVE = 246.0  # words above a pin end here
_LATER_WIDTH = 140.0  # of the words above what follows the sessions
_BELOW = 398.0  # what is said below the line begins here

#: Okabe and Ito's colours, which the colour-blind tell apart; each also has a shape of its own.
_SESSION, _REDNESS, _MINOR, _EVENT, _JUDGE = "#0072b2", "#d55e00", "#f2cf87", "#7b3f8c", "#00785a"
_TRACK = "#d5ccc0"

#: A longer gap is cut: its first and last days are drawn to scale, the rest is a short break.
_LONGEST_GAP = 45
_BEFORE_CUT, _CUT, _AFTER_CUT = 14, 13, 11  # in days' worth of line


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the line: some days, and where they lie on the page."""

    first: date
    last: date
    left: float
    right: float
    cut: bool

    def x(self, day: date) -> float:
        """Return where a day of this stretch lies."""
        return self.left + (self.right - self.left) * (day - self.first) / (self.last - self.first)


def stretches(plan: Plan) -> tuple[Stretch, ...]:
    """Lay the days of a plan out on the page, with one scale everywhere but in the cuts."""
    days = {*plan.proposed_on, plan.review_on, plan.refresher_on}
    if plan.event_on is not None and not min(days) <= plan.event_on <= max(days):
        days.add(plan.event_on)
    pieces = [piece for pair in pairwise(sorted(days)) for piece in _pieces(*pair)]
    scale = (_RIGHT - _LEFT) / sum(worth for _, _, worth, _ in pieces)
    laid, left = [], _LEFT
    for first, last, worth, cut in pieces:
        laid.append(Stretch(first, last, left, left + worth * scale, cut))
        left += worth * scale
    return tuple(laid)


def _pieces(first: date, last: date) -> Iterator[tuple[date, date, int, bool]]:
    gap = (last - first).days
    if gap <= _LONGEST_GAP:
        yield first, last, gap, False
        return
    resumes, ends = first + timedelta(_BEFORE_CUT), last - timedelta(_AFTER_CUT)
    yield first, resumes, _BEFORE_CUT, False
    yield resumes, ends, _CUT, True
    yield ends, last, _AFTER_CUT, False


class Timeline:
    """Draws one plan. The parts are painted from the back to the front."""

    def __init__(self, plan: Plan, catalogue: Catalogue, locale: str) -> None:
        """Prepare the drawing of `plan` in the words of `catalogue`."""
        self._plan = plan
        self._catalogue = catalogue
        self._locale = locale
        self._stretches = stretches(plan)
        self._values = note_values(plan)
        self._bottom = HEIGHT if plan.event_on else HEIGHT - _EVENT_ROOM
        self._canvas = Canvas(WIDTH, self._bottom)

    def png(self) -> bytes:
        """Return the picture."""
        self._heading()
        self._track()
        self._event()
        self._first_change()
        self._gaps()
        for number, day in enumerate(self._plan.proposed_on, start=1):
            self._downtime(day)
            self._session(number, day)
        self._judge()
        self._refresher()
        self._legend()
        return self._canvas.png()

    def _say(self, word: str, **values: object) -> str:
        return self._catalogue.text(f"picture.{word}", **self._values, **values)

    def _x(self, day: date) -> float:
        for stretch in self._stretches:
            if day <= stretch.last:
                return stretch.x(day)
        return _RIGHT

    def _heading(self) -> None:
        title = "title_one" if self._plan.sessions == 1 else "title"
        self._canvas.words((WIDTH / 2, 52), self._say(title), 44, bold=True)
        self._canvas.words((WIDTH / 2, 102), self._say("subtitle"), 27, colour=SOFT_INK)

    def _track(self) -> None:
        self._canvas.box((36, _LINE - 5, WIDTH - 36, _LINE + 5), _TRACK, radius=5)
        for stretch in self._stretches:
            if stretch.cut:
                middle = (stretch.left + stretch.right) / 2
                self._canvas.box((middle - 9, _LINE - 8, middle + 9, _LINE + 8), PAPER)
                for x in (middle - 8, middle + 8):
                    self._canvas.line([(x - 4, _LINE + 13), (x + 4, _LINE - 13)], SOFT_INK, 3)

    def _gaps(self) -> None:
        stops = (*self._plan.proposed_on, self._plan.review_on)
        for before, after in pairwise(stops):
            days = (after - before).days
            weeks, odd = divmod(days, 7)
            words = self._say("days", count=days) if odd else self._say("weeks", count=weeks)
            middle = (self._x(before) + self._x(after)) / 2
            self._canvas.words((middle, _LINE - 30), words, 23, colour=SOFT_INK)

    def _session(self, number: int, day: date) -> None:
        x = self._x(day)
        self._canvas.line([(x, _PIN), (x, _LINE)], _SESSION, 5)
        self._canvas.disc((x, _PIN), 27, _SESSION)
        self._canvas.words((x, _PIN), str(number), 31, colour=CARD, bold=True)
        self._canvas.words((x, _ABOVE - 52), self._date(day, "weekday"), 25, colour=SOFT_INK)
        self._canvas.words((x, _ABOVE - 18), self._date(day, "day"), 30, bold=True)

    def _downtime(self, day: date) -> None:
        left = self._x(day)
        red = self._x(day + timedelta(self._plan.downtime_days[1]))
        minor = self._x(day + timedelta(self._plan.minor_days))
        self._dotted((red, _LINE - 11, minor, _LINE + 11))
        self._striped((left, _LINE - 11, red, _LINE + 11))

    def _striped(self, box: Box) -> None:
        left, top, right, bottom = box
        self._canvas.box(box, _REDNESS)
        for x in range(round(left) + 5, round(right) - 1, 6):
            self._canvas.line([(x, top), (x, bottom)], CARD, 2)

    def _dotted(self, box: Box) -> None:
        left, top, right, bottom = box
        self._canvas.box(box, _MINOR)
        for x in range(round(left) + 6, round(right) - 2, 8):
            for y in (top + 6, bottom - 6):
                self._canvas.disc((x, y), 1.8, SOFT_INK)

    def _event(self) -> None:
        if self._plan.event_on is None:
            return
        x = self._x(self._plan.event_on)
        self._canvas.line([(x, _LINE - 16), (x, _BELOW + 140)], _EVENT, 5)
        flag = [(x, _BELOW + 92), (x + 44, _BELOW + 116), (x, _BELOW + 140)]
        self._canvas.shape(flag, _EVENT)
        right = x < WIDTH * 0.7
        at, anchor = (x + 54, "lm") if right else (x - 14, "rm")
        day = self._date(self._plan.event_on, "event")
        words = self._say("event")
        self._canvas.words((at, _BELOW + 100), words, 27, colour=_EVENT, anchor=anchor, bold=True)
        self._canvas.words((at, _BELOW + 132), day, 25, anchor=anchor)

    def _first_change(self) -> None:
        days = self._plan.proposed_on[:3]
        left, right = self._x(days[0]), self._x(days[-1])
        top = _BELOW + 8
        ends = [(left, top - 12), (left, top), (right, top), (right, top - 12)]
        self._canvas.line(ends, SOFT_INK, 3)
        middle = max((left + right) / 2, 170.0)
        self._canvas.box((middle - 150, top + 5, middle + 150, top + 70), PAPER)
        self._canvas.words((middle, top + 22), self._say("first_change"), 26, bold=True)
        detail = self._say("first_change_detail")
        self._canvas.words((middle, top + 54), detail, 24, colour=SOFT_INK)

    def _judge(self) -> None:
        x = self._x(self._plan.review_on)
        self._canvas.line([(x, _PIN), (x, _LINE)], _JUDGE, 5)
        diamond = [(x - 31, _PIN), (x, _PIN - 31), (x + 31, _PIN), (x, _PIN + 31)]
        self._canvas.shape(diamond, _JUDGE)
        tick = [(x - 11, _PIN + 1), (x - 3, _PIN + 9), (x + 12, _PIN - 8)]
        self._canvas.line(tick, CARD, 5)
        on = self._say("on_or_after", on=self._date(self._plan.review_on, "day"))
        self._later(x, wrap(self._say("judge"), 26, _LATER_WIDTH), [on])

    def _refresher(self) -> None:
        x = self._x(self._plan.refresher_on)
        self._canvas.line([(x, _PIN), (x, _LINE)], SOFT_INK, 3)
        self._canvas.disc((x, _PIN), 25, PAPER, edge=SOFT_INK)
        for shift in (-9, 0, 9):
            self._canvas.disc((x + shift, _PIN), 2.6, SOFT_INK)
        month = self._date(self._plan.refresher_on, "month")
        details = [self._say("refresher_detail"), self._say("on_or_after", on=month)]
        self._later(x, wrap(self._say("refresher"), 26, _LATER_WIDTH), details)

    def _later(self, x: float, names: list[str], details: list[str]) -> None:
        y = _ABOVE - 18
        for detail in reversed(details):
            self._canvas.words((x, y), detail, 23, colour=SOFT_INK)
            y -= 30
        for name in reversed(names):
            self._canvas.words((x, y), name, 26, bold=True)
            y -= 30

    def _legend(self) -> None:
        y = self._bottom - 42.0
        first, last = self._plan.downtime_days
        red = self._say("redness", from_days=first, to_days=last)
        self._striped((60, y - 12, 104, y + 12))
        self._canvas.words((116, y), red, 26, anchor="lm")
        minor = self._say("minor", count=self._plan.minor_days)
        self._dotted((560, y - 12, 604, y + 12))
        self._canvas.words((616, y), minor, 26, anchor="lm")

    def _date(self, day: date, what: str) -> str:
        return str(format_date(day, self._say(f"{what}_pattern"), locale=self._locale))
