"""Measure what exists, on a stack of its own: `make bench`. Ratios between rows mean something; absolute numbers are this machine's."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from agent.cli.embedding import configured_embedder
from edge_proxy.config import from_environment
from edge_proxy.jwks import KeyCache
from edge_proxy.tokens import Verifier
from edge_proxy.upstream import Upstream
from tests.stack.support import ringfence

CALLS = 300
Call = Callable[[], Awaitable[Any]]
QUESTION = "What does the licence allow me to do with the software?"


def main() -> None:
    unlimited = {f"RINGFENCE_RATE_{name}": "100000/1000000" for name in ("USER", "ADDRESS", "AUTH")} | {
        f"RINGFENCE_RATE_{name}": "64" for name in ("USER_IN_FLIGHT", "USER_DATABASE_CALLS")}
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        state = Path(folder)
        began = time.perf_counter()
        up = ringfence("up", "--detach", "--json", "--port", "0", "--state-dir", state, environment=unlimited, timeout_s=300)
        try:
            if up.returncode != 0:
                raise SystemExit(up.stderr)
            print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
            print(f"first start with the example data: {time.perf_counter() - began:.1f} s\n")
            asyncio.run(measure(json.loads(up.stdout)))
        finally:
            ringfence("down", "--state-dir", state)


async def measure(stack: dict[str, Any]) -> None:
    owner = next(user for user in stack["users"] if user["email"] == "owner@acme.test")
    async with aiohttp.ClientSession() as session:

        async def post(url: str, body: dict[str, Any], token: str = "") -> Any:
            headers = {"apikey": stack["publishable_key"], "content-profile": "api"}
            async with session.post(url, json=body, headers=headers | ({"authorization": f"Bearer {token}"} if token else {})) as response:
                answer = await response.json()
                if response.status != 200:
                    raise SystemExit(f"{url}: {response.status} {answer}")
                return answer

        credentials = {"email": owner["email"], "password": owner["password"]}
        token = (await post(f"{stack['url']}/auth/v1/token?grant_type=password", credentials))["access_token"]
        edge, direct = f"{stack['url']}/rest/v1/rpc", f"{stack['rest_url']}/rpc"
        print(f"{'':<44}{'median':>9}{'p95':>9}   rate at 16")
        await row("whoami, PostgREST directly", lambda: post(f"{direct}/whoami", {}, token))
        await row("whoami, through the edge", lambda: post(f"{edge}/whoami", {}, token))
        async with configured_embedder() as embedder:
            vector = (await embedder.embed([QUESTION]))[0]
            search = {"org_id": owner["orgs"][0]["id"], "query": QUESTION, "query_embedding": json.dumps(vector)}
            await row("search_documents, PostgREST directly", lambda: post(f"{direct}/search_documents", search, token))
            await row("search_documents, through the edge", lambda: post(f"{edge}/search_documents", search, token))
            await row("embedding of a question", lambda: embedder.embed([QUESTION]), calls=100)
        chat = {"model": "acme/helpdesk", "messages": [{"role": "user", "content": QUESTION}]}
        await row("an answer of the offline responder", lambda: post(f"{stack['url']}/v1/chat/completions", chat, token), calls=40)
        await verification(stack, token)


async def verification(stack: dict[str, Any], token: str) -> None:
    """Measure the token check inside one process, with and without its memory."""
    config = from_environment({
        "SUPABASE_URL": stack["url"], "SUPABASE_PUBLISHABLE_KEY": stack["publishable_key"], "RINGFENCE_JWKS_URL": stack["jwks_url"]})
    upstream = Upstream(config.limits)
    keys = KeyCache(config, upstream, time.monotonic, lambda outcome: None)
    await keys.warm()

    async def unremembered() -> None:
        await Verifier(config, keys, time.time).identify(token)

    await row("token check, first sight", unremembered)
    verifier = Verifier(config, keys, time.time)
    await row("token check, seen before", lambda: verifier.identify(token))
    await upstream.close()


async def row(name: str, call: Call, calls: int = CALLS) -> None:
    """Print median and 95th percentile of calls one after the other, and the rate of sixteen at once."""
    for _ in range(10):
        await call()
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        await call()
        times.append(time.perf_counter() - began)

    async def worker() -> None:
        for _ in range(max(1, calls // 16)):
            await call()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(16)))
    rate = 16 * max(1, calls // 16) / (time.perf_counter() - began)
    print(f"{name:<44}{_shown(statistics.median(times)):>9}{_shown(statistics.quantiles(times, n=20)[-1]):>9}{rate:>9.0f} /s")


def _shown(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds >= 0.001 else f"{seconds * 1e6:.0f} us"


if __name__ == "__main__":
    main()
