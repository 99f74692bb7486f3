"""The optional second step: a code of six digits from an app, a new one every 30 seconds."""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp
import segno

ISSUER = "Resurface"


def new_secret() -> str:
    """Return a fresh secret of 160 bits."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step that a code is of: this one or a neighbour; None for a wrong code."""
    given = "".join(code.split())
    if len(given) != 6 or not given.isascii() or not given.isdecimal():
        return None
    codes = pyotp.TOTP(secret)
    current = int(now.timestamp()) // codes.interval
    matching = [
        step
        for step in (current - 1, current, current + 1)
        if hmac.compare_digest(codes.generate_otp(step), given)
    ]
    return matching[-1] if matching else None


def picture(secret: str, name: str, clinic: str) -> str:
    """Return a QR code for an authenticator app, as SVG to stand inside a page."""
    address = pyotp.TOTP(secret).provisioning_uri(name=f"{name}, {clinic}", issuer_name=ISSUER)
    code = segno.make(address, error="m")
    return str(code.svg_inline(scale=5, border=3, dark="#16211d", light="#ffffff", omitsize=True))
