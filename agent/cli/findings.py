"""What a check of `ringfence doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One check: ok, warn (works, should be changed) or fail."""

    check: str
    status: str
    detail: str

    @property
    def advice(self) -> str:
        """Return what to do about it; empty where there is nothing to do, or where the detail says it."""
        return "" if self.status == "ok" else ADVICE.get(self.check, "")


ADVICE = {
    "keys in the environment": "take the variable out of the environment of this machine and of the edge; rotate a key that was there",
    "edge": "`keys` missing: is the JWKS address right and reachable from the edge? `rest`: is PostgREST? `counters`: is Redis? Its log has the reason",
    "service": "is it running, is the address right, and does a firewall or proxy stand between?",
    "signing keys": "create an ES256 key in the project's JWT settings, wait 20 minutes, rotate to it, and revoke the old one when its last token has expired",
    "service clock": "set the clocks of this machine and of the service by NTP",
    "database clock": "set the clocks of this machine and of the database by NTP",
    "no token, no answer": "a call without a token must be 401: apply the migrations, which close schema api to anon, or use the address of the edge",
    "tables over http": "expose schema api alone (Settings, Data API), or `supabase config push`",
    "database": "give --database-url of the role postgres (hosted: session pooler or direct), and see that this machine may connect",
    "postgresql": "upgrade the server; --accept postgresql if you know",
    "posture": "undo what was changed by hand, or apply the migrations of this version (`supabase db push`)",
    "drift": "undo what was changed by hand, or apply the migrations of this version (`supabase db push`)",
    "temporary files": "set temp_file_limit in the server's configuration, `temp_file_limit = 1GB` for one: a query of a job may fill the disk until its time is up",
    "exposed schemas": "",
    "pre-request": "",
    "stale credentials": "replace each, then remove the old one where it was issued",
    "supabase cli": "`make setup`",
    "postgrest": "`make setup`",
}
"""By check. Empty: the detail is the statement to run."""
