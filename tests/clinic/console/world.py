"""A running console over real HTTP: two clinics, an owner and a member of staff at each."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from types import TracebackType

import httpx
from sqlalchemy import Connection, delete, insert, select, update
from starlette.applications import Starlette

from bot.listening import bind, listening
from clinic.console import sessions
from clinic.console.app import create_console
from clinic.console.limits import Limits
from clinic.settings import ConsoleSettings
from flows.conversation import Booking, Stage
from flows.effects import HandOffLead, LeadKind
from flows.plan import Plan
from flows.slots import Slot
from storage import clinics, console_sessions, models, staff, turns
from storage.database import Database, connect
from storage.staff import Member
from tests.builders import a_confirmation, a_conversation, a_decision, a_turn
from tests.builders import sessions as sessions_of

#: Inside the opening hours of both clinics: a Tuesday, 10:20 in London.
NOW = datetime.fromisoformat("2026-11-24T10:20:00+00:00")
PEOPLE = {
    ("willow", "owner"): "Amara Osei",
    ("willow", "staff"): "Joe Penhale",
    ("harbour", "owner"): "Inês Marinho",
    ("harbour", "staff"): "Rui Tavares",
}


class MovedClock:
    """A clock that moves when it is told to."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """Return the instant."""
        return self.at

    def moves(self, **by: float) -> None:
        """Move on, such as `minutes=31`."""
        self.at += timedelta(**by)


class QuietTelegram:
    """Telegram as the console asks it: a name, and pictures that it was given."""

    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}

    async def username(self) -> str:
        """Return a bot's name."""
        return "willow_skin_bot"

    async def photo(self, file_id: str) -> bytes:
        """Return a picture."""
        return self.pictures[file_id]


class Browser:
    """Someone's browser: keeps cookies as browsers do on 127.0.0.1, and says where forms come from.

    `post` fills in the form token of the page seen last. Nothing is followed by itself.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}
        self.csrf = ""
        self.set_cookies: list[str] = []  # every Set-Cookie line so far
        self._http = httpx.AsyncClient(base_url=address, follow_redirects=False, timeout=20)

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return await self.ask("GET", path, headers=headers)

    async def post(
        self, path: str, fields: Mapping[str, str] | None = None, **headers: str
    ) -> httpx.Response:
        """Send a form of the console's own."""
        own = {"Origin": self.address, "Sec-Fetch-Site": "same-origin", **headers}
        return await self.ask("POST", path, {"csrf": self.csrf, **(fields or {})}, own)

    async def ask(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request with these headers and no others but the cookies."""
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self._http.request(method, path, data=fields, headers=sent)
        self._keep(answer)
        return answer

    async def follows(self, answer: httpx.Response) -> httpx.Response:
        """Open the page that an answer sends on to."""
        return await self.get(answer.headers["location"])

    def stream(self, path: str) -> AbstractAsyncContextManager[httpx.Response]:
        """Open a stream of events, as a context."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return self._http.stream("GET", path, headers={"Cookie": cookies})

    def _keep(self, answer: httpx.Response) -> None:
        for line in answer.headers.get_list("set-cookie"):
            self.set_cookies.append(line)
            name, _, value = line.partition(";")[0].partition("=")
            if re.search(r"max-age=0", line, flags=re.IGNORECASE):
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        found = re.search(r'data-csrf="([0-9a-f]+)"|name="csrf" value="([0-9a-f]+)"', answer.text)
        if found:
            self.csrf = found.group(1) or found.group(2)


@dataclass
class ConsoleWorld:
    """A console that is listening, with what lies behind it."""

    address: str
    app: Starlette
    database: Database
    clock: MovedClock
    telegram: QuietTelegram
    people: Mapping[tuple[str, str], Member]
    _browsers: list[Browser] = field(default_factory=list)
    _links: int = 0
    _patients: int = 0
    hour: int = 0  # how many appointments the sweeps made

    def browser(self) -> Browser:
        """Return a fresh browser, which is closed with the world."""
        browser = Browser(self.address)
        self._browsers.append(browser)
        return browser

    async def link(self, role: str = "owner", clinic: str = "willow") -> str:
        """Return the path of a fresh sign-in link."""
        self._links += 1
        token = f"link-{self._links:038d}"
        person = self.people[clinic, role]
        await self.database.write(staff.sign_in_link, person.id, self.address, token, self.clock())
        return f"/sign-in/{token}"

    async def signed_in_client(self, role: str = "owner", clinic: str = "willow") -> Browser:
        """Return a browser in which someone is signed in."""
        browser, token = self.browser(), secrets.token_urlsafe(32)
        await self.database.write(
            console_sessions.start,
            self.people[clinic, role].id,
            token,
            self.clock(),
            is_verified=True,
        )
        browser.cookies[sessions.COOKIE] = token
        page = await browser.get("/account")
        assert page.status_code == 200, page.text
        return browser

    async def books(
        self,
        *slots: Slot,
        clinic: str = "willow",
        name: str = "Ada",
        pending: bool = False,
        plan: Plan | None = None,
    ) -> str:
        """Let a new patient book two weeks ago; return the UID of the first session."""
        self._patients += 1
        chat_id, series = 100 + self._patients, f"series{self._patients}"
        booked = sessions_of(*slots, uid=series)
        conversation = a_conversation(
            chat_id,
            clinic=clinic,
            first_name=name,
            state=Stage.BOOKED.value,
            booking=Booking("treatment", series_id=series, sessions=booked, pending=pending),
        )
        confirmation = a_confirmation(*slots, series=series, pending=pending)
        handed_off = HandOffLead(LeadKind.BOOKED, 80)
        effects = (replace(a_decision(), plan=plan), confirmation, handed_off)
        long_ago = self.clock() - timedelta(days=14)
        turn = a_turn(*effects, conversation=conversation, now=long_ago)
        assert await self.database.write(commit_at_any_hour, turn) == turns.Committed()
        return f"{series}-1"

    async def close(self) -> None:
        """Close every browser."""
        for browser in self._browsers:
            await browser.__aexit__(None, None, None)


def commit_at_any_hour(connection: Connection, turn: turns.TurnWrites) -> turns.Outcome:
    """Commit a turn as if every clinic were open day and night, on public holidays too."""
    table, clinic = models.table_of(models.OpeningHours), models.table_of(models.Clinic)
    hours = [dict(row._mapping) for row in connection.execute(select(table))]
    countries = connection.execute(select(clinic.c.id, clinic.c.holidays_country)).all()
    people = {row["practitioner_id"] for row in hours}
    connection.execute(delete(table))
    connection.execute(
        insert(table),
        [
            {"practitioner_id": who, "weekday": day, "opens": time(0), "closes": time(23, 59)}
            for who in people
            for day in range(7)
        ],
    )
    connection.execute(update(clinic).values(holidays_country=""))
    outcome = turns.commit(connection, turn)
    connection.execute(delete(table))
    connection.execute(insert(table), hours)
    for row in countries:
        whose = update(clinic).where(clinic.c.id == row.id)
        connection.execute(whose.values(holidays_country=row.holidays_country))
    return outcome


async def enter(browser: Browser, link: str) -> httpx.Response:
    """Open a sign-in link and press its button."""
    page = await browser.get(link)
    assert page.status_code == 200
    return await browser.post("/sign-in", {"link": link.rpartition("/")[2]})


@asynccontextmanager
async def console_world(
    database_url: str,
    folder: Path,
    look_every: float = 0.05,
    framed_by: str = "",
    pace: Limits | None = None,
) -> AsyncIterator[ConsoleWorld]:
    """Yield a running console on a database that has its tables."""
    clock, telegram = MovedClock(), QuietTelegram()
    database = connect(database_url, jitter=lambda: 0.5)
    await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    for (clinic, role), name in PEOPLE.items():
        await database.write(staff.add, clinic, name, role, clock())
    people = {(one.clinic, one.role): one for one in await database.read(staff.members)}
    app = create_console(
        database,
        clock,
        telegram,
        ConsoleSettings(_env_file=None, data_dir=folder),
        look_every=look_every,
        framed_by=framed_by,
        pace=pace,
    )
    async with listening(app, bind("127.0.0.1", 0)) as address:
        world = ConsoleWorld(address, app, database, clock, telegram, people)
        yield world
        await world.close()
    await database.close()
