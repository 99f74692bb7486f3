"""*Settings*, the protocol: the very version that patients meet, to read and to sign."""

from __future__ import annotations

import asyncio

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import setting_pages, views
from flows.compiler import ProtocolFaults, compile_protocol
from flows.protocol import Protocol
from flows.protocol_document import document
from storage import clinic_protocols, protocol_files
from storage.protocol_versions import ProtocolText

PATH = "/settings/protocol"

#: Written where the page has lines of its own to sign.
_APPROVAL = "## Approval"

LONGEST = 80


class ProtocolPage:
    """Keeps the versions that it has put into words: they never change."""

    def __init__(self) -> None:
        self._papers: dict[tuple[ProtocolText | None, str], tuple[Protocol, Markup]] = {}

    def routes(self) -> list[Route]:
        """Return the page's addresses."""
        return [
            Route(PATH, self.page),
            Route(f"{PATH}/sign", views.owners_only(self.sign), methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """Show the version that new patients meet, and who signed it."""
        return await self._shown(request)

    async def sign(self, request: Request) -> Response:
        """Keep a signature under the version that was shown."""
        site, me = views.site_of(request), views.signed_in(request)
        given = {name: value.strip() for name, value in (await views.form(request)).items()}
        protocol, _ = await self._paper(request)
        faults = {
            name: "Please fill this in."
            if not given.get(name)
            else f"Please use at most {LONGEST} letters."
            for name in ("name", "post")
            if not given.get(name) or len(given[name]) > LONGEST
        }
        if given.get("read") != "yes":
            faults["read"] = "Please read it first, then tick this."
        if given.get("digest") != protocol.digest:
            faults = {"read": "The protocol changed meanwhile. Please read it again."}
        if faults:
            return await self._shown(request, given, faults)
        await site.database.write(
            clinic_protocols.sign,
            me.clinic_id,
            me.staff_id,
            (protocol.key, protocol.digest),
            given["name"],
            given["post"],
            site.now(),
        )
        return views.see_other(request, f"{PATH}#signatures", "Signed. Thank you.")

    async def _shown(
        self,
        request: Request,
        given: dict[str, str] | None = None,
        faults: dict[str, str] | None = None,
    ) -> Response:
        site, me = views.site_of(request), views.signed_in(request)
        protocol, paper = await self._paper(request)
        signed = await site.database.read(clinic_protocols.signatures, me.clinic_id)
        return views.render(
            request,
            "settings_protocol.html",
            problems={f"sign-{name}": words for name, words in (faults or {}).items()},
            undone="Not signed",
            **setting_pages.frame(PATH),
            protocol=protocol,
            paper=paper,
            is_own=me.clinic in await site.database.read(clinic_protocols.overrides),
            signatures=signed,
            is_signed=any(each.digest == protocol.digest for each in signed),
            given=given or {},
            faults=faults or {},
        )

    async def _paper(self, request: Request) -> tuple[Protocol, Markup]:
        site, me = views.site_of(request), views.signed_in(request)
        source = await site.database.read(clinic_protocols.source, me.clinic_id)
        if (source, me.locale) not in self._papers:
            self._papers[source, me.locale] = await asyncio.to_thread(
                _written, request, source, me.locale
            )
        return self._papers[source, me.locale]


def _written(request: Request, source: ProtocolText | None, locale: str) -> tuple[Protocol, Markup]:
    """Return a version and its words; today's packaged one where the stored one has none."""
    catalogues = views.site_of(request).catalogues
    try:
        protocol = (
            protocol_files.load_protocol(catalogues)
            if source is None
            else compile_protocol(
                source.text, file="protocol", catalogues=catalogues, overrides=source.overrides
            )
        )
    except ProtocolFaults:
        protocol = protocol_files.load_protocol(catalogues)
    text = document(protocol, catalogues.get(locale) or catalogues["en"])
    words = text.partition(_APPROVAL)[0].partition("\n")[2]
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    return protocol, Markup(reader.render(words))  # noqa: S704 - no HTML passes the reader
