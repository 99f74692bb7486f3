"""Settings come from the environment or a file, and every fault is named at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import Settings, SettingsFaults, load, load_data_place
from clinic.settings import ConsoleSettings

TOKEN = "123456:AbC-dEf_1234567890"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_any_setting_the_playground_runs_on_loopback() -> None:
    settings = load(None)

    assert settings.token == ""
    assert settings.database == "sqlite:///var/resurface.db"
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8080)


def test_a_file_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = tmp_path / ".env"
    env.write_text(f"TELEGRAM_BOT_TOKEN={TOKEN}\nHTTP_PORT=9000\nUNKNOWN=1\n")
    monkeypatch.setenv("HTTP_PORT", "9001")

    settings = load(env)

    assert (settings.token, settings.http_port) == (TOKEN, 9001)


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that SECRETS_DIR names."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("SECRETS_DIR", str(folder))
    return folder


def test_secrets_are_read_from_files(secrets: Path) -> None:
    (secrets / "telegram_bot_token").write_text(f"{TOKEN}\n")
    (secrets / "database_url").write_text("postgresql://resurface:pw@db/resurface\n")

    assert load(None).token == TOKEN
    assert load(None).database == "postgresql://resurface:pw@db/resurface"
    assert load_data_place(None).database == "postgresql://resurface:pw@db/resurface"


def test_the_environment_and_the_env_file_win_over_secret_files(
    secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (secrets / "telegram_bot_token").write_text("9:from-a-secret-file")
    (secrets / "webhook_secret").write_text("f" * 32)
    env = tmp_path / ".env"
    env.write_text(f"TELEGRAM_BOT_TOKEN={TOKEN}\n")
    monkeypatch.setenv("WEBHOOK_SECRET", "e" * 32)

    settings = load(env)

    assert (settings.token, settings.webhook_secret.get_secret_value()) == (TOKEN, "e" * 32)


def test_the_env_file_may_name_the_folder_of_secrets(
    secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRETS_DIR")
    (secrets / "telegram_bot_token").write_text(TOKEN)
    env = tmp_path / ".env"
    env.write_text(f"SECRETS_DIR={secrets}\n")

    assert load(env).token == TOKEN


def test_a_folder_of_secrets_that_is_missing_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path / "gone"))

    with pytest.raises(SettingsFaults, match=r"^SECRETS_DIR must be a folder with one file a sec"):
        load(None)


def test_a_secret_that_cannot_be_read_is_one_sentence_without_it(secrets: Path) -> None:
    (secrets / "telegram_bot_token").write_bytes(b"\xff secret")

    with pytest.raises(SettingsFaults, match=r"^SECRETS_DIR must hold text files [^\\]*$"):
        load(None)


def test_a_wrong_secret_in_a_file_is_named_and_not_shown(secrets: Path) -> None:
    (secrets / "telegram_bot_token").write_text("my secret")

    with pytest.raises(SettingsFaults, match=r"^TELEGRAM_BOT_TOKEN must look like [^;]*; copy it"):
        load(None)


def test_every_fault_is_named_at_once_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "99999")
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    monkeypatch.setenv("TELEGRAM_API_URL", "http://host/with/path")
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "my secret")

    with pytest.raises(SettingsFaults) as caught:
        load(None)

    faults = sorted(caught.value.faults)
    assert faults == [
        "HTTP_PORT must be a port from 0 to 65535, got '99999'",
        "LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, got 'LOUD'",
        "TELEGRAM_API_URL must be http://HOST:PORT or https://HOST, without a path, "
        "got 'http://host/with/path'",
        "TELEGRAM_BOT_TOKEN must look like 123456:ABC-DEF; copy it from @BotFather",
    ]


@pytest.mark.parametrize(
    "url",
    ["https://bot.example.com", "https://bot.example.com:8443", "http://127.0.0.1:8080", ""],
)
def test_a_public_address_is_one_that_telegram_or_this_machine_can_call(url: str) -> None:
    assert Settings(_env_file=None, public_url=url).public_url == url  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "url",
    [
        "http://bot.example.com",
        "https://bot.example.com/telegram",
        "https://bot.example.com:8080",
        "https://user:password@bot.example.com",
        "bot.example.com",
    ],
)
def test_any_other_public_address_is_one_sentence(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", url)

    with pytest.raises(SettingsFaults, match=r"^PUBLIC_URL must be https://HOST without a path"):
        load(None)


def test_a_weak_webhook_secret_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "too short")

    with pytest.raises(SettingsFaults) as caught:
        load(None)

    assert caught.value.faults == (
        "WEBHOOK_SECRET must be 32 to 256 of the characters A-Z, a-z, 0-9, _ and -",
    )


def test_settings_cannot_be_changed_and_do_not_show_the_token() -> None:
    settings = Settings(_env_file=None, telegram_bot_token=TOKEN)  # type: ignore[call-arg]

    assert TOKEN not in repr(settings)
    with pytest.raises(ValidationError):
        settings.http_port = 1  # type: ignore[misc]


def test_the_example_shows_the_defaults() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", example, flags=re.MULTILINE))

    clinics = {name.upper() for name in ConsoleSettings.model_fields}
    ours = {name.upper() for name in Settings.model_fields}
    assert set(shown) == ours | clinics
    own = {k.lower(): v for k, v in shown.items() if k in ours}
    assert Settings(_env_file=None, **own) == load(None)  # type: ignore[call-arg,arg-type]
