"""Docker and Compose as the test uses them: by their commands, on one project of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILES = ("docker-compose.yml", "tests/compose/compose.yml")
LABEL = "com.docker.compose"
CADDY = "caddy:2"
CADDY_STAND_IN = "resurface-test-caddy"
_CURE = (
    "install Docker Engine with Compose (Debian and Ubuntu: apt-get install docker.io "
    "docker-compose), start it, and run `make compose-test` again"
)


class DockerFault(Exception):
    """What cannot be done with Docker here, in words to act on."""


def tried(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command; return how it went."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment or None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def done(*command: str, **environment: str) -> str:
    """Run a command that must work; return what it printed. Raises DockerFault."""
    result = tried(*command, **environment)
    if result.returncode:
        said = (result.stderr + result.stdout).strip()[-3000:]
        raise DockerFault(f"`{' '.join(command)}` ended with {result.returncode}:\n{said}")
    return result.stdout.strip()


def compose_command() -> tuple[str, ...]:
    """Return how Compose is called here. Raises DockerFault with a cure when nothing can run."""
    if shutil.which("docker") is None:
        raise DockerFault(f"there is no Docker here: {_CURE}")
    asked = tried("docker", "version", "--format", "{{.Server.Version}}")
    if asked.returncode:
        why = (asked.stderr.strip() or "no answer").splitlines()[-1]
        raise DockerFault(
            f"Docker's daemon does not answer ({why}): start it, such as by `systemctl start "
            "docker`, let this user use it, or name another one in DOCKER_HOST; then run "
            "`make compose-test` again"
        )
    for command in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(command[0]) and not tried(*command, "version").returncode:
            return command
    raise DockerFault(f"Docker is here without Compose: {_CURE}")


def caddy_image() -> str:
    """Return the proxy's base: the official image, or Debian's Caddy where none can be had."""
    if not tried("docker", "image", "inspect", CADDY).returncode:
        return CADDY
    if not tried("docker", "pull", "--quiet", CADDY).returncode:
        return CADDY
    recipe = ("-f", "tests/compose/caddy.Dockerfile", "tests/compose")
    done("docker", "build", "--quiet", "-t", CADDY_STAND_IN, *recipe)
    return CADDY_STAND_IN


@dataclass(frozen=True, slots=True)
class Project:
    """One compose project."""

    name: str
    compose: tuple[str, ...]
    environment: Mapping[str, str]

    def command(self, *arguments: str, profiles: tuple[str, ...] = ("https",)) -> list[str]:
        """Return the words that give Compose a command; no `.env` of this folder has a say."""
        files = [word for file in FILES for word in ("-f", file)]
        active = [word for profile in profiles for word in ("--profile", profile)]
        nothing = f"{self.environment['SECRETS']}/nothing.env"
        place = ("--project-directory", ".", "--env-file", nothing, "-p", self.name)
        return [*self.compose, *place, *files, *active, *arguments]

    def run(self, *arguments: str) -> str:
        """Give Compose a command that must work; return what it printed. Raises DockerFault."""
        return done(*self.command(*arguments), **self.environment)

    def logs(self, tail: str = "40") -> str:
        """Return the last lines that each service said; `tail` may be "all"."""
        command = self.command("logs", "--no-color", "--tail", tail)
        return tried(*command, **self.environment).stdout

    def take_down(self) -> int:
        """Remove containers, networks and volumes; return how many containers are left."""
        down = ("down", "--volumes", "--remove-orphans", "--timeout", "20")
        gone = tried(*self.command(*down, profiles=("https", "tools")), **self.environment)
        if gone.returncode:
            print(gone.stderr, file=sys.stderr)
        return len(self.containers())

    def tool(self, *arguments: str) -> str:
        """Run one of our commands as docs/server.md says; return what it printed."""
        return self.run("run", "--rm", "-T", "tools", *arguments)

    def containers(self, service: str = "") -> list[str]:
        """Return the ids of the project's containers, of one service or of all."""
        wanted = ["--filter", f"label={LABEL}.project={self.name}"]
        if service:
            wanted += ["--filter", f"label={LABEL}.service={service}"]
        return done("docker", "ps", "--all", "--quiet", "--no-trunc", *wanted).split()

    def port(self, service: str, inside: int) -> str:
        """Return where on this machine a service's port is: `127.0.0.1:32768`."""
        return self.run("port", service, str(inside))


def inspected(container: str) -> dict[str, Any]:
    """Return all that Docker knows of a container."""
    found: dict[str, Any] = json.loads(done("docker", "inspect", container))[0]
    return found


def service_of(container: dict[str, Any]) -> str:
    """Return the service that an inspected container belongs to, with its number."""
    labels = container["Config"]["Labels"]
    number = labels[f"{LABEL}.container-number"]
    return f"{labels[f'{LABEL}.service']} {number}"


@contextmanager
def loose_container(project: Project) -> Iterator[str]:
    """Lend a container of our image with none of the limits, to see that the checks see it."""
    labels = (f"{LABEL}.project={project.name}", f"{LABEL}.service=loose")
    marks = [word for label in labels for word in ("--label", label)]
    marks += ["--label", f"{LABEL}.container-number=1"]
    image = project.environment["RESURFACE_IMAGE"]
    secret = Path(project.environment["SECRETS"], "telegram_bot_token").read_text().strip()
    options = ("--user", "0", "--env", f"TELEGRAM_BOT_TOKEN={secret}", "--entrypoint", "sleep")
    container = done("docker", "run", "--detach", *marks, *options, image, "60")
    try:
        yield container
    finally:
        done("docker", "rm", "--force", container)
