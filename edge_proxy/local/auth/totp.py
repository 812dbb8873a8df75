"""Time-based one-time passwords (RFC 6238, by pyotp) and the picture an authenticator app scans (by segno)."""

from __future__ import annotations

import io
import re
from datetime import datetime

import pyotp
import segno
from pyotp.exceptions import OTPVerificationError

SKEW_STEPS = 1  # of 30 seconds, to either side, as in Supabase Auth
_CODE = re.compile(r"[0-9]{6}")


def new_secret() -> str:
    """Return 160 random bits in base32."""
    return pyotp.random_base32()


def uri(secret: str, account: str, issuer: str) -> str:
    """Return the otpauth:// address of a secret."""
    return pyotp.TOTP(secret, name=account, issuer=issuer).provisioning_uri()


def picture(address: str) -> str:
    """Return a QR code as the text of an SVG file; the clients put `data:image/svg+xml;utf-8,` before it."""
    file = io.BytesIO()
    segno.make_qr(address, error="h").save(file, kind="svg", scale=3, nl=False)
    # In a data URL the character # would end the picture.
    return file.getvalue().decode().replace('"#000"', '"black"')


def accepted_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step a code belongs to if that is the present one or next to it, else None."""
    if not _CODE.fullmatch(code):
        return None
    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=now, valid_window=SKEW_STEPS)
    except OTPVerificationError:
        return None
