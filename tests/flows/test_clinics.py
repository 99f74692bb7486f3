import pytest

from tests.flows.chat import a_clinic


def test_a_service_is_found_by_its_code():
    assert a_clinic().service("treatment").price == "£180"
    with pytest.raises(KeyError, match="facial"):
        a_clinic().service("facial")


def test_a_practitioner_who_left_keeps_their_slug():
    assert a_clinic().practitioner_name("ana") == "Ana Reyes"
    assert a_clinic().practitioner_name("gone") == "gone"
