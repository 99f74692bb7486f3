"""Builds a `Protocol` from its TOML text and checks it against every locale's words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from flows.protocol import Protocol
from flows.protocol_checks import check_plan, check_rules, check_steps
from flows.protocol_faults import Code, Fault, Lines, ProtocolFaults, Report
from flows.protocol_numbers import check_numbers
from flows.protocol_overrides import apply_overrides
from flows.protocol_reach import check_relevance
from flows.protocol_texts import check_texts
from flows.protocol_toml import read_protocol
from flows.texts import Catalogue

__all__ = ["Code", "Fault", "ProtocolFaults", "compile_protocol"]


def compile_protocol(
    text: str,
    *,
    file: str,
    catalogues: Mapping[str, Catalogue],
    overrides: str = "",
    overrides_file: str = "",
) -> Protocol:
    """Build a protocol, with a clinic's own editorial numbers where it gives some.

    `file` and `overrides_file` name the texts in faults. Raises `ProtocolFaults` with every fault
    of both texts and of the words that the protocol needs in each locale.
    """
    report = Report(file, Lines(text))
    protocol = read_protocol(text, report)
    if protocol is None:
        raise ProtocolFaults(report.faults)
    for check in (check_steps, check_relevance, check_rules, check_plan, check_numbers):
        check(protocol, report)
    check_texts(protocol, report, catalogues)
    own = Report(overrides_file, Lines(overrides))
    if overrides.strip():
        protocol = apply_overrides(protocol, overrides, own)
        if not report.faults:  # else the protocol's own faults would be told twice
            check_numbers(protocol, own)
    faults = [*_in_order(report), *_in_order(own)]
    if faults:
        raise ProtocolFaults(faults)
    digest = hashlib.sha256(f"{text}\0{overrides}".encode()).hexdigest()
    return replace(protocol, digest=digest)


def _in_order(report: Report) -> list[Fault]:
    return sorted(report.faults, key=lambda fault: fault.line)
