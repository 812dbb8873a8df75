"""The access matrix: what each persona gets from each table, asked in every form a statement can take, beside what was decided.

`expected` reads decisions.py and counts rows as the superuser; `observed` asks as the persona. They share no code with sql/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.db.registry import PERSONAL, ROLES, TABLES, Decision
from tests.db.registry.identity import TOKEN_PERMISSIONS
from tests.db.session import Person, Request, request
from tests.db.world import Organization, World

ORGANIZATIONS = ("acme", "globex")


@dataclass
class Persona:
    """A caller: a person with roles, or no person, or a log-in of the database."""

    person: Person | None = None
    roles: dict[str, str] = field(default_factory=dict)
    """Role by organization."""
    claims: dict[str, Any] = field(default_factory=dict)
    role: str = "authenticated"
    live: bool = True
    """Whether pre_request lets this caller through; the policies are asked all the same."""
    in_person: bool = True
    without: frozenset[str] = frozenset()
    """Permissions of the role that this session may not use."""
    scope: frozenset[str] | None = None
    """The permissions of an API token."""

    @property
    def me(self) -> str:
        return f"'{self.person.user_id}'::uuid" if self.person else "null::uuid"

    def blocked(self, decision: Decision) -> str:
        """Why every write is refused before a row is looked at, if it is."""
        if decision.in_person and not self.in_person:
            return "only in person"
        return "out of scope" if self.scope is not None and decision.write_scope and decision.write_scope not in self.scope else ""

    def can(self, permission: str, role: str) -> bool:
        return permission in ROLES[role] - self.without and (self.scope is None or permission in self.scope)


def personas(world: World) -> dict[str, Persona]:
    """Everyone the matrix asks, by name."""
    insiders = {name: Persona(p, {"acme": "member" if name == "customer" else name}) for name, p in world.acme.people.items()}
    return insiders | {
        "member of both": Persona(world.both, {"acme": "builder", "globex": "member"}),
        "member of both, narrowed to globex": Persona(world.both, {"globex": "member"}, {"org_id": str(world.globex.id)}),
        "owner with a malformed organization claim": Persona(world.acme.people["owner"], {}, {"org_id": ["acme"]}),
        "owner of the other organization": Persona(world.globex.people["owner"], {"globex": "owner"}),
        "member of the other organization": Persona(world.globex.people["customer"], {"globex": "member"}),
        "oauth client of owner": Persona(world.acme.people["owner"], {"acme": "owner"}, {"client_id": "an app"}, in_person=False,
                                         without=frozenset(PERSONAL)),
        "api token of owner": Persona(world.acme.people["owner"], {"acme": "owner"}, {"session_id": str(world.acme.people["owner"].token_session_id)},
                                      in_person=False, scope=frozenset(TOKEN_PERMISSIONS)),
        "removed member": Persona(world.removed),
        "nobody": Persona(world.nobody),
        "anonymous user": Persona(Person("anonymous"), {}, {"is_anonymous": True}, live=False, in_person=False),
        "no claims": Persona(None, live=False, in_person=False),
        "anon": Persona(None, role="anon", live=False),
    }


def bindings(organization: Organization, db: Request) -> dict[str, Any]:
    """The ids that rules and probes name with a colon, as the superuser knows them."""
    if organization.bindings is None:
        organization.bindings = _read_bindings(organization, db)
    return organization.bindings


def _read_bindings(organization: Organization, db: Request) -> dict[str, Any]:
    ids = dict(organization.ids) | {"org": organization.id}
    ids |= {role: person.user_id for role, person in organization.people.items()}
    roles = db.all("select name || '_role', id from app.role where org_id = %s", organization.id)
    return ids | dict(roles)


def fill(text: str, ids: dict[str, Any]) -> str:
    return re.sub(r"(?<!:):([a-z_]+)", lambda m: f"'{ids[m[1]]}'::uuid" if m[1] in ids else m[0], text)


def decided(rule: str, role: str, persona: Persona) -> str:
    """The rule with the permissions of a role and the person put in."""
    rule = re.sub(r"in_scope\(([a-z_.]+)\)", lambda m: str(persona.scope is None or m[1] in persona.scope).lower(), rule)
    return re.sub(r"can\(([a-z_.]+)\)", lambda m: str(persona.can(m[1], role)).lower(), rule).replace(":me", persona.me)


def rule_of(rule: str, decision: Decision, persona: Persona, world: World, db: Request, only: str | None = None) -> str:
    """The rule as a condition over rows `t`: true in no organization the persona does not belong to."""
    if decision.org is None:
        return rule.replace(":me", persona.me)
    if persona.scope is not None and decision.scope and not persona.scope & decision.scope:
        return "false"
    parts = ["false"]
    for slug, role in persona.roles.items():
        organization: Organization = getattr(world, slug)
        if only in (None, slug):
            here = decided(rule, role, persona).replace(":role", f":{role}_role")
            parts.append(f"t.{decision.org} = '{organization.id}' and ({fill(here, bindings(organization, db))})")
    return " or ".join(f"({p})" for p in parts)


def may_insert(decision: Decision, persona: Persona, organization: Organization, db: Request) -> bool:
    role = persona.roles.get(organization.slug)
    if role is None or decision.insert is None:
        return False
    if persona.scope is not None and decision.scope and not persona.scope & decision.scope:
        return False
    return bool(db.one(f"select {fill(decided(decision.insert, role, persona), bindings(organization, db))}"))


def expected(world: World, table: str, persona: Persona, db: Request) -> dict[str, Any]:
    """What was decided, in the words `observed` uses; `db` is the superuser's."""
    if persona.role == "anon":
        return dict.fromkeys(FORMS, "no usage of the schema")
    d = TABLES[table]
    def rows(rule: str | None, and_rule: str | None = None, only: str | None = None) -> int:
        both = [rule_of(r, d, persona, world, db, only) for r in (rule, and_rule) if r]
        return int(db.one(f"select count(*) from app.{table} t where " + " and ".join(f"({b})" for b in both)))

    read = {tuple(r) for r in db.all(f"select t::text from app.{table} t where {rule_of(d.read, d, persona, world, db)}")}
    result: dict[str, Any] = {"select": read, "select the other's": rows(d.read, only="globex") if d.org else len(read)}
    for slug in ORGANIZATIONS:
        outcome: Any = "not granted"
        if d.insert is not None:
            organization = getattr(world, slug)
            outcome = "refused by policy"
            if blocked := persona.blocked(d):
                outcome = blocked
            elif may_insert(d, persona, organization, db):
                customer = organization.people["customer"]
                outcome = "no such parent of yours" if d.own_parent and persona.person != customer else 1
        result |= {f"{form} into {slug}": outcome for form in INSERTING}
        # Either half refused, and both are.
        result |= {f"{form} into {slug}": "not granted" if d.update is None else outcome for form in UPSERTING}
    for command, rule in (("update", d.update), ("delete", d.delete)):
        if rule is None:
            result |= dict.fromkeys((command, f"{command} where", f"{command} returning", f"merge {command}"), "not granted")
            continue
        if blocked := persona.blocked(d):
            result |= dict.fromkeys((command, f"{command} where", f"{command} returning", f"merge {command}"), blocked)
            continue
        blind, where, seen = rows(rule), rows(rule, d.read, "acme"), rows(rule, d.read)
        merge: Any = seen if seen == len(read) else "refused by policy"
        result |= {command: blind, f"{command} where": where, f"{command} returning": seen, f"merge {command}": merge}
        for slug, role in persona.roles.items():
            if stopped := d.every_row.get(role) or d.every_row.get(f"{role} {command}"):
                result |= {k: stopped for k in (command, f"{command} returning")}
                result |= {f"merge {command}": stopped} if merge != "refused by policy" else {}
                result |= {f"{command} where": stopped} if slug == "acme" else {}
    return result | dict.fromkeys(MOVING, "not granted")


INSERTING = ("insert", "insert returning", "insert on conflict", "merge insert")
UPSERTING = ("upsert", "merge upsert")
MOVING = ("move", "merge move", "upsert move")
FORMS = ("select", "select the other's", *(f"{form} into {slug}" for slug in ORGANIZATIONS for form in (*INSERTING, *UPSERTING)),
         *(f for c in ("update", "delete") for f in (c, f"{c} where", f"{c} returning", f"merge {c}")), *MOVING)


def statements(world: World, table: str, persona: Persona, db: Request) -> dict[str, str]:
    """The statement of every form, tried by this persona; `db` is the superuser's."""
    d = TABLES[table]
    t = f"app.{table}"
    acme, globex = bindings(world.acme, db), bindings(world.globex, db)
    acme_only = f"{t}.{d.org} = '{world.acme.id}'" if d.org else "true"
    own = acme if "acme" in persona.roles or not persona.roles else globex
    made = {"select": f"select {table}::text from {t}",
            "select the other's": f"select {table}::text from {t} where " + (f"{d.org} = '{world.globex.id}'" if d.org else "true")}
    change, key = fill(d.change, own) or f"{d.org or 'name'} = null", _key(table, db)
    column = d.org or "name"
    moved = f"{column} = " + ("'x'" if d.org is None else f"'{world.globex.id}'")
    for slug, ids in (("acme", acme), ("globex", globex)):
        # Those who do not belong try to let themselves in.
        joins = persona.person if persona.person and slug not in persona.roles else world.nobody
        ids = ids | {"newcomer": joins.user_id}
        columns, values = ", ".join(d.new) or (d.org or "name"), fill(", ".join(d.new.values()) or "null", ids)
        plain = f"insert into {t} ({columns}) values ({values})"
        made |= {f"insert into {slug}": plain, f"insert returning into {slug}": f"{plain} returning *",
                 f"insert on conflict into {slug}": f"{plain} on conflict do nothing",
                 f"merge insert into {slug}": f"merge into {t} t using (select 1) s on false when not matched then insert ({columns}) values ({values})",
                 f"upsert into {slug}": f"{plain} on conflict ({key}) do update set {change}",
                 f"merge upsert into {slug}": f"merge into {t} t using (select 1) s on false when matched then update set {change}"
                                              f" when not matched then insert ({columns}) values ({values})"}
        if slug == "acme":
            made["upsert move"] = f"{plain} on conflict ({key}) do update set {moved}"
    return made | {
        "update": f"update {t} set {change}", "update where": f"update {t} set {change} where {acme_only}",
        "update returning": f"update {t} set {change} returning *",
        "merge update": f"merge into {t} t using (select 1) s on t.{column} is not null when matched then update set {change}",
        "delete": f"delete from {t}", "delete where": f"delete from {t} where {acme_only}", "delete returning": f"delete from {t} returning *",
        "merge delete": f"merge into {t} t using (select 1) s on t.{column} is not null when matched then delete",
        "move": f"update {t} set {moved}", "merge move": f"merge into {t} t using (select 1) s on t.{column} is not null when matched then update set {moved}",
    }


def _key(table: str, db: Request) -> str:
    """The columns of the primary key."""
    return str(db.one("select string_agg(quote_ident(a.attname), ', ') from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)"
                      " where i.indisprimary and i.indrelid = %s::regclass", f"app.{table}"))


DENIALS = (
    ("permission denied for schema", "no usage of the schema"), ("permission denied for table", "not granted"),
    ("row-level security policy", "refused by policy"), ("you can give or take only roles", "beyond own role"),
    ("changing roles needs", "refused by policy"), ("giving and taking roles needs", "refused by policy"), ("built-in roles stay", "built-in role"),
    ("keeps at least one owner", "last owner"), ("violates foreign key constraint", "no such parent of yours"),
    ("no such session that you opened", "no such parent of yours"), ("you may not make API tokens", "refused by policy"),
    ("an app acting for you cannot do this", "only in person"), ("this API token was not made for", "out of scope"),
)
STATES = {"no usage of the schema": "42501", "not granted": "42501", "refused by policy": "42501", "beyond own role": "42501", "built-in role": "42501",
          "last owner": "PT409", "only in person": "42501", "out of scope": "42501"}


def outcome(db: Request, statement: str, reread: str | None = None) -> Any:
    """Execute in a savepoint that is undone: the number of rows touched, or how it was denied. A write must show in the re-read."""
    try:
        with db.connection.transaction(force_rollback=True):
            before = db.one(reread) if reread else 0
            count = db.run(statement)
            if reread:
                assert db.one(reread) - before == count, f"{count} rows reported, {reread} saw otherwise: {statement}"
            return count
    except psycopg.Error as error:
        message = str(error)
        kind = next((kind for text, kind in DENIALS if text in message), f"{error.sqlstate} {message}")
        assert STATES.get(kind, error.sqlstate) == error.sqlstate
        return kind


def observed(db: Request, forms: dict[str, str]) -> dict[str, Any]:
    """What the caller of this session gets from each form."""
    result: dict[str, Any] = {}
    for form, statement in forms.items():
        if form.startswith("select"):
            try:
                with db.connection.transaction():
                    rows = {tuple(r) for r in db.all(statement)}
                result[form] = rows if form == "select" else len(rows)
            except psycopg.errors.InsufficientPrivilege as error:
                result[form] = next(kind for text, kind in DENIALS if text in str(error))
        else:
            result[form] = outcome(db, statement)
    return result


@contextmanager
def calling(world: World, persona: Persona, connection: psycopg.Connection | None = None) -> Iterator[Request]:
    """A request of the persona; one connection may serve many, as in a pool."""
    claims = persona.person.claims(**persona.claims) if persona.person else None
    with request(world.authenticator_url, claims, role=persona.role, pre_request=persona.live, connection=connection) as db:
        yield db


@contextmanager
def planted(world: World, *changes: str) -> Iterator[Request]:
    """A session of the superuser in which `changes` were made; become somebody with `become`. All is rolled back."""
    with world.operator() as db:
        for change in changes:
            db.run(change)
        yield db


def become(db: Request, person: Person | None, role: str = "authenticated", **claims: Any) -> None:
    """Turn a superuser's session into a request of a person, up to `session_user`."""
    text = json.dumps(person.claims(**claims)) if person else ""
    db.run("select set_config('role', %s, true), set_config('request.jwt.claims', %s, true)", role, text)


