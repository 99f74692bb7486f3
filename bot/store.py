"""Storage as the bot needs it: the turn's store, the inbox, the clinics, the protocols."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from importlib import resources

import structlog

from bot.clock import Clock
from bot.faults import BotFault
from bot.scenery import Place
from flows.clinics import Clinic
from flows.compiler import ProtocolFaults, compile_protocol
from flows.conversation import Conversation
from flows.effects import ErasePatient
from flows.protocol import Protocol
from flows.slots import CalendarView
from flows.texts import Catalogue
from flows.turn import Look, Scene
from storage import (
    calendar_store,
    clinics,
    conversations,
    inbox,
    patients,
    protocol_files,
    protocol_versions,
    turns,
)
from storage.database import Database
from storage.inbox import KeptUpdate
from storage.program import command
from storage.turns import Committed, Duplicate, SlotTaken, Stale, TurnWrites

logger = structlog.get_logger(__name__)

_CLINICS_FOR = 60.0  # seconds after which a clinic's profile is read again
_UPDATES_FOR = timedelta(days=8)  # Telegram repeats an update for 24 hours at most


class DatabaseStore:
    """Every read and write of the bot, over one database."""

    def __init__(
        self, database: Database, clock: Clock, monotonic: Callable[[], float], bot_id: int = 0
    ) -> None:
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._bot_id = bot_id
        self._clinics: Mapping[str, Clinic] = {}
        self._clinics_until = -1.0

    async def place(self, chat_id: int) -> Place | None:
        """Return where the chat stands; None for one never seen."""
        loaded = await self._database.read(conversations.load, chat_id)
        if loaded is None:
            return None
        return Place(
            loaded.conversation,
            loaded.message_id,
            loaded.shown_revision,
            loaded.is_talking,
            loaded.is_interrupted,
        )

    async def look(self, look: Look, scene: Scene, chat_id: int) -> CalendarView:
        """Read the calendar that a turn asked for."""
        return await self._database.read(
            calendar_store.view,
            look.clinic,
            look.service,
            look.from_on,
            look.until_on,
            scene.now,
            chat_id,
            ignore_series=look.ignore_series,
            ignore_uid=look.ignore_uid,
        )

    async def commit(self, writes: TurnWrites) -> Committed | Duplicate | Stale | SlotTaken:
        """Make a turn durable."""
        outcome = await self._database.write(turns.commit, writes)
        if isinstance(outcome, Committed) and ErasePatient() in writes.effects:
            await self._database.forget_deleted()
        return outcome

    async def note_shown(self, chat_id: int, revision: int, message_id: int) -> None:
        """Record what the patient has seen."""
        await self._database.write(conversations.note_shown, chat_id, revision, message_id)

    async def unanswered(self) -> list[int]:
        """Return the chats that were left without a reply."""
        return await self._database.read(conversations.unanswered)

    async def claim_reminder(self, chat_id: int, revision: int, lasts: float) -> bool:
        """Take it on to show a screen that was left unanswered, for so many seconds."""
        now = self._clock.now()
        until = now + timedelta(seconds=lasts)
        return await self._database.write(
            conversations.claim_reminder, chat_id, revision, now, until
        )

    async def clinics(self, needed: str | None = None) -> Mapping[str, Clinic]:
        """Return every clinic by slug, read again now and then, and when `needed` is missing."""
        is_missing = needed is not None and needed not in self._clinics
        if is_missing or self._monotonic() >= self._clinics_until:
            self._clinics = await self._database.read(clinics.load_all)
            self._clinics_until = self._monotonic() + _CLINICS_FOR
        return self._clinics

    def known_clinics(self) -> Mapping[str, Clinic]:
        """Return the clinics as they were read last, without asking the database."""
        return self._clinics

    async def protocol(self, key: str) -> protocol_versions.ProtocolText | None:
        """Return what a version was compiled from; None when it is not stored."""
        return await self._database.read(protocol_versions.load, key)

    async def fail(self, update_id: int, why: str) -> int:
        """Count a failed try of an update; return how many there were."""
        now = self._clock.now()
        return await self._database.write(inbox.fail, update_id, why, now, bot_id=self._bot_id)

    async def park(self, update_id: int, why: str, payload: str | None = None) -> None:
        """Put an update aside; `payload` is the update, so that it can be taken again."""
        now, bot_id = self._clock.now(), self._bot_id
        await self._database.write(inbox.park, update_id, why, now, bot_id=bot_id, payload=payload)

    async def call_person(self, chat_id: int) -> str | None:
        """Tell the chat's clinic that its patient needs a person; return its slug, if any."""
        return await self._database.write(turns.call_person, chat_id, self._clock.now())

    async def replayable(self) -> list[KeptUpdate]:
        """Return the parked updates that staff want taken again."""
        return await self._database.read(inbox.replayable, bot_id=self._bot_id)

    async def settle(self, update_id: int) -> None:
        """Note that an update needs no more work; one that was put aside stays so."""
        now = self._clock.now()
        await self._database.write(inbox.claim, update_id, now, bot_id=self._bot_id)

    async def prune(self) -> int:
        """Forget some of the updates that are too old to come again; return how many."""
        return await self._database.write(inbox.prune, self._clock.now() - _UPDATES_FOR)

    async def note_blocked(self, update_id: int, chat_id: int) -> None:
        """Note by an update that a patient blocked the bot."""
        now, bot_id = self._clock.now(), self._bot_id
        await self._database.write(patients.note_blocked, update_id, chat_id, now, bot_id=bot_id)

    async def block(self, chat_id: int) -> None:
        """Note that a patient cannot be reached."""
        await self._database.write(patients.mark_unreachable, chat_id, self._clock.now())


class Premises:
    """The clinics as turns see them: each with a protocol that is known here.

    A clinic's own version that came while the program runs is learnt, and so is that of a chat
    which another process began; one that cannot be compiled is left alone, and the clinic keeps the
    protocol that it had.
    """

    def __init__(
        self,
        store: DatabaseStore,
        catalogues: Mapping[str, Catalogue],
        protocols: dict[str, Protocol],
    ) -> None:
        """`protocols` grows; the packaged one is the first of it."""
        self._store = store
        self._catalogues = catalogues
        self._protocols = protocols
        self._read: Mapping[str, Clinic] | None = None
        self._known: Mapping[str, Clinic] = {}

    async def clinics(self, held: Conversation | None = None) -> Mapping[str, Clinic]:
        """Return every clinic by slug, once what the conversation is held with is known."""
        found = await self._store.clinics(held.clinic if held else None)
        if found is not self._read:
            self._known = {slug: await self._settled(each) for slug, each in found.items()}
            self._read = found
        if held is not None and held.protocol:
            await self._learn(held.protocol)
        return self._known

    async def _settled(self, clinic: Clinic) -> Clinic:
        if await self._learn(clinic.protocol):
            return clinic
        before = self._known.get(clinic.slug)
        key = before.protocol if before else next(iter(self._protocols))
        return replace(clinic, protocol=key)

    async def _learn(self, key: str) -> bool:
        """Say whether a protocol is known, once it was looked for in the database."""
        if key in self._protocols:
            return True
        source = await self._store.protocol(key)
        if source is None:
            return False
        learnt = await asyncio.to_thread(_compiled, key, source, self._catalogues)
        if learnt is None or learnt.key != key:
            return False
        self._protocols[key] = learnt
        return True


async def prepare_protocols(
    database: Database, catalogues: Mapping[str, Catalogue], clock: Clock
) -> dict[str, Protocol]:
    """Return the packaged protocol and the older ones that running chats still use, by key.

    New conversations of clinics without numbers of their own are held with the packaged one.
    Raises ProtocolFaults, and BotFault for a clinic whose own numbers no longer fit.
    """
    packaged = protocol_files.load_protocol(catalogues)
    folder = resources.files("flows") / "protocols"
    text = (folder / protocol_files.PACKAGED).read_text(encoding="utf-8")
    source = protocol_versions.ProtocolText(text, "")
    await database.write(
        protocol_versions.remember, packaged.key, packaged.digest, source, clock.now()
    )
    await database.write(clinics.use_protocol, packaged.key)
    older = await database.read(protocol_versions.load_all)
    known = {packaged.key: packaged}
    for key, version in older.items():
        if key not in known and (protocol := _compiled(key, version, catalogues)) is not None:
            known[protocol.key] = protocol
    for clinic in (await database.read(clinics.load_all)).values():
        if clinic.protocol not in known:
            use = command(f"protocol use FILE --clinic {clinic.slug}")
            raise BotFault(
                f"the protocol of clinic {clinic.slug} no longer fits this version: run `{use}` "
                "with its overrides, or with --packaged"
            )
    return known


def _compiled(
    key: str, version: protocol_versions.ProtocolText, catalogues: Mapping[str, Catalogue]
) -> Protocol | None:
    """Compile an older version; None, which is logged, when today's words no longer cover it."""
    try:
        return compile_protocol(
            version.text, file=key, catalogues=catalogues, overrides=version.overrides
        )
    except ProtocolFaults as error:
        logger.warning(
            "protocol left out",
            action="protocol_left_out",
            protocol=key,
            faults=sorted({str(fault.code) for fault in error.faults}),
        )
        return None
