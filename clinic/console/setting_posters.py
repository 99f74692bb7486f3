"""*Settings, Links*: the link by which patients come, and for each campaign its code and poster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic import links
from clinic.console import setting_pages, views
from clinic.links import LinkFault, Poster
from storage import clinics

PATH = "/settings/links"


def routes() -> list[Route]:
    """Return the addresses of the page and of what it shows."""
    return [
        Route(PATH, page),
        Route(f"{PATH}/code.png", _file("png", "image/png", _code)),
        Route(f"{PATH}/poster.svg", _file("svg", "image/svg+xml", _poster)),
    ]


async def page(request: Request) -> Response:
    """Show the link of a campaign, or the one without."""
    campaign = _campaign(request)
    bot = await views.bot_name(views.site_of(request))
    link, fault = "", ""
    try:
        link = links.address(bot, views.signed_in(request).clinic, campaign)
    except LinkFault:
        fault = "Please use 1 to 40 of the letters a to z, digits, _ and -, and no spaces."
    return views.render(
        request,
        "settings_posters.html",
        problems={"campaign": fault} if fault else None,
        undone="No such link",
        **setting_pages.frame(PATH),
        campaign=campaign,
        link=link,
        fault=fault,
        has_bot=bool(bot),
    )


def _campaign(request: Request) -> str:
    return request.query_params.get("campaign", "").strip()


def _file(
    ending: str, media_type: str, draw: Callable[[Request, str], Awaitable[bytes]]
) -> views.Endpoint:
    """Return what answers with a drawing of the link; none without the bot's name."""

    async def answer(request: Request) -> Response:
        slug, campaign = views.signed_in(request).clinic, _campaign(request)
        bot = await views.bot_name(views.site_of(request))
        try:
            link = links.address(bot, slug, campaign)
        except LinkFault:
            return views.not_found(request)
        if not bot:
            return views.refused(request, HTTPStatus.BAD_GATEWAY)
        name = f"{slug}-{campaign}" if campaign else slug
        how = "attachment" if "save" in request.query_params else "inline"
        headers = {"Content-Disposition": f'{how}; filename="{name}.{ending}"'}
        return Response(await draw(request, link), media_type=media_type, headers=headers)

    return answer


async def _code(_request: Request, link: str) -> bytes:
    return links.code(link)


async def _poster(request: Request, link: str) -> bytes:
    site, me = views.site_of(request), views.signed_in(request)
    clinic = (await site.database.read(clinics.load_all))[me.clinic]
    words = site.catalogues.get(clinic.locale) or site.catalogues["en"]
    poster = Poster(clinic.name, clinic.phone, link, words, _campaign(request))
    return links.drawing(poster).encode()
