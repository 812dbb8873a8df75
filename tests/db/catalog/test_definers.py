"""SECURITY DEFINER functions: the ledger is the catalog (R9), and through each a person reaches only what is theirs (R10)."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import Database
from tests.db.catalog.exceptions import DEFINER_ARGUMENTS
from tests.db.catalog.plants.plant import DEFINER
from tests.db.registry import GLOBAL
from tests.db.session import Request, request
from tests.db.world import World

LEDGER = Path(__file__).parents[3] / "sql" / "DEFINERS.md"
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
# What somebody would try in an argument of type text.
CRAFTED = ("", "%", "documents.read' or true --", "*", "nothing.known", "documents.read,documents.manage", "'; set role postgres; --")


def ledger() -> dict[str, tuple[str, str]]:
    """Return the rows of DEFINERS.md: function to (why, trust boundary)."""
    return {row[1]: (row[2].strip(), row[3].strip()) for row in ROW.finditer(LEDGER.read_text())}


def differences(connection: psycopg.Connection) -> set[str]:
    """Return the definers that are in only one of ledger and catalog."""
    connection.execute("set local search_path = pg_catalog")
    definers = connection.execute(
        "select p.oid::regprocedure::text from pg_proc p where p.prosecdef and p.pronamespace::regnamespace::text in ('api', 'app', 'authz', 'public')")
    return {name for (name,) in definers} ^ set(ledger())


def test_the_ledger_lists_every_definer_and_no_other_with_a_reason_and_a_boundary_R9(catalog: Database) -> None:
    with catalog.connect() as connection:
        assert differences(connection) == set()
    assert len(ledger()) >= 6
    assert all(len(why) >= 8 and len(boundary) >= 8 for why, boundary in ledger().values())


@pytest.mark.parametrize(("ddl", "name"), [
    (DEFINER, "authz.planted()"),
    ("alter function api.whoami() security definer", "api.whoami()"),
    ("alter function authz.org_ids() security invoker", "authz.org_ids()"),
    ("create function authz.orgs_with(permission text, also text) returns int language sql security definer as 'select 1'", "authz.orgs_with(text,text)"),
])
def test_a_definer_that_differs_from_the_ledger_is_named_R9(catalog: Database, ddl: str, name: str) -> None:
    with catalog.connect("supabase_admin") as connection:
        connection.execute(ddl.encode())
        assert differences(connection) == {name}
        connection.rollback()


def test_no_definer_takes_a_person_or_an_organization_R9(catalog: Database) -> None:
    with catalog.connect() as connection:
        arguments = connection.execute(
            "select p.proname || '.' || a.name from pg_proc p cross join unnest(p.proargnames[1:p.pronargs]) a (name)"
            " where p.prosecdef and p.pronamespace::regnamespace::text in ('api', 'app', 'authz')").fetchall()
    assert {name for (name,) in arguments} == set(DEFINER_ARGUMENTS)


def test_helpers_name_only_the_persons_own_organizations_whatever_is_asked_R10(world: World) -> None:
    with world.operator() as db:
        names = [name for (name,) in db.all("select name from app.permission")]
        own_roles = {role for (role,) in db.all("select role_id from app.membership where user_id = %s", world.globex.people["owner"].user_id)}
    asked = [*names, *CRAFTED, str(world.acme.id), world.acme.slug, None]
    with world.as_(world.globex.people["owner"]) as db:
        assert {value for (value,) in db.all("select authz.org_ids()")} == {world.globex.id}
        answers = {permission: {value for (value,) in db.all("select authz.orgs_with(%s)", permission)} for permission in asked}
        assert all(answers[name] == {world.globex.id} for name in names)
        assert all(answers[other] == set() for other in asked if other not in names)
        assert {value for (value,) in db.all("select authz.role_ids()")} == own_roles
    with world.as_(world.acme.people["owner"]) as db:
        assert {value for (value,) in db.all("select authz.orgs_with('documents.read')")} == {world.acme.id}


@pytest.mark.parametrize("claim", ["acme", "random", "", None, [], {"in": "acme"}])
def test_an_organization_in_the_token_never_opens_a_foreign_one_R10(world: World, claim: object) -> None:
    value = str(world.acme.id) if claim == "acme" else str(uuid4()) if claim == "random" else claim
    with world.as_(world.globex.people["owner"], org_id=value) as db:
        assert db.all("select authz.org_ids()") == db.all("select authz.orgs_with('documents.read')") == db.all("select authz.role_ids()") == []
    with world.as_(world.globex.people["owner"], org_id=str(world.globex.id)) as db:
        assert db.all("select authz.org_ids()") == [(world.globex.id,)]


def test_founding_with_a_foreign_name_makes_a_new_organization_of_ones_own_R10(world: World) -> None:
    founder = world.globex.people["member"]
    with world.operator() as db:
        before = db.all("select * from app.membership where org_id = %s order by user_id", world.acme.id)
        assert len(before) >= 8
    with world.as_(founder) as db:
        for slug, name in ((world.acme.slug, world.acme.slug), (str(world.acme.id)[:8] + "-x", "x"), ("founded-by-text", "' || current_user || '")):
            made = db.one("select authz.found_organization(%s, %s)", slug, name)
            assert made != world.acme.id
            assert db.all("select o.created_by, m.user_id from app.organization o join app.membership m on m.org_id = o.id where o.id = %s", made) == [
                (founder.user_id, founder.user_id)]
        assert world.acme.id not in {value for (value,) in db.all("select authz.org_ids()")}
    with world.operator() as db:
        assert db.all("select * from app.membership where org_id = %s order by user_id", world.acme.id) == before


def test_the_liveness_of_a_session_is_told_to_its_own_person_only_R10(world: World) -> None:
    victim = world.acme.people["owner"]
    with world.as_(victim) as db:
        assert db.one("select authz.session_is_live()") is True
    stranger = world.globex.people["owner"]
    with request(world.authenticator_url, stranger.claims(session_id=str(victim.session_id)), pre_request=False) as db:
        assert db.one("select authz.session_is_live()") is False


def test_the_audit_trigger_cannot_be_called_R10(world: World) -> None:
    with world.as_(world.globex.people["owner"]) as db:
        error = db.error("select authz.tg_audit()")
        assert (error.sqlstate, "permission denied for function tg_audit" in str(error)) == ("42501", True)


def readable_by_owner(db: Request) -> list[str]:
    return [name for (name,) in db.all(
        "select c.relname from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p')"
        " and has_any_column_privilege('ringfence_owner', c.oid, 'select') order by 1")]


OF_NO_ORGANIZATION = ("authz.ended_session", "authz.purge_receipt")


def test_the_owner_of_the_definers_itself_sees_only_rows_of_the_person_asking_R10(world: World) -> None:
    """Whatever a definer function did, this is the most it could see: its role under the same claims."""
    person = world.globex.people["customer"]
    with world.operator() as db:
        tables = readable_by_owner(db)
        assert {"membership", "role", "role_permission"} <= set(tables)
        db.run("insert into authz.ended_session (session_id) values (%s)", world.acme.people["owner"].session_id)
        db.run("insert into authz.purge_receipt (organization_id, purged_in) values (%s, '3')", world.globex.id)
        foreign = {t: db.one(f"select count(*) from app.{t} where {_org(t)} = %s", world.acme.id) for t in tables if t not in GLOBAL}
        assert all(count > 0 for count in foreign.values())
        # The functions hold these tables by reference; looking by name takes USAGE, which their owner does not have.
        db.run("grant usage on schema auth to ringfence_owner")
        with request(world.superuser_url, person.claims(), role="ringfence_owner", connection=db.connection, pre_request=False) as owner:
            for table in foreign:
                assert owner.one(f"select count(*) from app.{table} where {_org(table)} <> %s", world.globex.id) == 0, table
            for table in OF_NO_ORGANIZATION:
                assert owner.one(f"select count(*) from {table}") == 0, table
            assert owner.all("select user_id from app.membership") == [(person.user_id,)]
            assert owner.all("select id from auth.users") == [(person.user_id,)]
            assert owner.all("select distinct user_id from auth.sessions") == [(person.user_id,)]


def test_the_owner_of_the_definers_writes_in_the_name_of_the_person_asking_only_R10(world: World) -> None:
    person, victim = world.globex.people["customer"], world.acme.people["owner"]
    with world.operator() as db:
        role = db.one("select role_id from app.membership where org_id = %s and user_id = %s", world.acme.id, victim.user_id)
        with request(world.superuser_url, person.claims(), role="ringfence_owner", connection=db.connection, pre_request=False) as owner:
            for table, columns, values in (
                ("organization", "slug, name, created_by", ("planted", "planted", victim.user_id)),
                ("membership", "org_id, user_id, role_id", (world.acme.id, world.nobody.user_id, role)),
                ("role", "org_id, name", (world.acme.id, "planted")),
                ("role_permission", "org_id, role_id, permission", (world.acme.id, role, "audit.read")),
                ("audit_event", "org_id, actor_id, actor_kind, action", (world.acme.id, victim.user_id, "user", "run.insert")),
            ):
                error = owner.error(f"insert into app.{table} ({columns}) values ({', '.join(['%s'] * len(values))})", *values)
                assert (error.sqlstate, "violates row-level security policy" in str(error)) == ("42501", True), table


def _org(table: str) -> str:
    return "id" if table == "organization" else "org_id"
