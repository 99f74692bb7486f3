"""The words patients read: one catalogue a locale, looked up by dotted key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: What a clinic may leave open; a line that would name it is left out then.
MAY_BE_OPEN = ("crisis_line", "emergency", "price", "privacy_url")
_OPEN = "\0"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Texts of one locale, flattened: `step.acne_now.question` -> words.

    Values are words with `{name}` placeholders, or tuples of words (synonyms, phrases).
    """

    locale: str
    name: str  # the language's own name, e.g. "English"
    texts: Mapping[str, str | tuple[str, ...]]

    def text(self, key: str, **values: object) -> str:
        """Return the words under `key` with the placeholders filled.

        A line that names what a clinic leaves open, such as a crisis line, is left out.
        KeyError names a missing key or a placeholder without a value; TypeError names a list.
        """
        words = self.texts[key]
        if isinstance(words, tuple):
            raise TypeError(f"{key} in {self.locale} is a list, read it with words()")
        still_open = {name: _OPEN for name in MAY_BE_OPEN if values.get(name) == ""}
        try:
            filled = words.format_map({**values, **still_open})
        except KeyError as missing:
            raise KeyError(f"{key} in {self.locale} needs a value for {missing}") from None
        return "\n".join(line for line in filled.split("\n") if _OPEN not in line)

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of words such as synonyms; empty when there is none.

        TypeError names a key that holds one text instead of a list.
        """
        words = self.texts.get(key, ())
        if isinstance(words, str):
            raise TypeError(f"{key} in {self.locale} is one text, read it with text()")
        return words

    def has(self, key: str) -> bool:
        """Tell whether the catalogue holds `key`, as a text or as a list."""
        return key in self.texts


def parse_catalogue(locale: str, files: Mapping[str, str]) -> Catalogue:
    """Merge the TOML files of one locale, given as file name -> contents.

    Texts lose the white space around them. The key `language.name` gives the language's own name.
    ValueError names the file that is not TOML, both files of a key that is there twice, or the key
    that holds neither words nor a list of words.
    """
    texts: dict[str, str | tuple[str, ...]] = {}
    origin: dict[str, str] = {}
    for file, contents in files.items():
        for key, value in _leaves(_parse(file, contents), ""):
            if key in origin:
                raise ValueError(f"{key} must be in one file, got {origin[key]} and {file}")
            origin[key] = file
            texts[key] = _words(file, key, value)
    name = texts.get("language.name", locale)
    return Catalogue(locale, name if isinstance(name, str) else locale, texts)


def _parse(file: str, contents: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(contents)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file} must be TOML: {error}") from None


def _leaves(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _words(file: str, key: str, value: object) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(word.strip() for word in value)
    raise ValueError(f"{key} in {file} must be words or a list of words, got {value!r}")
