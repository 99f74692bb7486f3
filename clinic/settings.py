"""The settings of the clinic's side, from the environment, `.env` and secret files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import SettingsError

from storage.faults import StorageError
from storage.secret_files import UNREADABLE, SecretFiles

_HTTPS = re.compile(r"https://[^/\s?#@]+")
_HERE = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ConsoleRefused(StorageError):
    """The console is not started, because it would be open; says which setting cures that."""


_CURES = {
    "console_host": "must be an address to listen on, such as 127.0.0.1",
    "console_port": "must be a port from 0 to 65535",
    "data_dir": "must be a folder",
    "encryption_keys_file": "must be a file with one key a line",
    "private_addresses": "must be true or false",
    "calendar_minutes": "must be a number of minutes from 1 to 60",
}

_SECRET = frozenset({"smtp_url"})


def _web_address(value: str) -> str:
    if value and not _HTTPS.fullmatch(value) and not _HERE.fullmatch(value):
        raise ValueError(
            "must be https://HOST without a path, or http://127.0.0.1:PORT for a tunnel"
        )
    return value


class ConsoleSettings(SecretFiles):
    """Where the console listens, and what keeps the clinic's passwords."""

    console_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    console_port: Annotated[int, Field(ge=0, le=65535)] = 8081
    #: The address that staff type, when something in front of the console ends TLS.
    console_url: Annotated[str, AfterValidator(_web_address)] = ""
    data_dir: Path = Path("var")
    encryption_keys_file: Path | None = None
    #: Lets webhooks and calendars be of the clinic's own network, and of this machine by http.
    private_addresses: bool = False
    #: smtps://USER:PASSWORD@HOST:465 or smtp://HOST:587; empty: no mail is sent.
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = ""
    #: Minutes between two readings of a practitioner's own calendar.
    calendar_minutes: Annotated[int, Field(ge=1, le=60)] = 3

    @property
    def keys_file(self) -> Path:
        """ENCRYPTION_KEYS_FILE, or a file in DATA_DIR that is made when it is first needed."""
        return self.encryption_keys_file or self.data_dir / "encryption-keys.txt"

    @property
    def address(self) -> str:
        """CONSOLE_URL, or the address on this machine: what links to the console begin with."""
        if self.console_url:
            return self.console_url
        host = f"[{self.console_host}]" if ":" in self.console_host else self.console_host
        return f"http://{host}:{self.console_port}"

    @property
    def is_https(self) -> bool:
        """Say whether staff reach the console by https."""
        return self.console_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """The host and port of CONSOLE_URL; empty on this machine alone."""
        return urlsplit(self.console_url).netloc.lower() if self.is_https else ""

    def refuse_open(self) -> None:
        """Raise ConsoleRefused when others could reach the console without https."""
        if self.console_host not in LOOPBACK and not self.console_url:
            raise ConsoleRefused(
                f"CONSOLE_HOST {self.console_host!r} can be reached from other machines, so the "
                "console needs https: set CONSOLE_URL to the https address of the proxy in front "
                "of it, or CONSOLE_HOST to 127.0.0.1"
            )


def load(env_file: Path | None = Path(".env")) -> ConsoleSettings:
    """Read the settings. Raises ConsoleRefused, which names every wrong one."""
    try:
        return ConsoleSettings(_env_file=env_file)  # type: ignore[call-arg]  # pydantic's own
    except ValidationError as invalid:
        faults = (
            _sentence(str(one["loc"][0]), one["msg"], one["input"]) for one in invalid.errors()
        )
        raise ConsoleRefused("\n".join(faults)) from None
    except SettingsError:
        raise ConsoleRefused(UNREADABLE) from None


def _sentence(name: str, message: str, given: object) -> str:
    rule = _CURES.get(name) or message.removeprefix("Value error, ")
    return f"{name.upper()} {rule}" + ("" if name in _SECRET else f", got {given!r}")
