"""*Messages*: what patients ask the clinic's people, and their answers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import views
from clinic.console.lead import DELIVERIES
from storage import desk, staff


def routes() -> list[Route]:
    """Return the page's addresses."""
    own = "/messages/{thread_id:int}"
    return [
        Route("/messages", page),
        Route(own, conversation),
        Route(f"{own}/answer", answer, methods=["POST"]),
        Route(f"{own}/hand-over", hand_over, methods=["POST"]),
        Route(f"{own}/state", set_state, methods=["POST"]),
    ]


async def page(request: Request) -> Response:
    """Show the threads, those that wait for an answer first."""
    site, me = views.site_of(request), views.signed_in(request)
    is_open = request.query_params.get("show") != "closed"
    rows = await site.database.read(desk.threads, me.clinic_id, is_open=is_open)
    waiting = await site.database.read(desk.waiting, me.clinic_id)
    return views.render(request, "messages.html", rows=rows, is_open=is_open, waiting=waiting)


async def conversation(request: Request) -> Response:
    """Show one thread."""
    return await _conversation(request)


async def answer(request: Request) -> Response:
    """Send an answer to the patient; who answers first is on it."""
    site, me, thread = views.site_of(request), views.signed_in(request), _thread_id(request)
    body = (await views.form(request)).get("body", "")
    try:
        sent = await site.database.write(
            desk.answer, me.clinic_id, me.staff_id, thread, body, site.now()
        )
    except ValueError:
        wrong = f"An answer needs words, {desk.LONGEST} characters at most."
        return await _conversation(request, wrong=wrong, draft=body)
    if sent is None:
        return views.not_found(request)
    return views.see_other(request, f"/messages/{thread}#last", "On its way to the patient.")


async def hand_over(request: Request) -> Response:
    """Put somebody on a thread, or nobody."""
    site, me, thread = views.site_of(request), views.signed_in(request), _thread_id(request)
    to = (await views.form(request)).get("to", "")
    to_staff_id = int(to) if to.isascii() and to.isdigit() and len(to) < 16 else None
    done = await site.database.write(
        desk.hand_over, me.clinic_id, me.staff_id, thread, to_staff_id, site.now()
    )
    if not done:
        return views.not_found(request)
    notice = "You are on it." if to_staff_id == me.staff_id else "Handed over."
    return views.see_other(
        request, f"/messages/{thread}", notice if to_staff_id else "Nobody is on it now."
    )


async def set_state(request: Request) -> Response:
    """Close a thread, or open it again."""
    site, me, thread = views.site_of(request), views.signed_in(request), _thread_id(request)
    is_open = (await views.form(request)).get("open") == "yes"
    done = await site.database.write(
        desk.set_open, me.clinic_id, me.staff_id, thread, site.now(), is_open=is_open
    )
    if not done:
        return views.not_found(request)
    if is_open:
        return views.see_other(request, f"/messages/{thread}", "Open again.")
    return views.see_other(request, "/messages", "Closed. It opens when the patient writes again.")


async def _conversation(request: Request, *, wrong: str = "", draft: str = "") -> Response:
    site, me = views.site_of(request), views.signed_in(request)
    story = await site.database.write(
        desk.view, me.clinic_id, me.staff_id, _thread_id(request), site.now()
    )
    if story is None:
        return views.not_found(request)
    people = await site.database.read(staff.members, me.clinic)
    return views.render(
        request,
        "conversation.html",
        problems={"body": wrong} if wrong else None,
        undone="Not sent",
        story=story,
        thread=story.row,
        people=people,
        deliveries=DELIVERIES,
        longest=desk.LONGEST,
        draft=draft,
    )


def _thread_id(request: Request) -> int:
    return int(request.path_params["thread_id"])
