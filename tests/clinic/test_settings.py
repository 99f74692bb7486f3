"""The settings of the clinic's side: secrets may be files, and are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinic.settings import ConsoleRefused, ConsoleSettings, load

MAIL = "smtps://clinic:pass-word@mail.example:465"


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that SECRETS_DIR names."""
    for name in ConsoleSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("SECRETS_DIR", str(folder))
    return folder


def test_the_mail_server_s_password_may_be_a_file(secrets: Path) -> None:
    (secrets / "smtp_url").write_text(f"{MAIL}\n")

    settings = load(None)

    assert settings.smtp_url.get_secret_value() == MAIL
    assert "pass-word" not in repr(settings)


def test_the_environment_wins_over_the_file(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (secrets / "smtp_url").write_text("smtp://another.example:587")
    monkeypatch.setenv("SMTP_URL", MAIL)

    assert load(None).smtp_url.get_secret_value() == MAIL


def test_the_env_file_may_name_the_folder(
    secrets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SECRETS_DIR")
    (secrets / "smtp_url").write_text(MAIL)
    env = tmp_path / ".env"
    env.write_text(f"SECRETS_DIR={secrets}\n")

    assert load(env).smtp_url.get_secret_value() == MAIL


def test_secrets_of_the_other_side_are_no_concern(secrets: Path) -> None:
    (secrets / "telegram_bot_token").write_text("123456:AbC-dEf_1234567890")

    assert "123456" not in repr(load(None))


def test_a_folder_that_is_missing_is_one_sentence(
    secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRETS_DIR", str(secrets / "gone"))

    with pytest.raises(ConsoleRefused, match=r"^SECRETS_DIR must be a folder with one file a sec"):
        load(None)


def test_a_file_that_cannot_be_read_is_one_sentence_without_it(secrets: Path) -> None:
    (secrets / "smtp_url").write_bytes(b"\xff secret")

    with pytest.raises(ConsoleRefused, match=r"^SECRETS_DIR must hold text files [^\\]*$"):
        load(None)
