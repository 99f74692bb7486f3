"""The files that a clinic's server runs, checked without Docker; `make compose-test` runs them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from bot.roles import Role
from bot.settings import Settings
from clinic.settings import ConsoleSettings
from tests.architecture import house
from tests.compose.hardening import GIVEN_BACK

Service = dict[str, Any]
COMPOSE = yaml.safe_load((house.ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Service] = COMPOSE["services"]
SECRETS = {"telegram_bot_token", "database_url", "encryption_keys", "postgres_password"}
STAYING = sorted(set(SERVICES) - {"migrate", "tools"})

_VARIABLE = re.compile(r"\$\{([A-Z_]+)")
_SECRET_WORDS = re.compile(r"token|secret|passw|key|database_url", flags=re.IGNORECASE)


def faults_of(name: str, service: Service) -> Iterator[str]:
    """Yield what a service may do although it should not, and what it lacks."""
    if service.get("read_only") is not True:
        yield "its root file system can be written to"
    if service.get("cap_drop") != ["ALL"]:
        yield "does not drop all capabilities"
    if set(service.get("cap_add", ())) != GIVEN_BACK.get(name, set()):
        yield "is given capabilities that nobody agreed to"
    if "no-new-privileges:true" not in service.get("security_opt", ()):
        yield "may gain new privileges"
    if service.get("privileged") or "host" in (service.get("network_mode"), service.get("pid")):
        yield "shares what is the host's"
    if name != "db" and re.match(r"(0|root)?(:|$)", str(service.get("user", ""))):
        yield "runs as root"
    if not {"mem_limit", "pids_limit", "logging", "restart"} <= set(service):
        yield "has no limits"
    yield from told_secrets(service)


def told_secrets(service: Service) -> Iterator[str]:
    """Yield the settings that hold a secret instead of naming a file of it."""
    for setting, value in service.get("environment", {}).items():
        if _SECRET_WORDS.search(setting) and not str(value).startswith("/run/secrets"):
            yield f"{setting} is not a file in /run/secrets"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_no_more_than_it_must(name: str) -> None:
    assert list(faults_of(name, SERVICES[name])) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"read_only": False}, "its root file system can be written to"),
        ({"cap_drop": []}, "does not drop all capabilities"),
        ({"cap_add": ["SYS_ADMIN"]}, "is given capabilities that nobody agreed to"),
        ({"security_opt": []}, "may gain new privileges"),
        ({"network_mode": "host"}, "shares what is the host's"),
        ({"user": "0:0"}, "runs as root"),
        ({"user": "root"}, "runs as root"),
        ({"user": ""}, "runs as root"),
        ({"environment": {"DATABASE_URL": "postgresql://a:b@c/d"}}, "DATABASE_URL is not a file"),
    ],
)
def test_a_service_that_may_do_more_is_named(change: Service, fault: str) -> None:
    (found,) = faults_of("bot", {**SERVICES["bot"], **change})

    assert found.startswith(fault)


@pytest.mark.parametrize("name", STAYING)
def test_a_service_that_stays_is_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]

    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"


def test_there_is_a_service_for_every_role() -> None:
    commands = [service.get("command") for service in SERVICES.values()]

    assert [role for role in Role if ["run", "--only", role.value] not in commands] == []


def test_nothing_starts_before_the_tables_are_made() -> None:
    waiting = {
        name
        for name, service in SERVICES.items()
        if service.get("depends_on", {}).get("migrate")
        == {"condition": "service_completed_successfully"}
    }

    assert waiting == set(SERVICES) - {"db", "migrate", "proxy"}
    assert SERVICES["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}


def test_only_the_proxy_is_reached_from_outside_and_not_the_database() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert set(ports) == {"proxy", "console"}
    assert ports["console"] == ["${CONSOLE_PUBLISHED:-127.0.0.1:8081}:8081"]
    assert SERVICES["db"]["networks"] == ["data"]
    assert COMPOSE["networks"]["data"] == {"internal": True}


def test_secrets_are_files_that_git_and_images_leave_out() -> None:
    assert set(COMPOSE["secrets"]) == SECRETS
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"${{SECRETS:-./secrets}}/{name}"}
    assert {"secrets/", "backups/"} <= set(lines(".gitignore"))
    assert lines(".dockerignore")[0] == "*"


@pytest.mark.parametrize("name", SERVICES)
def test_a_services_settings_exist(name: str) -> None:
    known = {field.upper() for kind in (Settings, ConsoleSettings) for field in kind.model_fields}
    foreign = re.compile(r"POSTGRES_|PGDATA$|FORWARDED_ALLOW_IPS$")
    settings = SERVICES[name].get("environment", {})

    assert {each for each in settings if not foreign.match(each)} <= known


def test_every_variable_is_in_the_guide() -> None:
    variables = set(_VARIABLE.findall((house.ROOT / "docker-compose.yml").read_text()))
    guide = (house.ROOT / "docs" / "server.md").read_text(encoding="utf-8")

    assert [each for each in sorted(variables) if f"`{each}`" not in guide] == []


def test_the_image_has_a_python_that_the_project_runs_on() -> None:
    versions = set(re.findall(r"^FROM python:(\d+)\.(\d+)-slim", text("Dockerfile"), flags=re.M))
    project = tomllib.loads(text("pyproject.toml"))["project"]

    (version,) = {(int(major), int(minor)) for major, minor in versions}
    assert project["requires-python"] == ">=3.11"
    assert version >= (3, 11)


def test_the_image_dumps_with_the_programs_of_its_database() -> None:
    _, _, major = SERVICES["db"]["image"].partition("postgres:")

    assert f"postgresql-client-{major} " in text("Dockerfile").replace("\n", " ")


@pytest.mark.parametrize("name", ["Dockerfile", "proxy/Dockerfile"])
def test_an_image_needs_no_other_frontend_and_ends_as_a_user_by_number(name: str) -> None:
    assert "# syntax" not in text(name)
    assert re.search(r"^USER [1-9]\d+:[1-9]\d+$", text(name).split("\nFROM ")[-1], flags=re.M)


def test_the_image_installs_what_the_lock_pins() -> None:
    assert "pip install --require-hashes --no-deps -r requirements.lock" in text("Dockerfile")


@pytest.mark.parametrize("name", ["Makefile", "Dockerfile"])
def test_pip_is_let_choose_no_package_itself(name: str) -> None:
    installs = [line for line in lines(name) if "--require-hashes" in line]

    assert installs
    assert [line for line in installs if "--require-hashes --no-deps -r" not in line] == []


def test_the_lock_names_all_that_is_needed() -> None:
    """What pip chose not to look for must be there all the same."""
    run = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)

    assert (run.returncode, run.stdout.strip()) == (0, "No broken requirements found.")


def test_the_proxy_passes_on_to_ports_that_the_services_listen_on() -> None:
    caddyfile = text("proxy/Caddyfile")
    settings = SERVICES["bot"]["environment"], SERVICES["console"]["environment"]

    assert re.search(rf"name bot\s+port {settings[0]['HTTP_PORT']}\n", caddyfile)
    assert f"reverse_proxy console:{settings[1]['CONSOLE_PORT']}\n" in caddyfile
    assert all(f"_port {p.rpartition(':')[2]}\n" in caddyfile for p in SERVICES["proxy"]["ports"])


@pytest.mark.parametrize("folder", [".", "proxy"])
def test_what_an_image_copies_is_there_and_is_let_in(folder: str) -> None:
    context = house.ROOT / folder
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text(f"{folder}/Dockerfile"), flags=re.M)
    let_in = [line[1:] for line in lines(f"{folder}/.dockerignore") if line.startswith("!")]

    for name in " ".join(copied).split():
        assert (context / name).exists()
        assert any(fnmatch(name, each) for each in let_in)


def test_the_image_holds_every_package() -> None:
    packages = tomllib.loads(text("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert [p for p in packages["packages"] if f"COPY {p} {p}" not in text("Dockerfile")] == []


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PATH": ""}, "there is no Docker here: install Docker Engine with Compose"),
        ({"DOCKER_HOST": "unix:///nowhere.sock"}, "Docker"),
    ],
)
def test_without_docker_the_compose_test_fails_and_names_the_cure(
    environment: dict[str, str], words: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.compose"],
        cwd=house.ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(words)
    assert "run `make compose-test` again" in done.stderr


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_compose_itself_finds_the_file_valid() -> None:
    command = compose_here()
    if command is None:
        pytest.skip("Docker is here without Compose")

    done = subprocess.run(
        [*command, "--profile", "https", "--profile", "tools", "config", "--quiet"],
        cwd=house.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def compose_here() -> tuple[str, ...] | None:
    """Return how Compose is called on this machine; it needs no daemon to read a file."""
    for command in (("docker", "compose"), ("docker-compose",)):
        if shutil.which(command[0]):
            asked = subprocess.run([*command, "version"], capture_output=True, check=False)
            if asked.returncode == 0:
                return command
    return None


def text(name: str) -> str:
    """Return a file of the project."""
    return (house.ROOT / name).read_text(encoding="utf-8")


def lines(name: str) -> list[str]:
    """Return a file's lines without comments."""
    return [line for line in text(name).splitlines() if line and not line.startswith("#")]
