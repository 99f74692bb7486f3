"""The clinic's side as `resurface run` builds it, with everything in one folder."""

from __future__ import annotations

from pathlib import Path

from bot.clinic_side import ClinicSide
from clinic.settings import ConsoleSettings
from clinic.side import Side


def clinic_side(folder: Path, console_port: int = 0) -> ClinicSide:
    """Return the real clinic's side; its console listens on this port, 0 for a free one."""
    settings = ConsoleSettings(_env_file=None, data_dir=folder, console_port=console_port)
    side = Side(settings)
    return ClinicSide(
        settings.console_host,
        settings.console_port,
        side.console,
        side.deliveries,
        side.chores,
        settings.address,
    )
