"""Importing the project does nothing: no network, clock, disk, process or environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import house, import_watch

#: Alembic runs this file as a script of its own; nothing of ours imports it.
RUN_BY_ALEMBIC = "storage.migrations.env"

OFFENCES = [
    ("disk", "open(__file__).close()"),
    ("disk", "import pathlib\nWORDS = pathlib.Path(__file__).read_text()"),
    ("disk", "import os\nos.listdir('.')"),
    ("disk", "import sqlite3\nsqlite3.connect(':memory:').close()"),
    ("network", "import socket\nsocket.socket().close()"),
    ("process", "import subprocess\nsubprocess.run(['true'])"),
    ("clock", "import time\nSTARTED = time.time()"),
    ("clock", "import time\nSTARTED = time.monotonic()"),
    ("clock", "from datetime import UTC, datetime\nSTARTED = datetime.now(UTC)"),
    ("clock", "import datetime\nDAY = datetime.date.today()"),
    ("environment", "import os\nHOME = os.environ.get('HOME')"),
    ("environment", "import os\nHOME = os.getenv('HOME')"),
    ("environment", "import os\nEVERYTHING = dict(os.environ)"),
    ("environment", "import os\nIS_SET = 'HOME' in os.environ"),
]

INNOCENT = """
import decimal, sqlite3, tomllib  # a library may read what it likes while it is imported
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path("somewhere")
LONG = timedelta(days=1)

def now() -> datetime:
    return datetime.now()
"""


def test_importing_the_four_packages_touches_nothing() -> None:
    assert touches(house.ROOT, *house.PACKAGES) == []


def test_importing_every_single_module_touches_nothing() -> None:
    names = [module_name(path) for path in house.modules(*house.PACKAGES)]

    found = touches(house.ROOT, *(name for name in names if name != RUN_BY_ALEMBIC))

    assert found == [], "\n".join(found)


@pytest.mark.parametrize(("kind", "source"), OFFENCES)
def test_a_module_that_touches_the_world_is_named(kind: str, source: str, tmp_path: Path) -> None:
    offend(tmp_path, source)

    found = touches(tmp_path, "flows.offence")

    assert any("offence.py" in line and f": {kind} " in line for line in found)


def test_a_module_that_only_defines_things_is_left_alone(tmp_path: Path) -> None:
    offend(tmp_path, INNOCENT)

    assert touches(tmp_path, "flows.offence") == []


def test_a_touch_through_a_function_of_a_library_counts(tmp_path: Path) -> None:
    offend(tmp_path, "import tempfile\nFOLDER = tempfile.gettempdir()")

    assert touches(tmp_path, "flows.offence")


def module_name(path: Path) -> str:
    """Return the dotted name under which the file is imported."""
    parts = path.relative_to(house.ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def offend(folder: Path, source: str) -> None:
    """Make a package `flows` with one module of this source."""
    (folder / "flows").mkdir()
    (folder / "flows" / "__init__.py").touch()
    (folder / "flows" / "offence.py").write_text(source, encoding="utf-8")


def touches(folder: Path, *modules: str) -> list[str]:
    """Import the modules in a fresh interpreter; return what they touched, a line each."""
    unmeasured = {key: value for key, value in os.environ.items() if not key.startswith("COV")}
    done = subprocess.run(
        [sys.executable, "-I", import_watch.__file__, folder, *modules],
        env=unmeasured,  # a tracer opens files on behalf of the module it traces
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
