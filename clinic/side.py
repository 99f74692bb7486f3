"""The clinic's side as the running program needs it: the console, the deliveries, the chores."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence

from starlette.types import ASGIApp

from clinic.calendars import wiring as calendar_wiring
from clinic.calendars.service import Calendars
from clinic.channels import wiring
from clinic.console.app import create_console
from clinic.lent import Deliver, Now, Telegram
from clinic.settings import ConsoleRefused, ConsoleSettings
from storage.database import Database
from storage.outbox_policy import Kind


class Side:
    """Builds each part from what the running process shares."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings
        self._calendars: dict[Database, Calendars] = {}

    def console(
        self, database: Database, now: Now, telegram: Telegram, /, framed_by: str = ""
    ) -> ASGIApp:
        """Return the console; `framed_by` is for a playground on this machine alone.

        Raises ConsoleRefused and SealFault.
        """
        if framed_by and self._settings.console_url:
            raise ConsoleRefused(
                "a console that others reach is shown in no frame: unset CONSOLE_URL to see it "
                "beside the chat"
            )
        return create_console(database, now, telegram, self._settings, framed_by=framed_by)

    def deliveries(self, database: Database, now: Now) -> Mapping[Kind, Deliver]:
        """Return how each kind of message that goes to the clinic's own systems is sent.

        Raises ChannelFault when the settings of the mail server cannot be used.
        """
        return {
            **wiring.deliveries(database, now, self._settings),
            Kind.CALENDAR: self._keeper(database, now).deliver,
        }

    def chores(self, database: Database, now: Now) -> Sequence[Coroutine[object, object, None]]:
        """Return what runs beside the worker until it is cancelled."""
        return (*self._keeper(database, now).chores(),)

    def _keeper(self, database: Database, now: Now) -> Calendars:
        """Return the one that both reads and writes: each waits for the other."""
        if database not in self._calendars:
            self._calendars[database] = calendar_wiring.calendars(database, now, self._settings)
        return self._calendars[database]
