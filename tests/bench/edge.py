"""A whole stack with the example data: how long calls through its doors take, and how much memory the edge with the agent needs."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from agent.cli.embedding import configured_embedder
from edge_proxy.config import from_environment
from edge_proxy.jwks import KeyCache
from edge_proxy.tokens import Verifier
from edge_proxy.upstream import Upstream
from tests.bench.report import Report

Call = Callable[[], Awaitable[Any]]
QUESTION = "What does the licence allow me to do with the software?"


async def measure(report: Report, stack: dict[str, Any], calls: int) -> None:
    """Add the latency of each door and the memory of the processes before and after."""
    owner = next(user for user in stack["users"] if user["email"] == "owner@acme.test")
    before = memory(stack)
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
        await row(report, "whoami, PostgREST directly", lambda: post(f"{direct}/whoami", {}, token), calls)
        await row(report, "whoami, through the edge", lambda: post(f"{edge}/whoami", {}, token), calls)
        async with configured_embedder() as embedder:
            vector = (await embedder.embed([QUESTION]))[0]
            search = {"org_id": owner["orgs"][0]["id"], "query": QUESTION, "query_embedding": json.dumps(vector)}
            await row(report, "search_documents, PostgREST directly", lambda: post(f"{direct}/search_documents", search, token), calls)
            await row(report, "search_documents, through the edge", lambda: post(f"{edge}/search_documents", search, token), calls)
            await row(report, "embedding of a question", lambda: embedder.embed([QUESTION]), calls // 3)
        chat = {"model": "acme/helpdesk", "messages": [{"role": "user", "content": QUESTION}]}
        await row(report, "an answer of the offline responder", lambda: post(f"{stack['url']}/v1/chat/completions", chat, token), calls // 8)
        await verification(report, stack, token, calls)
    for name, megabytes in memory(stack).items():
        report.add(f"memory of {name}, after all that", megabytes, "MB", note=f"{before[name]:.0f} MB at the start")


def memory(stack: dict[str, Any]) -> dict[str, float]:
    """Return the resident megabytes of our own processes, by name."""
    processes = json.loads(Path(stack["state_dir"], "stack.json").read_text())["processes"]
    names = {"edge": "the edge proxy with the agent", "auth": "the auth emulator", "postgrest": "PostgREST"}
    return {names[p["name"]]: psutil.Process(p["pid"]).memory_info().rss / 1e6 for p in processes if p["name"] in names}


async def verification(report: Report, stack: dict[str, Any], token: str, calls: int) -> None:
    """Measure the token check inside one process, with and without its memory."""
    config = from_environment({
        "SUPABASE_URL": stack["url"], "SUPABASE_PUBLISHABLE_KEY": stack["publishable_key"], "RINGFENCE_JWKS_URL": stack["jwks_url"]})
    upstream = Upstream(config)
    keys = KeyCache(config, upstream, time.monotonic, lambda outcome: None)
    await keys.warm()

    async def unremembered() -> None:
        await Verifier(config, keys, time.time).identify(token)

    await row(report, "token check, first sight", unremembered, calls)
    verifier = Verifier(config, keys, time.time)
    await row(report, "token check, seen before", lambda: verifier.identify(token), calls)
    await upstream.close()


async def row(report: Report, name: str, call: Call, calls: int) -> None:
    """Add the median of calls one after the other; beside it their 95th percentile and the rate of sixteen at once."""
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
    tail = statistics.quantiles(times, n=20)[-1]
    report.add(name, statistics.median(times), "s", note=f"p95 {tail * 1000:.2f} ms, {rate:.0f} /s at 16 clients")
