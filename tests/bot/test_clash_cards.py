"""What staff read in Telegram of changes in a practitioner's own calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.staff_words import StaffWords
from storage import protocol_files
from storage.clashes import ClashCard, ClashKind
from tests.builders import MONDAY

HOUR = timedelta(hours=1)
CARD = ClashCard(
    kind=ClashKind.OVERLAP,
    practitioner="Amara <Osei>",
    code="K7PX",
    booked_at=MONDAY,
    starts_at=MONDAY + HOUR / 2,
    ends_at=MONDAY + 2 * HOUR,
    zone="Europe/London",
    locale="en",
    chat_id=5,
)


@pytest.mark.parametrize("kind", ClashKind)
def test_a_card_says_who_when_and_which_code(kind: ClashKind) -> None:
    words = StaffWords(protocol_files.load_catalogues(), CARD.locale, CARD.zone)

    said = words.outside_change(replace(CARD, kind=kind))

    assert "Amara &lt;Osei&gt;" in said
    assert "Mon 9 Mar, 10:00 (K7PX)" in said
    assert ("10:30–12:00" in said) is (kind is not ClashKind.DELETED)
