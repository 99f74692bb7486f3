"""Nudges as patients read them: discreet first lines, buttons that never grow old, a way out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot import nudge_messages
from bot.callback_data import LIMIT, pack
from bot.markup import TEXT_LIMIT, Button, Screen
from flows.conversation import BookedSession
from flows.events import AnsweredNudge, AskedForPerson, NudgeAnswer
from flows.follow_up import NudgeKind
from flows.waiting import Offered
from storage.nudge_facts import NudgeFacts
from tests.builders import MONDAY, NOW, a_conversation, a_slot
from tests.flows.chat import a_clinic, catalogues

UID = "0123456789abcdef-2@resurface"
SERIES = "0123456789abcdef"
ABOUT_VISITS = {
    NudgeKind.PREPARE_WEEK,
    NudgeKind.REMINDER,
    NudgeKind.PREPARE_DAY,
    NudgeKind.TODAY,
    NudgeKind.AFTERCARE,
    NudgeKind.CHECK_IN_FIRST,
    NudgeKind.CHECK_IN_SECOND,
    NudgeKind.MISSED,
    NudgeKind.WAITLIST_OFFER,
}
OFFERS = {NudgeKind.WAITLIST_OFFER}
OFFERED = Offered(2, MONDAY - timedelta(days=1), NOW + timedelta(hours=2))
#: What somebody who looks over a shoulder must not read.
PRIVATE = ("skin", "scar", "acne", "needling", "treatment", "session", "clinic")


def facts_of(kind: NudgeKind) -> NudgeFacts:
    facts = NudgeFacts(a_conversation(), a_clinic(map_url="https://maps.example.org/willow"))
    if kind in ABOUT_VISITS:
        session = BookedSession(UID, a_slot(MONDAY), 2)
        of_visit = replace(facts, ref=UID, session=session, practitioner="Amara <Osei>")
        return replace(of_visit, offered=OFFERED, ref=OFFERED.ref) if kind in OFFERS else of_visit
    return replace(facts, ref=SERIES, number=3, sessions=2, hold_until=NOW + timedelta(minutes=3))


def screen_of(kind: NudgeKind) -> Screen:
    return nudge_messages.nudge(kind, facts_of(kind), catalogues(), NOW)


def buttons(screen: Screen) -> list[Button]:
    return [button for row in screen.rows for button in row]


@pytest.mark.parametrize("kind", list(NudgeKind))
def test_the_first_line_tells_nobody_what_it_is_about(kind: NudgeKind) -> None:
    first_line = screen_of(kind).html.partition("\n")[0].lower()

    assert not [word for word in PRIVATE if word in first_line]


@pytest.mark.parametrize("kind", list(NudgeKind))
def test_every_nudge_fits_and_has_a_person_and_a_stop(kind: NudgeKind) -> None:
    screen = screen_of(kind)
    presses = [button.press for button in buttons(screen) if button.press]

    assert len(screen.html) <= TEXT_LIMIT
    assert "{" not in screen.html
    assert AskedForPerson() in presses
    assert any(isinstance(p, AnsweredNudge) and p.answer is NudgeAnswer.STOP for p in presses)
    assert all(len(pack(screen.revision, press)) <= LIMIT for press in presses)


def test_a_reminder_says_when_with_whom_and_asks_what_is_new() -> None:
    screen = screen_of(NudgeKind.REMINDER)

    assert "Mon 9 Mar 2026, 10:00" in screen.html
    assert "Amara &lt;Osei&gt;" in screen.html
    assert [button.label for button in buttons(screen)][:3] == [
        "I am coming, nothing has changed",
        "Something has changed",
        "I need another time",
    ]


def test_aftercare_comes_with_its_lists() -> None:
    html = screen_of(NudgeKind.AFTERCARE).html

    assert "<b>After your visit</b>" in html
    assert "<b>When to call us</b>" in html


def test_a_course_is_rated_with_one_tap() -> None:
    labels = [button.label for button in buttons(screen_of(NudgeKind.SERIES_REVIEW))]

    assert labels[:5] == ["1", "2", "3", "4", "5"]


def test_the_way_to_the_clinic_is_a_link() -> None:
    links = [button.url for button in buttons(screen_of(NudgeKind.TODAY)) if button.url]

    assert links == ["https://maps.example.org/willow"]


def test_what_has_no_time_yet_is_named_by_its_number() -> None:
    assert "Visit 3 has no date yet." in screen_of(NudgeKind.NEXT_SESSION).html
    assert "3 more min." in screen_of(NudgeKind.HOLD_ENDS).html


def test_an_offer_names_both_times_and_until_when_it_stands() -> None:
    screen = screen_of(NudgeKind.WAITLIST_OFFER)

    assert "Sun 8 Mar 2026, 10:00" in screen.html
    assert "Mon 9 Mar 2026, 10:00" in screen.html
    assert "until 11:00" in screen.html
    pressed = [button.press for button in buttons(screen) if button.label == "Yes, take it"]
    assert pressed == [AnsweredNudge(NudgeKind.WAITLIST_OFFER, NudgeAnswer.GO, OFFERED.ref)]
    assert len(pack(36**5, pressed[0])) <= LIMIT
