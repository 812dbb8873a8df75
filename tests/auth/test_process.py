"""The process `python -m edge_proxy.local.auth`: its settings, and that it stays on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from edge_proxy.local import processes
from edge_proxy.local.auth.config import AuthConfig, ConfigError
from edge_proxy.local.ports import free_ports
from tests.auth.harness import AuthDatabase

MODULE = [sys.executable, "-W", "error", "-m", "edge_proxy.local.auth"]


@pytest.fixture
def settings(auth_database: AuthDatabase, tmp_path: Path) -> dict[str, str]:
    return {
        "RINGFENCE_AUTH_DATABASE_URL": auth_database.url("supabase_auth_admin"),
        "RINGFENCE_AUTH_PORT": str(free_ports({"auth": 0})["auth"]),
        "RINGFENCE_ISSUER": "http://127.0.0.1:8787/auth/v1",
        "RINGFENCE_SIGNING_KEYS": str(tmp_path / "keys.json"),
    }


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd()} | dict(settings)


def test_the_process_serves_makes_its_keys_and_logs_no_query_string(settings: dict[str, str], tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{settings['RINGFENCE_AUTH_PORT']}"

    def answers() -> bool:
        try:
            return httpx.get(url + "/health").status_code == 200
        except httpx.ConnectError:
            return False

    log = tmp_path / "log"
    child = processes.start("auth", MODULE, log=log, env=environment(settings))
    try:
        child.wait_until(answers)
        answer = httpx.post(url + "/signup", json={"email": "process@acme.test", "password": "long enough"})
        assert answer.json()["user"]["email"] == "process@acme.test"
        assert httpx.get(url + "/settings?apikey=sb_publishable_x").status_code == 200
        assert (tmp_path / "keys.json").exists()
    finally:
        child.stop()
    logged = log.read_text()
    assert "POST /signup 200" in logged and "GET /settings 200" in logged
    assert "long enough" not in logged and "sb_publishable_x" not in logged


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.test", ""])
def test_any_address_but_loopback_is_refused(settings: dict[str, str], host: str) -> None:
    with pytest.raises(ConfigError, match="loopback"):
        AuthConfig.from_environment(settings | {"RINGFENCE_AUTH_HOST": host})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
def test_loopback_addresses_are_taken(settings: dict[str, str], host: str) -> None:
    assert AuthConfig.from_environment(settings | {"RINGFENCE_AUTH_HOST": host}).host == host


def test_the_process_ends_with_a_sentence_when_it_may_not_start(settings: dict[str, str]) -> None:
    done = subprocess.run(
        MODULE, env=environment(settings | {"RINGFENCE_AUTH_HOST": "0.0.0.0"}), capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert done.stderr == "auth emulator: RINGFENCE_AUTH_HOST must be a loopback address, not '0.0.0.0'\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RINGFENCE_AUTH_DATABASE_URL", ""),
        ("RINGFENCE_AUTH_PORT", ""),
        ("RINGFENCE_AUTH_PORT", "http"),
        ("RINGFENCE_AUTH_PORT", "70000"),
        ("RINGFENCE_ISSUER", ""),
        ("RINGFENCE_SIGNING_KEYS", ""),
        ("RINGFENCE_JWT_EXPIRY", "0"),
        ("RINGFENCE_JWT_EXPIRY", "-1"),
    ],
)
def test_a_missing_or_impossible_setting_is_named(settings: dict[str, str], name: str, value: str) -> None:
    assert AuthConfig.from_environment(settings).jwt_expiry_s == 3600
    with pytest.raises(ConfigError, match=name):
        AuthConfig.from_environment(settings | {name: value})
