"""Moving one session of a series: which later ones must follow it, so that every gap is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from flows import series
from flows.conversation import Offer
from flows.protocol import Spacing
from flows.series import Diary
from flows.slots import CalendarView, Slot, local_start


def mend(
    view: CalendarView,
    spacing: Spacing,
    before: Slot | None,
    wanted: Offer,
    *,
    may: Callable[[date], bool] = lambda on: True,
) -> Offer | None:
    """Return the series with the fewest and shortest moves that follow from moving one session.

    `before` is the session ahead of the moved one, which stays; None when it is the first.
    `wanted` begins with the time that was chosen for the moved session, which is kept as it is:
    whoever asks has seen that it is free. The later ones follow as they stand. Those that keep
    their gap stay, in and out of opening hours; the others go to the nearest free time of their
    own practitioner, on a day that `may` be used: whole days count first, then minutes on the
    clock. `view` leaves the patient's own series out (`ignore_series`).

    `changed` names the ones that move besides the first, by index. None when no such series is
    free, or when the chosen time is itself too near to `before` or too far from it.
    """
    starts = [local_start(slot, view.zone) for slot in wanted.slots]
    if before is not None and not keeps_gap(spacing, local_start(before, view.zone), starts[0]):
        return None
    diaries = _diaries(view, wanted.slots[1:], starts[0].date(), may)
    layers = [{starts[0].toordinal(): 0}]
    for slot, start in zip(wanted.slots[1:], starts[1:], strict=True):
        diary = diaries.get(slot.practitioner)
        costs = diary.costs_of_moving(start) if diary else {}
        layers.append({**costs, start.toordinal(): 0})
    chain = series.cheapest_chain(layers, spacing, series.free_gaps(spacing))
    if chain is None:
        return None
    mended = tuple(
        slot if day == start.toordinal() else _there(diaries[slot.practitioner], day, start)
        for slot, start, day in zip(wanted.slots, starts, chain[1], strict=True)
    )
    pairs = enumerate(zip(mended, wanted.slots, strict=True))
    return Offer(mended, tuple(index for index, (new, old) in pairs if new != old))


def keeps_gap(spacing: Spacing, before: datetime, after: datetime) -> bool:
    """Tell whether two sessions, by their local starts, are as far apart as they should be."""
    return spacing.min_days <= (after.date() - before.date()).days <= spacing.max_days


def _diaries(
    view: CalendarView, later: Sequence[Slot], from_on: date, may: Callable[[date], bool]
) -> dict[str, Diary]:
    needed = {slot.practitioner for slot in later}
    return {
        timetable.practitioner: series.diary(view, timetable, from_on, may)
        for timetable in view.timetables
        if timetable.practitioner in needed
    }


def _there(diary: Diary, day: int, start: datetime) -> Slot:
    return diary.slot(day, series.wall_of(start))
