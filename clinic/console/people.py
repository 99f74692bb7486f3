"""*Team*: who works at the clinic and may sign in. For owners."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import sessions, views
from clinic.console.views import owners_only
from storage import people, staff
from storage.people import NoSuchMember, Owner
from storage.staff import StaffFault


def routes() -> list[Route]:
    """Return the page's addresses."""
    return [
        Route("/people", page),
        Route("/people", add, methods=["POST"]),
        Route("/people/{staff_id:int}/invite", invite, methods=["POST"]),
        Route("/people/{staff_id:int}/sign-out", sign_out, methods=["POST"]),
        Route("/people/{staff_id:int}/remove", remove, methods=["POST"]),
    ]


@owners_only
async def page(request: Request) -> Response:
    """List the team."""
    return await _shown(request)


@owners_only
async def add(request: Request) -> Response:
    """Write somebody down."""
    site, given = views.site_of(request), await views.form(request)
    name, role = given.get("name", ""), given.get("role", staff.STAFF)
    try:
        await site.database.write(people.add, _owner(request), name, role)
    except StaffFault as fault:
        return await _shown(request, fault=f"{str(fault).capitalize()}.", at="name", name=name)
    return views.see_other(request, "/people", f"{name.strip()} is on the list. Invite them next.")


@owners_only
async def invite(request: Request) -> Response:
    """Show a fresh invitation, this once: it is a key."""
    site = views.site_of(request)
    bot = await views.bot_name(site)
    try:
        invited, payload = await site.database.write(
            people.invite, _owner(request), request.path_params["staff_id"], sessions.new_token()
        )
    except NoSuchMember:
        return views.not_found(request)
    link = f"https://t.me/{bot or 'YOUR_BOT'}?start={payload}"
    return await _shown(request, invited=invited.name, link=link)


@owners_only
async def sign_out(request: Request) -> Response:
    """End every session of somebody."""
    site, staff_id = views.site_of(request), request.path_params["staff_id"]
    try:
        out = await site.database.write(people.sign_out, _owner(request), staff_id)
    except NoSuchMember:
        return views.not_found(request)
    return views.see_other(request, "/people", f"{out.name} is signed out everywhere.")


@owners_only
async def remove(request: Request) -> Response:
    """Let somebody go."""
    site, staff_id = views.site_of(request), request.path_params["staff_id"]
    try:
        gone = await site.database.write(people.remove, _owner(request), staff_id)
    except NoSuchMember:
        return views.not_found(request)
    except StaffFault as fault:
        return await _shown(request, fault=f"{str(fault).capitalize()}.")
    return views.see_other(request, "/people", f"{gone.name} has no way in any more.")


async def _shown(
    request: Request,
    *,
    fault: str = "",
    at: str = "",
    name: str = "",
    invited: str = "",
    link: str = "",
) -> Response:
    site, me = views.site_of(request), views.signed_in(request)
    return views.render(
        request,
        "people.html",
        problems={at: fault} if fault else None,
        people=await site.database.read(staff.members, me.clinic),
        name=name,
        invited=invited,
        link=link,
    )


def _owner(request: Request) -> Owner:
    me = views.signed_in(request)
    return Owner(me.clinic_id, me.clinic, me.staff_id, views.site_of(request).now())
