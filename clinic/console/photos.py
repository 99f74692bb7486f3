"""Photos of a lead, read from Telegram for signed-in staff and kept nowhere."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import views
from storage import photos

logger = logging.getLogger(__name__)

LARGEST = 20 * 1024 * 1024  # bytes; what Telegram lets a bot download at most
WITHIN = 20.0  # seconds

#: First bytes of the pictures that are shown; anything else is refused.
_TYPES: Mapping[bytes, str] = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def routes() -> list[Route]:
    """Return the photos' addresses."""
    own = "/leads/{lead_id:int}/photos/{photo_id:int}"
    return [Route(own, picture), Route(f"{own}/delete", delete, methods=["POST"])]


async def picture(request: Request) -> Response:
    """Answer with one photo of a lead of the clinic."""
    site, me = views.site_of(request), views.signed_in(request)
    lead, number = _named(request)
    found = await site.database.write(
        photos.look, me.clinic_id, me.staff_id, lead, number, site.now()
    )
    if found is None:
        return views.not_found(request)
    try:
        async with asyncio.timeout(WITHIN):
            content = await site.telegram.photo(found.file_id)
    except Exception as fault:  # noqa: BLE001 - whoever is lent to us raises errors of its own
        logger.warning(
            "a photo could not be read from Telegram",
            extra={"action": "photo_failed", "error": type(fault).__name__},
        )
        return views.refused(request, HTTPStatus.BAD_GATEWAY)
    media_type = image_type(content)
    if media_type is None or len(content) > LARGEST:
        return views.refused(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    headers = {"Cache-Control": "no-store", "Content-Disposition": "inline"}
    return Response(content, media_type=media_type, headers=headers)


async def delete(request: Request) -> Response:
    """Forget one photo."""
    site, me = views.site_of(request), views.signed_in(request)
    lead, number = _named(request)
    done = await site.database.write(
        photos.remove, me.clinic_id, me.staff_id, lead, number, site.now()
    )
    if not done:
        return views.not_found(request)
    return views.see_other(request, f"/leads/{lead}#photos", "The photo is deleted.")


def image_type(content: bytes) -> str | None:
    """Return the media type of a picture that browsers show safely; None for anything else."""
    return next((kind for begins, kind in _TYPES.items() if content.startswith(begins)), None)


def _named(request: Request) -> tuple[int, int]:
    return int(request.path_params["lead_id"]), int(request.path_params["photo_id"])
