"""The bot's view of storage: clinics read now and then, protocols of running chats kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import resources

import pytest
from structlog.testing import capture_logs

from bot.faults import BotFault
from bot.store import DatabaseStore, Premises, prepare_protocols
from flows.conversation import Conversation
from storage import clinic_protocols, clinics, protocol_files, protocol_versions
from storage.clinic_protocols import Version
from storage.database import Database, connect
from storage.protocol_versions import ProtocolText
from tests.flows.chat import catalogues, protocol
from tests.standin import StoppedClock

CLOCK = StoppedClock()
TEXT = (resources.files("flows") / "protocols" / "microneedling.toml").read_text(encoding="utf-8")


@pytest.fixture
async def filled(sqlite_url: str) -> AsyncIterator[Database]:
    database = connect(sqlite_url)
    await database.write(clinics.import_clinic, clinics.demo_text(), "demo_clinic.toml")
    yield database
    await database.close()


async def test_clinics_are_read_again_after_a_minute(filled: Database) -> None:
    now = [0.0]
    store = DatabaseStore(filled, CLOCK, lambda: now[0])
    first = await store.clinics()
    renamed = clinics.demo_text().replace("Willow Skin Clinic", "Willow & Birch")
    await filled.write(clinics.import_clinic, renamed, "demo_clinic.toml")

    unchanged = await store.clinics()
    now[0] = 61.0
    changed = await store.clinics()

    assert unchanged is first
    assert changed["willow"].name == "Willow & Birch"


async def test_failures_are_counted_and_the_update_put_aside(filled: Database) -> None:
    store = DatabaseStore(filled, CLOCK, lambda: 0.0, bot_id=5)

    counted = [await store.fail(9, "KeyError") for _ in range(2)]
    await store.park(9, "KeyError")
    await store.block(7)

    assert counted == [1, 2]


async def test_new_chats_get_the_packaged_protocol_and_a_broken_old_one_is_left_out(
    filled: Database,
) -> None:
    await filled.write(
        protocol_versions.remember, "bad/1/def", "def", ProtocolText("steps = 1", ""), CLOCK.now()
    )

    with capture_logs() as logs:
        known = await prepare_protocols(filled, catalogues(), CLOCK)

    assert set(known) == {protocol().key}
    (left_out,) = logs
    assert (left_out["action"], left_out["protocol"]) == ("protocol_left_out", "bad/1/def")
    assert "steps = 1" not in str(left_out)
    everyone = await filled.read(clinics.load_all)
    assert {clinic.protocol for clinic in everyone.values()} == {protocol().key}


async def test_a_version_of_a_running_chat_stays_known(filled: Database) -> None:
    changed = TEXT + "\n# an older remark\n"
    await filled.write(
        protocol_versions.remember, "old/1/abc", "abc", ProtocolText(changed, ""), CLOCK.now()
    )

    known = await prepare_protocols(filled, catalogues(), CLOCK)

    assert len(known) == 2


OVERRIDES = 'overrides = "microneedling"\n[spacing]\npreferred_days = 35\n'


async def takes_own_numbers(database: Database, text: str = OVERRIDES) -> str:
    own = protocol_files.load_protocol(catalogues(), text, "own.toml")
    version = Version(own.key, own.digest, ProtocolText(TEXT, text))
    await database.write(clinic_protocols.use, "willow", version, CLOCK.now())
    return own.key


async def test_a_clinic_that_takes_own_numbers_is_held_with_them_within_a_minute(
    filled: Database,
) -> None:
    known, now = await prepare_protocols(filled, catalogues(), CLOCK), [0.0]
    premises = Premises(DatabaseStore(filled, CLOCK, lambda: now[0]), catalogues(), known)
    before = await premises.clinics()
    key = await takes_own_numbers(filled)
    now[0] = 61.0

    after = await premises.clinics()

    assert before["willow"].protocol == protocol().key
    assert (after["willow"].protocol, after["harbour"].protocol) == (key, protocol().key)
    assert known[key].spacing.preferred_days == 35


async def test_a_chat_that_another_process_began_is_known_at_once(filled: Database) -> None:
    """With numbers, and at a clinic, that this process has not read yet."""
    store = DatabaseStore(filled, CLOCK, lambda: 0.0)
    known = await prepare_protocols(filled, catalogues(), CLOCK)
    premises = Premises(store, catalogues(), known)
    await premises.clinics()
    key = await takes_own_numbers(filled)
    new = clinics.demo_text().replace('slug = "willow"', 'slug = "elm"')
    await filled.write(clinics.import_clinic, new, "elm.toml")

    found = await premises.clinics(Conversation(7, "age", clinic="elm", protocol=key))

    assert (known[key].key, "elm" in found) == (key, True)


async def test_a_chat_with_a_protocol_that_is_nowhere_is_said_so_and_no_more(
    filled: Database,
) -> None:
    known = await prepare_protocols(filled, catalogues(), CLOCK)
    premises = Premises(DatabaseStore(filled, CLOCK, lambda: 0.0), catalogues(), known)

    await premises.clinics(Conversation(7, "age", clinic="willow", protocol="nowhere/1/0"))

    assert set(known) == {protocol().key}


async def test_own_numbers_stay_when_the_program_starts_again(filled: Database) -> None:
    key = await takes_own_numbers(filled)

    known = await prepare_protocols(filled, catalogues(), CLOCK)

    assert (await filled.read(clinics.load_all))["willow"].protocol == key
    assert set(known) == {key, protocol().key}


async def test_a_clinic_that_is_new_or_unknown_here_gets_what_is_known(filled: Database) -> None:
    known = {protocol().key: protocol()}
    broken = Version("bad/1/def", "def", ProtocolText("steps = 1", "overrides"))
    await filled.write(clinic_protocols.use, "willow", broken, CLOCK.now())

    store = DatabaseStore(filled, CLOCK, lambda: 0.0)
    found = await Premises(store, catalogues(), known).clinics()

    assert {clinic.protocol for clinic in found.values()} == {protocol().key}


async def test_own_numbers_that_no_longer_fit_are_told_at_the_start(filled: Database) -> None:
    broken = Version("bad/1/def", "def", ProtocolText("steps = 1", "overrides"))
    await filled.write(clinic_protocols.use, "willow", broken, CLOCK.now())

    with pytest.raises(BotFault, match="resurface protocol use FILE --clinic willow"):
        await prepare_protocols(filled, catalogues(), CLOCK)
