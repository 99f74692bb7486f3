"""The words patients read: one catalogue a locale, looked up by dotted key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Texts of one locale, flattened: `step.acne_now.question` -> words.

    Values are words with `{name}` placeholders, or tuples of words (synonyms, phrases).
    """

    locale: str
    name: str  # the language's own name, e.g. "English"
    texts: Mapping[str, str | tuple[str, ...]]

    def text(self, key: str, **values: object) -> str:
        """Return the words under `key` with the placeholders filled; KeyError when missing."""
        raise NotImplementedError

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of words such as synonyms; empty when there is none."""
        raise NotImplementedError
