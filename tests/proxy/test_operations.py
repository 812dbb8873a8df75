"""What operators see: health, metrics, and a log that tells who and what without telling anything."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys

import pytest
from prometheus_client import generate_latest

from edge_proxy.log import fingerprint
from tests.proxy.doubles import Answer, error
from tests.proxy.support import SESSION, USER, assert_error, call

pytestmark = pytest.mark.anyio

CANARY = "canary-7f3a"


async def test_healthz_answers_and_says_nothing_else(edge):
    got = await call(edge, "/healthz", method="GET", headers=[], body=b"")
    assert (got.status, got.json) == (200, {"status": "ok"})
    assert_error(await call(edge, "/healthz"), 405, "method_not_allowed")


async def test_readyz_follows_the_keys_and_the_database_door(edge, upstream, clock):
    async def ready() -> tuple[int, str | None]:
        got = await call(edge, "/readyz", method="GET", headers=[], body=b"")
        return got.status, got.json.get("missing")

    upstream.answers["/rest/v1/"] = Answer(401, b"{}")
    assert await ready() == (200, None)
    for _ in range(10):
        await ready()
    assert len(upstream.calls) == 1, "asking often does not ask upstream often"
    clock.now += 5
    edge.keys.purge()
    upstream.answers["/auth/v1/.well-known/jwks.json"] = Answer(500)
    assert await ready() == (503, "keys")


async def test_readyz_says_when_the_database_door_is_shut(make_edge):
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        edge = await make_edge(rest_url=f"http://127.0.0.1:{nobody_listens.getsockname()[1]}")
        got = await call(edge, "/readyz", method="GET", headers=[], body=b"")
    assert (got.status, got.json["missing"]) == (503, "rest")


async def test_no_token_no_content_and_no_line_break_of_a_caller_reaches_the_log_R59_R95(
    edge, upstream, agent, key, caplog
):
    caplog.set_level(logging.DEBUG)
    token = key.token(email=f"{CANARY}@acme.test")
    upstream.answers["/rest/v1/rpc/whoami"] = error(409, "23505", CANARY, details=CANARY, hint=CANARY)
    await call(edge, token=token, body=json.dumps({"q": CANARY}).encode())
    await call(edge, f"/rest/v1/rpc/{CANARY}", token=token)
    await call(edge, f"/rest/v1/rpc/whoami\r\n{CANARY}", token=token)
    await call(edge, token=token + CANARY)
    await call(edge, token=token, query=CANARY)
    await call(edge, token=key.token(header={"kid": f"x\r\n{CANARY}"}))
    await call(edge, "/v1/chat/completions", token=token, body=json.dumps({"q": CANARY}).encode())
    await call(edge, "/auth/v1/token", query="grant_type=password", body=json.dumps({"password": CANARY}).encode())
    logged = caplog.text
    assert len(caplog.records) >= 8
    for private in (CANARY, token, token.split(".")[2], USER, SESSION, "acme.test", "192.0.2.1"):
        assert private not in logged
    for record in caplog.records:
        if record.name == "edge_proxy":
            assert "\n" not in record.getMessage() and "\r" not in record.getMessage()
            json.loads(record.getMessage())


async def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "edge_proxy"]


async def test_a_served_call_is_one_line_with_who_what_and_how_long_R95(edge, key, caplog):
    caplog.set_level(logging.INFO)
    got = await call(edge, token=key.token())
    (line,) = await lines(caplog)
    assert line.pop("at") and isinstance(line.pop("ms"), float)
    assert line == {
        "event": "request", "request_id": got.header("x-request-id"), "route": "rpc", "status": 200, "outcome": "ok", "code": "",
        "sub": fingerprint(USER), "session": fingerprint(SESSION), "kid": key.kid, "rpc": "whoami",
    }  # fmt: skip


OTHERS_SPEAK = """
import logging, warnings
from edge_proxy import log
log.configure()
log.write("request", status=200)
logging.getLogger("agent.run").warning("run %s", "failed", extra={"run_id": "a-run", "code": "timeout", "args_of_it": "canary"})
logging.getLogger("asyncio").error("Task exception was never retrieved: canary", exc_info=ValueError("canary"))
logging.getLogger("a.library").info("canary")
warnings.warn("canary")
"""


def test_what_the_agent_and_libraries_log_is_json_too_and_quotes_nothing_R59_R95() -> None:
    said = subprocess.run([sys.executable, "-c", OTHERS_SPEAK], capture_output=True, text=True, check=True)
    assert said.stdout == "" and "canary" not in said.stderr
    seen = [json.loads(line) for line in said.stderr.splitlines()]
    assert all(line.pop("at") for line in seen)
    assert seen == [
        {"event": "request", "status": 200},
        {"event": "agent", "message": "run failed", "run_id": "a-run", "code": "timeout"},
        {"event": "library", "logger": "asyncio", "level": "ERROR", "raised": "ValueError"},
        {"event": "library", "logger": "py.warnings", "level": "WARNING"},
    ]


async def test_a_refusal_is_logged_with_its_reason_R95(edge, key, caplog):
    caplog.set_level(logging.INFO)
    await call(edge, token=key.token(role="service_role"))
    (line,) = await lines(caplog)
    assert (line["status"], line["code"], line["reason"]) == (401, "invalid_token", "claim_role")
    assert "sub" not in line


async def test_metrics_count_by_route_status_and_code_and_name_nobody_R59(edge, upstream, key):
    await call(edge, token=key.token())
    await call(edge, "/rest/v1/rpc/guessed_name", token=key.token())
    await call(edge)
    text = generate_latest(edge.metrics.registry).decode()
    assert 'ringfence_edge_requests_total{code="",route="rpc",status="200"} 1.0' in text
    assert 'ringfence_edge_requests_total{code="missing_token",route="rpc",status="401"} 1.0' in text
    assert 'ringfence_edge_jwks_fetches_total{outcome="ok"} 1.0' in text
    for private in (USER, fingerprint(USER), "guessed_name", key.kid):
        assert private not in text


ORIGIN = ("origin", "https://app.example")
ASKS = ("access-control-request-method", "POST")


def access_headers(got) -> dict[str, str]:
    return {name: value for name, value in got.headers if name.startswith("access-control") or name == "vary"}


async def test_no_browser_origin_is_allowed_by_default_R94(edge, upstream, key):
    got = await call(edge, method="OPTIONS", headers=[ORIGIN, ASKS], body=b"")
    assert_error(got, 405, "method_not_allowed")
    assert access_headers(got) == {}
    got = await call(edge, token=key.token(), headers=[("content-type", "application/json"), ORIGIN])
    assert got.status == 200 and access_headers(got) == {}


async def test_a_configured_origin_is_allowed_exactly_and_without_credentials_R94(make_edge, upstream, key):
    edge = await make_edge(cors_origins=frozenset({"https://app.example"}))
    got = await call(edge, method="OPTIONS", headers=[ORIGIN, ASKS], body=b"")
    assert got.status == 204 and got.header("access-control-allow-origin") == "https://app.example"
    assert "authorization" in (got.header("access-control-allow-headers") or "")
    assert upstream.calls == []
    got = await call(edge, token=key.token(), headers=[("content-type", "application/json"), ORIGIN])
    assert access_headers(got) == {
        "vary": "origin",
        "access-control-allow-origin": "https://app.example",
        "access-control-expose-headers": "x-request-id, retry-after, www-authenticate",
    }
    refused = await call(edge, headers=[ORIGIN])
    assert refused.status == 401 and refused.header("access-control-allow-origin") == "https://app.example"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "https://app.example.evil.example",
        "http://app.example",
        "null",
        "https://APP.example",
        "*",
        "",
    ],
)
async def test_any_other_origin_gets_no_permission_R94(make_edge, key, origin):
    edge = await make_edge(cors_origins=frozenset({"https://app.example"}))
    got = await call(edge, method="OPTIONS", headers=[("origin", origin), ASKS], body=b"")
    assert_error(got, 403, "origin_not_allowed")
    assert access_headers(got) == {"vary": "origin"}
    got = await call(edge, token=key.token(), headers=[("content-type", "application/json"), ("origin", origin)])
    assert access_headers(got) == {"vary": "origin"}
