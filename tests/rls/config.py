"""The file that corrects what was guessed and allows what was reviewed, each with a reason. TOML:

    [roles]
    anonymous = "anon"
    signed_in = "authenticated"

    [schemas]
    exposed = ["public", "api"]
    skip = ["legacy_*"]                       # left out; stays in the result as allowed

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
    kind = "shared"                           # belongs to nobody on purpose; "skip" leaves it out
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
FIELDS: dict[str, dict[str, type]] = {
    "roles": dict.fromkeys(("anonymous", "signed_in"), str),
    "schemas": dict.fromkeys(("exposed", "skip"), list),
    "tenancy": {**dict.fromkeys(("tenant", "membership", "tenant_column", "user_column", "role_column", "status_column", "active", "after_tenant"), str),
                **dict.fromkeys(("roles", "inactive", "claims"), list)},
    "personas": {"functions_skip": list},
}
TABLE: dict[str, type] = {"kind": str, "tenant_column": str}
KINDS = ("shared", "skip")
SKIPPED = "left out by the configuration"


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

    def leaves_out(self, object_: str) -> bool:
        """Return whether what a finding is about is left out on purpose: a table told to skip, or anything in a schema told to."""
        name = object_.removeprefix("schema ")
        return self.table(name).get("kind") == "skip" or self.skips(name.partition(".")[0])

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
    try:
        _checked(told)
    except ConfigError as err:
        raise ConfigError(f"{path}: {err}") from err
    allowances = {}
    for name in ("allow", "allow_not_covered"):
        try:
            allowances[name] = tuple(Allowance(**entry) for entry in told.pop(name, ()))
        except TypeError as err:
            raise ConfigError(f"{path}: [[{name}]] takes reason, id, object, command, persona, and needs a reason: {err}") from err
        if any(not allowance.reason.strip() for allowance in allowances[name]):
            raise ConfigError(f"{path}: every entry of [[{name}]] needs a reason")
    return Config(**told, **allowances)


def _checked(told: dict[str, Any]) -> None:
    """A word that nobody reads would be a correction that corrects nothing. Raises: ConfigError."""
    _known("section", told, dict.fromkeys(SECTIONS, object))
    for section, fields in FIELDS.items():
        _known(f"[{section}]", told.get(section, {}), fields)
    if not isinstance(told.get("tables", {}), dict):
        raise ConfigError("[tables] holds one section for each table")
    for label, entry in told.get("tables", {}).items():
        _known(f'[tables."{label}"]', entry, TABLE)
        if entry.get("kind", KINDS[0]) not in KINDS:
            raise ConfigError(f'[tables."{label}"]: kind is one of {", ".join(KINDS)}, not {entry["kind"]!r}')
    if type(told.get("statement_timeout_ms", 1)) is not int or told.get("statement_timeout_ms", 1) < 1:
        raise ConfigError("statement_timeout_ms is a whole number of milliseconds, at least 1")
    if not isinstance(told.get("setup", ""), str):
        raise ConfigError("setup is a text of SQL")


def _known(where: str, entry: Any, fields: dict[str, type]) -> None:
    names = {str: "a text", list: "a list of texts"}
    if not isinstance(entry, dict):
        raise ConfigError(f"{where} is a section of fields: {', '.join(sorted(fields))}")
    if unknown := sorted(set(entry) - set(fields)):
        raise ConfigError(f"unknown {where if where == 'section' else f'field of {where}:'} {', '.join(unknown)}; known are {', '.join(sorted(fields))}")
    for name, value in entry.items():
        if not isinstance(value, fields[name]) or isinstance(value, list) and fields[name] is list and not all(isinstance(one, str) for one in value):
            raise ConfigError(f"{where}: {name} is {names[fields[name]]}, not {value!r}")
