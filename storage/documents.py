"""Values of `flows` as JSON documents and back: strict, and open to documents of older versions.

A document written before a field existed reads with the field's default. Mappings of any kind are
written as JSON objects and read as dictionaries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from flows.conversation import Answer, Conversation
from flows.eligibility import Score, Verdict
from flows.plan import Plan
from storage.faults import StorageError

T = TypeVar("T")

_CONVERSATION = TypeAdapter(Conversation)
_ANSWERS = TypeAdapter(Mapping[str, Answer])
_VERDICT = TypeAdapter(Verdict)
_SCORE = TypeAdapter(Score)
_PLAN = TypeAdapter(Plan)


class DamagedDocument(StorageError):
    """A stored document is not what this version can read. Names the fields, not their values."""


def write_conversation(conversation: Conversation) -> str:
    """Return the whole conversation as one line of JSON."""
    plain = replace(conversation, answers=dict(conversation.answers))
    return _CONVERSATION.dump_json(plain).decode()


def read_conversation(document: str) -> Conversation:
    """Return the conversation; raises DamagedDocument."""
    return _read(_CONVERSATION, document)


def write_answers(answers: Mapping[str, Answer]) -> str:
    """Return the answers by step."""
    return _ANSWERS.dump_json(dict(answers)).decode()


def read_answers(document: str) -> Mapping[str, Answer]:
    """Return the answers; raises DamagedDocument."""
    return _read(_ANSWERS, document)


def write_verdict(verdict: Verdict) -> str:
    """Return the verdict with all its reasons."""
    return _VERDICT.dump_json(verdict).decode()


def read_verdict(document: str) -> Verdict:
    """Return the verdict; raises DamagedDocument."""
    return _read(_VERDICT, document)


def write_score(score: Score) -> str:
    """Return the score with its parts."""
    return _SCORE.dump_json(score).decode()


def read_score(document: str) -> Score:
    """Return the score; raises DamagedDocument."""
    return _read(_SCORE, document)


def write_plan(plan: Plan) -> str:
    """Return the plan."""
    return _PLAN.dump_json(plan).decode()


def read_plan(document: str) -> Plan:
    """Return the plan; raises DamagedDocument."""
    return _read(_PLAN, document)


def _read(adapter: TypeAdapter[T], document: str) -> T:
    try:
        return adapter.validate_json(document, strict=True)
    except ValidationError as error:
        fields = sorted({".".join(map(str, fault["loc"])) for fault in error.errors()})
        raise DamagedDocument(
            f"a stored document cannot be read at {', '.join(fields) or 'its start'}; "
            "restore it from a backup, or erase that conversation"
        ) from None
