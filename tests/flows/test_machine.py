import pytest

from flows import machine
from flows.conversation import Stage
from tests.flows.chat import protocol

#: Where a run may rest for good; a patient can still jump or start over from them.
RESTING = {Stage.URGENT, Stage.STOPPED}


def test_an_edge_of_the_table_is_allowed():
    assert machine.move(protocol(), "consent", "answer", "age") == "age"


@pytest.mark.parametrize(
    ("state", "trigger", "dest"),
    [
        ("consent", "answer", Stage.BOOKED),  # no skipping to the chair
        ("age", "answer", Stage.PLAN),
        (Stage.DEFERRED, "hold", Stage.CONTACT),  # no booking without a verdict that allows it
        (Stage.DECLINED, "confirm", Stage.PLAN),
        (Stage.URGENT, "confirm", Stage.PLAN),
        ("age", "teleport", "consent"),
    ],
)
def test_a_move_that_the_table_lacks_is_refused(state, trigger, dest):
    with pytest.raises(machine.IllegalMove, match=trigger):
        machine.move(protocol(), state, trigger, dest)


def test_back_and_edit_may_jump_to_any_question():
    assert machine.move(protocol(), Stage.REVIEW, "jump", "acne_now") == "acne_now"


def test_a_red_flag_leads_to_the_urgent_screen_from_every_state():
    for state in machine.states(protocol()):
        assert machine.move(protocol(), state, "red_flag", Stage.URGENT) == Stage.URGENT


def test_stop_works_in_every_state():
    for state in machine.states(protocol()):
        assert machine.move(protocol(), state, "stop", Stage.STOPPED) == Stage.STOPPED


def test_every_state_is_reached_by_an_edge_or_from_anywhere():
    reached = {edge.dest for edge in machine.edges(protocol())} | RESTING
    entrances = {Stage.CHOOSE_CLINIC, protocol().steps[0].id}

    assert set(machine.states(protocol())) - reached - entrances == set()


def test_every_state_but_the_resting_ones_can_be_left():
    left = {edge.source for edge in machine.edges(protocol())}

    assert set(machine.states(protocol())) - left == {s.value for s in RESTING}


def test_the_machine_keeps_nothing_of_a_move():
    machine.move(protocol(), "consent", "answer", "age")

    assert machine._machine(protocol()).models == []
