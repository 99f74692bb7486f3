"""The environment, `.env` and secret files as one frozen value; each fault named with its cure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import SettingsError

from storage.faults import StorageError
from storage.secret_files import UNREADABLE, SecretFiles

_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{10,}")
_PUBLIC = re.compile(r"https://[^/\s?#:@]+(:(443|80|88|8443))?")
_HERE = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{32,256}")
_SECRET = frozenset({"telegram_bot_token", "database_url", "webhook_secret"})


class SettingsFaults(StorageError):
    """Settings that cannot be used: one sentence for each.

    A StorageError, as the console's are: every command says those in a sentence.
    """

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _token(value: SecretStr) -> SecretStr:
    if value.get_secret_value() and not _TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("must look like 123456:ABC-DEF; copy it from @BotFather")
    return value


def _address(value: str) -> str:
    if value and not re.fullmatch(r"https?://[^/\s?#]+", value):
        raise ValueError("must be http://HOST:PORT or https://HOST, without a path")
    return value


def _public(value: str) -> str:
    if value and not _PUBLIC.fullmatch(value) and not _HERE.fullmatch(value):
        raise ValueError(
            "must be https://HOST without a path, with no port or one that Telegram calls: "
            "443, 80, 88, 8443"
        )
    return value


def _webhook_secret(value: SecretStr) -> SecretStr:
    if value.get_secret_value() and not _WEBHOOK_SECRET.fullmatch(value.get_secret_value()):
        raise ValueError("must be 32 to 256 of the characters A-Z, a-z, 0-9, _ and -")
    return value


class DataPlace(SecretFiles):
    """Where the data is: all that the commands beside `run` need to know."""

    database_url: str = ""
    data_dir: Path = Path("var")

    @property
    def database(self) -> str:
        """DATABASE_URL, or a SQLite file in DATA_DIR."""
        return self.database_url or f"sqlite:///{self.data_dir / 'resurface.db'}"


class Settings(DataPlace):
    """What the program reads from the environment and from `.env`."""

    telegram_bot_token: Annotated[SecretStr, AfterValidator(_token)] = SecretStr("")
    telegram_api_url: Annotated[str, AfterValidator(_address)] = ""
    http_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: Annotated[str, AfterValidator(_public)] = ""
    webhook_secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] = SecretStr("")
    metrics_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 9090
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "text"] = "auto"

    @property
    def token(self) -> str:
        """The bot's token; empty for the playground."""
        return self.telegram_bot_token.get_secret_value()


_CURES = {
    "metrics_port": "must be a port from 0 to 65535",
    "metrics_host": "must be an address to listen on, such as 127.0.0.1",
    "log_format": "must be auto, json or text",
    "http_port": "must be a port from 0 to 65535",
    "http_host": "must be an address to listen on, such as 127.0.0.1",
    "log_level": "must be DEBUG, INFO, WARNING or ERROR",
    "data_dir": "must be a folder",
}


_Read = TypeVar("_Read", bound=DataPlace)


def load(env_file: Path | None = Path(".env")) -> Settings:
    """Read the settings. Raises `SettingsFaults` naming every wrong one."""
    return _read(Settings, env_file)


def load_data_place(env_file: Path | None = Path(".env")) -> DataPlace:
    """Read where the data is, whatever the other settings are. Raises `SettingsFaults`."""
    return _read(DataPlace, env_file)


def _read(kind: type[_Read], env_file: Path | None) -> _Read:
    try:
        return kind(_env_file=env_file)  # type: ignore[call-arg]  # an argument of pydantic's
    except ValidationError as invalid:
        faults = tuple(_sentence(fault) for fault in invalid.errors(include_url=False))
        raise SettingsFaults(faults) from None
    except SettingsError:
        raise SettingsFaults((UNREADABLE,)) from None


def _sentence(fault: object) -> str:
    assert isinstance(fault, dict)  # noqa: S101 - pydantic's own shape
    name = str(fault["loc"][0])
    rule = _CURES.get(name) or str(fault["msg"]).removeprefix("Value error, ")
    got = "" if name in _SECRET else f", got {fault['input']!r}"
    return f"{name.upper()} {rule}{got}"
