"""Documents read back as what was written, also those of older versions."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.conversation import Answer, Conversation
from flows.eligibility import Score, Verdict
from flows.plan import Plan
from storage import documents
from storage.documents import DamagedDocument
from tests.builders import a_conversation

#: Instants are aware in our values, which their types cannot say.
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.from_type(Conversation))  # with mappings of every kind
def test_a_conversation_comes_back_as_it_was(conversation: Conversation) -> None:
    assert documents.read_conversation(documents.write_conversation(conversation)) == conversation


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(), st.from_type(Answer)))
def test_answers_come_back_as_they_were(answers: dict[str, Answer]) -> None:
    assert documents.read_answers(documents.write_answers(answers)) == answers


@settings(max_examples=30, deadline=None)
@given(st.from_type(Verdict), st.from_type(Score), st.from_type(Plan))
def test_a_decision_comes_back_as_it_was(verdict: Verdict, score: Score, plan: Plan) -> None:
    assert documents.read_verdict(documents.write_verdict(verdict)) == verdict
    assert documents.read_score(documents.write_score(score)) == score
    assert documents.read_plan(documents.write_plan(plan)) == plan


@pytest.mark.parametrize(
    "field", [f.name for f in fields(Conversation) if f.name not in {"chat_id", "state"}]
)
def test_a_document_from_before_a_field_existed_reads_with_its_default(field: str) -> None:
    document = json.loads(documents.write_conversation(a_conversation()))
    del document[field]

    conversation = documents.read_conversation(json.dumps(document))

    assert getattr(conversation, field) == getattr(Conversation(7, "plan"), field)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ("", "at its start"),
        ("[]", "at its start"),
        ('{"state": "plan"}', "at chat_id"),
        ('{"chat_id": "7", "state": "plan"}', "at chat_id"),
        (
            '{"chat_id": 7, "state": "plan", "answers": {"age": {"on": "soon"}}}',
            "at answers.age.on",
        ),
    ],
)
def test_a_damaged_document_is_refused_by_field(document: str, where: str) -> None:
    with pytest.raises(DamagedDocument, match=where):
        documents.read_conversation(document)


def test_a_refusal_does_not_quote_the_patient() -> None:
    with pytest.raises(DamagedDocument) as refusal:
        documents.read_conversation('{"chat_id": "ada@example.org", "state": 5}')

    assert "ada" not in str(refusal.value)
    assert refusal.value.__suppress_context__
