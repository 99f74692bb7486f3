"""*Recall*: who is due, overdue, out of reach or waiting, and what came after the nudges."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import nudge_words, views
from clinic.console.leads import Pages
from storage import earnings, nudge_work, recall_list, waiting_patients
from storage.lead_work import Whose
from storage.nudge_work import Sending
from storage.recall_list import Group

GROUPS: Mapping[Group, str] = {
    Group.DUE: "Due",
    Group.OVERDUE: "Overdue",
    Group.UNREACHABLE: "Out of reach",
    Group.WAITING: "Waiting",
}

EMPTY: Mapping[Group, str] = {
    Group.DUE: "Nobody is due.",
    Group.OVERDUE: "Nobody is overdue.",
    Group.UNREACHABLE: "Everybody can be reached.",
    Group.WAITING: "Nobody waits for a day to come.",
}

#: What became of a time that was offered to somebody who waits for one; `offered` says until when.
OFFERS: Mapping[str, str] = {
    "accepted": "taken",
    "declined": "they said no",
    "expired": "no answer in time",
    "gone": "no longer free",
}

#: Nudges that were sent within this time are looked at for what came after them.
EARNED_FOR = timedelta(days=90)

_MOST_PAGES = 100_000

_SENDINGS: Mapping[Sending, str] = {
    Sending.QUEUED: "On its way. In the quiet hours it waits until the morning.",
    Sending.ALREADY: "That was sent today already.",
    Sending.NOT_NOW: "That message makes no sense for them right now.",
}


def routes() -> list[Route]:
    """Return the page's addresses, and those of what is done with one patient's nudges."""
    own = "/leads/{lead_id:int}"
    return [
        Route("/recall", page),
        Route(f"{own}/called", mark_called, methods=["POST"]),
        Route(f"{own}/nudges/pause", pause, methods=["POST"]),
        Route(f"{own}/nudges/resume", resume, methods=["POST"]),
        Route(f"{own}/nudges/send", send, methods=["POST"]),
    ]


async def page(request: Request) -> Response:
    """Show one group of the list."""
    site, me, query = views.site_of(request), views.signed_in(request), request.query_params
    asked, number = query.get("group", ""), query.get("page", "")
    group = Group(asked) if asked in tuple(Group) else Group.DUE
    wanted = min(int(number), _MOST_PAGES) if number.isascii() and number.isdigit() else 1
    now = site.now()
    found = await site.database.read(recall_list.page, me.clinic_id, group, wanted, now)
    waiting = await site.database.read(waiting_patients.read, me.clinic_id, now)
    earned = await site.database.read(earnings.earned, me.clinic_id, now - EARNED_FOR)
    return views.render(
        request,
        "recall.html",
        group=group,
        groups=GROUPS,
        empty=EMPTY[group],
        found=found,
        whys=nudge_words.WHYS,
        nudge_name=nudge_words.name,
        pages=Pages(found.number, found.pages, lambda number: _address(group, number)),
        waiting=waiting,
        offers=OFFERS,
        earned=earned,
        within=earnings.WITHIN.days,
        earned_for=EARNED_FOR.days,
    )


async def mark_called(request: Request) -> Response:
    """Note that somebody called them."""
    site = views.site_of(request)
    done = await site.database.write(nudge_work.called, _whose(request))
    return await _after(request, done, "Noted: you called them.")


async def pause(request: Request) -> Response:
    """Let nothing come by itself for this patient."""
    site = views.site_of(request)
    done = await site.database.write(nudge_work.pause, _whose(request))
    return await _after(request, done, "Paused. They get no messages by themselves.")


async def resume(request: Request) -> Response:
    """Let messages come by themselves again."""
    site = views.site_of(request)
    done = await site.database.write(nudge_work.resume, _whose(request))
    return await _after(request, done, "Messages come by themselves again.")


async def send(request: Request) -> Response:
    """Send one nudge now."""
    kind = (await views.form(request)).get("kind", "")
    sending = await views.site_of(request).database.write(nudge_work.send, _whose(request), kind)
    known = sending is not Sending.UNKNOWN
    return await _after(request, known, _SENDINGS.get(sending, ""))


async def _after(request: Request, known: bool, notice: str) -> Response:
    if not known:
        return views.not_found(request)
    back = (await views.form(request)).get("back", "")
    if back in tuple(Group):
        return views.see_other(request, _address(Group(back), 1), notice)
    return views.see_other(request, f"/leads/{request.path_params['lead_id']}#follow-up", notice)


def _whose(request: Request) -> Whose:
    site, me = views.site_of(request), views.signed_in(request)
    return Whose(me.clinic_id, me.staff_id, int(request.path_params["lead_id"]), site.now())


def _address(group: Group, number: int) -> str:
    query = {"group": group.value} | ({"page": str(number)} if number > 1 else {})
    return f"/recall?{urlencode(query)}"
