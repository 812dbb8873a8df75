"""Every table x every persona x every form of select, insert, update, delete and move: exactly what decisions.py says (R31, R32, R33, F80)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.db import matrix
from tests.db.registry import OWNER_ALONE, ROLES, TABLES
from tests.db.matrix import FORMS, INSERTING, UPSERTING, bindings, calling, fill, observed, outcome, personas
from tests.db.session import Request
from tests.db.world import World

NAMES = (*ROLES, "customer", "member of both", "member of both, narrowed to globex", "owner with a malformed organization claim",
         "owner of the other organization", "member of the other organization", "oauth client of owner", "api token of owner",
         "removed member", "nobody", "anonymous user", "no claims", "anon")


@pytest.fixture(scope="module")
def world(held_world: World) -> World:
    """Return the world with something to change in every table."""
    return held_world


@pytest.fixture(scope="module")
def operator_connection(world: World) -> Iterator[psycopg.Connection]:
    with psycopg.connect(world.superuser_url) as connection:
        yield connection


@pytest.fixture
def superuser(operator_connection: psycopg.Connection) -> Iterator[Request]:
    """One session for all tests of this file, which holds no lock between them."""
    yield Request(operator_connection)
    operator_connection.rollback()


@pytest.fixture(scope="module")
def pooled(world: World) -> Iterator[psycopg.Connection]:
    """One connection that serves all personas in turn, as in PostgREST's pool."""
    with psycopg.connect(world.authenticator_url) as connection:
        yield connection


def test_every_table_of_every_schema_of_ours_has_a_decision_and_every_decision_a_table_F80(world: World) -> None:
    with world.operator() as db:
        found = db.all("select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                       " where n.nspname in ('api', 'app', 'authz') and c.relkind not in ('i', 'I', 'c', 't')")
    assert {f"{schema}.{name}" for schema, name in found} == {f"app.{name}" for name in TABLES} | OWNER_ALONE


@pytest.mark.parametrize("table", sorted(OWNER_ALONE))
def test_a_table_of_the_helpers_alone_is_closed_to_everybody_else_F80(world: World, table: str) -> None:
    """They outlive their organization, so they stand outside app and belong to no decision; each helper reaches one by a policy of its own."""
    with world.operator() as db:
        held = db.all("select r.rolname, p.name from pg_roles r cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate']) p (name)"
                      " where r.rolname in ('anon', 'authenticated', 'service_role', 'ringfence_worker', 'ringfence_analyst')"
                      " and has_table_privilege(r.oid, %s::regclass, p.name)", table)
        assert held == []
        assert db.one("select relrowsecurity and relforcerowsecurity from pg_class where oid = %s::regclass", table)
        assert db.one("select has_table_privilege('ringfence_owner', %s::regclass, 'select')", table)


def test_every_persona_is_asked(world: World) -> None:
    assert set(personas(world)) == set(NAMES)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", NAMES)
def test_the_table_gives_each_persona_what_was_decided_R31(
    world: World, superuser: Request, pooled: psycopg.Connection, table: str, name: str,
) -> None:
    persona = personas(world)[name]
    assert superuser.one(f"select count(*) from app.{table}") > 0, "an empty table denies nothing"
    forms = matrix.statements(world, table, persona, superuser)
    decided = matrix.expected(world, table, persona, superuser)
    assert set(forms) == set(decided) == set(FORMS)
    with calling(world, persona, pooled) as db:
        assert observed(db, forms) == decided


# Who performs the allowed twin of every write; the row it is tried on is theirs.
RIGHT_PERSON = {"api_token": "customer", "run": "customer", "run_step": "customer", "message": "customer", "customer_order": "customer", "support_ticket": "customer",
                "approval": "customer", "analytics_job": "customer", "analytics_result_grant": "customer"}
SHARER = {"kb_grant": "admin", "document_grant": "admin", "analytics_result_grant": "customer"}


@pytest.mark.parametrize("table", [t for t, d in TABLES.items() if d.insert])
def test_a_row_the_right_person_inserts_is_there_on_a_re_read_R33(world: World, superuser: Request, table: str) -> None:
    persona = personas(world)[RIGHT_PERSON.get(table, "owner")]
    forms = matrix.statements(world, table, persona, superuser)
    with calling(world, persona) as db:
        for form in (*INSERTING, *(UPSERTING if TABLES[table].update else ())):
            assert outcome(db, forms[f"{form} into acme"], f"select count(*) from app.{table}") == 1


@pytest.mark.parametrize("table", [t for t, d in TABLES.items() if d.update])
def test_a_row_the_right_person_updates_is_changed_on_a_re_read_R33(world: World, superuser: Request, table: str) -> None:
    persona = personas(world)[{"support_ticket": "agent", "api_token": "owner"}.get(table) or RIGHT_PERSON.get(table, "owner")]
    change = fill(TABLES[table].change, bindings(world.acme, superuser))
    where = f"user_id = '{world.both.user_id}'" if table == "membership" else f"not ({change}) or ({change}) is null"
    with calling(world, persona) as db:
        assert outcome(db, f"update app.{table} set {change} where {where}", f"select count(*) from app.{table} where {change}") > 0


@pytest.mark.parametrize("table", [t for t, d in TABLES.items() if d.delete])
def test_a_row_the_right_person_deletes_is_gone_on_a_re_read_R33(world: World, table: str) -> None:
    # The last owner stays, a built-in role's permissions, and a knowledge base with documents in it.
    where = {"membership": f" where user_id = '{world.both.user_id}'", "knowledge_base": f" where id = '{world.acme.ids['empty_knowledge_base']}'",
             "role_permission": " where role_id in (select id from app.role where not built_in)"}.get(table, "")
    with calling(world, personas(world)[SHARER.get(table, "owner")]) as db:
        assert outcome(db, f"delete from app.{table}{where}", f"select -count(*) from app.{table}") > 0


@pytest.mark.parametrize("login", ["ringfence_worker", "ringfence_analyst"])
def test_a_background_log_in_reaches_no_table_and_takes_no_identity_from_a_setting_R31(world: World, cluster: Any, superuser: Request, login: str) -> None:
    persona = personas(world)["owner"]
    with psycopg.connect(cluster.url(login, superuser.one("select current_database()"))) as connection:
        db = Request(connection)
        db.run("select set_config('request.jwt.claims', %s, false)", json.dumps(world.acme.people["owner"].claims()))
        assert db.all("select authz.uid(), authz.claims()") == [(None, {})]
        for table in TABLES:
            found = observed(db, matrix.statements(world, table, persona, superuser))
            assert set(found.values()) == {"no usage of the schema"}, table
        assert "permission denied to set role" in str(db.error("set role authenticated"))
        connection.rollback()
