"""Secrets at rest: sealed with a key of a file, readable while that key stays in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from storage import sealing


def test_what_is_sealed_is_opened_again_and_cannot_be_read_meanwhile(tmp_path: Path) -> None:
    seal = sealing.load(tmp_path / "deep" / "keys")

    sealed = seal.close("pässword")

    assert "ssword" not in sealed
    assert sealing.load(tmp_path / "deep" / "keys").open(sealed) == "pässword"


def test_only_the_owner_may_read_a_new_key_file(tmp_path: Path) -> None:
    sealing.load(tmp_path / "keys")

    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys"]


def test_a_new_first_key_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    old = sealing.load(keys).close("old")
    keys.write_bytes(Fernet.generate_key() + b"\n" + keys.read_bytes())

    seal = sealing.load(keys)

    assert (seal.open(old), seal.open(seal.close("new"))) == ("old", "new")


def test_a_lost_key_is_named_and_what_it_sealed_is_not(tmp_path: Path) -> None:
    sealed = sealing.load(tmp_path / "one").close("hidden")

    with pytest.raises(sealing.SealFault, match="ENCRYPTION_KEYS_FILE") as fault:
        sealing.load(tmp_path / "two").open(sealed)

    assert sealed not in str(fault.value)


@pytest.mark.parametrize("content", [b"no key", b"\xff", b""])
def test_a_file_that_holds_no_keys_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys").write_bytes(content)

    with pytest.raises(sealing.SealFault, match="ENCRYPTION_KEYS_FILE must be a file with one key"):
        sealing.load(tmp_path / "keys")
