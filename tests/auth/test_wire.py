"""The form of requests and answers: sizes, JSON, API versions, and what never leaves the process."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest

from edge_proxy.local.auth.app import create_app
from edge_proxy.local.auth.config import AuthConfig
from edge_proxy.local.auth.wire import MAX_BODY_BYTES
from tests.auth.harness import Emulator, Person

VERSION = "x-supabase-api-version"


def unreachable(emulator: Emulator) -> httpx.AsyncClient:
    """The same app before its connection pool opened: whatever needs the database fails."""
    app = create_app(emulator.config, emulator.keys)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://emulator")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_health_settings_and_keys_need_no_token(emulator: Emulator) -> None:
    assert emulator.http.get("/health").json()["name"] == "Ringfence auth emulator"
    settings = emulator.http.get("/settings").json()
    assert (settings["external"]["email"], settings["disable_signup"], settings["mailer_autoconfirm"]) == (True, False, True)


@pytest.mark.parametrize("version", ["2024-01-01", "2026-11-21"])
def test_clients_since_2024_get_the_code_under_code(emulator: Emulator, version: str) -> None:
    answer = emulator.post("/signup", json={"email": "a@acme.test", "password": "12345"}, headers={VERSION: version})
    assert answer.status_code == 422
    assert answer.headers[VERSION] == "2024-01-01"
    assert answer.json() == {
        "code": "weak_password",
        "message": "Password should be at least 6 characters.",
        "weak_password": {"reasons": ["length"]},
    }


@pytest.mark.parametrize("version", ["", "2023-12-31", "newest", "20240101"])
def test_older_clients_get_the_status_under_code(emulator: Emulator, version: str) -> None:
    answer = emulator.post("/signup", json={"email": "a@acme.test", "password": "12345"}, headers={VERSION: version})
    assert VERSION not in answer.headers
    assert answer.json() == {
        "code": 422,
        "error_code": "weak_password",
        "msg": "Password should be at least 6 characters.",
        "weak_password": {"reasons": ["length"]},
    }


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b'"text"', b'{"email": 1}', b'{"email": "a@acme.test", "password": ["long enough"]}',
        b'{"email": "a@acme.test", "password": "long enough", "data": "no object"}', b'{"data": NaN}',
        b'{"email": "\\ud800@acme.test", "password": "long enough"}', b"[" * 60_000, b"\xff",
    ],
)
def test_what_is_not_the_json_we_expect_is_refused(emulator: Emulator, content: bytes) -> None:
    answer = emulator.post("/signup", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "bad_json")


@pytest.mark.parametrize("field", ["data", "refresh_token"])
def test_a_character_postgresql_cannot_hold_is_refused(emulator: Emulator, field: str) -> None:
    body: dict[str, Any] = {"email": "nul@acme.test", "password": "long enough", "data": {"x": "\0"}, "refresh_token": "\0"}
    path = "/signup" if field == "data" else "/token?grant_type=refresh_token"
    answer = emulator.post(path, json=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_failed")
    assert emulator.rows("select from auth.users where email = 'nul@acme.test'") == []


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_read(emulator: Emulator, chunked: bool) -> None:
    def send(size: int) -> httpx.Response:
        content = json.dumps({"refresh_token": "x"}).encode().ljust(size)
        return emulator.post("/token?grant_type=refresh_token", content=iter([content]) if chunked else content)

    assert send(MAX_BODY_BYTES).json()["error_code"] == "refresh_token_not_found"
    answer = send(MAX_BODY_BYTES + 1)
    assert (answer.status_code, answer.json()["error_code"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/admin/users", 404, "not_found"),
        ("POST", "/invite", 404, "not_found"),
        ("GET", "/signup", 405, "method_not_allowed"),
        ("POST", "/token", 400, "invalid_credentials"),
        ("POST", "/token?grant_type=id_token", 400, "invalid_credentials"),
        ("GET", "/user", 401, "no_authorization"),
        ("PUT", "/user", 401, "no_authorization"),
        ("POST", "/logout", 401, "no_authorization"),
    ],
)
def test_what_is_not_offered_or_not_allowed_is_answered_in_the_same_form(
    emulator: Emulator, method: str, path: str, status: int, code: str
) -> None:
    answer = emulator.http.request(method, path)
    assert (answer.status_code, answer.json()["code"], answer.json()["error_code"]) == (status, status, code)


@pytest.mark.anyio
async def test_a_failure_inside_shows_nothing_of_the_inside(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with unreachable(emulator) as broken:
        answer = await broken.post("/token?grant_type=password", json={"email": "a@acme.test", "password": "not-for-logs"})
    assert answer.status_code == 500
    assert answer.json() == {
        "code": 500,
        "error_code": "unexpected_failure",
        "msg": "Unexpected failure, please check server logs for more information",
    }
    assert "PoolClosed" in caplog.text
    assert "Traceback" not in caplog.text and "not-for-logs" not in caplog.text


@pytest.mark.anyio
async def test_a_bad_token_is_refused_before_the_database_is_asked(emulator: Emulator, person: Person) -> None:
    good = emulator.grant("password", email=person.email, password=person.password).json()["access_token"]
    async with unreachable(emulator) as broken:
        for token, status in ((good[:-4] + "AAAA", 403), (good, 500)):
            answer = await broken.get("/user", headers={"authorization": f"Bearer {token}"})
            assert answer.status_code == status


def test_the_log_names_requests_and_no_secret(
    emulator: Emulator, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="ringfence.auth")
    tokens = emulator.grant("password", email=person.email, password=person.password).json()
    header = {"authorization": f"Bearer {tokens['access_token']}", "x-request-id": "req-42"}
    assert emulator.http.get("/user?apikey=sb_publishable_x", headers=header).status_code == 200
    refreshed = emulator.grant("refresh_token", refresh_token=tokens["refresh_token"]).json()
    assert emulator.post("/logout", headers=header | {"x-request-id": "forged\tline"}).status_code == 204
    log = "\n".join(record.getMessage() for record in caplog.records if record.name == "ringfence.auth")
    assert "GET /user 200" in log and "request_id=req-42" in log and "POST /logout 204" in log
    secrets = (person.password, person.email, tokens["access_token"], tokens["refresh_token"], refreshed["refresh_token"])
    for secret in (*secrets, "sb_publishable_x", "forged"):
        assert secret not in log


def test_the_configuration_does_not_show_its_password(config: AuthConfig) -> None:
    assert "postgresql://" not in repr(config)
