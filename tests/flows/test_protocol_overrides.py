from __future__ import annotations

from datetime import timedelta

import pytest

from flows.compiler import Code
from flows.protocol import PlanRow, Spacing
from flows.protocol_overrides import is_overrides
from tests.flows.small_protocol import TEXT, compiled, edited, faults

HEAD = 'overrides = "small"\n'
OPEN = edited('basis = "T"\n', 'basis = "T+E"\n')

REFUSED = {
    "a severity": ('[severity]\n"age.young" = "none"', "severity"),
    "a new key": ("[spacing]\nfloor_days = 7", "floor_days"),
    "another grade": ("[plan]\ngrade_9 = { sessions = 9 }", "grade_9"),
    "weeks that are not editorial": ('[weeks]\n"skin.sore" = 9', "skin.sore"),
    "weeks of an answer without any": ('[weeks]\n"skin.dents" = 9', "skin.dents"),
    "weeks of no answer": ('[weeks]\n"skin.itch" = 9', "skin.itch"),
    "points of an answer without any": ('[points]\n"skin.spots" = 9', "skin.spots"),
    "numbers that are not editorial": ("[after]\nminor_days = 9", "[after]"),
    "a weight of no part": ("[score.weights]\nlook = 9", "score.weights.look"),
    "when a part has full points": ('[score.full_when]\ntiming = "age"', "full_when"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_only_editorial_numbers_can_be_changed(what: str) -> None:
    own, name = REFUSED[what]

    found = faults(overrides=HEAD + own)

    assert [(fault.code, fault.file) for fault in found] == [(Code.NOT_CHANGEABLE, "own.toml")]
    assert name in found[0].message
    assert "a clinic may change weeks" in found[0].message


def test_a_clinic_waits_longer() -> None:
    text = edited('recheck_weeks = 8, basis = "L"', "recheck_weeks = 8")

    skin = compiled(text, overrides=HEAD + '[weeks]\n"skin.spots" = 6\n"skin.sore" = 9').step(
        "skin"
    )

    assert skin.option("spots").defer_for == timedelta(weeks=6)
    assert skin.option("sore").recheck_for == timedelta(weeks=9)
    assert skin.option("dents") == compiled(text).step("skin").option("dents")


def test_a_clinic_plans_more_sessions() -> None:
    own = HEAD + "[plan]\ngrade_2 = { sessions = 4, at_least = 3, at_most = 5 }"

    rows = compiled(overrides=own).plan_rows

    assert rows[2] == PlanRow(2, 4, 3, 5)
    assert rows[3] == PlanRow(3, 4, 3, 6)


def test_a_clinic_has_its_own_spacing() -> None:
    own = HEAD + "[spacing]\nmin_days = 21\nmax_days = 50"

    assert compiled(overrides=own).spacing == Spacing(21, 28, 50)


def test_no_clinic_goes_below_the_floor() -> None:
    found = faults(overrides=HEAD + "[spacing]\nmin_days = 20")

    assert [(fault.code, fault.file, fault.line) for fault in found] == [
        (Code.SPACING, "own.toml", 3)
    ]


def test_a_clinic_has_its_own_times_after_a_session() -> None:
    own = HEAD + "[after]\ndowntime_days = [2, 4]\nreview_weeks = 16"

    protocol = compiled(OPEN, overrides=own)

    assert (protocol.downtime_days, protocol.review_weeks) == ((2, 4), 16)
    assert (protocol.minor_days, protocol.refresher_months) == (7, 12)


def test_a_clinic_weighs_leads_its_own_way() -> None:
    own = HEAD + '[score.weights]\nfit = 50\ntiming = 50\n[points]\n"skin.dents" = 45'

    protocol = compiled(overrides=own)

    assert protocol.score_weights == {"fit": 50, "timing": 50}
    assert protocol.step("skin").option("dents").points == 45


def test_points_must_stay_within_a_changed_weight() -> None:
    found = faults(overrides=HEAD + "[score.weights]\nfit = 50\ntiming = 50")

    assert [(fault.code, fault.file) for fault in found] == [(Code.POINTS, "own.toml")]


def test_faults_of_both_files_are_told_at_once() -> None:
    found = faults(edited("max_days = 42", "max_days = 1"), overrides=HEAD + "colour = 1")

    assert [fault.file for fault in found] == ["small.toml", "own.toml"]


@pytest.mark.parametrize(
    ("own", "code"),
    [
        ('overrides = "large"', Code.OTHER_PROTOCOL),
        ("[spacing]\nmin_days = 28", Code.MISSING_KEY),
        ("overrides = ", Code.NOT_TOML),
        (f'{HEAD}[weeks]\n"skin.spots" = "6"', Code.BAD_VALUE),
    ],
)
def test_overrides_that_cannot_be_read_are_told(own: str, code: str) -> None:
    assert code in [fault.code for fault in faults(overrides=own)]


def test_overrides_are_known_by_the_protocol_they_name() -> None:
    assert is_overrides(HEAD)
    assert not is_overrides(TEXT)
    assert not is_overrides("no = toml = at all")
