"""A clinic's leads as files: CSV for a spreadsheet, JSON and FHIR for other systems."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from clinic.channels.bodies import decision_of
from clinic.channels.fhir.bundle import bundle_of, lines_of
from flows.clinics import Clinic
from flows.compiler import ProtocolFaults, compile_protocol
from flows.protocol import Protocol
from flows.texts import Catalogue
from storage import clinics, lead_channels, lead_records, protocol_versions
from storage.database import Database
from storage.lead_channels import ChannelFault
from storage.lead_records import LeadRecord
from storage.protocol_versions import ProtocolText


class Format(StrEnum):
    """What an export can be."""

    CSV = "csv"
    JSON = "json"
    FHIR = "fhir"


#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")

_TO_BE_KEPT = ("pending", "booked", "arrived", "fulfilled")

#: Heading -> cell, with times on the clinic's clock.
_COLUMNS: Mapping[str, Callable[[LeadRecord], object]] = {
    "lead": lambda lead: lead.id,
    "clinic": lambda lead: lead.clinic,
    "came": lambda lead: _local(lead.created_at, lead),
    "status": lambda lead: lead.status,
    "kind": lambda lead: lead.kind,
    "verdict": lambda lead: lead.verdict,
    "score": lambda lead: lead.score,
    "first name": lambda lead: lead.first_name,
    "phone": lambda lead: lead.phone,
    "campaign": lambda lead: lead.campaign,
    "wants a person since": lambda lead: _local(lead.wants_person_at, lead),
    "ask again on": lambda lead: lead.recheck_on,
    "visits": lambda lead: "; ".join(_local(s.starts_at, lead) for s in _kept(lead)),
    "booking code": lambda lead: next((s.code for s in _kept(lead) if s.code), None),
    "reasons": lambda lead: "; ".join(_rules(lead)),
    "protocol": lambda lead: lead.decision.protocol if lead.decision else None,
}


def as_csv(leads: Iterable[LeadRecord]) -> str:
    """Return leads as CSV with a heading."""
    return table(_COLUMNS, ([cell(lead) for cell in _COLUMNS.values()] for lead in leads))


def as_json(leads: Iterable[LeadRecord]) -> str:
    """Return leads as a JSON list, with answers, reasons and visits."""
    return json.dumps([_plain(lead) for lead in leads], ensure_ascii=False, indent=2)


def table(heading: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a heading and rows as CSV; no cell can be taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(value: object) -> str:
    """Return a cell on one line that a spreadsheet shows and does not run."""
    line = " ".join(str(value).split()) if value is not None else ""
    return f"'{line}" if line.startswith(_FORMULA) else line


class Exports:
    """Reads a clinic's leads and writes them in any format. Raises ChannelFault."""

    def __init__(self, database: Database, catalogues: Mapping[str, Catalogue]) -> None:
        self._database = database
        self._catalogues = catalogues

    async def everything(self, clinic_id: int, form: Format, now: datetime) -> str:
        """Return all leads of a clinic."""
        leads = await self._database.read(lead_records.read_all, clinic_id)
        match form:
            case Format.CSV:
                return as_csv(leads)
            case Format.JSON:
                return as_json(leads)
            case Format.FHIR:
                versions = await self._database.read(protocol_versions.load_all)
                clinic = await self._clinic(clinic_id)
                known = _Versions(versions, self._catalogues)
                return lines_of(self._bundle(each, known, clinic, now) for each in leads)

    async def fhir(self, clinic_id: int, lead_id: int, now: datetime) -> str | None:
        """Return one lead as a FHIR Bundle; None when the clinic has no lead of this number."""
        lead = await self._database.read(lead_records.read, clinic_id, lead_id)
        if lead is None:
            return None
        versions = await self._database.read(protocol_versions.load_all)
        clinic = await self._clinic(clinic_id)
        return self._bundle(lead, _Versions(versions, self._catalogues), clinic, now)

    def _bundle(self, lead: LeadRecord, known: _Versions, clinic: Clinic, now: datetime) -> str:
        words = self._catalogues.get(lead.locale) or self._catalogues[clinic.locale]
        protocol = known.get(lead.decision.protocol) if lead.decision else None
        return bundle_of(lead, protocol, words, clinic, now)

    async def _clinic(self, clinic_id: int) -> Clinic:
        slug = await self._database.read(lead_channels.slug_of, clinic_id)
        found = (await self._database.read(clinics.load_all)).get(slug)
        if found is None:
            raise ChannelFault("the clinic is not there any more")
        return found


class _Versions:
    """The protocols that decisions name, compiled once each."""

    def __init__(
        self, texts: Mapping[str, ProtocolText], catalogues: Mapping[str, Catalogue]
    ) -> None:
        self._texts = texts
        self._catalogues = catalogues
        self._compiled: dict[str, Protocol | None] = {}

    def get(self, key: str) -> Protocol | None:
        """Return a version; None when it was never kept, or today's words no longer cover it."""
        if key not in self._compiled:
            self._compiled[key] = self._compile(key)
        return self._compiled[key]

    def _compile(self, key: str) -> Protocol | None:
        source = self._texts.get(key)
        if source is None:
            return None
        try:
            return compile_protocol(
                source.text, file=key, catalogues=self._catalogues, overrides=source.overrides
            )
        except ProtocolFaults:
            return None


def _plain(lead: LeadRecord) -> dict[str, Any]:
    return {
        "id": lead.id,
        "clinic": lead.clinic,
        "created_at": lead.created_at.isoformat(),
        "status": lead.status,
        "kind": lead.kind,
        "verdict": lead.verdict,
        "score": lead.score,
        "campaign": lead.campaign,
        "recheck_on": lead.recheck_on.isoformat() if lead.recheck_on else None,
        "wants_person_at": lead.wants_person_at.isoformat() if lead.wants_person_at else None,
        "patient": {"first_name": lead.first_name, "phone": lead.phone, "locale": lead.locale},
        "decision": decision_of(lead.decision) if lead.decision else None,
        "visits": [
            {
                "uid": each.uid,
                "series": each.series_id,
                "number": each.number,
                "service": each.service,
                "practitioner": each.practitioner,
                "starts_at": each.starts_at.isoformat(),
                "ends_at": each.ends_at.isoformat(),
                "state": each.state,
                "code": each.code,
            }
            for each in lead.sessions
        ],
    }


def _kept(lead: LeadRecord) -> list[Any]:
    return [session for session in lead.sessions if session.state in _TO_BE_KEPT]


def _rules(lead: LeadRecord) -> list[str]:
    return [reason.rule for reason in lead.decision.verdict.reasons] if lead.decision else []


def _local(at: datetime | None, lead: LeadRecord) -> str:
    return f"{at.astimezone(ZoneInfo(lead.zone)):%Y-%m-%d %H:%M}" if at else ""
