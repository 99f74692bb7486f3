"""What the clinic took back leaves the patient where it was, or where times can be found."""

from datetime import date

import pytest

from flows.clinic_changes import after_booking, after_change
from flows.conversation import Booking, Overlay, Stage
from tests.builders import MONDAY, a_confirmation, a_conversation, a_slot, four_weekly, sessions

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


@pytest.mark.parametrize(
    ("state", "overlay", "leads_to", "shows"),
    [
        (Stage.PLAN, None, Stage.BOOKED, None),
        (Stage.PICK_TIME, Overlay.ASK, Stage.BOOKED, Overlay.ASK),
        (Stage.CONTACT, Overlay.START_OVER, Stage.BOOKED, None),
        (Stage.STOPPED, Overlay.RESUME, Stage.STOPPED, None),
    ],
)
def test_what_the_clinic_books_is_what_the_patient_sees_next(
    state: Stage, overlay: Overlay | None, leads_to: Stage, shows: Overlay | None
) -> None:
    held = sessions(a_slot(MONDAY), uid="held")
    booking = Booking("treatment", series_id="held", sessions=held, hold_until=MONDAY)
    before = a_conversation(state=state.value, overlay=overlay, booking=booking)
    booked = a_confirmation(*four_weekly(a_slot()))

    after = after_booking(before, booked)

    assert (after.state, after.overlay, after.revision) == (leads_to, shows, before.revision + 1)
    assert after.booking == Booking(
        "treatment", series_id="series", code="AB12", sessions=booked.sessions
    )


def test_what_is_booked_of_a_course_stays_before_what_the_clinic_adds() -> None:
    first, second = sessions(*four_weekly(a_slot(), 2))
    waits = {"waiting": first.uid, "pending": True}
    booking = Booking("treatment", series_id="series", sessions=(first,), **waits)  # type: ignore[arg-type]  # as the dialogue does
    booked = a_confirmation(sessions=(second,))

    after = after_booking(a_conversation(state=Stage.BOOKED.value, booking=booking), booked)

    assert after.booking.sessions == (first, second)
    assert (after.booking.waiting, after.booking.pending) == (first.uid, True)
