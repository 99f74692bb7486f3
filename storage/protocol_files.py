"""Reads protocols and the words of every locale: the packaged ones and a clinic's own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from flows.compiler import compile_protocol
from flows.protocol import Protocol
from flows.protocol_overrides import is_overrides
from flows.texts import Catalogue, parse_catalogue

PACKAGED = "microneedling.toml"


class UnreadableFile(ValueError):
    """A protocol or overrides file is not there or is not text."""


def load_catalogues() -> dict[str, Catalogue]:
    """Read the words of every packaged locale, by locale."""
    folders = (resources.files("flows") / "locales").iterdir()
    return {
        folder.name: parse_catalogue(folder.name, _toml_files(folder))
        for folder in sorted(folders, key=lambda folder: folder.name)
        if folder.is_dir() and _toml_files(folder)
    }


def packaged_text() -> str:
    """Return the packaged protocol as TOML text."""
    return (resources.files("flows") / "protocols" / PACKAGED).read_text(encoding="utf-8")


def load_protocol(
    catalogues: Mapping[str, Catalogue], overrides: str = "", overrides_file: str = ""
) -> Protocol:
    """Compile the packaged protocol with a clinic's overrides, given as TOML text.

    Raises `ProtocolFaults`.
    """
    return compile_protocol(
        packaged_text(),
        file=f"flows/protocols/{PACKAGED}",
        catalogues=catalogues,
        overrides=overrides,
        overrides_file=overrides_file,
    )


def read_protocol(path: Path, catalogues: Mapping[str, Catalogue]) -> Protocol:
    """Compile a clinic's own protocol, or the packaged one with a clinic's overrides.

    Raises `UnreadableFile` and `ProtocolFaults`.
    """
    text = _read(path)
    if is_overrides(text):
        return load_protocol(catalogues, text, str(path))
    return compile_protocol(text, file=str(path), catalogues=catalogues)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        cause = (error.strerror or "it cannot be opened").lower()
        raise UnreadableFile(f"cannot read {path}: {cause}") from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"cannot read {path}: it must be text in UTF-8") from error


def _toml_files(folder: Traversable) -> dict[str, str]:
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        f"{folder.name}/{file.name}": file.read_text(encoding="utf-8")
        for file in files
        if file.name.endswith(".toml")
    }
