"""One's own page: where one is signed in, and the second step."""

from __future__ import annotations

import json
from datetime import timedelta
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import limits, second_step, sessions, views
from clinic.console.limits import Limits
from clinic.console.views import Visit
from storage import console_sessions, staff
from storage.sealing import SealFault

DRAFT_FOR = timedelta(minutes=15)


class Account:
    """The pages under /account."""

    def __init__(self, pace: Limits) -> None:
        self._pace = pace

    def routes(self) -> list[Route]:
        """Return their addresses."""
        return [
            Route("/account", self.page),
            Route("/account/sessions/end", self.end_one, methods=["POST"]),
            Route("/account/sign-out-everywhere", self.end_all, methods=["POST"]),
            Route("/account/second-step", self.draft, methods=["POST"]),
            Route("/account/second-step/on", self.turn_on, methods=["POST"]),
            Route("/account/second-step/off", self.turn_off, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        """Show where one is signed in."""
        site, found = views.site_of(request), _visit(request)
        open_ones = await site.database.read(
            console_sessions.of_member, found.member.id, site.now()
        )
        return views.render(
            request,
            "account.html",
            sessions=open_ones,
            this=found.session.digest,
            second_step=found.member.totp_secret is not None,
        )

    async def end_one(self, request: Request) -> Response:
        """End one of one's own sessions."""
        site, found = views.site_of(request), _visit(request)
        digest = (await views.form(request)).get("session", "")
        if not await site.database.write(console_sessions.end, found.member.id, digest, site.now()):
            return views.not_found(request)
        return views.see_other(request, "/account", "That session has ended.")

    async def end_all(self, request: Request) -> Response:
        """Sign out everywhere, here too."""
        site, found = views.site_of(request), _visit(request)
        await site.database.write(staff.end_all, found.member.id, site.now())
        answer = views.see_other(request, "/sign-in")
        sessions.forget(answer)
        return answer

    async def draft(self, request: Request) -> Response:
        """Show a new secret; it counts only once a code of it was given."""
        return self._drafted(request, second_step.new_secret(), wrong=False)

    async def turn_on(self, request: Request) -> Response:
        """Keep the secret when the code proves that an app has it."""
        site, found = views.site_of(request), _visit(request)
        given = await views.form(request)
        secret = _opened(request, given.get("draft", ""))
        if secret is None:
            return views.see_other(request, "/account", "That took too long. Please start again.")
        step = second_step.step_of(secret, given.get("code", ""), site.now())
        if step is None:
            return self._drafted(request, secret, wrong=True)
        await site.database.write(
            console_sessions.turn_on_second_step,
            found.member,
            site.seal.close(secret),
            step,
            site.now(),
        )
        return views.see_other(request, "/account", "Your second step is on.")

    async def turn_off(self, request: Request) -> Response:
        """Forget the secret when a code of it is given."""
        site, found = views.site_of(request), _visit(request)
        if found.member.totp_secret is None:
            return views.see_other(request, "/account")
        if not self._pace.allows(limits.CODES, "account", str(found.member.id)):
            return views.refused(request, HTTPStatus.TOO_MANY_REQUESTS)
        secret = site.seal.open(found.member.totp_secret)
        step = second_step.step_of(secret, (await views.form(request)).get("code", ""), site.now())
        if step is None or not await site.database.write(
            console_sessions.turn_off_second_step, found.member, step, site.now()
        ):
            return views.see_other(request, "/account", "That code is not right. Nothing changed.")
        return views.see_other(request, "/account", "Your second step is off.")

    def _drafted(self, request: Request, secret: str, *, wrong: bool) -> Response:
        site, found = views.site_of(request), _visit(request)
        until = (site.now() + DRAFT_FOR).timestamp()
        sealed = site.seal.close(json.dumps([found.member.id, until, secret]))
        return views.render(
            request,
            "second_step_draft.html",
            picture=second_step.picture(secret, found.member.name, found.me.clinic_name),
            secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            draft=sealed,
            wrong=wrong,
        )


def _opened(request: Request, sealed: str) -> str | None:
    """Return the secret of a draft that is the asker's own and not too old."""
    site, found = views.site_of(request), _visit(request)
    try:
        staff_id, until, secret = json.loads(site.seal.open(sealed))
    except (SealFault, ValueError, TypeError):
        return None
    is_own = staff_id == found.member.id and until > site.now().timestamp()
    return str(secret) if is_own else None


def _visit(request: Request) -> Visit:
    found = views.visit(request)
    if found is None:
        raise LookupError("a public page asked who is signed in")
    return found
