"""The templates: escaped by default, with filters for times, and addresses of files by content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from storage.program import command

HERE = Path(__file__).parent
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Assets:
    """The files of static/, each under a name that changes with its content."""

    def __init__(self, folder: Path = HERE / "static") -> None:
        self._files: dict[str, tuple[bytes, str]] = {}
        self._names: dict[str, str] = {}
        for path in sorted(folder.iterdir()):
            if path.suffix in TYPES:
                content = path.read_bytes()
                mark = hashlib.sha256(content).hexdigest()[:12]
                name = f"{path.stem}.{mark}{path.suffix}"
                self._names[path.name] = f"/static/{name}"
                self._files[name] = content, TYPES[path.suffix]

    def address(self, name: str) -> str:
        """Return where a file is served; raises KeyError for one that does not exist."""
        return self._names[name]

    def file(self, name: str) -> tuple[bytes, str] | None:
        """Return content and media type of a served name."""
        return self._files.get(name)


def environment(assets: Assets, links: Sequence[object]) -> Environment:
    """Return the templates, with what all of them may use."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=assets.address, links=links, command=command)
    made.filters.update(local=local, day=day, short_day=short_day, clock=clock)
    made.filters.update(ago=ago, iso=iso, phrase=phrase)
    return made


@pass_context
def local(context: Context, at: datetime | None) -> str:
    """Return an instant by the clinic's clock, as "Tue 24 Nov, 14:30"; see `short_day`."""
    if at is None:
        return "–"
    return spell(_here(context, at), context["now"])


@pass_context
def day(context: Context, at: datetime | date | None) -> str:
    """Return the day of an instant, or a date, as "Tue 24 Nov 2026"."""
    if at is None:
        return "–"
    return f"{_here(context, at) if isinstance(at, datetime) else at:%a %-d %b %Y}"


@pass_context
def short_day(context: Context, on: date) -> str:
    """Return a date as "Tue 24 Nov", with its year when that is not the current one."""
    return spell_day(on, _here(context, context["now"]).date())


@pass_context
def clock(context: Context, at: datetime | None) -> str:
    """Return the time of day of an instant by the clinic's clock, as "14:30"."""
    return f"{_here(context, at):%H:%M}" if at else "–"


@pass_context
def ago(context: Context, at: datetime | None) -> str:
    """Return how long ago an instant was, in words."""
    if at is None:
        return "never"
    return spell_ago(context["now"] - at)


def iso(at: datetime) -> str:
    """Return an instant for a `datetime` attribute."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def phrase(code: str) -> str:
    """Return a code as words: `wants_person` as "wants person"."""
    return code.replace("_", " ")


def spell_day(on: date, today: date) -> str:
    """Return a date as "Tue 24 Nov", with its year when that is not today's."""
    return f"{on:%a %-d %b}" if on.year == today.year else f"{on:%a %-d %b %Y}"


def spell(at: datetime, now: datetime) -> str:
    """Return a local instant as "Tue 24 Nov, 14:30"; see `spell_day`."""
    return f"{spell_day(at.date(), now.astimezone(at.tzinfo).date())}, {at:%H:%M}"


def spell_ago(away: timedelta) -> str:
    """Return a stretch of time that has passed, in one unit: "just now", "5 min ago"."""
    minutes = int(away.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    days = minutes // (24 * 60)
    return "yesterday" if days == 1 else f"{days} days ago"


def _here(context: Context, at: datetime) -> datetime:
    me = context.get("me")
    return at.astimezone(ZoneInfo(me.zone if me else "UTC"))
