"""Every route of the console, and what must be known to try it: the registry of ids and forms.

A page that takes an id names it in its path (`/leads/{lead_id}`); `IDS` says how a clinic gets one.
A form that needs fields to be taken seriously has a line in `FORMS`. The sweeps fail for a route
whose ids or fields they do not know, so that no page stays outside them.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, select
from starlette.applications import Starlette
from starlette.routing import Route

from clinic.calendars import feeds
from storage import (
    calendar_accounts,
    clashes,
    clinic_settings,
    console_sessions,
    desk,
    lead_channels,
    lead_list,
    photos,
    staff,
    time_off,
)
from storage.clerks import Clerk
from storage.feeds import renew
from storage.lead_channels import NewChannel
from storage.lead_list import LeadLine, Order, Wanted
from storage.models import Lead
from storage.time_off import TimeOff
from tests.builders import a_slot
from tests.clinic.console.world import ConsoleWorld

Make = Callable[[ConsoleWorld, str], Awaitable[str]]
#: As short as a picture can be told to be one.
A_PICTURE = b"\xff\xd8\xff\xe0 a picture"

Fields = Callable[[ConsoleWorld, str], Awaitable[Mapping[str, str]]]

PUBLIC = {"/sign-in", "/sign-in/{link}", "/static/{name}", "/feeds/{token}.ics"}
PRACTITIONERS = {"willow": "amara", "harbour": "ines"}
_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")


@dataclass(frozen=True, slots=True)
class Way:
    """A method of a route."""

    method: str
    path: str  # with its parameters
    owners_only: bool

    @property
    def is_public(self) -> bool:
        """Say whether it is there for people who are not signed in."""
        return self.path in PUBLIC

    @property
    def ids(self) -> tuple[str, ...]:
        """Return the names of its parameters."""
        return tuple(_PARAMETER.findall(self.path))

    def filled(self, ids: Mapping[str, str]) -> str:
        """Return the path with these ids."""
        return _PARAMETER.sub(lambda found: ids[found.group(1)], self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def ways(app: Starlette) -> Iterator[Way]:
    """Yield every way into the console; HEAD goes with GET."""
    for route in app.routes:
        assert isinstance(route, Route), f"the sweeps do not know what {route} is"
        for method in sorted(route.methods or ()):
            if method != "HEAD":
                yield Way(method, route.path, getattr(route.endpoint, "owners_only", False))


async def visit_of(world: ConsoleWorld, clinic: str) -> str:
    """Return the UID of an appointment of the last days that has begun."""
    person = PRACTITIONERS[clinic]
    world.hour += 1
    starts_at = world.clock() - timedelta(minutes=80 * world.hour)  # apart, for the buffers
    slot = a_slot(starts_at, minutes=5, practitioner=person)
    return await world.books(slot, clinic=clinic, name=f"Patient-of-{clinic}")


async def session_of(world: ConsoleWorld, clinic: str) -> str:
    """Return the digest of a session of an owner."""
    staff_id = world.people[clinic, "owner"].id
    await world.signed_in_client("owner", clinic)
    found = await world.database.read(console_sessions.of_member, staff_id, world.clock())
    return found[0].digest


async def lead_of(world: ConsoleWorld, clinic: str) -> str:
    """Return the number of the clinic's first lead."""
    found = await _leads(world, clinic)
    if not found:
        await visit_of(world, clinic)
        found = await _leads(world, clinic)
    return str(found[0].id)


async def thread_of(world: ConsoleWorld, clinic: str) -> str:
    """Return the number of the open thread with that lead's patient."""
    person, lead = world.people[clinic, "owner"], int(await lead_of(world, clinic))
    begun = await world.database.write(desk.begin, person.clinic_id, lead, person.id, world.clock())
    return str(begun)


async def photo_of(world: ConsoleWorld, clinic: str) -> str:
    """Return the number of a fresh photo of that lead."""
    person, lead = world.people[clinic, "owner"], int(await lead_of(world, clinic))
    chat_id, run = await world.database.read(_whose, lead)
    world.telegram.pictures["AgAC"] = A_PICTURE
    await world.database.write(photos.keep, chat_id, run, "AgAC", world.clock())
    kept = await world.database.read(photos.of_lead, person.clinic_id, lead)
    return str(kept[-1].id)


async def feed_of(world: ConsoleWorld, clinic: str) -> str:
    """Return the secret of a new calendar feed of a practitioner."""
    person = PRACTITIONERS[clinic]
    number = await world.database.read(calendar_accounts.practitioner_of, clinic, person)
    token = feeds.new_token()
    await world.database.write(renew, number, feeds.digest(token), world.clock())
    return token


async def off_of(world: ConsoleWorld, clinic: str) -> str:
    """Return the UID of a fresh time off of a practitioner, in the weeks to come."""
    person, staff_member = PRACTITIONERS[clinic], world.people[clinic, "owner"]
    world.hour += 1
    starts_at = world.clock() + timedelta(days=7, hours=world.hour)
    off = TimeOff(f"off-{world.hour}", person, starts_at, starts_at + timedelta(minutes=30))
    clerk = Clerk(staff_member.clinic_id, staff_member.id, world.clock())
    await world.database.write(time_off.block, clerk, off)
    return off.uid


async def clash_of(world: ConsoleWorld, clinic: str) -> str:
    """Return the number of a fresh clash with a visit to come."""
    person = PRACTITIONERS[clinic]
    world.hour += 1
    starts_at = world.clock() + timedelta(days=30, minutes=80 * world.hour)
    slot = a_slot(starts_at, minutes=5, practitioner=person)
    uid = await world.books(slot, clinic=clinic, name=f"Patient-of-{clinic}")
    stale = calendar_accounts.WhenStale.SHOW_AGE  # it is never read, and more is booked
    terms = calendar_accounts.Terms("https://calendar.example/x/", "x", "sealed", stale)
    account = await world.database.write(
        calendar_accounts.connect, clinic, person, terms, world.clock()
    )
    kind = clashes.ClashKind.OVERLAP
    until_at = slot.ends_at
    await world.database.write(clashes.note, account, uid, kind, starts_at, until_at, world.clock())
    found = await world.database.read(
        clashes.open_clashes, world.people[clinic, "owner"].clinic_id, world.clock()
    )
    return str(found[-1].id)


async def channel_of(world: ConsoleWorld, clinic: str) -> str:
    """Return the number of a webhook of the clinic's."""
    clinic_id = world.people[clinic, "owner"].clinic_id
    known = await world.database.read(lead_channels.listed, clinic_id)
    if known:
        return str(known[0].id)
    hook = NewChannel("webhook", f"https://{clinic}.example/hook", "sealed")
    return str(await world.database.write(lead_channels.add, clinic_id, hook, world.clock()))


async def _leads(world: ConsoleWorld, clinic: str) -> tuple[LeadLine, ...]:
    clinic_id = world.people[clinic, "owner"].clinic_id
    oldest = Wanted(order=Order.OLDEST)
    return (await world.database.read(lead_list.page, clinic_id, oldest, world.clock())).lines


def _whose(connection: Connection, lead_id: int) -> tuple[int, int]:
    row = connection.execute(select(Lead.chat_id, Lead.run).where(Lead.id == lead_id)).one()
    return row.chat_id, row.run


async def member_of(world: ConsoleWorld, clinic: str) -> str:
    """Return the id of somebody new on the staff."""
    name = f"Member-of-{clinic}"
    return str(await world.database.write(staff.add, clinic, name, "staff", world.clock()))


async def _any(value: str) -> str:
    return value


#: Parameters of paths: how to get one that is a clinic's own.
IDS: dict[str, Make] = {
    "staff_id": member_of,
    "uid": visit_of,
    "lead_id": lead_of,
    "off_uid": off_of,
    "clash_id": clash_of,
    "step": lambda _world, _clinic: _any("cancel"),
    "thread_id": thread_of,
    "photo_id": photo_of,
    "act": lambda _world, _clinic: _any("missed"),
    "token": feed_of,
    "link": lambda _world, _clinic: _any("a" * 43),
    "name": lambda _world, _clinic: _any("none.css"),
    "channel_id": channel_of,
    "deed": lambda _world, _clinic: _any("disable"),
    "practitioner": lambda _world, clinic: _any(PRACTITIONERS[clinic]),
}


async def _seen(_world: ConsoleWorld, _clinic: str) -> Mapping[str, str]:
    return {"version": "1"}


async def _session(world: ConsoleWorld, clinic: str) -> Mapping[str, str]:
    return {"session": await session_of(world, clinic)}


async def _hours(world: ConsoleWorld, clinic: str) -> Mapping[str, str]:
    person = PRACTITIONERS[clinic]
    clinic_id = world.people[clinic, "owner"].clinic_id
    document = await world.database.read(clinic_settings.read, clinic_id)
    seen = clinic_settings.mark(document, f"hours:{person}")
    return {"part": f"hours:{person}", "seen": seen, "mon": "9-17"}


def _with(**fields: str) -> Fields:
    async def made(_world: ConsoleWorld, _clinic: str) -> Mapping[str, str]:
        return fields

    return made


#: What a form must hold, besides the path, to be carried out for its own clinic. A value that names
#: something of the clinic's is tried by the other clinic too.
FORMS: dict[str, Fields] = {
    "/today/visits/{uid}/{act}": _seen,
    "/calendar/off/{off_uid}/remove": _seen,
    "/account/sessions/end": _session,
    "/settings/change": _hours,
    "/leads/{lead_id:int}/status": _with(expected="new", wanted="contacted"),
    "/leads/{lead_id:int}/erase": _with(visits="0"),
    "/leads/{lead_id:int}/note": _with(body="Called."),
    "/leads/{lead_id:int}/nudges/send": _with(kind="missed"),
    "/leads/{lead_id:int}/finding": _with(finding="agree"),
    "/messages/{thread_id:int}/answer": _with(body="Yes, we do."),
}
