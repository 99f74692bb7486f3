"""Why the stand-in says no: Telegram's error answers, and the faults of its own set-up."""

from __future__ import annotations

QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)
BLOCKED = "bot was blocked by the user"
OTHER_POLLER = (
    "terminated by other getUpdates request; make sure that only one bot instance is running"
)
WEBHOOK_ACTIVE = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
    "webhook first"
)

_PREFIX = {
    400: "Bad Request: ",
    403: "Forbidden: ",
    409: "Conflict: ",
    429: "Too Many Requests: ",
}


class Refusal(Exception):
    """An error answer of the Bot API. `retry_after` is in seconds, for 429 only."""

    def __init__(self, code: int, detail: str, retry_after: int | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after

    @property
    def description(self) -> str:
        """Return the text as Telegram words it."""
        return _PREFIX.get(self.code, "") + self.detail

    def to_json(self) -> dict[str, object]:
        """Return the body of the answer."""
        body: dict[str, object] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        return body


def bad_request(detail: str) -> Refusal:
    """Make a 400 answer."""
    return Refusal(400, detail)


def too_many(retry_after: int) -> Refusal:
    """Make a 429 answer that asks to wait `retry_after` seconds."""
    return Refusal(429, f"retry after {retry_after}", retry_after)


class PlaygroundRefused(Exception):
    """The playground cannot start as asked; the message is one sentence for the terminal."""
