"""`ringfence doctor`: what is wrong with this deployment, before somebody else finds out."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.errors import CliError
from agent.cli.options import DEFAULT_STATE_DIR, AsJson, StateDir, Target, target

# The first minor versions with the row-security fixes of 12 November 2026, by major version; older majors lack
# role grants without inheritance, which sql/ needs.
MINIMUM_POSTGRES = {16: 16, 17: 12, 18: 7}
FIXED_THERE = "CVE-2026-16237, CVE-2026-120154, CVE-2026-116327, CVE-2026-116311"


@dataclass(frozen=True)
class Finding:
    """One check: ok, warn (works, should be changed) or fail."""

    check: str
    status: str
    detail: str


def doctor(
    database_url: Annotated[str | None, typer.Option("--database-url", help="Also check this database's version and catalogs. Default: the local stack's.")] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Check keys in the environment, the edge, the signing keys, versions and the database's posture.

    Looks at the edge of RINGFENCE_URL, else at the Supabase project of SUPABASE_URL, else at the running local stack. Exit
    status 1 if a check fails.
    """
    findings = [*_environment(), *_programs()]
    try:
        where = target(state_dir)
        findings += asyncio.run(_service(where))
        database_url = database_url or where.database_url
    except CliError as err:
        meant = [name for name in ("RINGFENCE_URL", "SUPABASE_URL") if os.environ.get(name)]
        findings.append(Finding("service", "fail" if meant else "warn", f"not checked: {err}"))
    if database_url is not None:
        findings += _database(database_url)
    failed = [finding for finding in findings if finding.status == "fail"]
    if as_json:
        print(json.dumps({"ok": not failed, "checks": [asdict(finding) for finding in findings]}, indent=2))
    else:
        for finding in findings:
            print(f"{finding.status:<5} {finding.check}: {finding.detail}")
    if failed:
        raise typer.Exit(1)


def version_finding(number: int, text: str) -> Finding:
    """Judge a server by `server_version_num` and record the gap to the minimum."""
    major, minor = divmod(number, 10000)
    minimum = MINIMUM_POSTGRES.get(major)
    if minimum is None:
        oldest, newest = min(MINIMUM_POSTGRES), max(MINIMUM_POSTGRES)
        if major > newest:
            return Finding("postgresql", "warn", f"{text} is newer than what is known here (up to {newest})")
        return Finding("postgresql", "fail", f"{text} is no longer supported; at least {oldest}.{MINIMUM_POSTGRES[oldest]}")
    if minor < minimum:
        return Finding("postgresql", "warn", f"{text} lags behind {major}.{minimum}, which fixes {FIXED_THERE}: upgrade the server (hosted: Settings, Infrastructure)")
    return Finding("postgresql", "ok", text)


def _environment() -> Iterable[Finding]:
    from edge_proxy.config import ConfigRefused, refuse_secrets

    try:
        refuse_secrets(os.environ)
    except ConfigRefused as err:
        yield Finding("keys in the environment", "fail", str(err))
    else:
        yield Finding("keys in the environment", "ok", "no secret or service-role key")


def _programs() -> Iterable[Finding]:
    from edge_proxy.local import tools

    yield Finding("python", "ok", platform.python_version())
    for name, find in (("supabase cli", tools.supabase_cli), ("postgrest", tools.postgrest)):
        yield _program(name, find)


def _program(name: str, find: Callable[[], Path]) -> Finding:
    from edge_proxy.local import tools

    try:
        done = subprocess.run([find(), "--version"], env=tools.environment(Path("/nonexistent")), capture_output=True, text=True, timeout=20)
    except (FileNotFoundError, subprocess.TimeoutExpired) as err:
        return Finding(name, "warn", f"{err} (only the local stack and migrations need it)")
    return Finding(name, "ok" if done.returncode == 0 else "warn", (done.stdout or done.stderr).strip().splitlines()[0])


async def _service(where: Target) -> list[Finding]:
    """Check what an edge and a Supabase project have in common, and that an edge is ready."""
    from agent.cli.client import EdgeClient

    async with EdgeClient(where.url, where.publishable_key) as client:
        try:
            keys = await client.get("/auth/v1/.well-known/jwks.json")
            anonymous = await client.post("/rest/v1/rpc/whoami", {})
            ready = await client.get("/readyz") if where.is_edge else None
        except CliError as err:
            return [Finding("service", "fail", str(err))]
    findings = [
        _signing_keys(keys.body if keys.status == 200 else {}),
        Finding("no token, no answer", "ok" if anonymous.status in (401, 403) else "fail", f"whoami without a token: {anonymous.status}"),
    ]
    if ready is not None:
        detail = f"{where.url}: {ready.body.get('status')} {ready.body.get('missing', '')}".strip()
        findings.insert(0, Finding("edge", "ok" if ready.status == 200 else "fail", detail))
    return findings


def _signing_keys(jwks: dict[str, Any]) -> Finding:
    """Judge a JWK set: asymmetric keys only; a symmetric one would let its reader sign tokens."""
    algorithms = sorted({str(key.get("alg")) for key in jwks.get("keys", [])})
    if not algorithms:
        return Finding("signing keys", "fail", "the JWK set is missing or empty: switch the project to asymmetric signing keys")
    good = set(algorithms) <= {"ES256", "RS256"}
    return Finding("signing keys", "ok" if good else "fail", f"{len(jwks['keys'])} published, {', '.join(algorithms)}")


def _database(url: str) -> Iterable[Finding]:
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.read_only = True
            yield version_finding(connection.info.server_version, connection.info.parameter_status("server_version") or "unknown")
            rows = connection.execute((Path(__file__).parent / "posture.sql").read_bytes()).fetchall()
    except psycopg.Error as err:
        # The message of a failed connection may hold host and user, never the password.
        yield Finding("database", "fail", f"cannot be checked: {str(err).strip().splitlines()[0]}")
        return
    for finding, place in rows:
        yield Finding("posture", "fail", f"{finding}: {place}")
    if not rows:
        yield Finding("posture", "ok", "row security forced everywhere, functions closed and pinned, no grant to anon or service_role")
