"""The settings of the clinic's side, from the environment, `.env` and secret files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ConsoleSettings(BaseSettings):
    """Where the console listens, and what keeps the clinic's passwords."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    console_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    console_port: Annotated[int, Field(ge=0, le=65535)] = 8081
    data_dir: Path = Path("var")
    encryption_keys_file: Path | None = None

    @property
    def keys_file(self) -> Path:
        """ENCRYPTION_KEYS_FILE, or a file in DATA_DIR that is made when it is first needed."""
        return self.encryption_keys_file or self.data_dir / "encryption-keys.txt"
