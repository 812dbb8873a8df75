"""Rules about policies: each names the hole it is for, and says nothing about the correct schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import Database, _copy
from tests.rls.probes import privileges
from tests.rls.rules import policy_holes, policy_identity, policy_roles
from tests.rls.small import findings, named, replaced

RULES = (policy_holes, policy_identity, policy_roles)
UID = "(select auth.uid())"
JWT = "(select auth.jwt())"
OWN = f"author_id = {UID} and org_id in (select private.my_orgs())"
MEMBERS = f"select m.org_id from public.member m where m.user_id = {UID}"


@pytest.fixture(scope="module")
def connection(cluster: Any) -> Iterator[psycopg.Connection[Any]]:
    for database in _copy(cluster, "template1"):
        assert isinstance(database, Database)
        with database.connect() as opened:
            yield opened

# A parent whose key is the tenant and an id that its writer may choose.
PAGES = """create table public.page (org_id uuid not null references public.org (id), id uuid not null default gen_random_uuid(), title text, primary key (org_id, id));
create table public.page_line (org_id uuid not null, page_id uuid not null, body text, foreign key (org_id, page_id) references public.page (org_id, id));
alter table public.page enable row level security; alter table public.page_line enable row level security;
create policy r on public.page for select to authenticated using (org_id in (select private.my_orgs()));
create policy i on public.page for insert to authenticated with check (private.has_role(org_id, '{owner}'));
grant select, insert on public.page to authenticated; grant select on public.page_line to authenticated;
"""


def read(text: str, to: str = "to authenticated") -> str:
    return replaced("note", "note_read", "select", f"using ({text})", to)


HOLES = {
    "select-using-true": (read("true"), "note", "select"),
    "insert-check-true": (replaced("note", "note_add", "insert", "with check (true)"), "note", "insert"),
    "update-using-true": (replaced("note", "note_edit", "update", f"using (true) with check (org_id in ({MEMBERS}))"), "note", "update"),
    "update-check-true": (replaced("note", "note_edit", "update", "using (private.has_role(org_id, '{owner}')) with check (true)"), "note", "update"),
    "delete-using-true": (replaced("note", "note_remove", "delete", "using (1 = 1)"), "note", "delete"),
    "policy-without-to": ("create policy service on public.note using (true) with check (true)", "note", "select"),
    "policy-signed-in-only": (read(f"{UID} is not null"), "note", "select"),
    "policy-inverted-auth": (read(f"{UID} is null or org_id in (select private.my_orgs())", to=""), "note", "select"),
    "policy-captured-column": (read(f"exists (select 1 from public.member m where m.user_id = {UID} and m.org_id = org_id)"), "note", "select"),
    "policy-membership-any-tenant": (read(f"exists (select 1 from public.member m where m.user_id = {UID})"), "note", "select"),
    "policy-claim-tautology": (read(f"org_id = coalesce(({JWT} ->> 'org_id')::uuid, org_id)"), "note", "select"),
    "policy-null-tenant": (read("org_id is null or org_id in (select private.my_orgs())"), "note", "select"),
    "policy-null-passes": (read("coalesce(org_id in (select private.my_orgs()), true)"), "note", "select"),
    "policy-deny-list": (read(f"org_id not in ({MEMBERS} and m.status = 'suspended')"), "note", "select"),
    "policy-branch-without-tenant": (read("title like 'a%' or org_id in (select private.my_orgs())"), "note", "select"),
    "policy-time-based": (read("now() < '2030-01-01' or org_id in (select private.my_orgs())"), "note", "select"),
    "policy-aal-permissive": (f"create policy aal on public.note for select to authenticated using (({JWT} ->> 'aal') = 'aal2')", "note", "select"),
    "policy-tenant-unchecked": (replaced("note", "note_add", "insert", f"with check (author_id = {UID})"), "note", "insert"),
    "self-service-membership": (f"create policy j on public.member for insert to authenticated with check (user_id = {UID}); grant insert on public.member to authenticated", "member", "insert"),
    "self-promotion": (f"create policy e on public.member for update to authenticated using (user_id = {UID})", "member", "update"),
    "policy-user-metadata": (read(f"org_id = ({JWT} -> 'user_metadata' ->> 'org_id')::uuid"), "note", "select"),
    "policy-stale-claim": (read(f"org_id = ({JWT} -> 'app_metadata' ->> 'org_id')::uuid"), "note", "select"),
    "policy-request-header": (read("org_id = (current_setting('request.headers', true)::json ->> 'x-org-id')::uuid"), "note", "select"),
    "policy-request-cookie": (read("org_id = (current_setting('request.cookies', true)::json ->> 'org')::uuid"), "note", "select"),
    "policy-session-setting": (read("org_id = nullif(current_setting('app.org_id', true), '')::uuid"), "note", "select"),
    "policy-legacy-claim-setting": (read("author_id = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid"), "note", "select"),
    "policy-pattern-match": (read(f"org_id::text like coalesce({JWT} -> 'app_metadata' ->> 'org', '') || '%'"), "note", "select"),
    "policy-for-all": (replaced("note", "note_read", "all", "using (org_id in (select private.my_orgs()))"), "note", "delete"),
    "write-policy-without-role": (replaced("note", "note_remove", "delete", "using (org_id in (select private.my_orgs()))"), "note", "delete"),
    "membership-write-without-role": ("create policy d on public.member for delete to authenticated using (org_id in (select private.my_orgs())); grant delete on public.member to authenticated",
                                      "member", "delete"),
    "policy-owner-filter-widened": ("create policy w on public.diary for select to authenticated using (org_id in (select private.my_orgs()))", "diary", "select"),
    "policy-helper-without-caller": ("create function private.there(n uuid) returns boolean language sql stable security definer set search_path = '' as "
                                     "$$ select exists (select 1 from public.note where id = n) $$; drop policy note_line_read on public.note_line;"
                                     "create policy note_line_read on public.note_line for select to authenticated using (private.there(note_id))", "note_line", "select"),
    "policy-half-key": (PAGES + "create policy r on public.page_line for select to authenticated using (exists (select 1 from public.page p where p.id = page_id))", "page_line", "select"),
    "policy-uncorrelated-exists": (read("exists (select 1 from public.note_line l where l.body = 'open')"), "note", "select"),
    "policy-lossy-compare": (read("left(org_id::text, 8) in (select left(o::text, 8) from private.my_orgs() o)"), "note", "select"),
    "policy-request-fact": (read("current_setting('request.method', true) = 'HEAD'"), "note", "select"),
}
HALVES = {
    "in": "page_id in (select p.id from public.page p where p.org_id in (select private.my_orgs()))",
    "no key": "exists (select 1 from public.page p where p.org_id = page_line.org_id or p.title = page_line.body)",
    "branch": "exists (select 1 from private.my_orgs() o where o = page_line.org_id or page_line.body like 'open%')",
}


@pytest.mark.parametrize("using", HALVES.values(), ids=HALVES)
def test_a_parent_found_by_less_than_its_key_is_a_hole(connection: psycopg.Connection[Any], using: str) -> None:
    patch = PAGES + f"create policy r on public.page_line for select to authenticated using ({using})"
    assert {one[1:] for one in named(connection, patch, policy_holes)} == {("public.page_line", "select")}


@pytest.mark.parametrize("using", [
    "exists (select 1 from public.page p where p.id = page_id and p.org_id = page_line.org_id)",
    "(org_id, page_id) in (select p.org_id, p.id from public.page p)",
    "org_id in (select p.org_id from public.page p where p.id = page_id)",
    "exists (select 1 from public.page p where p.id = page_id and private.has_role(page_line.org_id, '{owner}'))",
], ids=["both", "row", "tenant", "helper"])
def test_a_parent_found_by_its_whole_key_is_none(connection: psycopg.Connection[Any], using: str) -> None:
    assert named(connection, PAGES + f"create policy r on public.page_line for select to authenticated using ({using})", *RULES) == set()


@pytest.mark.parametrize("rule", HOLES)
def test_each_hole_of_a_policy_is_named_with_its_table_and_command(connection: psycopg.Connection[Any], rule: str) -> None:
    patch, table, command = HOLES[rule]
    assert (rule, f"public.{table}", command) in named(connection, patch, *RULES)


def test_nothing_is_said_about_the_correct_policies(connection: psycopg.Connection[Any]) -> None:
    assert named(connection, "", *RULES) == set()


@pytest.mark.parametrize("harmless", [
    replaced("note", "note_edit", "update", "using (private.has_role(org_id, '{member,owner}'))"),
    "create policy floor on public.note as restrictive for select to authenticated using (org_id in (select private.my_orgs())); " + read("true"),
    "create policy staff on public.note for select to authenticated using (((select auth.jwt()) -> 'app_metadata' ->> 'staff')::boolean)",
    "create policy server on public.note for all to service_role using (true) with check (true)",
    "create policy server on public.note for all using ((select auth.role()) = 'service_role')",
    read(f"org_id in ({MEMBERS} and m.status = 'active') and org_id = coalesce(({JWT} ->> 'org_id')::uuid, org_id)"),
    read(f"case when is_public then true else exists (select 1 from public.member m where m.user_id = {UID} and m.org_id = note.org_id and m.status = 'active') end"),
    f"create policy e on public.diary as restrictive for delete to authenticated using (({JWT} ->> 'aal') = 'aal2')",
    replaced("note", "note_add", "insert", f"with check ({OWN})") + replaced("note", "note_edit", "update", f"using ({OWN})")
    + replaced("note", "note_remove", "delete", f"using ({OWN} or private.has_role(org_id, '{{owner}}'))"),
], ids=["check left out", "restrictive floor", "staff claim", "to service_role", "role claim", "narrowed by a claim", "case", "restrictive aal", "own rows or a role"])
def test_what_is_equal_in_effect_or_meant_is_not_reported(connection: psycopg.Connection[Any], harmless: str) -> None:
    assert named(connection, harmless, *RULES) == set()


@pytest.mark.parametrize(("using", "named_too"), [(f"({OWN})", True), (f"(private.has_role(org_id, '{{viewer,member,owner}}') and (is_public or author_id = {UID}))", False)], ids=["own rows", "any row"])
def test_another_author_is_reported_only_where_rows_of_others_cannot_be_changed_anyway(connection: psycopg.Connection[Any], using: str, named_too: bool) -> None:
    patch = replaced("note", "note_edit", "update", f"using {using} with check (org_id in (select private.my_orgs()))")
    assert (("author-change", "public.note", "update") in named(connection, patch, privileges)) == named_too


def test_a_finding_names_the_policy_and_carries_a_script_that_rolls_back(connection: psycopg.Connection[Any]) -> None:
    (found,) = findings(connection, "create policy wide on public.note for select to authenticated using (title <> '')", policy_holes)
    assert "policy wide" in found.finding and "note_read" not in found.evidence
    assert found.reproduce.startswith("begin;") and found.reproduce.endswith("rollback;") and 'set local role "authenticated"' in found.reproduce
