"""What the clinic took back leaves the patient where it was, or where times can be found."""

from datetime import date

import pytest

from flows.clinic_changes import after_change
from flows.conversation import Booking, Stage
from tests.builders import a_conversation

TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("state", "red_flag", "leads_to"),
    [
        ("age", None, "age"),
        (Stage.BOOKED.value, None, Stage.PLAN.value),
        (Stage.BOOKED.value, "spreading", Stage.URGENT.value),
    ],
)
def test_without_any_visit_left_the_place_is_kept_or_times_are_offered(
    state: str, red_flag: str | None, leads_to: str
) -> None:
    booking = Booking(service="treatment", series_id="7")
    before = a_conversation(state=state, red_flag=red_flag, booking=booking)

    after = after_change(before, "7", (), pending=False, today=TODAY)

    assert after is not None
    assert (after.state, after.booking) == (leads_to, Booking(service="treatment"))
    assert after.revision == before.revision + 1
