"""The last net: what a patient reads when their message could not be dealt with.

Whatever went wrong, perhaps in the rules themselves, it says how to reach a person, and the
clinic's people are told. Nothing here reads the message, the answers or the protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import structlog

from bot.markup import escaped
from bot.sender import Sender
from flows import wording
from flows.clinics import Clinic
from flows.texts import Catalogue

logger = structlog.get_logger(__name__)


class Switchboard(Protocol):
    """Who can be reached, and how."""

    async def call_person(self, chat_id: int) -> str | None:
        """Tell the chat's clinic that its patient needs a person; return its slug, if any."""
        ...

    async def clinics(self) -> Mapping[str, Clinic]:
        """Return every clinic by slug."""
        ...

    def known_clinics(self) -> Mapping[str, Clinic]:
        """Return the clinics as they were read last, without asking the database."""
        ...


class Apologies:
    """Tells staff and patient of a failure, as far as that can be done. Never raises."""

    def __init__(
        self, sender: Sender, switchboard: Switchboard, catalogues: Mapping[str, Catalogue]
    ) -> None:
        self._sender = sender
        self._switchboard = switchboard
        self._catalogue = catalogues["en"]

    async def prepare(self, chat_id: int) -> str:
        """Tell the clinic's people, and return what to say to the patient."""
        slug: str | None = None
        clinics: Mapping[str, Clinic] = {}
        try:
            clinics = await self._switchboard.clinics()
            slug = await self._switchboard.call_person(chat_id)
        except Exception as error:  # noqa: BLE001 - the patient hears of a number all the same
            logger.error("nobody called", action="call_failed", error=type(error).__name__)
        return self._words("error.sorry", clinics.get(slug or "") or _only(clinics), clinics)

    async def say(self, chat_id: int, words: str) -> None:
        """Send what `prepare` returned."""
        try:
            await self._sender.say(chat_id, words)
        except Exception as error:  # noqa: BLE001 - nothing is left to try
            logger.info("apology not delivered", action="sorry_failed", error=type(error).__name__)

    async def say_late(self, chat_id: int) -> None:
        """Tell a patient that the answer will be late; the database may be away."""
        clinics = self._switchboard.known_clinics()
        await self.say(chat_id, self._words("error.late", _only(clinics), clinics))

    def _words(self, first: str, own: Clinic | None, clinics: Mapping[str, Clinic]) -> str:
        """Name the own clinic's phone; any clinic's emergency number beats none."""
        near = own or next(iter(clinics.values()), None)
        values = {name: escaped(value) for name, value in wording.values_of(near).items()}
        keys = [first]
        if own is not None:
            keys.append("error.sorry_call")
        keys.append("error.sorry_danger" if near else "error.sorry_danger_anywhere")
        if near is not None and near.crisis_line:
            keys.append("screen.urgent.crisis")
        return "\n\n".join(self._catalogue.text(key, **values) for key in keys)


def _only(clinics: Mapping[str, Clinic]) -> Clinic | None:
    """Return the clinic when there is but one."""
    return next(iter(clinics.values())) if len(clinics) == 1 else None
