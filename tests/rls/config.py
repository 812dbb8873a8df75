"""The file that corrects what was guessed and allows what was reviewed, each with a reason. TOML:

    [roles]
    anonymous = "anon"
    signed_in = "authenticated"

    [schemas]
    exposed = ["public", "api"]
    skip = ["legacy_*"]                       # neither probed nor judged; said aloud in the result

    [tenancy]
    tenant = "public.orgs"                    # or "none" where every user is their own tenant
    membership = "public.org_members"
    tenant_column = "org_id"
    user_column = "user_id"
    role_column = "role"
    status_column = "status"
    roles = ["owner", "admin", "member"]      # from the most to the least powerful
    active = "active"                         # the status of a member in force
    inactive = ["suspended", "removed"]
    claims = ["org_id"]                       # app_metadata keys that carry the tenant by design
    after_tenant = "select create_roles(:tenant)"   # what an application does after it has made a tenant

    [tables."public.countries"]
    kind = "shared"                           # shared, tenant, user, private, skip
    [tables."public.notes"]
    tenant_column = "workspace"

    [personas]
    functions_skip = ["public.send_mail(*)"]  # never called

    [[allow]]
    id = "definer-view"
    object = "public.directory"
    reason = "lists what is public on purpose"

    [[allow_not_covered]]
    object = "public.geo"
    reason = "needs PostGIS rows"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from tests.rls.finding import Finding, NotCovered

SECTIONS = {"roles", "schemas", "tenancy", "tables", "personas", "allow", "allow_not_covered", "statement_timeout_ms", "setup"}


class ConfigError(Exception):
    """The configuration file cannot be used."""


@dataclass(frozen=True)
class Allowance:
    """One reviewed exception. `id`, `object`, `command` and `persona` are shell patterns."""

    reason: str
    id: str = "*"
    object: str = "*"
    command: str = "*"
    persona: str = "*"

    def covers(self, found: Finding | NotCovered) -> bool:
        wanted = [(self.object, found.object), (self.command, found.command)]
        if isinstance(found, Finding):
            wanted += [(self.id, found.id), (self.persona, found.persona)]
        return all(fnmatchcase(value, pattern) for pattern, value in wanted)


@dataclass(frozen=True)
class Config:
    roles: dict[str, str] = field(default_factory=dict)
    schemas: dict[str, list[str]] = field(default_factory=dict)
    tenancy: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    personas: dict[str, Any] = field(default_factory=dict)
    allow: tuple[Allowance, ...] = ()
    allow_not_covered: tuple[Allowance, ...] = ()
    statement_timeout_ms: int = 5000
    setup: str = ""
    """SQL run first, in the same transaction: rows that cannot be guessed."""

    def skips(self, schema: str) -> bool:
        """Return whether a schema is left out on purpose."""
        return any(fnmatchcase(schema, pattern) for pattern in self.schemas.get("skip", ()))

    def table(self, label: str) -> dict[str, Any]:
        return self.tables.get(label, {})

    def never_calls(self, label: str) -> bool:
        """Return whether a function must not be called."""
        return any(fnmatchcase(label, pattern) for pattern in self.personas.get("functions_skip", ()))


def load(path: Path | None) -> Config:
    """Return what the file says, or the empty configuration. Raises: ConfigError."""
    if path is None:
        return Config()
    try:
        told = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as err:
        raise ConfigError(f"{path}: {err}") from err
    if unknown := sorted(set(told) - SECTIONS):
        raise ConfigError(f"{path}: unknown section {', '.join(unknown)}; known are {', '.join(sorted(SECTIONS))}")
    allowances = {}
    for name in ("allow", "allow_not_covered"):
        try:
            allowances[name] = tuple(Allowance(**entry) for entry in told.pop(name, ()))
        except TypeError as err:
            raise ConfigError(f"{path}: [[{name}]] takes reason, id, object, command, persona, and needs a reason: {err}") from err
        if any(not allowance.reason.strip() for allowance in allowances[name]):
            raise ConfigError(f"{path}: every entry of [[{name}]] needs a reason")
    return Config(**told, **allowances)
