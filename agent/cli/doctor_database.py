"""What `ringfence doctor` asks a database: version, posture, drift from the manifest, exposure, pre-request, clock."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli import doctor_credentials, manifest
from agent.cli.findings import Finding

if TYPE_CHECKING:
    import psycopg

# The first minor versions with the row-security fixes of 12 November 2026, by major version; older majors lack
# role grants without inheritance, which sql/ needs.
MINIMUM_POSTGRES = {16: 16, 17: 12, 18: 7}
FIXED_THERE = "CVE-2026-16237, CVE-2026-120154, CVE-2026-116327, CVE-2026-116311"
SHOWN_DRIFT = 20
SKEW_S = 5.0
"""PostgREST and the edge allow 30 s; this much is worth a look."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost", "")


def check(url: str) -> list[Finding]:
    """Return what is found; a database that cannot be reached is one failed check."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.read_only = True
            return list(_checks(connection))
    except psycopg.Error as err:
        # The message of a failed connection may hold host and user, never the password.
        return [Finding("database", "fail", f"cannot be checked: {str(err).strip().splitlines()[0]}")]


def _checks(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    info = connection.info
    local = info.host in _LOOPBACK or info.host.startswith("/")
    yield version_finding(info.server_version, info.parameter_status("server_version") or "unknown", local=local)
    yield from _posture(connection)
    yield from _exposure(connection)
    yield temporary_files_finding(_setting(connection, "temp_file_limit"))
    yield _clock(connection)
    yield from doctor_credentials.findings(connection)
    yield from _drift(connection)


def version_finding(number: int, text: str, *, local: bool = True) -> Finding:
    """Judge a server by `server_version_num` and record the gap to the minimum: noted on this machine, a failure where it is deployed."""
    major, minor = divmod(number, 10000)
    minimum = MINIMUM_POSTGRES.get(major)
    if minimum is None:
        oldest, newest = min(MINIMUM_POSTGRES), max(MINIMUM_POSTGRES)
        if major > newest:
            return Finding("postgresql", "warn", f"{text} is newer than what is known here (up to {newest})")
        return Finding("postgresql", "fail", f"{text} is no longer supported; at least {oldest}.{MINIMUM_POSTGRES[oldest]}")
    if minor < minimum:
        return Finding("postgresql", "warn" if local else "fail",
                       f"{text} lags behind {major}.{minimum}, which fixes {FIXED_THERE}: upgrade the server (hosted: Settings, Infrastructure)")
    return Finding("postgresql", "ok", text)


def _posture(connection: psycopg.Connection[Any]) -> Iterable[Finding]:
    rows = connection.execute((Path(__file__).parent / "posture.sql").read_bytes()).fetchall()
    for finding, place in rows:
        yield Finding("posture", "fail", f"{finding}: {place}")
    if not rows:
        yield Finding("posture", "ok", "row security forced everywhere, functions closed and pinned, no grant to anon or service_role")


def _exposure(connection: psycopg.Connection[Any]) -> Iterable[Finding]:
    """Check what PostgREST is told by the role it logs in with."""
    rows = connection.execute(
        "select k from pg_catalog.pg_db_role_setting g join pg_catalog.pg_roles r on r.oid = g.setrole,"
        " unnest(g.setconfig) k where r.rolname = 'authenticator'").fetchall()
    settings = dict(row[0].split("=", 1) for row in rows)
    schemas = [one.strip() for one in settings.get("pgrst.db_schemas", "").split(",") if one.strip()]
    good = schemas == ["api"]
    yield Finding("exposed schemas", "ok" if good else "fail", "api alone" if good else
                  f"{', '.join(schemas) or 'not set'}: run `alter role authenticator set pgrst.db_schemas = 'api'; notify pgrst, 'reload config'`")
    hook = settings.get("pgrst.db_pre_request", "")
    good = hook == "authz.pre_request"
    yield Finding("pre-request", "ok" if good else "fail", hook if good else
                  f"{hook or 'not set'}: revoked sessions and bans are not noticed; run "
                  "`alter role authenticator set pgrst.db_pre_request = 'authz.pre_request'; notify pgrst, 'reload config'`")


def _setting(connection: psycopg.Connection[Any], name: str) -> str:
    row = connection.execute("select reset_val from pg_catalog.pg_settings where name = %s", [name]).fetchone()
    assert row is not None
    return str(row[0])


def temporary_files_finding(kilobytes: str) -> Finding:
    """Judge what a session may write to disk beside the tables, -1 being everything: a job's query sorts and joins there."""
    if kilobytes == "-1":
        return Finding("temporary files", "warn", "temp_file_limit is not set")
    return Finding("temporary files", "ok", f"at most {int(kilobytes) // 1024} MB a session")


def _clock(connection: psycopg.Connection[Any]) -> Finding:
    before = time.time()
    row = connection.execute("select extract(epoch from pg_catalog.clock_timestamp())").fetchone()
    assert row is not None
    return skew_finding("database clock", float(row[0]) - (before + time.time()) / 2)


def skew_finding(name: str, seconds: float) -> Finding:
    """Judge how far another clock is from this one: tokens live by both."""
    status = "ok" if abs(seconds) <= SKEW_S else "warn" if abs(seconds) <= 30 else "fail"
    return Finding(name, status, f"{seconds:+.1f} s from this machine's" + ("" if status == "ok" else ": set both by NTP"))


def _drift(connection: psycopg.Connection[Any]) -> Iterable[Finding]:
    from edge_proxy.local.schema_check import facts_of

    try:
        expected = manifest.read()
    except FileNotFoundError:
        yield Finding("drift", "fail", f"{manifest.FILE.name} is missing: run doctor from a checkout, or `ringfence db migration`")
        return
    found = manifest.drift(expected, manifest.manifest(facts_of(connection)))
    for one in found[:SHOWN_DRIFT]:
        yield Finding("drift", "fail", one)
    if len(found) > SHOWN_DRIFT:
        yield Finding("drift", "fail", f"and {len(found) - SHOWN_DRIFT} more: apply the migrations of this version, or undo what was changed by hand")
    if not found:
        yield Finding("drift", "ok", f"{len(expected)} objects as in {manifest.FILE.name}")
