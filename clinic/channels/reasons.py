"""Why a channel was not told, in words that staff can act on."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "address_not_taken": "the mail server does not take mail for this address",
    "address_refused": "the name leads to an address inside a network, not to a public one",
    "certificate": "the receiver's certificate is not trusted; renew it there",
    "channel_off": "the channel is off; turn it on, then send again",
    "channel_removed": "the channel was removed",
    "connection_broke": "the connection broke; it may have arrived",
    "lead_gone": "the lead was erased",
    "mail_not_set_up": "set SMTP_URL and MAIL_FROM",
    "mail_password": "the mail server does not take the user name or password in SMTP_URL",
    "mail_refused": "the mail server refused the mail",
    "name_not_found": "the receiver's name is not known; check the address",
    "no_safe_connection": "the mail server offers no safe connection; use smtps:// in SMTP_URL",
    "not_reached": "nobody answers at this address",
    "removed": "the channel was removed",
    "secret_sealed": "ENCRYPTION_KEYS_FILE lacks the key that sealed the secret",
    "staff": "turned off by staff",
    "timeout": "no answer within the time allowed; it may have arrived",
    "http_410": "the receiver says that it is gone for good (410)",
}

_HTTP = "http_"


def messages(count: int) -> str:
    """Return how many messages."""
    return f"{count} message" if count == 1 else f"{count} messages"


def in_words(code: str | None) -> str:
    """Return what to do about a code; the code itself when it is unknown."""
    if not code:
        return ""
    if code not in _WORDS and code.startswith(_HTTP):
        return f"the receiver answered {code.removeprefix(_HTTP)}"
    return _WORDS.get(code, code)
