from __future__ import annotations

from pathlib import Path

import pytest

from flows.compiler import ProtocolFaults
from flows.protocol import Spacing
from storage.protocol_files import UnreadableFile, load_catalogues, load_protocol, read_protocol
from tests.flows.small_protocol import TEXT

OVERRIDES = 'overrides = "microneedling"\n[spacing]\nmin_days = 21\n'


def test_english_is_among_the_packaged_catalogues() -> None:
    catalogues = load_catalogues()

    assert catalogues["en"].name == "English"
    assert catalogues["en"].has("step.consent.question")


def test_the_packaged_protocol_is_compiled_with_its_words() -> None:
    protocol = load_protocol(load_catalogues())

    assert protocol.id == "microneedling"
    assert protocol.spacing == Spacing(28, 28, 42)


def test_overrides_change_the_packaged_protocol_and_its_key() -> None:
    catalogues = load_catalogues()

    own = load_protocol(catalogues, OVERRIDES, "own.toml")

    assert own.spacing == Spacing(21, 28, 42)
    assert own.key != load_protocol(catalogues).key


def test_a_file_with_overrides_is_read_as_such(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OVERRIDES, encoding="utf-8")

    assert read_protocol(file, load_catalogues()).spacing.min_days == 21


def test_faults_of_a_clinics_own_protocol_name_its_file(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(TEXT, encoding="utf-8")

    with pytest.raises(ProtocolFaults) as caught:
        read_protocol(file, load_catalogues())

    assert {fault.file for fault in caught.value.faults} == {str(file)}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"cannot read .*none\.toml: no such file"):
        read_protocol(tmp_path / "none.toml", load_catalogues())


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(UnreadableFile, match="must be text in UTF-8"):
        read_protocol(file, load_catalogues())


def test_the_overrides_shown_in_the_documents_have_no_faults() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]

    assert load_protocol(load_catalogues(), example).spacing == Spacing(21, 28, 49)
