"""Import modules in a fresh interpreter and print what our own code touched on the way.

Run as a program: `python -I import_watch.py FOLDER MODULE...`; FOLDER holds the packages. It prints
one line for each touch of disk, network, processes, clock or environment that a module of ours
caused while it was imported. What a library does while *it* is imported does not count.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from datetime import date, datetime
from pathlib import Path
from types import FrameType

PACKAGES = ("bot", "clinic", "flows", "storage")

#: Audit events by their first word.
AUDITED = {
    "open": "disk",
    "os": "disk",
    "shutil": "disk",
    "glob": "disk",
    "tempfile": "disk",
    "sqlite3": "disk",
    "socket": "network",
    "subprocess": "process",
}
CLOCK_NAMES = {"now", "utcnow", "today", "gmtime", "localtime", "ctime"} | {
    name for name in vars(time) if name.startswith(("time", "monotonic", "perf_counter"))
}
ENVIRONMENT_CODE = {
    function.__code__
    for function in (
        os.getenv,
        type(os.environ).__getitem__,
        type(os.environ).__iter__,
        type(os.environ).__setitem__,
        type(os.environ).__delitem__,
    )
}

#: Pydantic looks for plugins when a schema is made; no class of settings could be declared without.
FORGIVEN = os.path.join("pydantic", "plugin", "_loader.py")


class Watch:
    """Listens to the interpreter and notes what is done on behalf of our modules."""

    def __init__(self, folder: Path) -> None:
        self.touched: dict[str, None] = {}  # keeps their order, each once
        self._ours = tuple(f"{folder / package}{os.sep}" for package in PACKAGES)
        self._noting = False

    def start(self) -> None:
        """Listen from now on; an audit hook can never be taken away again."""
        sys.addaudithook(self._audited)
        sys.setprofile(self._called)

    def _audited(self, event: str, _arguments: tuple[object, ...]) -> None:
        kind = AUDITED.get(event.split(".")[0])
        if kind is not None:
            self._note(kind, event, sys._getframe(1))

    def _called(self, frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and _reads_clock(called):
            self._note("clock", getattr(called, "__name__", ""), frame)
        elif event == "call" and frame.f_code in ENVIRONMENT_CODE:
            self._note("environment", "os.environ", frame)

    def _note(self, kind: str, what: str, frame: FrameType) -> None:
        if self._noting:  # our own look at the frames opens nothing, but stay safe from loops
            return
        self._noting = True
        culprit = self._culprit(frame)
        if culprit:
            self.touched[f"{culprit}: {kind} ({what})"] = None
        self._noting = False

    def _culprit(self, frame: FrameType | None) -> str:
        """Return `file:line` of our code that asked for it; "" when nobody of ours did."""
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith(self._ours):
                return f"{name}:{frame.f_lineno}"
            if name.startswith("<frozen importlib") and frame.f_code.co_name == "_find_and_load":
                return ""  # a library is being imported
            if name.endswith(FORGIVEN):
                return ""
            frame = frame.f_back
        return ""


def _reads_clock(called: object) -> bool:
    if getattr(called, "__name__", "") not in CLOCK_NAMES:
        return False
    owner = getattr(called, "__self__", None)
    return owner is time or (isinstance(owner, type) and issubclass(owner, datetime | date))


def main(folder: Path, modules: list[str]) -> None:
    """Import the modules one after the other and print every touch."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder))
    watch = Watch(folder)
    watch.start()
    for module in modules:
        importlib.import_module(module)
    sys.setprofile(None)
    sys.stdout.write("".join(f"{line}\n" for line in watch.touched))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
