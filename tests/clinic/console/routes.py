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

from starlette.applications import Starlette
from starlette.routing import Route

from storage import console_sessions
from tests.builders import a_slot
from tests.clinic.console.world import ConsoleWorld

Make = Callable[[ConsoleWorld, str], Awaitable[str]]
Fields = Callable[[ConsoleWorld, str], Awaitable[Mapping[str, str]]]

PUBLIC = {"/sign-in", "/sign-in/{link}", "/static/{name}"}
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
    person = {"willow": "amara", "harbour": "ines"}[clinic]
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


async def _any(value: str) -> str:
    return value


#: Parameters of paths: how to get one that is a clinic's own.
IDS: dict[str, Make] = {
    "uid": visit_of,
    "act": lambda _world, _clinic: _any("missed"),
    "link": lambda _world, _clinic: _any("a" * 43),
    "name": lambda _world, _clinic: _any("none.css"),
}


async def _seen(_world: ConsoleWorld, _clinic: str) -> Mapping[str, str]:
    return {"version": "1"}


async def _session(world: ConsoleWorld, clinic: str) -> Mapping[str, str]:
    return {"session": await session_of(world, clinic)}


#: What a form must hold, besides the path, to be carried out for its own clinic. A value that names
#: something of the clinic's is tried by the other clinic too.
FORMS: dict[str, Fields] = {
    "/today/visits/{uid}/{act}": _seen,
    "/account/sessions/end": _session,
}
