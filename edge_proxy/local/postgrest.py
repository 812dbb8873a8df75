"""The real PostgREST, configured as Supabase's Data API for one schema."""

from __future__ import annotations

from pathlib import Path

from edge_proxy.local import processes, tools
from edge_proxy.local.ports import LOOPBACK
from edge_proxy.local.state import State, write_private


def configuration(*, database_url: str, port: int, admin_port: int, jwks_file: Path, pool: int = 10) -> str:
    """Return the text of the configuration file. `database_url` logs in as `authenticator`."""
    settings: dict[str, str | int | bool] = {
        "db-uri": database_url,
        "db-schemas": "api",
        "db-extra-search-path": "extensions",
        "db-anon-role": "anon",
        "db-pre-request": "authz.pre_request",
        "db-pool": pool,
        "db-pool-acquisition-timeout": 10,
        "db-channel-enabled": True,
        "db-channel": "pgrst",
        "db-max-rows": 1000,
        "jwt-secret": f"@{jwks_file}",
        "jwt-aud": "authenticated",
        "openapi-mode": "disabled",
        "server-host": LOOPBACK,
        "server-port": port,
        "admin-server-port": admin_port,
        "log-level": "warn",
    }
    return "".join(f"{name} = {_literal(value)}\n" for name, value in settings.items())


def launch(state: State, configuration_text: str) -> processes.Child:
    """Write the configuration (it holds a password: 0600) and start PostgREST. Its admin port says when it is ready."""
    configuration_file = state.root / "postgrest.conf"
    write_private(configuration_file, configuration_text)
    return processes.start(
        "postgrest", [tools.postgrest(), configuration_file], log=state.log("postgrest"), env=tools.environment(state.home)
    )


def _literal(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
