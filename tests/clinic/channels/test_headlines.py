"""Staff read what happened, never the name that a program gives it."""

from __future__ import annotations

import pytest

from clinic.channels import headlines
from storage.lead_events import EventType


@pytest.mark.parametrize("event", EventType)
def test_everything_that_can_be_told_has_words_for_staff(event: EventType) -> None:
    assert "." not in headlines.in_words(event)


def test_a_type_of_another_version_is_shown_as_it_is() -> None:
    assert headlines.in_words("lead.renamed") == "lead.renamed"
