"""Every method of the Bot API that the stand-in knows, by its lower-case name."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping

from bot.playground import limits, profile, sending
from bot.playground.calls import Call
from bot.playground.refusals import Refusal, bad_request
from bot.playground.standin import StandIn
from bot.playground.webhook import Webhook

Handler = Callable[[StandIn, Call], object]

_SIMPLE: Mapping[str, Handler] = {
    "getme": profile.get_me,
    "logout": profile.say_yes,
    "close": profile.say_yes,
    "setmyname": profile.set_my_name,
    "getmyname": profile.get_my_name,
    "setmydescription": profile.set_my_description,
    "getmydescription": profile.get_my_description,
    "setmyshortdescription": profile.set_my_short_description,
    "getmyshortdescription": profile.get_my_short_description,
    "setmycommands": profile.set_my_commands,
    "getmycommands": profile.get_my_commands,
    "deletemycommands": profile.delete_my_commands,
    "setchatmenubutton": profile.set_chat_menu_button,
    "getchatmenubutton": profile.get_chat_menu_button,
    "getchat": profile.get_chat,
    "getfile": profile.get_file,
    "sendmessage": sending.send_message,
    "sendphoto": sending.send_photo,
    "senddocument": sending.send_document,
    "sendchataction": sending.send_chat_action,
    "editmessagetext": sending.edit_message_text,
    "editmessagecaption": sending.edit_message_caption,
    "editmessagereplymarkup": sending.edit_message_reply_markup,
    "editmessagemedia": sending.edit_message_media,
    "deletemessage": sending.delete_message,
    "answercallbackquery": sending.answer_callback_query,
}


class Methods:
    """Runs calls: the simple ones from a table, and those about updates, which wait."""

    def __init__(self, standin: StandIn, webhook: Webhook) -> None:
        self._standin = standin
        self._webhook = webhook
        self._waiting: Mapping[str, Callable[[Call], Awaitable[object] | object]] = {
            "getupdates": self._get_updates,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._get_webhook_info,
        }

    async def run(self, call: Call) -> object:
        """Return the method's result; raises `Refusal`, 404 for an unknown method."""
        name = call.method.lower()
        if name in _SIMPLE:
            return _SIMPLE[name](self._standin, call)
        if name not in self._waiting:
            raise Refusal(404, "Not Found: method not found")
        result = self._waiting[name](call)
        return await result if inspect.isawaitable(result) else result

    async def _get_updates(self, call: Call) -> object:
        self._allow(call)
        wait_for = min(max(float(call.text("timeout") or 0), 0), limits.POLL_FOR)
        limit = call.number("limit", limits.POLL_BATCH)
        updates = await self._standin.queue.poll(call.number("offset"), limit, wait_for)
        return [update.to_json() for update in updates]

    async def _set_webhook(self, call: Call) -> object:
        url = call.text("url")
        if not url:
            return await self._delete_webhook(call)
        secret = call.text("secret_token")
        if len(secret) > 256 or not all(c.isalnum() or c in "_-" for c in secret):
            raise bad_request("secret token contains unallowed characters")
        self._allow(call)
        self._drop_pending(call)
        self._webhook.max_connections = call.number("max_connections", 40)
        await self._webhook.start(url, secret)
        return True

    async def _delete_webhook(self, call: Call) -> object:
        self._drop_pending(call)
        await self._webhook.stop()
        return True

    def _get_webhook_info(self, _call: Call) -> object:
        return self._webhook.to_json()

    def _allow(self, call: Call) -> None:
        kinds = call.structure("allowed_updates")
        if isinstance(kinds, list):
            self._standin.queue.allowed = frozenset(str(kind) for kind in kinds)

    def _drop_pending(self, call: Call) -> None:
        if call.flag("drop_pending_updates"):
            self._standin.queue.pending.clear()
