"""A mail server on this machine that keeps what it takes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

SENDER = "desk@resurface.example"


@dataclass
class Mailbox:
    """What came in, and how the server answers."""

    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    recipient: str = "250 OK"
    data: str = "250 OK"

    async def handle_RCPT(
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        """Take or refuse a recipient."""
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:
        """Take or refuse a mail."""
        if self.data.startswith("250") and isinstance(envelope.content, bytes):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.data


@asynccontextmanager
async def mailbox(tls: ssl.SSLContext | None = None, password: str = "") -> AsyncIterator[Mailbox]:
    """Run a mail server on a free port: plain, or with STARTTLS and a password."""
    box = Mailbox()

    def known(_server: Any, _session: Any, _envelope: Any, _kind: str, data: Any) -> AuthResult:
        is_right = isinstance(data, LoginPassword) and data.password == password.encode()
        return AuthResult(success=is_right, handled=False)

    def talk() -> SMTP:
        return SMTP(
            box,
            hostname="127.0.0.1",
            tls_context=tls,
            require_starttls=tls is not None,
            authenticator=known if password else None,
            auth_required=bool(password),
        )

    server = await asyncio.get_running_loop().create_server(talk, "127.0.0.1", 0)
    login = f"desk:{password}@" if password else ""
    box.url = f"smtp://{login}127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield box
    finally:
        server.close()
