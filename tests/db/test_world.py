"""The harness itself: a world that is empty, or a session that is not PostgREST's, would make every other test pass."""

from __future__ import annotations

import pytest

from tests.db.world import World


def test_every_table_has_rows_of_both_organizations(world: World) -> None:
    with world.operator() as db:
        tables = [t for (t,) in db.all(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'org_id'"
            " where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') order by 1")]
    assert len(tables) >= 15
    empty = [(t, o.slug) for t in tables for o in (world.acme, world.globex) if world.rows(t, f"org_id = '{o.id}'") == 0]
    assert empty == []


def test_a_request_runs_as_authenticated_in_a_session_of_authenticator(world: World) -> None:
    with world.as_(world.acme.people["member"]) as db:
        assert db.all("select session_user::text, current_user::text, current_setting('statement_timeout')") == [("authenticator", "authenticated", "8s")]
        assert db.one("select authz.uid()") == world.acme.people["member"].user_id


@pytest.mark.parametrize("table", ["chunk", "customer_order", "message"])
def test_the_same_query_finds_rows_for_the_right_person_and_none_for_a_stranger(world: World, table: str) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        assert db.one(f"select count(*) from app.{table}") > 0
    with world.as_(world.nobody) as db:
        assert db.one(f"select count(*) from app.{table}") == 0
