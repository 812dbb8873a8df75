"""Tenancy as a whole: every resource belongs to an organization, and the database alone keeps them apart (F18, F19, F24)."""

from __future__ import annotations

import json
import re

import pytest

from tests.db.registry import OWNER_ALONE, TABLES
from tests.db.matrix import become, planted
from tests.db.session import Request
from tests.db.world import World, embedding, make_person

READS = {
    "list_members": {}, "list_knowledge_bases": {}, "list_documents": {"knowledge_base_id": "knowledge_base"}, "list_conversations": {},
    "list_run_steps": {"run_id": "run"}, "my_orders": {}, "get_order": {"number": "ORD-1000"}, "search_documents": {"query": "delivery"},
}

QUEUE = {name.removeprefix("app.") for name in OWNER_ALONE if name.startswith("app.")}
"""Tables of organizations that the functions of the queue alone read and write; nobody has a privilege there, so no policy lets anybody in."""


def without_organization(db: Request, name: str) -> None:
    """Take every comparison with the organization asked for out of a function's body, and out of the helpers it leaves that to."""
    found, seen = 0, [name]
    for function in seen:
        source = db.one("select pg_get_functiondef(p.oid) from pg_proc p where p.pronamespace in ('api'::regnamespace, 'authz'::regnamespace)"
                        " and p.proname = %s", function)
        changed, count = re.subn(rf"\w+\.org_id = {function}\.org_id", "true", source)
        if count:
            db.run(changed.replace("%", "%%"))
        found += count
        seen += [helper for helper in re.findall(r"authz\.(\w+_chunks|search_\w+)\(", source) if helper not in seen]
    assert found >= 1, f"{name} compares no organization"


def told(db: Request, world: World, name: str) -> str:
    """Everything the function says to a caller who names acme."""
    arguments = {k: world.acme.ids.get(v, v) for k, v in READS[name].items()}
    vector = {"query_embedding": json.dumps(embedding(0))} if name == "search_documents" else {}
    try:
        with db.connection.transaction():
            return str(db.rpc(name, org_id=world.acme.id, **arguments, **vector))
    except Exception as error:
        assert getattr(error, "sqlstate", None) == "PT404"
        return ""


def marks(db: Request, world: World) -> set[str]:
    """What can only come from acme: its canary, its people, its ids."""
    return {world.acme.canary, *(str(p.user_id) for p in world.acme.people.values()), *(str(i) for i in world.acme.ids.values()),
            *(str(i) for (i,) in db.all("select id from app.customer_order where org_id = %s", world.acme.id)),
            *(d for (d,) in db.all("select arguments_sha256 from app.run_step where org_id = %s and arguments_sha256 is not null", world.acme.id))}


@pytest.mark.parametrize("name", READS)
def test_without_its_organization_filter_a_function_still_shows_nobody_elses_rows_F19(world: World, name: str) -> None:
    with planted(world) as db:
        acme = marks(db, world)
        without_organization(db, name)
        become(db, world.globex.people["owner"])
        assert not [mark for mark in acme if mark in told(db, world, name)]
        # The right people still get theirs, and without row security the same call would have told.
        become(db, world.acme.people["customer" if name in ("list_conversations", "list_run_steps") else "owner"])
        assert [mark for mark in acme if mark in told(db, world, name)]
        # What a search recorded waits for the end of the transaction, and a table that something waits for cannot be altered.
        db.run("reset role; set constraints all immediate; set constraints all deferred")
        for table in TABLES:
            db.run(f"alter table app.{table} disable row level security")
        become(db, world.globex.people["owner"])
        found = [mark for mark in acme if mark in told(db, world, name)]
        assert found or name == "my_orders", "my_orders also compares the person"


def test_no_role_that_serves_requests_owns_a_table_or_steps_past_policies_F19(world: World) -> None:
    serving = ["anon", "authenticated", "authenticator", "ringfence_owner", "ringfence_worker", "ringfence_analyst"]
    with world.operator() as db:
        assert {name for (name,) in db.all("select rolname from pg_roles where not rolsuper and not rolbypassrls")} >= set(serving)
        tables = db.all("select relname, relowner::regrole::text, relrowsecurity and relforcerowsecurity from pg_class"
                        " where relnamespace = 'app'::regnamespace and relkind in ('r', 'p')")
        assert {name for name, _, _ in tables} == set(TABLES) | QUEUE
        assert {(owner in serving, forced) for _, owner, forced in tables} == {(False, True)}


# What makes a table a resource of organizations: a query that is true of a table that has it.
OWNED = {
    "org_id that is never null": "select attnotnull from pg_attribute where attrelid = {t} and attname = 'org_id'",
    # Composite keys carry it on; this one says that the organization exists.
    "a foreign key to its organization": "select exists (select from pg_constraint where conrelid = {t} and confrelid = 'app.organization'::regclass and conkey ="
        " array[(select attnum from pg_attribute where attrelid = conrelid and attname = 'org_id')])",
    "org_id in its primary key": "select exists (select from pg_constraint where conrelid = {t} and contype = 'p' and conkey[1] ="
        " (select attnum from pg_attribute where attrelid = conrelid and attname = 'org_id'))",
    "an index that leads with org_id": "select exists (select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]"
        " where i.indrelid = {t} and a.attname = 'org_id' and i.indpred is null)",
    "a policy for each command": "select array_agg(polcmd::text order by polcmd) = '{{a,d,r,w}}' from pg_policy where polrelid = {t} and polpermissive"
        " and polroles = array['authenticated'::regrole::oid]",
    "the floor": "select exists (select from pg_policy where polrelid = {t} and not polpermissive and polcmd = '*' and polname = {name} || '_floor'"
        " and pg_get_expr(polqual, polrelid) ~ 'authz.org_ids' and pg_get_expr(polwithcheck, polrelid) ~ 'authz.org_ids')",
    "row security, forced": "select relrowsecurity and relforcerowsecurity from pg_class where oid = {t}",
}


def lacking(db: Request, table: str) -> list[str]:
    """What this table does not have of what a resource of organizations has."""
    return [what for what, query in OWNED.items() if db.one(query.format(t=f"'app.{table}'::regclass", name=f"'{table}'")) is not True]


def resources(db: Request) -> list[str]:
    """Every table there is, but the organizations themselves and the registry of permissions, which is everybody's."""
    return [t for (t,) in db.all("select relname from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p') order by 1")
            if t not in ("organization", "permission", "provider")]


def test_every_kind_of_resource_belongs_to_one_organization_and_stands_in_the_matrix_F24(world: World) -> None:
    with world.operator() as db:
        found = resources(db)
        assert len(found) > 15
        assert {t: missing for t in found if (missing := lacking(db, t))} == {t: ["a policy for each command"] for t in QUEUE}
        # The matrix asks every persona, of this organization and of others, about rows that are there in both.
        assert set(found) - QUEUE == {t for t, d in TABLES.items() if d.org == "org_id"}
        for table in found:
            assert db.one(f"select count(distinct org_id) from app.{table} where org_id in (%s, %s)", world.acme.id, world.globex.id) == 2, table


@pytest.mark.parametrize(("change", "missing"), [
    ("alter table app.bot_binding alter org_id drop not null", "org_id that is never null"),
    ("alter table app.bot_binding drop constraint bot_binding_org_id_fkey", "a foreign key to its organization"),
    ("alter table app.bot_binding drop constraint bot_binding_pkey", "org_id in its primary key"),
    ("drop policy bot_binding_update_nobody on app.bot_binding", "a policy for each command"),
    ("drop policy bot_binding_floor on app.bot_binding", "the floor"),
    ("alter policy bot_binding_floor on app.bot_binding with check (true)", "the floor"),
    ("alter table app.bot_binding no force row level security", "row security, forced"),
    ("alter table app.bot_binding drop constraint bot_binding_pkey, drop constraint bot_binding_target_key", "an index that leads with org_id"),
])
def test_a_table_that_lacks_one_of_these_is_found_F24(world: World, change: str, missing: str) -> None:
    with planted(world, "alter table app.bot_binding drop constraint bot_binding_pkey" if "never null" in missing else "select 1", change) as db:
        assert missing in lacking(db, "bot_binding")


def test_many_organizations_live_side_by_side_without_a_gate_F18(own_world: World) -> None:
    world = own_world
    people = [make_person(world.superuser_url, f"founder{n}@example.test") for n in range(3)]
    founded: dict[str, set[str]] = {}
    for person in people:
        with world.as_(person, keep=True) as db:
            founded[person.email] = {db.rpc("create_organization", slug=f"shop-{n}", name="Shop")["id"] for n in range(10)}
    for person in people:
        with world.as_(person) as db:
            assert {o["id"] for o in db.rpc("whoami")["organizations"]} == founded[person.email]
    assert len(set.union(*founded.values())) == 30
