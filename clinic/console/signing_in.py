"""Signing in by a single-use link, the second step, and signing out.

A link's page has one button: what looks at links ahead of their reader does not press it.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from clinic.console import guard, limits, second_step, sessions, views, way_back
from clinic.console.limits import Limits
from storage import console_sessions

logger = logging.getLogger(__name__)


class SigningIn:
    """The pages that lead in and out."""

    def __init__(self, pace: Limits) -> None:
        self._pace = pace

    def routes(self) -> list[Route]:
        """Return their addresses."""
        return [
            Route("/sign-in", self.how),
            Route("/sign-in", self.enter, methods=["POST"]),
            Route("/sign-in/{link}", self.link),
            Route("/second-step", self.code),
            Route("/second-step", self.check, methods=["POST"]),
            Route("/sign-out", self.leave, methods=["POST"]),
        ]

    async def how(self, request: Request) -> Response:
        """Say how to get a link."""
        return views.render(request, "sign_in.html", link="")

    async def link(self, request: Request) -> Response:
        """Show the button. Whether the link holds is told only to who presses it."""
        link = request.path_params["link"]
        return views.render(request, "sign_in.html", link=link if sessions.is_token(link) else "")

    async def enter(self, request: Request) -> Response:
        """Use up a link, and begin a session."""
        if not self._pace.allows(limits.SIGN_INS, "sign-in", guard.caller(request)):
            logger.warning("sign-ins come too fast", extra={"action": "sign_in_slowed"})
            return views.render(request, "sign_in_refused.html", 429, too_fast=True)
        link = (await views.form(request)).get("link", "")
        site, token = views.site_of(request), sessions.new_token()
        found = views.visit(request)
        if found:  # what was signed in before this must not live on beside it
            await site.database.write(
                console_sessions.end, found.session.staff_id, found.session.digest, site.now()
            )
        member = None
        if sessions.is_token(link):
            member = await site.database.write(console_sessions.enter, link, token, site.now())
        if member is None:
            logger.warning("a sign-in was refused", extra={"action": "sign_in_refused"})
            return views.render(
                request, "sign_in_refused.html", HTTPStatus.FORBIDDEN, too_fast=False
            )
        logger.info("signed in", extra={"action": "signed_in", "staff_id": member.id})
        if member.totp_secret:
            answer: Response = RedirectResponse("/second-step", HTTPStatus.SEE_OTHER)
        else:
            answer = way_back.onward(request)
        sessions.give(answer, token)
        return answer

    async def code(self, request: Request) -> Response:
        """Ask for the code of the second step."""
        found = views.visit(request)
        if found and found.session.is_verified:
            return RedirectResponse(way_back.HOME, HTTPStatus.SEE_OTHER)
        return views.render(request, "second_step.html", wrong=False)

    async def check(self, request: Request) -> Response:
        """Check a code; a session with too many wrong ones ends."""
        found = views.visit(request)
        if found is None or found.session.is_verified or found.member.totp_secret is None:
            return RedirectResponse(way_back.HOME, HTTPStatus.SEE_OTHER)
        site = views.site_of(request)
        account = str(found.member.id)
        may_try = self._pace.allows(limits.CODES_OF_SESSION, "code", found.session.digest)
        if not may_try or not self._pace.allows(limits.CODES, "account", account):
            logger.warning("codes come too fast", extra={"action": "second_step_slowed"})
            return await self.leave(request)
        secret = site.seal.open(found.member.totp_secret)
        step = second_step.step_of(secret, (await views.form(request)).get("code", ""), site.now())
        token = sessions.new_token()
        if step is None or not await site.database.write(
            console_sessions.verify, found.session, step, token, site.now()
        ):
            logger.warning("a code was refused", extra={"action": "second_step_refused"})
            return views.render(request, "second_step.html", HTTPStatus.FORBIDDEN, wrong=True)
        answer = way_back.onward(request)
        sessions.give(answer, token)
        return answer

    async def leave(self, request: Request) -> Response:
        """Sign out: the session ends here, not only in the browser."""
        found = views.visit(request)
        site = views.site_of(request)
        if found:
            await site.database.write(
                console_sessions.end, found.session.staff_id, found.session.digest, site.now()
            )
        answer = RedirectResponse("/sign-in", HTTPStatus.SEE_OTHER)
        sessions.forget(answer)
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer
