"""What the edge costs: the same RPC of about 1 kB through PostgREST alone, nginx, the edge and LiteLLM's pass-through, in turns.

`python -m tests.bench.edge_speed` measures this alone, on a stack of its own. nginx and LiteLLM are measured where they are
installed (`nginx`, and `litellm` or LITELLM_BIN): neither is a part of Ringfence.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil
from aiohttp import web

from edge_proxy.local import processes
from edge_proxy.local.ports import LOOPBACK, answers, free_ports
from tests.agent.scripted_model import Body, chunk
from tests.bench.load import Clients, Target
from tests.bench.report import Report, median
from tests.e2e import scripted
from tests.e2e.conftest import SignedIn, sign_in

ADDED_S, SHARE_OF_NGINX, FIRST_BYTE_S, GROWTH_MB = 0.001, 0.5, 0.005, 10.0
CONNECTIONS = (16, 64)
LITELLM_KEY = "sk-bench"
RPCS = ("list_permissions", "list_members", "list_knowledge_bases", "list_organization_bots", "list_roles")
"""Each takes an organization; the one whose answer is nearest to 1 kB is measured."""
SIZE = 1024


async def measure(report: Report, stack: dict[str, Any], rounds: int, requests: int) -> None:
    """Add latency, throughput, memory and time to the first streamed byte. `requests`: of the memory row."""
    person = await asyncio.to_thread(sign_in, stack, "owner@acme.test")
    with ExitStack() as running:
        rpc = await _of_one_kilobyte(person)
        targets = [_target("PostgREST", f"{stack['rest_url']}/rpc/{rpc}", person, stack), _target("the edge", f"{stack['url']}/rest/v1/rpc/{rpc}", person, stack)]
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="ringfence-speed-")))
        upstream = f"{stack['rest_url']}/rpc/{rpc}"
        for name, url in (("nginx", running.enter_context(nginx(folder, upstream))),
                          ("LiteLLM pass-through", running.enter_context(litellm(folder, upstream, person.token)))):
            if url is not None:
                targets.append(_target(name, url, person, stack))
        await _against_each_other(report, targets, rounds)
        async with Clients(_target("PostgREST", f"{stack['rest_url']}/rpc/list_bots", person, stack, {}), 1) as watching:
            await watching.latencies(20)
            report.add("what an open answer costs, every 0.4 s (list_bots)", median(await watching.latencies(rounds * 10)), "s")
        static = running.enter_context(nginx(folder / "static", None, person.orgs["acme"]))
        if static is not None:
            await _memory(report, stack, static, person, rpc, requests)
        await _first_byte(report, stack, person, rounds, folder)


async def _of_one_kilobyte(person: SignedIn) -> str:
    sizes = {}
    for name in RPCS:
        answer = await asyncio.to_thread(person.rpc, name, org_id=person.orgs["acme"])
        if answer.status == 200:
            sizes[name] = abs(len(answer.body) - SIZE)
    return min(sizes, key=lambda name: sizes[name])


def _target(name: str, url: str, person: SignedIn, stack: dict[str, Any], arguments: dict[str, str] | None = None) -> Target:
    # LiteLLM wants its own key there, and sends the person's token because its configuration says so.
    credential = {"authorization": f"Bearer {LITELLM_KEY if name.startswith('LiteLLM') else person.token}"}
    body = json.dumps({"org_id": person.orgs["acme"]} if arguments is None else arguments).encode()
    return Target(name, url, {"content-type": "application/json", "content-profile": "api", "apikey": stack["publishable_key"], **credential}, body)


async def _against_each_other(report: Report, targets: list[Target], rounds: int) -> None:
    async with _all(targets, 1) as clients:
        await asyncio.gather(*(one.latencies(30) for one in clients))
        size = await clients[0].open[0].ask(clients[0].target.wire)
        times: dict[str, list[float]] = {one.target.name: [] for one in clients}
        for _ in range(rounds):
            # In turns: what else the machine does meets all of them.
            for one in clients:
                times[one.target.name] += await one.latencies(20)
    direct = median(times["PostgREST"])
    for name, values in times.items():
        report.add(f"{name}: one client, {size} bytes", median(values), "s", note=f"p95 {statistics.quantiles(values, n=20)[-1] * 1000:.2f} ms")
    report.add("the edge adds, median at one client", median(times["the edge"]) - direct, "s", at_most=ADDED_S)
    for connections in CONNECTIONS:
        rates: dict[str, list[float]] = {target.name: [] for target in targets}
        async with _all(targets, connections) as clients:
            for turn in range(max(3, rounds // 4)):
                for one in clients:
                    rate = await one.rate(connections * 12)
                    if turn:
                        rates[one.target.name].append(rate)
        for name, each in rates.items():
            report.add(f"{name}: {connections} clients", median(each), "/s")
        if "nginx" in rates:
            share = median(rates["the edge"]) / median(rates["nginx"])
            report.add(f"the edge's share of nginx at {connections} clients", share, "", at_least=SHARE_OF_NGINX)


class _all:
    """Clients for all targets at once."""

    def __init__(self, targets: list[Target], connections: int) -> None:
        self._clients = [Clients(target, connections) for target in targets]

    async def __aenter__(self) -> list[Clients]:
        return [await one.__aenter__() for one in self._clients]

    async def __aexit__(self, *_: object) -> None:
        for one in self._clients:
            await one.__aexit__()


async def _memory(report: Report, stack: dict[str, Any], static: str, person: SignedIn, rpc: str, requests: int) -> None:
    """Send many requests through an edge before an upstream that costs nothing: what it can do, and what it keeps."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        limits = {f"RINGFENCE_RATE_{name}": "1000000/10000000" for name in ("USER", "ADDRESS", "ORG")} | {"RINGFENCE_RATE_USER_DATABASE_CALLS": "64",
                  "RINGFENCE_RATE_USER_BYTES": "1000000000/1000000000", "RINGFENCE_RATE_ORG_BYTES": "1000000000/1000000000"}
        url, child = running.enter_context(scripted.edge(stack, "http://127.0.0.1:9/v1", folder / "edge.log", RINGFENCE_REST_URL=static, **limits))
        process = psutil.Process(child.record.pid)
        target = _target("the edge", f"{url}/rest/v1/rpc/{rpc}", person, stack)
        async with Clients(target, 16) as clients, Clients(_target("nginx", f"{static}/rpc/{rpc}", person, stack), 16) as bare:
            await clients.rate(requests // 10)
            before, began = process.memory_info().rss, process.cpu_times()
            rate = await clients.rate(requests)
            used = process.cpu_times()
            cpu = (used.user + used.system - began.user - began.system) / requests
            report.add("the edge before an upstream that costs nothing, 16 clients", rate, "/s", note=f"{cpu * 1e6:.0f} us of its time a request")
            report.add("nginx itself, the same answer, 16 clients", await bare.rate(requests), "/s")
            report.add(f"memory after {requests:,} requests more", (process.memory_info().rss - before) / 1e6, "MB", at_most=GROWTH_MB,
                       note=f"{before / 1e6:.0f} MB before")


async def _first_byte(report: Report, stack: dict[str, Any], person: SignedIn, rounds: int, folder: Path) -> None:
    """Measure from the provider's first content byte to the client's."""
    sent: list[float] = []

    async def turn(request: web.Request, body: Body) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.sleep(0.02)
        sent.append(time.perf_counter())
        for part in (chunk({"role": "assistant", "content": "Certainly."}), chunk({}, "stop")):
            await response.write(f"data: {json.dumps(part)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    model, delays = scripted.Model(), []
    model.by_question["ready?"] = turn
    with scripted.serving(model) as model_url, scripted.edge(stack, model_url, folder / "speed.log", RINGFENCE_RATE_CHAT="1000/10000") as (url, _):
        asked = {"model": "acme/helpdesk", "messages": [{"role": "user", "content": "ready?"}], "stream": True}
        async with aiohttp.ClientSession(headers={"authorization": f"Bearer {person.token}"}) as session:
            for number in range(rounds + 3):
                async with session.post(f"{url}/v1/chat/completions", json=asked) as response:
                    async for line in response.content:
                        if b"Certainly." in line:
                            if number >= 3:
                                delays.append(time.perf_counter() - sent[-1])
                            break
                    await response.read()
    report.add("first streamed byte after the provider's, median", median(delays), "s", at_most=FIRST_BYTE_S,
               note=f"p95 {statistics.quantiles(delays, n=20)[-1] * 1000:.2f} ms")


@contextmanager
def nginx(folder: Path, upstream: str | None, org: str = "") -> Iterator[str | None]:
    """Run nginx with one worker before `upstream`, or answering 1 kB itself to the members of `org`; yields its base URL, None where it is not installed."""
    program = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if program is None:
        print("  SKIPPED nginx: it is not installed here, so the edge is not compared with it")
        yield None
        return
    folder.mkdir(exist_ok=True)
    port = free_ports({"nginx": 0})["nginx"]
    there = f"proxy_pass {upstream}; proxy_http_version 1.1; proxy_set_header connection ''; proxy_set_header host $host;"
    if upstream is not None:
        # The pool of connections that nginx keeps needs an upstream of its own.
        parts = urlsplit(upstream)
        there = there.replace(f"http://{parts.netloc}", "http://postgrest")
        where = "= /rpc/it"
        pool = f"upstream postgrest {{ server {parts.netloc}; keepalive 64; }}"
    else:
        # The same for every function: the catalog that the edge reads names the one that is measured.
        answer = json.dumps([*({"name": name} for name in RPCS), {"name": "x" * 850}])
        where = "/rpc/"
        there, pool = f"default_type application/json; return 200 '{answer}';", ""
    whoami = json.dumps({"organizations": [{"id": org, "slug": "acme"}]})
    config = folder / "nginx.conf"
    config.write_text(f"""worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d;
scgi_temp_path {folder}/e; keepalive_requests 1000000; {pool}
server {{ listen {LOOPBACK}:{port}; location = /rpc/whoami {{ default_type application/json; return 200 '{whoami}'; }} location {where} {{ {there} }} location / {{ default_type application/json; return 200 '[]'; }} }} }}""")
    child = processes.start("nginx", [program, "-c", config, "-p", folder], log=folder / "nginx.log", env={**os.environ})
    try:
        child.wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/"))
        yield f"http://{LOOPBACK}:{port}" + ("/rpc/it" if upstream is not None else "")
    finally:
        child.stop()


@contextmanager
def litellm(folder: Path, upstream: str, token: str) -> Iterator[str | None]:
    """Run LiteLLM's proxy with one pass-through route to the RPC; yields its base URL, None where it is not installed."""
    program = os.environ.get("LITELLM_BIN") or shutil.which("litellm")
    if program is None:
        print("  SKIPPED LiteLLM: it is not installed here, so the edge is not compared with it")
        yield None
        return
    port = free_ports({"litellm": 0})["litellm"]
    config = folder / "litellm.json"
    config.write_text(json.dumps({"model_list": [], "general_settings": {"master_key": LITELLM_KEY, "pass_through_endpoints": [
        {"path": "/it", "target": upstream, "headers": {
            "authorization": f"Bearer {token}", "content-profile": "api", "content-type": "application/json"}}]}}))
    child = processes.start("litellm", [program, "--config", config, "--port", str(port), "--host", LOOPBACK, "--num_workers", "1"],
                            log=folder / "litellm.log", env={**os.environ, "LITELLM_LOG": "ERROR", "DISABLE_ADMIN_UI": "true"})
    try:
        try:
            child.wait_until(lambda: answers(f"http://{LOOPBACK}:{port}/health/liveliness"), timeout_s=90)
        except processes.PartFailed as err:
            print(f"  SKIPPED LiteLLM: it does not start here: {str(err).splitlines()[0]}")
            yield None
            return
        yield f"http://{LOOPBACK}:{port}/it"
    finally:
        child.stop()


def main() -> int:
    from tests.bench.__main__ import UNLIMITED
    from tests.stack.support import ringfence

    report = Report()
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        up = ringfence("up", "--detach", "--json", "--port", "0", "--state-dir", Path(folder), environment=UNLIMITED, timeout_s=300)
        try:
            if up.returncode != 0:
                raise SystemExit(up.stderr)
            report.begin(f"what the edge costs (load {os.getloadavg()[0]:.1f})")
            quick = os.environ.get("SIZE") == "small"
            asyncio.run(measure(report, json.loads(up.stdout), 12 if quick else 40, 20_000 if quick else 100_000))
        finally:
            ringfence("down", "--state-dir", Path(folder))
    subprocess.run(["uptime"], check=False)
    return report.conclude(strict=os.environ.get("STRICT") == "1")


if __name__ == "__main__":
    sys.exit(main())
