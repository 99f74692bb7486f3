from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import pytest
from PIL import Image

from bot import canvas, pictures
from bot.timeline_drawing import stretches
from flows.eligibility import assess
from flows.plan import Plan, propose
from flows.texts import Catalogue
from storage.protocol_files import load_catalogues
from tests.flows.case_files import MONDAY, Case, a_patient, all_cases, shipped

DAY = timedelta(days=1)
SCAR_CODES = ("flat", "rolling", "boxcar_shallow", "boxcar_deep", "icepick", "raised")


@cache
def english() -> Catalogue:
    return load_catalogues()["en"]


def a_plan(sessions: int = 4, event_on: date | None = None) -> Plan:
    answers = a_patient(visibility="flattens", timing="event", event_on="unsure")
    plan = propose(shipped(), answers, assess(shipped(), answers, MONDAY), MONDAY)
    assert plan is not None
    days = tuple(MONDAY + DAY + number * 28 * DAY for number in range(sessions))
    before = None if event_on is None else sum(day < event_on for day in days)
    return replace(
        plan, sessions=sessions, proposed_on=days, event_on=event_on, before_event=before
    )


def opened(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def colours_beside(image: Image.Image, x: float, y: float) -> set[object]:
    return {image.getpixel((round(x) + shift, round(y))) for shift in range(-2, 3)}


def test_a_timeline_is_a_png_that_a_phone_shows_whole() -> None:
    image = opened(pictures.timeline(a_plan(event_on=date(2026, 5, 9)), english(), "en"))

    assert (image.format, image.size) == ("PNG", (1080, 640))


def test_a_timeline_without_an_event_leaves_no_empty_room() -> None:
    assert opened(pictures.timeline(a_plan(), english(), "en")).size == (1080, 556)


def test_equal_plans_have_equal_pictures_and_other_plans_others() -> None:
    first = pictures.timeline(a_plan(), english(), "en")

    assert pictures.timeline(a_plan(), english(), "en") == first
    assert pictures.timeline(a_plan(3), english(), "en") != first


def test_the_locale_of_the_dates_shows_in_the_picture() -> None:
    german = pictures.timeline(a_plan(), english(), "de")

    assert german != pictures.timeline(a_plan(), english(), "en")


@pytest.mark.parametrize("sessions", [1, 2, 3, 4, 5, 6])
def test_every_session_has_its_pin(sessions: int) -> None:
    plan = a_plan(sessions)
    image = opened(pictures.timeline(plan, english(), "en"))
    laid = stretches(plan)

    for day in plan.proposed_on:
        x = next(piece.x(day) for piece in laid if day <= piece.last)
        assert (0, 114, 178) in colours_beside(image, x - 20, 282)


def test_the_event_has_its_flag() -> None:
    plan = a_plan(event_on=date(2026, 5, 9))
    image = opened(pictures.timeline(plan, english(), "en"))

    colours = image.crop((0, 480, 1080, 545)).convert("RGB").getcolors(1 << 20)

    assert colours is not None
    assert (123, 63, 140) in {colour for _, colour in colours}


@pytest.mark.parametrize(
    "event_on",
    [
        date(2026, 3, 2), date(2026, 5, 9), date(2026, 7, 1), date(2027, 1, 15), date(2031, 1, 1),
        date(9999, 12, 31),
    ],
)  # fmt: skip
def test_days_lie_in_order_and_on_the_page_wherever_the_event_is(event_on: date) -> None:
    plan = a_plan(event_on=event_on)
    laid = stretches(plan)
    days = sorted({*plan.proposed_on, plan.review_on, event_on, plan.refresher_on})

    places = [next(piece.x(day) for piece in laid if day <= piece.last) for day in days]

    assert places == sorted(places)
    assert len(set(places)) == len(places)
    assert (places[0], round(places[-1])) == (88, 980)


def test_weeks_are_drawn_to_scale_and_only_long_gaps_are_cut() -> None:
    plan = a_plan()

    scales = {
        round((piece.right - piece.left) / (piece.last - piece.first).days, 6)
        for piece in stretches(plan)
        if not piece.cut
    }

    assert len(scales) == 1
    assert [piece.cut for piece in stretches(plan)] == [
        False, False, False, False, True, False, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("case", [c for c in all_cases() if c.plan is not None][::9], ids=str)
def test_the_plan_of_a_case_can_be_drawn(case: Case) -> None:
    assert case.plan is not None

    assert opened(pictures.timeline(case.plan, english(), "en")).width == 1080


def test_a_gap_that_is_no_whole_number_of_weeks_is_told_in_days() -> None:
    plan = a_plan(2)
    odd = replace(plan, proposed_on=(plan.proposed_on[0], plan.proposed_on[0] + 31 * DAY))

    assert pictures.timeline(odd, english(), "en") != pictures.timeline(plan, english(), "en")


def test_the_sheet_of_scars_is_a_png_of_equal_bytes() -> None:
    first = pictures.scar_types(english())

    assert opened(first).size == (1080, 768)
    assert pictures.scar_types(english()) == first


def test_the_sheet_numbers_the_scars_as_the_question_lists_them() -> None:
    codes = [option.code for option in shipped().step("scar_type").options]

    assert tuple(code for code, _ in pictures._SCARS) == SCAR_CODES
    assert codes[: len(SCAR_CODES)] == list(SCAR_CODES)


@pytest.mark.parametrize("code", SCAR_CODES)
def test_a_label_of_the_question_is_a_label_of_the_sheet(code: str) -> None:
    key = f"step.scar_type.{code}.label"
    other = replace(english(), texts={**english().texts, key: "Something else"})

    assert pictures.scar_types(other) != pictures.scar_types(english())
    assert len(canvas.wrap(english().text(key), 27, 304)) <= 2


def test_every_text_of_the_pictures_is_drawn_in_letters_that_the_font_has() -> None:
    words = [str(it) for key, it in english().texts.items() if key.startswith("picture.")]

    assert not [text for text in words if not canvas.plain(text).isascii()]


@pytest.mark.parametrize(
    ("written", "drawn"), [("é–ß", "e-ss"), ("Größe", "Grosse"), ("ı", "i"), ("plain", "plain")]
)
def test_letters_that_the_font_lacks_are_drawn_as_the_nearest(written: str, drawn: str) -> None:
    assert canvas.plain(written) == drawn


def test_words_are_broken_to_fit_and_a_long_word_stays_whole() -> None:
    assert canvas.wrap("Judge the result", 26, 140) == ["Judge the", "result"]
    assert canvas.wrap("Donaudampfschiff", 26, 10) == ["Donaudampfschiff"]
    assert canvas.wrap("", 26, 10) == []
