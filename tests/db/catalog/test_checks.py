"""The catalog pack on the database that sql/ makes, and each of its checks on something bad."""

from __future__ import annotations

import pytest

from tests.conftest import Database
from tests.db.catalog.checks import CHECKS, findings, unreviewed
from tests.db.catalog.exceptions import EXCEPTIONS
from tests.db.catalog.plants import PLANTS, Plant

# What looks like the bad thing and is not: a check that cries wolf is switched off one day.
GOOD = [
    ("f07", "create policy good on app.support_ticket for select to authenticated using (org_id = any (array(select authz.orgs_with('members.manage'))))"),
    ("f07", "create policy good on app.support_ticket for delete to authenticated using (org_id = any (array(select authz.orgs_with('tickets.manage'))))"),
    ("a5", "create view app.good with (security_invoker = yes) as select * from app.chunk"),
    ("a5", "create view app.good with (security_invoker = 1) as select * from app.chunk"),
    ("a18", "create policy good on app.run for select to ringfence_owner using (user_id = (select authz.uid()))"),
    ("a18", "create policy good on app.run as restrictive for select to authenticated using (user_id = (select authz.uid()))"),
    ("a18", "alter policy run_select_self on app.run rename to good"),
    ("a7", "create policy good on app.run for select to authenticated using (((select auth.jwt()) ->> 'aal') = 'aal2')"),
    ("a7", "create policy good on app.run for select to authenticated using ((select (auth.jwt() ->> 'aal')) = 'aal2')"),
    ("a8", "alter table app.document add constraint good foreign key (id, org_id) references app.document (id, org_id)"),
    ("a9", "create unique index good_key on app.bot (org_id, lower(slug))"),
    ("a12", "grant select, delete on app.run to authenticated"),
    ("r13", "create table app.good (org_id uuid, id int) partition by list (id); grant select on app.good to authenticated;"
            " create table app.good_1 partition of app.good for values in (1)"),
    ("r14", "grant update (slug) on app.bot to authenticated"),
    ("r20", "create function authz.good() returns int language sql as $$ -- not from auth.uid() or request.headers\nselect 1$$"),
    ("r22", "create policy good on app.message for select to authenticated using (conversation_id in (select c.id from app.conversation c))"),
]


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_in_the_database_that_sql_makes_is_found_wrong(catalog: Database, check: str) -> None:
    with catalog.connect("supabase_admin") as connection:
        assert unreviewed(findings(connection, CHECKS[check])) == []


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.id)
def test_a_bad_object_is_found_by_its_name_and_nothing_else_is(catalog: Database, plant: Plant) -> None:
    with catalog.connect("supabase_admin") as connection:
        connection.execute(plant.ddl.encode())
        found = unreviewed(findings(connection, CHECKS[plant.check]))
        connection.rollback()
    assert {f.object for f in found} == {o.format(db=catalog.name) for o in plant.objects}


@pytest.mark.parametrize(("check", "ddl"), GOOD)
def test_what_only_looks_bad_is_left_alone(catalog: Database, check: str, ddl: str) -> None:
    with catalog.connect("supabase_admin") as connection:
        connection.execute(ddl.encode())
        assert unreviewed(findings(connection, CHECKS[check])) == []
        connection.rollback()


def test_every_check_is_seen_to_fail() -> None:
    assert {plant.check for plant in PLANTS} == set(CHECKS)


def test_every_reviewed_exception_is_still_needed(catalog: Database) -> None:
    with catalog.connect("supabase_admin") as connection:
        found = {(f.check, f.object) for check in CHECKS.values() for f in findings(connection, check)}
    assert set(EXCEPTIONS) - found == set()
