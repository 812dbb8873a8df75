"""What `ringfence doctor` asks an edge or a Supabase project over HTTP, as anybody could."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

from agent.cli.doctor_database import skew_finding
from agent.cli.findings import Finding
from agent.cli.options import Target

JWKS = "/auth/v1/.well-known/jwks.json"
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
_TIMEOUT_S = 15


async def check(where: Target) -> list[Finding]:
    """Return what is found; a service that cannot be reached is one failed check."""
    try:
        async with aiohttp.ClientSession(
            headers={"apikey": where.publishable_key}, timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S)
        ) as session:
            return [finding async for finding in _checks(session, where)]
    except (aiohttp.ClientError, TimeoutError):
        return [Finding("service", "fail", f"{where.url} cannot be reached")]


async def _checks(session: aiohttp.ClientSession, where: Target) -> Any:
    if where.is_edge:
        status, body, _ = await _get(session, f"{where.url}/readyz")
        detail = f"{where.url}: {body.get('status')} {body.get('missing', '')}".strip()
        yield Finding("edge", "ok" if status == 200 else "fail", detail)
        for path in ("/rest/v1/bot", "/rest/v1/", "/auth/v1/admin/users"):
            status, _, _ = await _get(session, where.url + path)
            if status not in (404, 405):
                yield Finding("edge", "fail", f"GET {path} is answered with {status}: this is no edge of ours")
    status, body, date = await _get(session, where.url + JWKS)
    for finding in signing_keys(body if status == 200 else {}):
        yield finding
    if date is not None:
        yield skew_finding("service clock", date - time.time())
    async with session.post(f"{where.url}/rest/v1/rpc/whoami", json={}) as answer:
        refused = answer.status in (401, 403)
        yield Finding("no token, no answer", "ok" if refused else "fail", f"whoami without a token: {answer.status}")
    if not where.is_edge:
        async with session.get(f"{where.url}/rest/v1/bot", headers={"accept-profile": "app"}) as answer:
            yield Finding("tables over http", "ok" if answer.status >= 400 else "fail", f"a table of schema app without a token: {answer.status}")


async def _get(session: aiohttp.ClientSession, url: str) -> tuple[int, dict[str, Any], float | None]:
    """Return status, JSON object (empty for anything else) and the time that the server says it is."""
    async with session.get(url, allow_redirects=False) as answer:
        try:
            body = await answer.json(content_type=None)
        except ValueError:
            body = {}
        date = answer.headers.get("date")
        try:
            told = parsedate_to_datetime(date).timestamp() if date else None
        except ValueError:
            told = None
        return answer.status, body if isinstance(body, dict) else {}, told


def signing_keys(jwks: dict[str, Any]) -> Iterator[Finding]:
    """Judge a JWK set: asymmetric keys only, with an id, and public halves alone."""
    name = "signing keys"
    keys = [key for key in jwks.get("keys", []) if isinstance(key, dict)]
    algorithms = sorted({str(key.get("alg")) for key in keys})
    if not keys:
        yield Finding(name, "fail", "the JWK set is missing or empty: switch the project to asymmetric signing keys")
        return
    good = set(algorithms) <= {"ES256", "RS256"}
    yield Finding(name, "ok" if good else "fail", f"{len(keys)} published, {', '.join(algorithms)}"
                  + ("" if good else ": a symmetric key lets its reader sign; move to ES256"))
    if any(_PRIVATE & key.keys() for key in keys):
        yield Finding(name, "fail", "a private key is published: rotate the keys now, and revoke this one")
    ids = [key.get("kid") for key in keys]
    if None in ids or len(set(ids)) != len(ids):
        yield Finding(name, "fail", "a key without an id, or two of one id: the edge uses neither")
