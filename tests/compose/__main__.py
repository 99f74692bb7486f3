"""`make compose-test`: up, a journey while bots are killed, a look at everything, and down."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import aiohttp

from bot.playground.limits import TOKEN
from bot.webhook import derived_secret
from storage.database import Database, connect
from tests.compose import patients
from tests.compose.docker import (
    DockerFault,
    Project,
    caddy_image,
    compose_command,
    done,
    inspected,
    loose_container,
    service_of,
    tried,
)
from tests.compose.hardening import faults_of, secrets_in_environment

REPLICAS = 2
SECRETS = ("telegram_bot_token", "postgres_password", "encryption_keys")
#: What faults_of and secrets_in_environment find in a container that Docker starts without options.
LOOSE_FAULTS = 6
_WITHIN = 180.0  # seconds for containers to become healthy
_LOOK_EVERY = 0.5

_TURNS = """
import re, urllib.request
text = urllib.request.urlopen("http://127.0.0.1:9090/metrics", timeout=5).read().decode()
print(sum(float(n) for n in re.findall(r'resurface_turns_total{.*committed.*} (.*)', text)))
"""


class Failed(Exception):
    """Something that was checked is not so."""


class Report:
    """Says what was checked, with the seconds since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def says(self, words: str) -> None:
        """Print one line."""
        print(f"{time.monotonic() - self._started:6.1f} s  {words}", flush=True)


def main() -> int:
    """Run everything; return the exit code: 0 good, 1 a check failed, 2 it cannot run here."""
    report = Report()
    try:
        compose = compose_command()
    except DockerFault as fault:
        print(fault, file=sys.stderr)
        return 2
    try:
        with project(compose, report) as here:
            asyncio.run(examined(here, report))
    except (DockerFault, Failed, AssertionError, TimeoutError) as fault:
        print(f"compose-test FAILED: {str(fault) or type(fault).__name__}", file=sys.stderr)
        return 1
    report.says("compose-test passed")
    return 0


@contextmanager
def project(compose: tuple[str, ...], report: Report) -> Iterator[Project]:
    """Lend a project with secrets of its own; take all of it down at the end, come what may."""
    with tempfile.TemporaryDirectory(prefix="resurface-compose-") as folder:
        base = caddy_image()
        report.says(f"{' '.join(compose)}; the proxy's base is {base}")
        here = Project(f"resurface-test-{secrets.token_hex(3)}", compose, settings(folder, base))
        try:
            yield here
        except BaseException:
            print(here.logs(), file=sys.stderr)
            raise
        finally:
            left = here.take_down()
            report.says(f"taken down: {left} containers left")


def settings(folder: str, base: str) -> dict[str, str]:
    """Write secrets as docs/server.md says; return the environment Compose is called in."""
    password = secrets.token_hex(24)
    written = {
        "telegram_bot_token": TOKEN,
        "postgres_password": password,
        "database_url": f"postgresql://resurface:{password}@db/resurface",
        "encryption_keys": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    for name, words in written.items():
        file = Path(folder) / name
        file.write_text(f"{words}\n")
        file.chmod(0o444)
    backups = Path(folder) / "backups"
    backups.mkdir()
    backups.chmod(0o777)  # this test's alone; the container has a user of its own
    (Path(folder) / "nothing.env").touch()
    kept = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "SECRETS": folder,
        "BACKUPS": str(backups),
        "CADDY": base,
        "RESURFACE_IMAGE": "resurface-test",
        "PROXY_IMAGE": "resurface-test-proxy",
        "PUBLIC_URL": "https://localhost:8443",
        "TELEGRAM_API_URL": "http://proxy:8081",
        "HTTP_PUBLISHED": "127.0.0.1:0",
        "HTTPS_PUBLISHED": "127.0.0.1:0",
        "CONSOLE_PUBLISHED": "127.0.0.1:0",
    }


async def examined(here: Project, report: Report) -> None:
    """Bring it up, let patients book, and check everything."""
    here.run("build")
    report.says("images built")
    report.says(f"tools clinic demo: {here.tool('clinic', 'demo').splitlines()[0]}")
    here.run("up", "-d", "--scale", f"bot={REPLICAS}")
    await healthy(here)
    report.says(f"up: {', '.join(names(here))}; all healthy")
    await reached(here, report)
    database = connect(database_url(here))
    try:
        await journeys(here, database, report)
    finally:
        await database.close()
    await healthy(here)
    hardened(here, report)
    signed_in(here, report)
    kept(here, report)
    silent(here, report)
    stopped(here, report)


async def reached(here: Project, report: Report) -> None:
    """Check by TLS that the proxy leads to the bots and to the console, and asks for the secret."""
    port = here.port("proxy", 8443).rpartition(":")[2]
    found = []
    async with aiohttp.ClientSession() as session:
        for method, path in (("POST", "/telegram"), ("GET", "/")):
            # Caddy's own certificate for `localhost`; the stand-in for Telegram does verify it.
            url = f"https://localhost:{port}{path}"
            options = {"headers": {"Host": "localhost:8443"}, "allow_redirects": False}
            async with session.request(method, url, ssl=False, **options) as answer:
                found.append(answer.status)
    report.says(f"by TLS: a delivery without the secret {found[0]}, the console {found[1]}")
    if found[0] != HTTPStatus.UNAUTHORIZED or found[1] >= HTTPStatus.BAD_REQUEST:
        raise Failed("the proxy does not lead where it should")


async def journeys(here: Project, database: Database, report: Report) -> None:
    """Let patients book while first one bot and then the other is killed."""
    bots = here.containers("bot")

    async def kill(number: int) -> None:
        turns = await asyncio.to_thread(turns_of, bots)
        # From inside: what Docker itself kills it does not start again.
        await asyncio.to_thread(tried, "docker", "exec", bots[number], "sh", "-c", "kill -KILL -1")
        report.says(f"killed bot {number + 1}; turns taken by each so far: {turns}")
        if not all(turns):
            raise Failed(f"a bot got no deliveries: {turns}")

    guides = await patients.meet(f"http://{here.port('proxy', 8081)}", database)
    try:
        await patients.answer(guides, database, lambda: kill(0))
        await healthy(here)
        report.says("bot 1 came back by itself and is ready")
        await patients.book(guides, lambda: kill(1))
        tally = await patients.count(guides, database)
    finally:
        for guide in guides:
            await guide.patient.close()
    report.says(
        f"{len(guides)} patients, {tally.turns} turns, {tally.lost} lost, {tally.doubled} doubled; "
        f"{tally.sessions} sessions booked, {tally.overlaps} overlaps; "
        f"{tally.parked} updates parked, {tally.unfinished} patients without a series"
    )
    if not tally.is_good:
        raise Failed("what the patients did and what the database holds differ")
    restarts = [inspected(bot)["RestartCount"] for bot in bots]
    report.says(f"restarts of the bots: {restarts}")
    if restarts != [1] * REPLICAS:
        raise Failed("each bot was killed once and must have come back once")


def hardened(here: Project, report: Report) -> None:
    """Check what every running container may do."""
    running = [each for each in here.containers() if inspected(each)["State"]["Running"]]
    hidden = [Path(here.environment["SECRETS"], name).read_text().strip() for name in SECRETS]
    faults = [
        fault
        for container in running
        for fault in (*faults_of(container), *secrets_in_environment(container, hidden))
    ]
    if faults:
        raise Failed("; ".join(faults))
    with loose_container(here) as loose:
        seen = [*faults_of(loose), *secrets_in_environment(loose, hidden)]
    if len(seen) < LOOSE_FAULTS:
        raise Failed(f"of a container that may do everything only this was found: {seen}")
    report.says(
        f"{len(running)} containers: no process of root, read-only, all capabilities dropped, no "
        f"new privileges, no secret in the environment; {len(seen)} faults seen in one without"
    )


def signed_in(here: Project, report: Report) -> None:
    """Make a link to the console by the command of docs/server.md; do not print it."""
    link = here.tool("console-link", "--clinic", "willow")
    if here.environment["PUBLIC_URL"] not in link:
        raise Failed("the link to the console does not lead to PUBLIC_URL")
    report.says("tools console-link: a link to the console at PUBLIC_URL")


def kept(here: Project, report: Report) -> None:
    """Back up, and restore into another database, by the commands of docs/server.md."""
    made = here.tool("backup", "/backups/test.backup")
    here.run("exec", "-T", "db", "createdb", "-U", "resurface", "restored")
    password = Path(here.environment["SECRETS"], "postgres_password").read_text().strip()
    other = f"postgresql://resurface:{password}@db/restored"
    back = here.tool("restore", "/backups/test.backup", "--verify", "--database-url", other)
    report.says(f"backup: {made.partition(': ')[2]}; {back.partition(';')[0]}")


def silent(here: Project, report: Report) -> None:
    """Check that no service logged a secret, the deliveries' own included."""
    said = here.logs("all")
    files = (Path(here.environment["SECRETS"], name) for name in SECRETS)
    hidden = [*(file.read_text().strip() for file in files), derived_secret(TOKEN)]
    found = [line for line in said.splitlines() if any(words in line for words in hidden)]
    if found:
        services = sorted({line.partition(" ")[0] for line in found})
        raise Failed(f"{len(found)} lines of the logs hold a secret: {', '.join(services)}")
    if not any(line.startswith("proxy") for line in said.splitlines()):
        raise Failed("the proxy's log was not among those that were read")
    report.says(f"{len(said.splitlines())} lines of logs, none with a secret")


def stopped(here: Project, report: Report) -> None:
    """Check that everything ends by itself and well when it is told to."""
    staying = [each for each in here.containers() if inspected(each)["State"]["Running"]]
    here.run("stop")
    ends = {service_of(found): found["State"]["ExitCode"] for found in map(inspected, staying)}
    if any(ends.values()):
        raise Failed(f"ended with other codes than 0: {ends}")
    (database,) = here.containers("db")
    if "database system is shut down" not in tried("docker", "logs", database).stderr[-500:]:
        raise Failed("the database did not shut down by itself")
    report.says(f"stopped: {len(ends)} containers ended by themselves with 0")


async def healthy(here: Project) -> None:
    """Wait until every service that stays is healthy and the one that ends has ended well."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _WITHIN
    while wrong := [each for each in map(state, here.containers()) if each]:
        if loop.time() > deadline or any("exited" in each for each in wrong):
            raise Failed("; ".join(wrong))
        await asyncio.sleep(_LOOK_EVERY)


def state(container_id: str) -> str:
    """Return what is not well with a container; nothing when all is well."""
    container = inspected(container_id)
    now, name = container["State"], service_of(container)
    if now["Status"] == "exited" and now["ExitCode"] == 0 and name.startswith("migrate"):
        return ""
    health = now.get("Health", {}).get("Status", "none")
    return "" if health == "healthy" else f"{name} is {now['Status']}, health {health}"


def names(here: Project) -> list[str]:
    """Return the services that run, with their numbers."""
    return sorted(service_of(inspected(each)) for each in here.containers())


def turns_of(bots: list[str]) -> list[int]:
    """Return how many turns each bot has committed since it started."""
    return [
        int(float(done("docker", "exec", bot, "python", "-c", _TURNS).splitlines()[-1]))
        for bot in bots
    ]


def database_url(here: Project) -> str:
    """Return the database's address as this machine reaches it."""
    password = Path(here.environment["SECRETS"], "postgres_password").read_text().strip()
    return f"postgresql://resurface:{password}@{here.port('db', 5432)}/resurface"


if __name__ == "__main__":
    sys.exit(main())
