"""Rules about functions: what a definer reaches, what helpers forget, what a function that clients call must not do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import _copy
from tests.rls.analysis import plpgsql
from tests.rls.rules import definer_functions, definer_triggers, error_texts, function_dangers, function_properties, policy_helpers, secret_ways
from tests.rls.small import findings, named

RULES = (definer_functions, definer_triggers, error_texts, function_dangers, function_properties, policy_helpers, secret_ways)
UID = "(select auth.uid())"


@pytest.fixture(scope="module")
def connection(cluster: Any) -> Iterator[psycopg.Connection[Any]]:
    for database in _copy(cluster, "template1"):
        with database.connect() as opened:
            yield opened


def function(head: str, body: str, language: str = "sql", kind: str = "stable security definer set search_path = ''") -> str:
    """Return SQL that makes public.f and lets signed-in people call it."""
    return (f"create function public.f({head} language {language} {kind} as $f${body}$f$;"
            "revoke execute on function public.f from public; grant execute on function public.f to authenticated;")


GUARD = "begin if not private.has_role(org, '{owner}') then raise exception 'no'; end if; return query select n.* from public.note n where n.org_id = org; end"
DEFINERS = {
    "definer-without-tenant-filter": function(") returns setof public.note", "select * from public.note"),
    "definer-trusts-tenant-argument": function("org uuid) returns setof public.note", "select n.* from public.note n where n.org_id = org"),
    "definer-trusts-user-argument": function("person uuid default auth.uid()) returns setof public.diary", "select d.* from public.diary d where d.user_id = person"),
    "definer-trusts-id-argument": function("note uuid) returns text", "select n.title from public.note n where n.id = f.note"),
    "definer-optional-tenant-argument": function("org uuid default null) returns setof public.note",
                                                 "select n.* from public.note n where org is null or (n.org_id = org and private.has_role(org, '{owner}'))"),
    "definer-signed-in-only": function(") returns setof public.note", f"select * from public.note where {UID} is not null"),
    "definer-writes-by-argument": function("org uuid) returns void", f"insert into public.member (org_id, user_id) values (org, {UID})", kind="volatile security definer set search_path = ''"),
    "exec-sql": function("query text) returns json", "declare r json; begin execute 'select json_agg(t) from (' || query || ') t' into r; return r; end", "plpgsql", "volatile set search_path = ''"),
    "set-config-rpc": function("person uuid) returns void", "select set_config('request.jwt.claims', json_build_object('sub', person)::text, true)", kind="volatile set search_path = ''"),
    "definer-null-guard": function("org uuid) returns setof public.note", f"declare v_role text; begin select m.role into v_role from public.member m where m.org_id = org and m.user_id = {UID};"
                                   "if v_role not in ('owner') then raise exception 'no'; end if; return query select n.* from public.note n where n.org_id = org; end", "plpgsql"),
    "function-user-metadata": function(") returns setof public.note", "begin if coalesce(auth.jwt() -> 'user_metadata' ->> 'role', '') <> 'admin' then raise exception 'no'; end if;"
                                       "return query select * from public.note; end", "plpgsql"),
    "definer-search-path": function(") returns bigint", f"select count(*) from public.note where author_id = {UID}", kind="stable security definer"),
    "function-immutable-identity": function(") returns bigint", f"select count(*) from public.note where author_id = {UID}", kind="immutable security definer set search_path = ''"),
    "definer-server-catalog": function(") returns setof text", "select query from pg_catalog.pg_stat_activity"),
    "public-execute": function(") returns bigint", f"select count(*) from public.note where author_id = {UID}") + "grant execute on function public.f to public; revoke execute on function public.f from anon",
    "set-config-session": function(") returns void", f"select set_config('app.org', (select org_id::text from public.member where user_id = {UID} limit 1), false)"),
    "function-client-header": function(") returns uuid", "select (current_setting('request.headers', true)::json ->> 'x-user-id')::uuid", kind="stable set search_path = ''"),
}
DEFINERS |= {
    "error-carries-row": function("note uuid) returns void", "declare v public.note; begin select n.* into v from public.note n where n.id = note; if not private.has_role(v.org_id, '{owner}') then "
                                  "raise exception 'not yours: %', v.title; end if; end", "plpgsql"),
    "error-tells-existence": function("note uuid) returns void", "declare v public.note; begin select n.* into v from public.note n where n.id = note; if v.id is null then raise exception 'no such note'; end if;"
                                      "if not private.has_role(v.org_id, '{owner}') then raise exception 'another organization'; end if; end", "plpgsql"),
}
DEFINERS |= {
    "secret-column-in-function": "alter table public.note add column api_key text; revoke select on public.note from authenticated; grant select (id, title) on public.note to authenticated;"
                                 + function("org uuid) returns setof public.note", "select n.* from public.note n where n.org_id = org and private.has_role(org, '{owner}')"),
}
BRANCHES = "begin if kind = 'notes' then if not private.has_role(org, '{{owner}}') then raise exception 'no'; end if; return query select n.title from public.note n where n.org_id = org; else {} return query select d.body from public.diary d where d.org_id = org; end if; end"
TRIGGERS = {
    "writes by a column": "update public.note set title = 'x' where id::text = new.body;",
    "reads by a column": "select n.title into new.body from public.note n where n.id::text = new.body;",
    "names a person": "insert into public.alert (user_id) values (new.mention);",
    "half a key": "update public.page set title = 'x' where id = new.page_id;",
}
CHECKED = {
    "by the key": "update public.note set title = 'x' where id = new.note_id;",
    "by the tenant": "update public.page set title = 'x' where id = new.page_id and org_id = new.org_id;",
    "asked before": "if exists (select 1 from public.member m where m.org_id = new.org_id and m.user_id = new.mention) then insert into public.alert (user_id) values (new.mention); end if;",
    "the caller": "insert into public.diary (org_id, user_id, body) values (new.org_id, auth.uid(), new.body);",
}


def trigger(body: str) -> str:
    """Return SQL that makes a definer trigger on the lines of notes."""
    return ("create table public.alert (user_id uuid not null references auth.users (id)); alter table public.alert enable row level security;"
            "create policy r on public.alert for select to authenticated using (user_id = (select auth.uid()));"
            "create table public.page (org_id uuid not null references public.org (id), id uuid not null, title text, primary key (org_id, id)); alter table public.page enable row level security;"
            "alter table public.note_line add column page_id uuid, add column mention uuid, add foreign key (org_id, page_id) references public.page (org_id, id);"
            f"create function private.t() returns trigger language plpgsql security definer set search_path = '' as $$ begin {body} return new; end $$;"
            "create trigger t before insert on public.note_line for each row execute function private.t();")


@pytest.mark.parametrize("body", TRIGGERS.values(), ids=TRIGGERS)
def test_a_definer_trigger_that_reaches_rows_by_what_the_writer_gives_is_named(connection: psycopg.Connection[Any], body: str) -> None:
    assert ("definer-trigger-crosses-tenant", "private.t()", "insert") in named(connection, trigger(body), *RULES)


@pytest.mark.parametrize("body", CHECKED.values(), ids=CHECKED)
def test_a_definer_trigger_that_stays_in_the_tenant_is_not(connection: psycopg.Connection[Any], body: str) -> None:
    assert named(connection, trigger(body), *RULES) == set()


@pytest.mark.parametrize(("check", "found"), [("", {"definer-trusts-tenant-argument"}), ("if not private.has_role(org, '{owner}') then raise exception 'no'; end if;", set())], ids=["forgotten", "asked"])
def test_what_one_branch_checks_says_nothing_about_its_sibling(connection: psycopg.Connection[Any], check: str, found: set[str]) -> None:
    assert {one[0] for one in named(connection, function("org uuid, kind text) returns setof text", BRANCHES.format(check), "plpgsql"), *RULES)} == found


HELPERS = {
    "helper-ignores-argument": "select exists (select 1 from public.member m where m.org_id = org and m.user_id = (select auth.uid()) and m.status = 'active')",
    "helper-captured-column": "select exists (select 1 from public.member m where m.org_id = m.org_id and m.user_id = (select auth.uid()) and m.status = 'active' and m.role = any (roles))",
    "helper-ignores-status": "select exists (select 1 from public.member m where m.org_id = org and m.user_id = (select auth.uid()) and m.role = any (roles))",
    "helper-null-caller": "select exists (select 1 from public.member m where m.org_id = org and (auth.uid() is null or m.user_id = auth.uid()) and m.status = 'active' and m.role = any (roles))",
    "helper-role-as-text": "select exists (select 1 from public.member m where m.org_id = org and m.user_id = auth.uid() and m.status = 'active' and m.role::text >= roles[1])",
}


@pytest.mark.parametrize("rule", DEFINERS)
def test_each_danger_of_a_function_is_named_with_its_signature(connection: psycopg.Connection[Any], rule: str) -> None:
    found = findings(connection, DEFINERS[rule], *RULES)
    assert rule in {one.id for one in found if one.object.startswith("public.f(")}, found


@pytest.mark.parametrize("rule", HELPERS)
def test_each_thing_a_helper_forgets_is_named_and_the_tables_that_use_it(connection: psycopg.Connection[Any], rule: str) -> None:
    body = "create or replace function private.has_role(org uuid, roles text[]) returns boolean language sql stable security definer set search_path = '' as $$" + HELPERS[rule] + "$$"
    (found,) = [one for one in findings(connection, body, *RULES) if one.id == rule]
    assert found.object == "private.has_role(uuid,text[])" and "public.note" in found.finding


@pytest.mark.parametrize("harmless", [
    "",
    function("org uuid) returns setof public.note", GUARD, "plpgsql"),
    function("org uuid) returns setof public.note", "select n.* from public.note n where n.org_id = org and private.has_role(org, '{owner}')"),
    function(") returns setof public.note", f"with mine as (select m.org_id from public.member m where m.user_id = {UID} and m.status = 'active') select n.* from public.note n join mine using (org_id)"),
    function("note uuid) returns void", "declare v public.note; begin select n.* into v from public.note n where n.id = note; if v.id is null or not private.has_role(v.org_id, '{owner}') then "
             "raise exception 'no such note'; end if; update public.note set title = 'x' where id = note; end", "plpgsql", "volatile security definer set search_path = ''"),
    function("name text) returns uuid", f"declare v_org uuid; begin if {UID} is null then raise exception 'sign in'; end if; insert into public.org (name) values (f.name) returning id into v_org;"
             f"insert into public.member (org_id, user_id, role) values (v_org, {UID}, 'owner'); return v_org; end", "plpgsql", "volatile security definer set search_path = ''"),
    function("org uuid default null) returns setof public.note", "select n.* from public.note n where org is null or n.org_id = org", kind="stable security invoker set search_path = ''"),
    function("org uuid) returns setof public.note", "declare v_role text; begin select m.role into v_role from public.member m where m.org_id = org and m.user_id = auth.uid() and m.status = 'active';"
             "if v_role is null or v_role <> 'owner' then raise exception 'no'; end if; return query select n.* from public.note n where n.org_id = org; end", "plpgsql"),
    function("address text) returns bigint", "begin if not exists (select 1 from public.member m where m.user_id = auth.uid() and m.status = 'active') then raise exception 'no'; end if; return 1; end", "plpgsql"),
    function("org uuid) returns setof public.note", "begin perform 1 from public.member m where m.org_id = org and m.user_id = auth.uid() and m.status = 'active'; if not found then raise exception 'no'; end if;"
             "return query select n.* from public.note n where n.org_id = org; end", "plpgsql"),
    function("what text) returns json", "declare r json; begin execute format('select to_json(%L)', what) into r; return r; end", "plpgsql", "stable set search_path = ''"),
], ids=["correct", "guard", "helper in WHERE", "with mine", "row looked up and checked", "create tenant", "invoker", "role asked", "touches nothing", "not found", "quoted"])
def test_functions_that_check_their_caller_are_not_reported(connection: psycopg.Connection[Any], harmless: str) -> None:
    assert named(connection, harmless, *RULES) == set()


def test_an_overload_beside_a_safe_one_is_named_as_stale(connection: psycopg.Connection[Any]) -> None:
    safe = function("org uuid) returns setof public.note", GUARD, "plpgsql")
    old = ("create function public.f(org uuid, kind text) returns setof public.note language sql stable security definer set search_path = '' as $$ select n.* from public.note n where n.org_id = org $$;"
           "revoke execute on function public.f(uuid, text) from public; grant execute on function public.f(uuid, text) to authenticated")
    (found,) = findings(connection, safe + old, definer_functions)
    assert found.object == "public.f(uuid,text)" and "stale overload" in found.finding


def test_the_statements_of_a_body_are_found_with_their_variables_and_branches() -> None:
    steps = plpgsql.steps("declare v uuid := auth.uid(); begin if v is null then raise exception 'a;b'; end if; select a, b into strict x, y from t; for r in select 1 loop perform f(r); end loop; "
                          "case v when 1 then v := 2; else null; end case; return query execute 'select ' || v; end")
    assert [(s.kind, s.targets, s.depth) for s in steps] == [
        ("declare", ("v",), 0), ("if", (), 1), ("raise", (), 1), ("end if", (), 1), ("sql", ("x", "y"), 0), ("sql", ("r",), 1), ("perform", (), 1), ("end loop", (), 1),
        ("if", (), 1), ("when", (), 1), ("assign", ("v",), 1), ("else", (), 1), ("end case", (), 1), ("execute", (), 0)]
