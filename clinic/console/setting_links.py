"""*Settings*, channels and calendars: the clinic's own systems that are told, read and written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.calendars import feeds as feed_addresses
from clinic.calendars.service import Calendars
from clinic.calendars.wiring import calendars
from clinic.channels import headlines, wiring
from clinic.channels.desk import Channels
from clinic.channels.reasons import in_words, messages
from clinic.console import setting_forms, setting_pages, views
from storage import calendar_accounts, clinic_settings, feeds
from storage.calendar_accounts import NoSuchPractitioner, Terms, WhenStale
from storage.clerks import Clerk
from storage.database import Database
from storage.faults import StorageError
from storage.lead_channels import ChannelFault
from storage.undelivered import ChannelIsOff

CHANNELS, CALENDARS = "/settings/channels", "/settings/calendars"

#: What a channel can be told of, as a form says it.
TOLD: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "all": ("Everything", ()),
    "leads": ("Leads", ("lead.*", "recall.*", "consent.*")),
    "bookings": ("Bookings", ("booking.*", "series.*", "waitlist.*")),
}

LONGEST = 500

Act = Callable[[Channels, int, int], Awaitable[str]]


class LinkPages:
    """The two pages; one keeper of calendars serves all requests of a process."""

    def __init__(self) -> None:
        self._keepers: dict[Database, Calendars] = {}

    def routes(self) -> list[Route]:
        """Return the pages' addresses."""
        own, person = f"{CHANNELS}/{{channel_id:int}}", f"{CALENDARS}/{{practitioner}}"
        return [
            Route(CHANNELS, channel_page),
            Route(f"{CHANNELS}/add", views.owners_only(add_channel), methods=["POST"]),
            Route(f"{own}/{{deed}}", views.owners_only(change_channel), methods=["POST"]),
            Route(CALENDARS, calendar_page),
            Route(f"{person}/feed", views.owners_only(new_feed), methods=["POST"]),
            Route(f"{person}/feed/revoke", views.owners_only(end_feed), methods=["POST"]),
            Route(f"{person}/connect", views.owners_only(self.connect), methods=["POST"]),
            Route(f"{person}/disconnect", views.owners_only(disconnect), methods=["POST"]),
        ]

    async def connect(self, request: Request) -> Response:
        """Connect a practitioner's own calendar, once it can be reached with this password."""
        site, me = views.site_of(request), views.signed_in(request)
        person, given = request.path_params["practitioner"], await views.form(request)
        try:
            await site.database.read(calendar_accounts.practitioner_of, me.clinic, person)
        except NoSuchPractitioner:
            return views.not_found(request)
        typed = {name: given.get(name, "").strip() for name in ("url", "username", "password")}
        if missing := [name for name, value in typed.items() if not value or len(value) > LONGEST]:
            fault = f"Please fill in the {'address' if 'url' in missing else missing[0]}."
            return await _calendars(request, missing[0], person=person, given=typed, fault=fault)
        stale = WhenStale.SHOW_AGE if given.get("when_stale") == "show_age" else WhenStale.CLOSED
        url = typed["url"] if typed["url"].endswith("/") else f"{typed['url']}/"
        sealed = site.seal.close(typed["password"])
        terms = Terms(url, typed["username"], sealed, stale, timedelta(minutes=15))
        try:
            await self._keeper(request).verify(terms)
        except StorageError as refused:
            told = setting_forms.begun(str(refused).rstrip("."))
            return await _calendars(request, person=person, given=typed, fault=told)
        await site.database.write(calendar_accounts.connect, me.clinic, person, terms, site.now())
        await _record(request, "calendar.connected", person)
        return views.see_other(request, CALENDARS, "Connected. It is read within minutes.")

    def _keeper(self, request: Request) -> Calendars:
        site = views.site_of(request)
        if site.database not in self._keepers:
            self._keepers[site.database] = calendars(site.database, site.now, site.settings)
        return self._keepers[site.database]


async def channel_page(request: Request) -> Response:
    """List where leads and bookings are told."""
    return await _channels(request)


async def add_channel(request: Request) -> Response:
    """Add an address; a webhook's secret is shown this once."""
    me, given = views.signed_in(request), await views.form(request)
    address = given.get("address", "").strip()
    _, events = TOLD.get(given.get("told", ""), TOLD["all"])
    try:
        added = await _desk(request).add(
            me.clinic_id, address, events, includes_answers=given.get("answers") == "yes"
        )
    except ChannelFault as fault:
        told = setting_forms.begun(str(fault))
        return await _channels(request, given=given, fault=told)
    await _record(request, "channel.added", added.id)
    if added.secret is None:
        return views.see_other(request, CHANNELS, "Added. Send a test to it.")
    return await _channels(request, secret=added.secret, number=added.id)


async def change_channel(request: Request) -> Response:
    """Test, send again to, turn on or off, give a new secret to, or remove a channel."""
    me, desk = views.signed_in(request), _desk(request)
    number, deed = request.path_params["channel_id"], request.path_params["deed"]
    try:
        if deed == "rotate":
            secret = await desk.rotate(me.clinic_id, number)
            await _record(request, "channel.rotated", number)
            return await _channels(request, secret=secret, number=number)
        if deed not in DEEDS:
            return views.not_found(request)
        words = await DEEDS[deed](desk, me.clinic_id, number)
    except ChannelFault:
        return views.not_found(request)
    await _record(request, f"channel.{deed}", number)
    return views.see_other(request, CHANNELS, words)


async def _test(desk: Channels, clinic_id: int, number: int) -> str:
    tested = await desk.send_test(clinic_id, number)
    if tested.is_delivered:
        return "The test arrived."
    return f"The test did not arrive: {tested.words}."


async def _off(desk: Channels, clinic_id: int, number: int) -> str:
    await desk.disable(clinic_id, number)
    return "Turned off."


async def _on(desk: Channels, clinic_id: int, number: int) -> str:
    await desk.enable(clinic_id, number)
    return "Turned on."


async def _forget(desk: Channels, clinic_id: int, number: int) -> str:
    await desk.forget_old(clinic_id, number)
    return "The old secret counts no more."


async def _remove(desk: Channels, clinic_id: int, number: int) -> str:
    await desk.remove(clinic_id, number)
    return "Removed."


async def _send_again(desk: Channels, clinic_id: int, number: int) -> str:
    try:
        count = await desk.send_again(clinic_id, number)
    except ChannelIsOff:
        return "Turn it on first, then send again."
    return f"{messages(count)} will be sent again within a minute."


DEEDS: Mapping[str, Act] = {
    "test": _test,
    "send-again": _send_again,
    "disable": _off,
    "enable": _on,
    "forget-old": _forget,
    "remove": _remove,
}


async def calendar_page(request: Request) -> Response:
    """Show each practitioner's feed and own calendar."""
    return await _calendars(request)


async def new_feed(request: Request) -> Response:
    """Show a fresh secret address, this once; an older one stops working."""
    site, me = views.site_of(request), views.signed_in(request)
    person, token = request.path_params["practitioner"], feed_addresses.new_token()
    try:
        number = await site.database.read(calendar_accounts.practitioner_of, me.clinic, person)
    except NoSuchPractitioner:
        return views.not_found(request)
    await site.database.write(feeds.renew, number, feed_addresses.digest(token), site.now())
    await _record(request, "feed.renewed", person)
    address = site.settings.address + feed_addresses.path(token)
    return await _calendars(request, person=person, address=address)


async def end_feed(request: Request) -> Response:
    """Take a feed's address back."""
    site, me = views.site_of(request), views.signed_in(request)
    person = request.path_params["practitioner"]
    try:
        number = await site.database.read(calendar_accounts.practitioner_of, me.clinic, person)
    except NoSuchPractitioner:
        return views.not_found(request)
    await site.database.write(feeds.revoke, number, site.now())
    await _record(request, "feed.revoked", person)
    return views.see_other(request, CALENDARS, "The address works no more.")


async def disconnect(request: Request) -> Response:
    """Forget a practitioner's own calendar."""
    site, me = views.site_of(request), views.signed_in(request)
    person = request.path_params["practitioner"]
    try:
        await site.database.write(calendar_accounts.disconnect, me.clinic, person)
    except NoSuchPractitioner:
        return views.not_found(request)
    await _record(request, "calendar.disconnected", person)
    return views.see_other(request, CALENDARS, "Disconnected. What was written there stays there.")


async def _channels(request: Request, **shown: Any) -> Response:
    me = views.signed_in(request)
    blank = {"given": {}, "fault": "", "secret": "", "number": 0}
    return views.render(
        request,
        "settings_channels.html",
        problems={"address": shown["fault"]} if shown.get("fault") else None,
        undone="Not added",
        **setting_pages.frame(CHANNELS),
        channels=await _desk(request).listed(me.clinic_id),
        lacking=await _desk(request).lacking(me.clinic_id),
        headline=headlines.in_words,
        messages=messages,
        why=in_words,
        told=TOLD,
        **{**blank, **shown},
    )


async def _calendars(request: Request, at: str = "url", **shown: Any) -> Response:
    site, me = views.site_of(request), views.signed_in(request)
    document = await site.database.read(clinic_settings.read, me.clinic_id)
    accounts = await site.database.read(calendar_accounts.accounts, me.clinic_id)
    blank = {"person": "", "given": {}, "fault": "", "address": ""}
    return views.render(
        request,
        "settings_calendars.html",
        problems={f"{at}-{shown['person']}": shown["fault"]} if shown.get("fault") else None,
        undone="Not connected",
        **setting_pages.frame(CALENDARS),
        people=document["practitioners"],
        accounts={each.practitioner: each for each in accounts},
        **{**blank, **shown},
    )


def _desk(request: Request) -> Channels:
    site = views.site_of(request)
    return wiring.channels(site.database, site.now, site.settings)


async def _record(request: Request, what: str, subject_id: object) -> None:
    site, me = views.site_of(request), views.signed_in(request)
    clerk = Clerk(me.clinic_id, me.staff_id, site.now())
    subject = what.partition(".")[0]
    await site.database.write(clinic_settings.audited, clerk, what, subject, subject_id)
