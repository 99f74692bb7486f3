"""The protocols that conversations were held with: old versions stay, so chats can finish."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from storage import upserts
from storage.models import ProtocolVersion


@dataclass(frozen=True, slots=True)
class ProtocolText:
    """What a protocol was compiled from."""

    text: str
    overrides: str


def remember(
    connection: Connection, key: str, digest: str, source: ProtocolText, now: datetime
) -> None:
    """Keep a protocol under its `Protocol.key`; one that is known stays as it is."""
    connection.execute(
        upserts.insert(connection.dialect.name, ProtocolVersion)
        .values(
            key=key,
            digest=digest,
            text=source.text,
            overrides=source.overrides,
            first_used_at=now,
        )
        .on_conflict_do_nothing()
    )


def load(connection: Connection, key: str) -> ProtocolText | None:
    """Return one protocol by its key; None when none was ever used under it."""
    row = connection.execute(
        select(ProtocolVersion.text, ProtocolVersion.overrides).where(ProtocolVersion.key == key)
    ).one_or_none()
    return None if row is None else ProtocolText(row.text, row.overrides)


def load_all(connection: Connection) -> dict[str, ProtocolText]:
    """Return every protocol ever used, by key."""
    rows = connection.execute(
        select(ProtocolVersion.key, ProtocolVersion.text, ProtocolVersion.overrides)
    )
    return {row.key: ProtocolText(row.text, row.overrides) for row in rows}
