"""Every policy put to the test alone: grants, floors and triggers out of the way, one condition at a time (R19, R49)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.db.conditions import INSERTS, IN_A_JOB, Insert, OWNER_CHANGES, OWNER_SEES, OWNER_UPDATES, UPDATES
from tests.db.matrix import Persona, bindings, fill, personas
from tests.db.registry import TABLES
from tests.db.session import Person, Request, request
from tests.db.world import World

ASKING = ("owner", "builder", "analyst", "agent", "customer", "member of both", "member of both, narrowed to globex", "owner with a malformed organization claim",
          "owner of the other organization", "api token of owner", "removed member", "nobody", "no claims")


@pytest.fixture
def everybody(world: World) -> dict[str, Persona]:
    """Those of the matrix, and somebody who is invited."""
    return personas(world) | {"guest": Persona(world.acme.guest)}


@contextmanager
def alone(world: World, table: str, persona: Persona, role: str = "authenticated", *more: str) -> Iterator[Request]:
    """A request of the persona for whom nothing but the policies of the table stands in the way; rolled back."""
    with world.operator() as db:
        for ddl in (*more, f"drop policy if exists {table}_floor on app.{table}", f"drop policy if exists {table}_record_floor on app.{table}", f"alter table app.{table} disable trigger user",
                    f"grant select, insert, update, delete on app.{table} to {role}", "grant usage on schema auth to ringfence_owner"):
            db.run(ddl)
        db.run("set local session authorization authenticator") if role == "authenticated" else None
        claims = persona.person.claims(**persona.claims) if persona.person else None
        with request(world.superuser_url, claims, role=role, connection=db.connection, pre_request=False) as made:
            yield made


def known(world: World, db: Request, person: Person) -> dict[str, Any]:
    """What the placeholders of conditions.py stand for."""
    ids = bindings(world.acme, db) | {"globex": world.globex.id, "session": person.session_id}
    owned = db.all("select id, knowledge_base_id from app.document where org_id = %s and owner_id = %s and visibility = 'private'", world.acme.id, ids["owner"])
    return ids | {"owned_by_analyst": owned[0][0] if owned else None}


def refused(db: Request, table: str, row: dict[str, str]) -> bool:
    """Whether the policies refuse the row. What passes them may fail later, at a key or a check."""
    try:
        with db.connection.transaction(force_rollback=True):
            db.run(f"insert into app.{table} ({', '.join(row)}) values ({', '.join(row.values())})")
    except psycopg.errors.InsufficientPrivilege as error:
        assert "row-level security policy" in str(error), str(error)
        return True
    except psycopg.errors.IntegrityError:
        pass
    return False


@pytest.mark.parametrize("insert", INSERTS, ids=lambda i: i.id)
def test_each_condition_of_an_insert_policy_refuses_alone_R49(world: World, insert: Insert) -> None:
    persona = personas(world)[insert.caller]
    # Given to the analyst for this: what they own without any permission to manage.
    gifts = {
        "document_grant": (f"update app.document set owner_id = '{world.acme.people['analyst'].user_id}' where id = '{world.acme.ids['private_document']}'",),
        "kb_grant": (f"insert into app.kb_grant (org_id, knowledge_base_id, user_id, level, created_by) values ('{world.acme.id}', '{world.acme.ids['other_base']}',"
                     f" '{world.acme.people['analyst'].user_id}', 'owner', '{world.acme.people['owner'].user_id}')",),
    }.get(insert.table, ()) if insert.caller == "analyst" else ()
    with world.operator() as db:
        assert persona.person
        ids = known(world, db, persona.person) | {"owned_by_analyst": world.acme.ids["private_document"], "owned_by_analyst_base": world.acme.ids["other_base"]}
    def filled(row: dict[str, str]) -> dict[str, str]:
        return {column: fill(value, ids) for column, value in row.items()}

    with alone(world, insert.table, persona, insert.role, *gifts) as db:
        assert not refused(db, insert.table, filled(insert.good)), "the good row is refused: nothing is shown by refusing another"
        passed = [column for column, value in insert.bad.items() if not refused(db, insert.table, filled(insert.good | {column: value}))]
    assert passed == []
    if insert.lacking:
        with alone(world, insert.table, personas(world)[insert.lacking], insert.role, *gifts) as db:
            assert refused(db, insert.table, filled(insert.renamed)), "passed without the permission"


def test_every_insert_policy_is_tried(world: World) -> None:
    with world.operator() as db:
        found = set(db.all("select polrelid::regclass::text, case when 'ringfence_owner'::regrole = any (polroles) then 'ringfence_owner' else 'authenticated' end"
                           " from pg_policy where polpermissive and polcmd = 'a' and pg_get_expr(polwithcheck, polrelid) <> 'false' and polrelid::regclass::text like 'app.%%'"))
    tried = {(f"app.{i.table}", i.role) for i in INSERTS}
    # One condition, a permission: the access matrix tries it with everybody. The chain is for triggers alone: test_audit_chain.py. The
    # receipts of retention are written in no session of a person: test_retention.py.
    assert found - tried == {("app.role_permission", "authenticated"), ("app.audit_lane", "ringfence_owner"), ("app.audit_link", "ringfence_owner"),
                             ("app.retention_receipt", "ringfence_owner")} | IN_A_JOB


ENDS = {"authenticated": {"state": "'denied'", "arguments": "null", "decided_by": ":customer", "decided_at": "now()"},
        "ringfence_owner": {"state": "'cancelled'", "arguments": "null"}}


def _assigned(values: dict[str, str]) -> str:
    return ", ".join(f"{column} = {value}" for column, value in values.items())


@pytest.mark.parametrize(("role", "table", "caller", "column", "value"),
                         [*(("authenticated", *u) for u in UPDATES), *(("ringfence_owner", *u) for u in OWNER_UPDATES)])
def test_a_row_is_not_changed_into_one_that_is_out_of_reach_R34_R49(
    world: World, everybody: dict[str, Persona], role: str, table: str, caller: str, column: str, value: str,
) -> None:
    persona = everybody[{"both": "member of both"}.get(caller, caller)]
    with world.operator() as db:
        assert persona.person
        to = fill(value, known(world, db, persona.person))
        # No document is hidden from whoever sees one already: the policies beside the one for update have no say here.
        others = [f"drop policy if exists {name} on app.{table}" for (name,) in db.all("select polname from pg_policy where polrelid = %s::regclass and not polpermissive", f"app.{table}")]
        if caller == "both":
            owner = bindings(world.acme, db)["owner_role"]
            others.append(f"update app.membership set role_id = '{owner}' where org_id = '{world.acme.id}' and user_id = '{persona.person.user_id}'")
        if table == "legal_hold":  # the world's are released, or it could not be purged
            others.append("update app.legal_hold set released_by = null, released_at = null")
        if (table, caller) == ("api_token", "customer"):
            others.append(f"update app.api_token set user_id = '{persona.person.user_id}' where org_id = '{world.acme.id}'")
        # What waits is decided or ended: nothing else is done to it, so nothing is what it was.
        done = {c: fill(v, known(world, db, persona.person)) for c, v in ENDS[role].items()} if table == "approval" else {column: column}
    with alone(world, table, persona, role, *others) as db:
        assert db.run(f"update app.{table} set {_assigned(done)}") > 0
    with alone(world, table, persona, role, *others) as db:
        error = db.error(f"update app.{table} set {_assigned(done | {column: to})}")
        assert (error.sqlstate, "new row violates row-level security policy" in str(error)) == ("42501", True), str(error)


def test_every_update_policy_is_tried(world: World) -> None:
    with world.operator() as db:
        found = {t for (t,) in db.all("select polrelid::regclass::text from pg_policy where polpermissive and polcmd = 'w' and 'authenticated'::regrole = any (polroles)"
                                      " and pg_get_expr(polwithcheck, polrelid) <> 'false'")}
    assert found == {f"app.{table}" for table, *_ in UPDATES}


def rule(text: str, persona: Persona, world: World, db: Request) -> str:
    """A rule of conditions.py with the person put in."""
    person = persona.person
    narrowed = persona.claims.get("org_id")
    joined = [o for (o,) in db.all("select org_id from app.membership where user_id = %s", person.user_id)] if person else []
    seen = [o for o in joined if narrowed is None or str(o) == str(narrowed)]
    if persona.scope is not None:
        seen = [world.acme.id]
    owned = [o for o in seen if any(getattr(world, s).id == o and r == "owner" for s, r in persona.roles.items())]
    asking = [o for o in seen if any(getattr(world, s).id == o and persona.can("analytics.run", r) for s, r in persona.roles.items())]
    def array(ids: list[Any]) -> str:
        return "array[" + ", ".join(f"'{i}'" for i in ids) + "]::uuid[]"

    session = persona.claims.get("session_id", person.session_id) if person else None
    return re.sub(r":(me|orgs|joined|owned|asking|email|session)\b", lambda m: {
        "me": persona.me, "orgs": array(seen), "joined": array(joined), "owned": array(owned), "asking": array(asking), "email": f"'{person.email}'" if person else "null",
        "session": f"'{session}'::uuid" if session else "null::uuid"}[m[1]], text)


@pytest.mark.parametrize("table", OWNER_SEES)
def test_the_owner_of_the_definers_sees_for_each_persona_what_was_decided_R10(world: World, everybody: dict[str, Persona], table: str) -> None:
    for name in (*ASKING, "guest"):
        persona = everybody[name]
        with world.operator() as db:
            decided = set(db.all(f"select t::text from app.{table} t where {rule(OWNER_SEES[table], persona, world, db)}"))
        with alone(world, table, persona, "ringfence_owner") as db:
            assert set(db.all(f"select t::text from app.{table} t")) == decided, name


def test_the_owner_of_the_definers_cancels_runs_of_the_persons_own_organizations_and_does_nothing_else_to_them_R10(world: World) -> None:
    persona = personas(world)["owner"]
    ours = world.rows("run", f"status = 'running' and org_id = '{world.acme.id}'")
    with alone(world, "run", persona, "ringfence_owner") as db:
        assert db.run("update app.run set status = 'cancelled'") == ours > 0
    for column, value in (("status", "'succeeded'"), ("org_id", f"'{world.globex.id}'")):
        with alone(world, "run", persona, "ringfence_owner") as db:
            assert "row-level security policy" in str(db.error(f"update app.run set {column} = {value}" + (", status = 'cancelled'" if column == "org_id" else "")))


# Constants: whatever reads a column brings the select policy in.
BLIND = {"approval": "state = 'cancelled', arguments = null", "budget": "used_tokens = 0", "model_call": "cost = 0", "api_token": "last_used_at = now()", "deletion_receipt": "citations_redacted = 1", "invitation": "revoked_at = now()", "member_activity": "last_active_on = current_date",
         "organization": "suspended_at = now()", "membership": "status = 'active'", "message": "citations = '[{}]'", "role": "created_at = now()"}
CHANGED = [(table, command) for table in TABLES for command in ("update", "delete") if (table, command) != ("run", "update")]


@pytest.mark.parametrize(("table", "command"), CHANGED)
def test_the_owner_of_the_definers_changes_for_each_persona_what_was_decided_R10(world: World, everybody: dict[str, Persona], table: str, command: str) -> None:
    """Without WHERE and reading no column, so that the select policy has no say."""
    text = OWNER_CHANGES.get((table, command), "false")
    column = {"organization": "name", "permission": "name", "provider": "name"}.get(table, "org_id")
    for name in ASKING if text != "false" else ("owner",):
        persona = everybody[name]
        with world.operator() as db:
            decided = db.one(f"select count(*) from app.{table} t where {rule(text, persona, world, db)}")
            value = BLIND.get(table) or (f"{column} = 'x'" if column == "name" else f"{column} = '{world.acme.id}'")
        with alone(world, table, persona, "ringfence_owner") as db:
            try:
                with db.connection.transaction():
                    done = db.run(f"update app.{table} set {value}" if command == "update" else f"delete from app.{table}")
            except psycopg.errors.ForeignKeyViolation:
                done = decided  # the rows were reached; others refer to them
            assert done == decided, (name, value)


@pytest.mark.parametrize("table", ["users", "sessions", "identities", "mfa_factors"])
def test_the_owner_of_the_definers_sees_of_supabase_auth_what_is_the_persons_own_R10(world: World, table: str) -> None:
    column, person = "id" if table == "users" else "user_id", world.acme.people["analyst"]
    with world.operator() as db:
        for whose in (person, world.acme.people["owner"]):
            if table == "mfa_factors":
                db.run("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at) values (gen_random_uuid(), %s, 'totp', 'verified', now(), now())",
                       whose.user_id)
        assert db.one(f"select count(distinct {column}) from auth.{table}") > 1
        db.run("grant usage on schema auth to ringfence_owner")
        with request(world.superuser_url, person.claims(), role="ringfence_owner", connection=db.connection, pre_request=False) as owner:
            assert owner.all(f"select distinct {column} from auth.{table}") == [(person.user_id,)]
