"""What a clinic still lacks before patients can come, and what is wrong: each with its cure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from clinic.channels.reasons import in_words
from clinic.settings import ConsoleSettings
from flows import slots
from flows.clinics import Clinic
from storage import (
    calendar_accounts,
    calendar_store,
    clerks,
    clinic_protocols,
    clinics,
    lead_channels,
    sqlite_versions,
    staff,
)
from storage.database import Database
from storage.program import command
from storage.staff import Member

WEEKS = 6  # looked at for free times
BACKUP_EVERY = timedelta(days=8)

#: Touched in DATA_DIR by each backup.
LAST_BACKUP = "last-backup"


@dataclass(frozen=True, slots=True)
class BotFacts:
    """What the bot's side knows of Telegram."""

    has_token: bool
    name: str  # empty: Telegram did not answer, or refused the token


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to do. `is_needed` is False for what is only good to know."""

    what: str
    cure: str
    is_needed: bool = True


async def findings(
    database: Database, bot: BotFacts, settings: ConsoleSettings, now: datetime
) -> list[Finding]:
    """Look at everything; return what is to be done, the most pressing first."""
    known = await database.read(clinics.load_all)
    found = [*_of_bot(bot)]
    if not known:
        found.append(Finding("There is no clinic yet.", f"Run `{command('clinic init')}`."))
    people = await database.read(staff.members)
    for clinic in known.values():
        team = [one for one in people if one.clinic == clinic.slug]
        found += await _of_times(database, clinic, now)
        found += _of_team(clinic, team)
        clinic_id, _ = await database.read(lead_channels.clinic_of, clinic.slug)
        found += await _of_protocol(database, clinic, clinic_id)
        found += await _of_channels(database, clinic, clinic_id)
        found += await _of_calendars(database, clinic, clinic_id, now)
    found += _of_server(database, settings, now)
    return sorted(found, key=lambda each: not each.is_needed)


def _of_bot(bot: BotFacts) -> Iterator[Finding]:
    if not bot.has_token:
        yield Finding(
            "There is no bot on Telegram yet.",
            "Send /newbot to @BotFather, and write TELEGRAM_BOT_TOKEN=... into .env.",
        )
    elif not bot.name:
        yield Finding(
            "Telegram does not answer, or does not know the token.",
            "Check the network; copy TELEGRAM_BOT_TOKEN again from @BotFather.",
        )


async def _of_times(database: Database, clinic: Clinic, now: datetime) -> list[Finding]:
    today = now.astimezone(ZoneInfo(clinic.zone)).date()
    until = today + timedelta(weeks=WEEKS)
    found = []
    for service in clinic.services:
        view = await database.read(
            calendar_store.view, clinic.slug, service.code, today, until, now, clerks.NO_CHAT
        )
        if not any(
            True
            for timetable in view.timetables
            for _ in slots.free_slots(view, timetable, today, until)
        ):
            found.append(
                Finding(
                    f"{clinic.name}: no free time for a {service.code} in the next {WEEKS} weeks.",
                    "Look at opening hours, closures, connected calendars and how long the service "
                    "is: Settings in the console, or the clinic file.",
                )
            )
    return found


def _of_team(clinic: Clinic, team: list[Member]) -> Iterator[Finding]:
    if not team:
        yield Finding(
            f"{clinic.name}: nobody may see its leads.",
            f"Run `{_owner_of(clinic)}`, then invite.",
        )
    elif not any(one.is_owner for one in team):
        yield Finding(
            f"{clinic.name}: it has no owner, so nobody can change its settings.",
            f"Run `{_owner_of(clinic)}`.",
        )
    elif all(one.chat_id is None for one in team):
        yield Finding(
            f"{clinic.name}: nobody is told of new leads in Telegram.",
            f"Run `{command(f'staff invite {team[0].id}')}` and open the link on that person's "
            "phone.",
        )


def _owner_of(clinic: Clinic) -> str:
    return command(f"staff add NAME --clinic {clinic.slug} --role owner")


async def _of_protocol(database: Database, clinic: Clinic, clinic_id: int) -> list[Finding]:
    if await database.read(clinic_protocols.is_signed, clinic_id):
        return []
    signed = await database.read(clinic_protocols.signatures, clinic_id)
    what = "the protocol changed since it was signed" if signed else "the protocol is not signed"
    return [
        Finding(
            f"{clinic.name}: {what}.",
            "A clinician reads it and signs it: Settings, Protocol in the console.",
        )
    ]


async def _of_channels(database: Database, clinic: Clinic, clinic_id: int) -> list[Finding]:
    found = [
        Finding(
            f"{clinic.name}: channel {each.id} is off: {in_words(each.disabled_why)}.",
            f"Run `{command(f'channel test {each.id}')}`, then "
            f"`{command(f'channel enable {each.id}')}`.",
        )
        for each in await database.read(lead_channels.listed, clinic_id)
        if not each.is_on
    ]
    lost = await database.read(lead_channels.given_up, clinic_id)
    if lost:
        found.append(
            Finding(
                f"{clinic.name}: {len(lost)} messages did not reach a channel.",
                f"Run `{command('channel replay-hints')}`.",
            )
        )
    return found


async def _of_calendars(
    database: Database, clinic: Clinic, clinic_id: int, now: datetime
) -> list[Finding]:
    return [
        Finding(
            f"{clinic.name}: the calendar of {each.practitioner} cannot be "
            f"{'read' if each.failure or each.is_stale(now) else 'written'}"
            f"{f': {each.trouble}' if each.trouble else ''}.",
            f"Connect it anew: {command(f'calendar connect {clinic.slug} {each.practitioner}')}.",
        )
        for each in await database.read(calendar_accounts.accounts, clinic_id)
        if each.trouble or each.is_stale(now)
    ]


def _of_server(database: Database, settings: ConsoleSettings, now: datetime) -> Iterator[Finding]:
    made_at = last_backup(settings.data_dir)
    if made_at is None or now.timestamp() - made_at > BACKUP_EVERY.total_seconds():
        yield Finding(
            "There is no backup." if made_at is None else "The last backup is over a week old.",
            f"Run `{command('backup FILE')}` every night, and keep the file elsewhere, encrypted.",
        )
    if not settings.console_url:
        yield Finding(
            "The console can be opened on this machine only.",
            "To open it elsewhere put it behind https and set CONSOLE_URL.",
            is_needed=False,
        )
    if advice := sqlite_versions.advice(database.url):
        yield Finding("This SQLite can, very rarely, damage its file.", advice, is_needed=False)


def last_backup(folder: Path) -> float | None:
    """Return when the last backup was made, in seconds since 1970; None when none was."""
    mark = folder / LAST_BACKUP
    return mark.stat().st_mtime if mark.exists() else None


def note_backup(folder: Path) -> None:
    """Note that a backup was made just now. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / LAST_BACKUP).touch()
