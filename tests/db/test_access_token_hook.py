"""The custom access token hook: what it adds to a token, who may call it, and that its claims only ever narrow."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.db.session import Person, second_factor
from tests.db.world import World


def hook(world: World, event: Any) -> Any:
    """Call it as Supabase Auth does: logged in as supabase_auth_admin, without claims."""
    with psycopg.connect(world.superuser_url) as connection:
        connection.execute("set session authorization supabase_auth_admin")
        return connection.execute("select authz.access_token_hook(%s)", [Jsonb(event)]).fetchall()[0][0]


def event(person: Person, **metadata: Any) -> dict[str, Any]:
    claims = person.claims(app_metadata={"provider": "email", **metadata})
    return {"user_id": str(person.user_id), "claims": claims, "authentication_method": "password"}


def test_the_token_says_which_organizations_with_which_role_F11(world: World) -> None:
    given = event(world.both)
    answer = hook(world, given)
    assert answer["claims"].pop("org_roles") == {str(world.acme.id): "builder", str(world.globex.id): "member"}
    assert answer == given


@pytest.mark.parametrize("who", ["nobody", "removed"])
def test_people_without_an_organization_get_their_claims_unchanged(world: World, who: str) -> None:
    given = event(getattr(world, who))
    assert hook(world, given) == given


def test_a_choice_narrows_the_token_to_one_organization_F11(world: World) -> None:
    claims = hook(world, event(world.both, org_id=str(world.globex.id).upper()))["claims"]
    assert (claims["org_id"], claims["org_roles"]) == (str(world.globex.id), {str(world.globex.id): "member"})
    with world.as_(world.both, **claims) as db:
        assert db.all("select * from authz.org_ids()") == [(world.globex.id,)]
    with world.as_(world.both) as db:
        assert {row[0] for row in db.all("select * from authz.org_ids()")} == {world.acme.id, world.globex.id}


@pytest.mark.parametrize("chosen", ["6ba7b810-9dad-41d1-80b4-00c04fd430c8", "", "all", "*", "%", 0, True, [], {}, ["x"]])
def test_a_choice_of_something_else_narrows_to_nothing_F11(world: World, chosen: Any) -> None:
    claims = hook(world, event(world.acme.people["owner"], org_id=chosen))["claims"]
    assert "org_id" in claims and "org_roles" not in claims
    with world.as_(world.acme.people["owner"], **claims) as db:
        assert db.all("select * from authz.org_ids()") == []


def test_a_foreign_choice_opens_nothing_F11(world: World) -> None:
    claims = hook(world, event(world.acme.people["owner"], org_id=str(world.globex.id)))["claims"]
    assert "org_roles" not in claims
    with world.as_(world.acme.people["owner"], **claims) as db:
        assert db.all("select * from authz.org_ids()") == []


def test_what_a_person_writes_about_themselves_is_not_read(world: World) -> None:
    given = event(world.both)
    given["claims"]["user_metadata"] = {"org_id": str(world.acme.id), "org_roles": {str(world.globex.id): "owner"}}
    given["claims"]["org_roles"] = {str(world.globex.id): "owner"}
    claims = hook(world, given)["claims"]
    assert "org_id" not in claims
    assert claims["org_roles"] == {str(world.acme.id): "builder", str(world.globex.id): "member"}


def test_roles_that_are_in_the_claims_already_are_not_kept_and_a_narrowing_is(world: World) -> None:
    given = event(world.nobody)
    given["claims"]["org_roles"] = {str(world.acme.id): "owner"}
    assert "org_roles" not in hook(world, given)["claims"]
    given = event(world.both)
    given["claims"]["org_id"] = str(world.globex.id)
    claims = hook(world, given)["claims"]
    assert (claims["org_id"], claims["org_roles"]) == (str(world.globex.id), {str(world.globex.id): "member"})


def test_a_role_in_the_token_allows_nothing(world: World) -> None:
    claims = {"org_roles": {str(world.acme.id): "owner"}}
    for person in (world.nobody, world.removed, world.globex.people["owner"]):
        with world.as_(person, **claims) as db:
            assert world.acme.id not in {row[0] for row in db.all("select * from authz.org_ids()")}
    with world.as_(world.acme.people["member"], **claims) as db:
        assert db.all("select * from authz.orgs_with('members.manage')") == []


def test_beyond_32_organizations_the_token_names_none(own_world: World) -> None:
    with own_world.as_(own_world.nobody, keep=True) as db:
        first = [db.rpc("create_organization", slug=f"org-{i}", name="Many")["id"] for i in range(32)]
    assert set(hook(own_world, event(own_world.nobody))["claims"]["org_roles"]) == set(first)
    with own_world.as_(own_world.nobody, keep=True) as db:
        db.rpc("create_organization", slug="org-33", name="Many")
    assert "org_roles" not in hook(own_world, event(own_world.nobody))["claims"]
    chosen = hook(own_world, event(own_world.nobody, org_id=first[0]))["claims"]
    assert chosen["org_roles"] == {first[0]: "owner"}


@pytest.mark.parametrize("given", [
    {}, {"claims": {}}, {"user_id": str(uuid4())}, {"user_id": str(uuid4()), "claims": []}, {"user_id": "x", "claims": {}}, []])
def test_an_event_that_is_none_makes_no_token(world: World, given: Any) -> None:
    with pytest.raises(psycopg.errors.DataError):
        hook(world, given)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "authenticator", "ringfence_worker", "ringfence_analyst"])
def test_only_supabase_auth_may_call_it(world: World, role: str) -> None:
    query = "select has_function_privilege(%s, 'authz.access_token_hook(jsonb)', 'execute')"
    with world.operator() as db:
        assert db.one(query, role) is False
        assert db.one(query, "supabase_auth_admin") is True


def test_the_person_it_asks_for_is_nobody_afterwards(world: World) -> None:
    with psycopg.connect(world.superuser_url) as connection:
        connection.execute("set session authorization supabase_auth_admin")
        for given in ('{"sub": "somebody"}', ""):
            connection.execute("select set_config('request.jwt.claims', %s, false)", [given])
            connection.execute("select authz.access_token_hook(%s)", [Jsonb(event(world.both))])
            assert connection.execute("select current_setting('request.jwt.claims')").fetchone() == (given,)


def test_a_token_says_what_it_lets_its_holder_see_R42(strict_world: World) -> None:
    person, globex = strict_world.both, {str(strict_world.globex.id): "member"}
    assert hook(strict_world, event(person))["claims"]["org_roles"] == globex
    given = event(person)
    given["claims"] |= second_factor()
    assert hook(strict_world, given)["claims"]["org_roles"] == globex | {str(strict_world.acme.id): "builder"}


def test_supabase_auth_reads_and_writes_no_table_of_ours(world: World) -> None:
    with world.operator() as db:
        assert db.all("select c.relname from pg_class c where c.relnamespace in ('app'::regnamespace, 'authz'::regnamespace) and c.relkind = 'r'"
                      " and (has_table_privilege('supabase_auth_admin', c.oid, 'select, insert, update, delete, truncate, references, trigger')"
                      " or has_any_column_privilege('supabase_auth_admin', c.oid, 'select, insert, update, references'))") == []
        callable_ = db.all("select p.proname from pg_proc p where p.pronamespace in ('api'::regnamespace, 'authz'::regnamespace)"
                           " and has_function_privilege('supabase_auth_admin', p.oid, 'execute')")
        assert callable_ == [("access_token_hook",)]
