"""Settings whose secrets may be files in a folder, as containers have them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

#: What is wrong, and its cure, when reading the files raises pydantic's SettingsError.
UNREADABLE = "SECRETS_DIR must hold text files that this user may read; see their owner and mode"


def _folder(value: str) -> str:
    if value and not Path(value).is_dir():
        raise ValueError("must be a folder with one file a secret")
    return value


class SecretFiles(BaseSettings):
    """Settings from the environment, then `.env`, then the files in the folder that either names.

    A file is called as its setting is, in small letters, and holds the value alone.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    secrets_dir: Annotated[str, AfterValidator(_folder)] = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the files last, from a folder that is known only once the others are read."""
        named = {**dotenv_settings(), **env_settings()}.get("secrets_dir") or ""
        if not Path(named).is_dir() or not named:
            return init_settings, env_settings, dotenv_settings
        files = SecretsSettingsSource(settings_cls, secrets_dir=named)
        return init_settings, env_settings, dotenv_settings, files
