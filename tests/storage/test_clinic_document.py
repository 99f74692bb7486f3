"""A clinic that is written as a file and read again is the same clinic."""

from __future__ import annotations

import asyncio
from datetime import date, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import clinic_document, clinic_file, clinics
from storage.clinic_document import NoSuchClinic
from storage.clinic_file import WEEKDAYS, ClinicEntry
from storage.database import Database, connect

EXTRAS = """
[[clinics.practitioners.days]]
on = 2026-12-24
hours = ["09:00-12:00"]
[[clinics.practitioners.days]]
on = 2026-12-31
[[clinics.closures]]
from = 2026-12-27
until = 2026-12-30
note = "Winter break"
"""

LINES = st.text(
    st.characters(categories=["L", "N", "P", "Zs", "S"], include_characters='"\\#[]='),
    min_size=1,
    max_size=30,
).filter(lambda text: text.isprintable() and text.strip() == text)
QUARTERS = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
DATES = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@st.composite
def spans(draw: st.DrawFn) -> list[str]:
    times = sorted(draw(st.lists(QUARTERS, max_size=6, unique=True)))
    pairs = zip(times[::2], times[1::2], strict=False)
    return [f"{opens:%H:%M}-{closes:%H:%M}" for opens, closes in pairs]


@st.composite
def people(draw: st.DrawFn) -> list[dict[str, object]]:
    slugs = draw(
        st.lists(st.from_regex(r"[a-z0-9]{2,20}", fullmatch=True), max_size=3, unique=True)
    )
    days = st.lists(
        st.fixed_dictionaries({"on": DATES, "hours": spans()}),
        max_size=3,
        unique_by=lambda day: day["on"],
    )
    long = {"slug": "zz", "name": "Long", "hours": {"wed": ["00:00-23:45"]}, "days": draw(days)}
    return [
        long,
        *(
            {
                "slug": slug,
                "name": draw(LINES),
                "hours": draw(st.dictionaries(st.sampled_from(WEEKDAYS), spans())),
                "days": draw(days),
            }
            for slug in slugs
            if slug != "zz"
        ),
    ]


SERVICE = st.fixed_dictionaries(
    {
        "name": LINES,
        "minutes": st.integers(5, 480),
        "before_minutes": st.integers(0, 120),
        "after_minutes": st.integers(0, 120),
        "step_minutes": st.integers(5, 120),
        "price": st.just("") | LINES,
    }
)
CLINICS = st.fixed_dictionaries(
    {
        "slug": st.just("willow"),
        "name": LINES,
        "zone": st.sampled_from(["Europe/London", "Pacific/Chatham", "America/New_York"]),
        "address": LINES,
        "phone": st.just("+44 20 7946 0000"),
        "emergency": LINES,
        "crisis_line": st.just("") | LINES,
        "map_url": st.sampled_from(["", "https://example.org/map"]),
        "booking": st.fixed_dictionaries(
            {"mode": st.sampled_from(["hold", "instant", "request"]), "hold_minutes": st.just(7)}
        ),
        "holidays": st.sampled_from([{}, {"country": "GB", "subdivision": "SCT"}]),
        "services": st.fixed_dictionaries({"treatment": SERVICE, "consultation": SERVICE}),
        "practitioners": people(),
        "closures": st.lists(
            st.builds(
                lambda on, days, note: {"from": on, "until": on + timedelta(days), "note": note},
                DATES,
                st.integers(0, 30),
                st.just("") | LINES,
            ),
            max_size=3,
            unique_by=lambda closure: closure["from"],
        ),
    }
).map(clinic_file.checked)


@given(CLINICS)
@settings(max_examples=40, deadline=None)
def test_a_written_clinic_reads_the_same(clinic: ClinicEntry) -> None:
    text = clinic_document.text_of([clinic])

    (again,) = clinic_file.parse(text, "export.toml")

    assert clinic_document.document(again) == clinic_document.document(clinic)


@given(clinic=CLINICS)
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_clinic_comes_back_from_the_tables_as_it_went_in(
    clinic: ClinicEntry, sqlite_url: str
) -> None:
    async def through(database: Database) -> ClinicEntry:
        await database.write(clinics.store, clinic)
        back = await database.read(clinic_document.entry_of, "willow")
        await database.close()
        return back

    back = asyncio.run(through(connect(sqlite_url)))

    assert clinic_document.document(back) == clinic_document.document(clinic)


async def test_an_import_of_an_export_changes_nothing(willow: Database) -> None:
    text = clinics.demo_text() + EXTRAS
    await willow.write(clinics.import_clinic, text, "mine.toml")
    first = [await willow.read(clinic_document.entry_of, slug) for slug in ("willow", "harbour")]
    exported = clinic_document.text_of(first)
    await willow.write(clinics.import_clinic, exported, "export.toml")
    again = [await willow.read(clinic_document.entry_of, slug) for slug in ("willow", "harbour")]

    assert again == first
    assert tuple(first) == clinic_file.parse(text, "mine.toml")


async def test_a_clinic_that_does_not_exist_is_named(willow: Database) -> None:
    with pytest.raises(NoSuchClinic, match="must be one of harbour, willow, got 'oak'"):
        await willow.read(clinic_document.entry_of, "oak")
