"""What the documents promise exists: settings, commands, links, pictures, words in all locales."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import typer

from bot.__main__ import app
from bot.settings import Settings
from clinic.settings import ConsoleSettings
from tests.architecture import documents, house

LOCALES = house.ROOT / "flows" / "locales"

#: Written so that this file does not hold what it looks for.
FORBIDDEN = {
    "a path of one machine": re.compile(r"(?<![\w.])/(?:wor[k]|roo[t])/"),
    "a number only insiders know": re.compile(r"\bissue #?[0-9]", flags=re.IGNORECASE),
    "a bot token": re.compile(r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b"),
    "an address of a package index": re.compile(r"--(?:extra-)?index-ur[l]|--find-link[s]"),
}

OFFENCES = {
    "a path of one machine": "see /wor" + "k/notes.md",
    "a number only insiders know": "as issue" + " 12 says",
    "a bot token": f"{123456789}:{'A' * 35}",
    "an address of a package index": "pip install --index-" + "url somewhere",
}


def setting_names() -> list[str]:
    """Return every setting as it stands in the environment."""
    return sorted(
        {
            str(field.validation_alias or name).upper()
            for kind in (Settings, ConsoleSettings)
            for name, field in kind.model_fields.items()
        }
    )


@pytest.mark.parametrize("name", setting_names())
def test_a_setting_is_in_the_example_and_in_the_table(name: str) -> None:
    example = (house.ROOT / ".env.example").read_text(encoding="utf-8")
    docs = (house.ROOT / "docs" / "going-live.md").read_text(encoding="utf-8")

    assert re.search(rf"^#? ?{name}=", example, flags=re.MULTILINE)
    assert f"| `{name}` |" in docs


def test_the_example_names_no_setting_that_does_not_exist() -> None:
    example = (house.ROOT / ".env.example").read_text(encoding="utf-8")

    assert set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", example, flags=re.MULTILINE)) <= set(
        setting_names()
    )


@pytest.mark.parametrize(
    "page", documents.pages(), ids=lambda page: str(page.relative_to(house.ROOT))
)
def test_every_command_on_the_page_exists(page: Path) -> None:
    unknown = [words for words in documents.commands(page) if not command_exists(words)]

    assert unknown == []


@pytest.mark.parametrize(
    "page", documents.pages(), ids=lambda page: str(page.relative_to(house.ROOT))
)
def test_every_link_and_picture_on_the_page_leads_somewhere(page: Path) -> None:
    assert [to for to in documents.links(page) if documents.is_broken(page, to)] == []


def test_the_readme_shows_a_picture() -> None:
    assert documents.pictures(house.ROOT / "README.md")


def test_every_picture_is_shown_on_a_page() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in documents.pages()
        for target in documents.pictures(page)
    }

    kept = (house.ROOT / "docs" / "images").glob("*.png")
    assert [path.name for path in sorted(kept) if path.resolve() not in shown] == []


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    changelog = (house.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert "\n## [Unreleased]\n" in changelog


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds_what_does_not_belong_in_it(what: str) -> None:
    found = [
        f"{path}:{number}"
        for path in documents.text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FORBIDDEN[what].search(line)
    ]

    assert found == [], f"{what}: {', '.join(found)}"


@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_does_not_belong_in_a_file_would_be_found(what: str) -> None:
    assert FORBIDDEN[what].search(OFFENCES[what])


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_no_address_and_hashes_everything(name: str) -> None:
    text = (house.ROOT / name).read_text(encoding="utf-8")

    assert "://" not in text
    assert all("--hash=sha256:" in block for block in re.split(r"^(?=[a-z])", text, flags=re.M)[1:])


def test_both_locks_pin_the_same_versions() -> None:
    runtime, dev = (
        pins(house.ROOT / name) for name in ("requirements.lock", "requirements-dev.lock")
    )

    assert runtime.items() <= dev.items()


def test_the_locales_have_the_same_keys() -> None:
    assert list(gaps({folder.name: catalogue(folder) for folder in locale_folders()})) == []


def test_a_key_that_only_one_locale_has_is_named() -> None:
    assert list(gaps({"en": {"a", "b"}, "ru": {"a"}})) == ["ru: b"]


def test_no_key_stands_in_two_files_of_a_locale() -> None:
    for folder in locale_folders():
        keys = [key for file in sorted(folder.glob("*.toml")) for key in keys_of(file)]

        assert sorted(keys) == sorted(set(keys))


def test_a_broken_link_a_missing_picture_and_a_lost_heading_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Some title: here\n[a](#some-title-here) [b](gone.md) ![c](gone.png) [d](#no)\n"
    )

    broken = [target for target in documents.links(page) if documents.is_broken(page, target)]

    assert broken == ["gone.md", "gone.png", "#no"]


def test_a_command_that_does_not_exist_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Type `resurface run`, or\n```\n.venv/bin/resurface fly away\n```\n")

    assert [command_exists(words) for words in documents.commands(page)] == [True, False]


def command_exists(words: tuple[str, ...]) -> bool:
    """Tell whether the words lead to a command; words after a whole command are its arguments."""
    command: object = typer.main.get_command(app)
    for word in words:
        commands = getattr(command, "commands", None)  # only a group has them
        if commands is None:
            return True
        if word not in commands:
            return False
        command = commands[word]
    return True


def pins(lock: Path) -> dict[str, str]:
    """Return the version each package of a lock is pinned to."""
    text = lock.read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.\-\[\],]+)==(\S+)", text, flags=re.MULTILINE))


def locale_folders() -> list[Path]:
    """Return the folder of each locale that is shipped."""
    folders = sorted(path for path in LOCALES.iterdir() if any(path.glob("*.toml")))
    assert folders
    return folders


def catalogue(folder: Path) -> set[str]:
    """Return all keys of one locale."""
    return {key for file in folder.glob("*.toml") for key in keys_of(file)}


def keys_of(file: Path) -> Iterator[str]:
    """Yield the dotted keys of a catalogue file."""
    yield from _flat(tomllib.loads(file.read_text(encoding="utf-8")))


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def gaps(catalogues: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield `locale: key` for every key that some other locale has."""
    everything = set().union(*catalogues.values())
    for locale, keys in catalogues.items():
        yield from (f"{locale}: {key}" for key in sorted(everything - keys))
