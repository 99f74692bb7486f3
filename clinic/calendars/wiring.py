"""Builds what looks after calendars, from the settings."""

from __future__ import annotations

import functools
import secrets
from datetime import timedelta

from clinic.calendars.service import Calendars, Terms
from clinic.lent import Now
from clinic.settings import ConsoleSettings
from storage import sealing
from storage.database import Database


def calendars(database: Database, now: Now, settings: ConsoleSettings) -> Calendars:
    """Return what reads and writes practitioners' calendars; the keys are read when needed."""
    return Calendars(
        database,
        now,
        functools.cache(lambda: sealing.load(settings.keys_file)),
        Terms(
            read_every=timedelta(minutes=settings.calendar_minutes),
            private=settings.private_addresses,
        ),
        secrets.SystemRandom().random,
    )
