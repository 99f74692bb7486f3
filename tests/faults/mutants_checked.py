"""Checks of mutants that need no run of pytest: what the tests ask, asked of a scratch copy.

A rule of the protocol is missed by the cases that tests/flows tries, a constraint by the
comparison with the models that tests/storage makes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from flows.compiler import compile_protocol
from flows.protocol_faults import ProtocolFaults
from storage.database import parse_url
from storage.sqlite_engine import open_engine
from tests.flows.case_files import all_cases
from tests.storage.constraints import differing

PROTOCOL = "flows/protocols/microneedling.toml"
MIGRATIONS = "storage/migrations"


def cases_notice(root: Path) -> bool:
    """Say whether a case has another verdict than it must have, or the protocol is refused."""
    text = (root / PROTOCOL).read_text(encoding="utf-8")
    try:
        protocol = compile_protocol(text, file=PROTOCOL, catalogues={})
    except ProtocolFaults:
        return True
    return any(case.differences(protocol) for case in all_cases())


def models_notice(root: Path) -> bool:
    """Say whether the tables that the migrations make lack a constraint of the models.

    Raises whatever a migration raises that fails by itself, which is noticed as well.
    """
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(parse_url(f"sqlite:///{folder}/made.db"))
        try:
            with engine.begin() as connection:
                _migrate(connection, root / MIGRATIONS)
                return bool(differing(connection))
        finally:
            engine.dispose()


def _migrate(connection: Connection, scripts: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
