"""The bug classes people make in schemas of this kind (RLS_TESTING.md), each put where it fits.

Most add something rather than change it: a second policy, a view, a function, a table. The restrictive floor makes some of them harmless
to other organizations; they must be noticed all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from tests.rls.mutate.mutant import Mutant, mutant

_TABLES = """
select 'app.' || c.relname, c.relname,
  (select a.attname from pg_attribute a where a.attrelid = c.oid and not a.attisdropped and a.attname = case when c.relname = 'organization' then 'id' else 'org_id' end),
  exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'user_id'),
  exists (select from pg_policy p where p.polrelid = c.oid and p.polname = c.relname || '_floor')
from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and c.relname <> 'permission' order by 1
"""
_READ = {
    "using-true": "true",
    "signed-in": "(select authz.uid()) is not null",
    "inverted": "(select authz.uid()) is null or {org} = any (array(select authz.org_ids()))",
    "member-of-any": "exists (select from app.membership m where m.user_id = (select authz.uid()))",
    "captured-column": "exists (select from app.membership m where m.user_id = (select authz.uid()) and {org} = {org})",
    "user-metadata": "{org}::text = ((select authz.claims()) -> 'user_metadata' ->> 'org_id')",
    "app-metadata": "{org}::text = ((select authz.claims()) -> 'app_metadata' ->> 'org_id')",
    "claim": "{org}::text = ((select authz.claims()) ->> 'org_id')",
    "header": "{org}::text = (current_setting('request.headers', true)::json ->> 'x-org-id')",
    "tautology": "{org} = coalesce(nullif((select authz.claims()) ->> 'tenant', '')::uuid, {org})",
    "service": "(select current_user) = 'service_role' or true",
}
_FUNCTION = "language {language} {volatility} security definer set search_path = pg_catalog, pg_temp as $$ {body} $$"


def mutants(db: psycopg.Connection) -> Iterator[Mutant]:
    """Yield a mutant of each class for each table it fits, and those that add an object of their own."""
    for table, name, org, personal, floored in db.execute(_TABLES).fetchall():
        # A table of nobody in particular names no organization: what compares with one does not fit it.
        for key, condition in _READ.items():
            if org is None and "{org}" in condition:
                continue
            yield mutant("extra-policy", f"{table}: {key}",
                         f"create policy {name}_select_more on {table} for select to authenticated using ({condition.format(org=f'{name}.{org}')})", about={table})
        yield mutant("extra-policy", f"{table}: no TO", f"create policy {name}_all_service on {table} using (true) with check (true)", about={table})
        for command, clauses in (("insert", "with check (true)"), ("update", "using (true) with check (true)"), ("delete", "using (true)")):
            yield mutant("extra-policy", f"{table}: {command} true", f"create policy {name}_{command}_more on {table} for {command} to authenticated {clauses}", about={table})
        if floored:
            yield mutant("extra-policy", f"{table}: no floor, select true", f"drop policy {name}_floor on {table}",
                         f"create policy {name}_select_more on {table} for select to authenticated using (true)", about={table})
        if personal and org:
            yield mutant("extra-policy", f"{table}: self service",
                         f"create policy {name}_all_self on {table} for all to authenticated using (user_id = (select authz.uid())) with check (user_id = (select authz.uid()))",
                         f"grant insert ({org}, user_id), update on {table} to authenticated", about={table})
        for key, options in (("definer", ""), ("reset", "with (security_invoker = off)"), ("barrier", "with (security_barrier = on)")):
            yield mutant("view", f"{table}: {key}", f"create view app.planted_{name} {options} as select * from {table}", f"grant select on app.planted_{name} to authenticated", about={table})
        yield mutant("view", f"{table}: materialized", f"create materialized view app.planted_{name} as select * from {table}", f"grant select on app.planted_{name} to authenticated", about={table})
        yield mutant("view", f"{table}: invoker over definer", f"create view authz.planted_{name} as select * from {table}",
                     f"create view app.planted_{name} with (security_invoker = on) as select * from authz.planted_{name}", f"grant select on authz.planted_{name}, app.planted_{name} to authenticated", about={table})
        yield mutant("table-copy", table, f"create table app.planted_{name} (like {table} including all)", f"grant select on app.planted_{name} to authenticated", about={table})
        yield mutant("function", f"{table}: all rows", f"create function api.planted_{name}() returns setof {table} "
                     + _FUNCTION.format(language="sql", volatility="stable", body=f"select * from {table}"),
                     f"revoke all on function api.planted_{name}() from public", f"grant execute on function api.planted_{name}() to authenticated", about={table})
        if org:
            yield mutant("function", f"{table}: trusts the organization", f"create function api.planted_{name}(org_id uuid) returns setof {table} "
                         + _FUNCTION.format(language="sql", volatility="stable", body=f"select * from {table} t where t.{org} = planted_{name}.org_id or planted_{name}.org_id is null"),
                         f"revoke all on function api.planted_{name}(uuid) from public", f"grant execute on function api.planted_{name}(uuid) to authenticated", about={table})
    yield from _objects()


def _objects() -> Iterator[Mutant]:
    open_table = "create table app.planted (org_id uuid not null, id uuid not null default gen_random_uuid(), note text, primary key (org_id, id))"
    grant = "grant select on app.planted to authenticated"
    yield mutant("new-table", "no row security", open_table, grant, about=set())
    yield mutant("new-table", "in public", "create table public.planted (id uuid primary key)", "grant select on public.planted to authenticated", about=set())
    yield mutant("new-table", "no floor", open_table, "alter table app.planted enable row level security", "alter table app.planted force row level security",
                 "create policy planted_select on app.planted for select to authenticated using (true)", grant, about=set())
    yield mutant("new-table", "shared cache", "create table app.embedding_cache (text_sha256 text primary key, embedding extensions.vector(384))",
                 "grant select, insert on app.embedding_cache to authenticated", about=set())
    yield mutant("new-table", "sequential key", "create table app.planted (org_id uuid not null, id bigint generated by default as identity, primary key (org_id, id))", grant, about=set())
    yield mutant("new-table", "nullable organization", open_table.replace("org_id uuid not null", "org_id uuid").replace("primary key (org_id, id)", "primary key (id)"), grant, about=set())
    yield mutant("new-table", "partition child", "create table app.planted (org_id uuid not null, id uuid not null, primary key (org_id, id)) partition by hash (org_id)",
                 "create table app.planted_0 partition of app.planted for values with (modulus 1, remainder 0)",
                 "alter table app.planted enable row level security", "alter table app.planted force row level security", "grant select on app.planted_0 to authenticated", about=set())
    yield mutant("function", "runs text", "create function api.exec_sql(query text) returns jsonb language plpgsql volatile set search_path = pg_catalog, pg_temp as"
                 " $$ declare v jsonb; begin execute exec_sql.query into v; return v; end $$",
                 "revoke all on function api.exec_sql(text) from public", "grant execute on function api.exec_sql(text) to authenticated", about=set())
    yield mutant("function", "sets any setting", "create function api.set_config(name text, value text) returns text language sql volatile set search_path = pg_catalog, pg_temp as"
                 " $$ select set_config(name, value, true) $$", "revoke all on function api.set_config(text, text) from public",
                 "grant execute on function api.set_config(text, text) to authenticated", about=set())
    yield mutant("function", "stale overload", "create function api.get_order(org_id uuid) returns setof app.customer_order "
                 + _FUNCTION.format(language="sql", volatility="stable", body="select * from app.customer_order o where o.org_id = get_order.org_id"),
                 "grant execute on function api.get_order(uuid) to authenticated", about={"api.get_order"})
    yield mutant("function", "open to public", "create function api.planted() returns bigint language sql stable set search_path = pg_catalog, pg_temp as 'select 1::bigint'",
                 "grant execute on function api.planted() to public", about=set())
    yield mutant("function", "leakproof operator function", "create function authz.planted(text, text) returns boolean language plpgsql immutable leakproof set search_path = pg_catalog, pg_temp as"
                 " $$ begin return $1 = $2; end $$", "revoke all on function authz.planted(text, text) from public", about=set())
    yield mutant("foreign-key", "not scoped", "create unique index planted_key on app.document (id)",
                 "alter table app.message add column planted uuid constraint planted_fkey references app.document (id)", about={"app.message"})
    yield mutant("unique", "not scoped", "alter table app.bot add column planted uuid default gen_random_uuid()", "create unique index planted_key on app.bot (planted)", about={"app.bot"})
