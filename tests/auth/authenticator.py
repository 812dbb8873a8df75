"""An authenticator app: it knows a secret and shows codes by the emulator's clock."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyotp
from supabase_auth import SyncGoTrueClient

from tests.auth.harness import MovableClock

STEP_S = 30


@dataclass
class Authenticator:
    clock: MovableClock
    factor_id: str
    secret: str = field(repr=False)

    def code(self, steps: int = 0) -> str:
        """Return the code of now, or of `steps` later."""
        return pyotp.TOTP(self.secret).at(self.clock(), counter_offset=steps)

    def next_code(self) -> str:
        """Wait for a code that was not shown before."""
        self.clock.advance(STEP_S)
        return self.code()

    def confirm(self, client: SyncGoTrueClient) -> None:
        """Verify a fresh code in the client's session."""
        client.mfa.challenge_and_verify({"factor_id": self.factor_id, "code": self.next_code()})


def enrol(client: SyncGoTrueClient, clock: MovableClock, name: str = "phone app") -> Authenticator:
    """Enrol a factor, without verifying it."""
    answer = client.mfa.enroll({"factor_type": "totp", "friendly_name": name, "issuer": "acme.test"})
    assert answer.totp
    return Authenticator(clock, answer.id, answer.totp.secret)


def enrolled(client: SyncGoTrueClient, clock: MovableClock, name: str = "phone app") -> Authenticator:
    """Enrol a factor and verify it: the client's session is aal2 afterwards."""
    made = enrol(client, clock, name)
    made.confirm(client)
    return made


def token(client: SyncGoTrueClient) -> str:
    session = client.get_session()
    assert session
    return session.access_token
