"""Tables, functions, views, keys and indexes that are not as they must be."""

from __future__ import annotations

from tests.db.catalog.plants.plant import DEFINER, FUNCTION, TABLE, plants

OBJECTS = [
    *plants(
        "a1",
        ("create table app.planted (org_id uuid)", "app.planted"),
        ("create table public.planted (id int)", "public.planted"),
        ("alter table app.chunk disable row level security", "app.chunk"),
        ("alter table app.membership no force row level security", "app.membership"),
        ("create table app.planted (org_id uuid, id int) partition by list (id)", "app.planted"),
        ("create table app.planted (like app.document including all)", "app.planted")),
    *plants(
        "a2",
        ("create function api.planted() returns int language sql as 'select 1'", "api.planted()"),
        ("create function authz.planted() returns int language sql set search_path = '' as 'select 1'", "authz.planted()"),
        ("alter function authz.uid() set search_path = pg_temp, pg_catalog", "authz.uid()"),
        ("alter function authz.org_ids() set search_path = public, pg_catalog, pg_temp", "authz.org_ids()"),
        ("alter function api.whoami() set search_path = pg_catalog", "api.whoami()"),
        ("alter function api.get_order(uuid, text) reset search_path", "api.get_order(uuid,text)")),
    *plants(
        "a3",
        ("create function app.planted() returns int language sql set search_path = pg_catalog, pg_temp as 'select 1'", "app.planted()"),
        ("grant execute on function authz.session_is_live() to public", "authz.session_is_live()"),
        (f"{FUNCTION}; revoke execute on function api.planted() from anon", "api.planted()")),
    *plants(
        "r55",
        ("alter function authz.uid() leakproof", "authz.uid()"),
        ("create function public.planted(text, text) returns boolean language sql immutable leakproof as 'select $1 = $2'", "public.planted(text,text)")),
    *plants(
        "a4",
        (DEFINER, "authz.planted()"),
        ("alter function api.whoami() security definer", "api.whoami()"),
        ("alter function authz.org_ids() owner to postgres", "authz.org_ids()"),
        ("alter function authz.tg_audit() owner to authenticator", "authz.tg_audit()")),
    *plants(
        "a5",
        ("create view app.planted as select * from app.chunk", "app.planted"),
        ("create view app.planted with (security_invoker = off) as select * from app.chunk", "app.planted"),
        ("create view public.planted with (security_barrier) as select * from app.chunk", "public.planted"),
        ("create view app.planted with (security_invoker) as select 1 as a; alter view app.planted reset (security_invoker)", "app.planted")),
    *plants(
        "a8",
        (f"{TABLE}; create unique index on app.document (id);"
         " alter table app.planted add constraint planted_id_fkey foreign key (id) references app.document (id)", "app.planted.planted_id_fkey"),
        (f"{TABLE}; alter table app.planted add constraint planted_id_fkey foreign key (id) references app.organization (id)",
         "app.planted.planted_id_fkey"),
        (f"{TABLE}; alter table app.planted add constraint planted_swapped_fkey foreign key (id, org_id) references app.document (org_id, id)",
         "app.planted.planted_swapped_fkey")),
    *plants(
        "a9",
        ("create unique index planted_key on app.customer_order (order_number)", "app.planted_key"),
        ("alter table app.bot add constraint planted_key unique (slug)", "app.planted_key"),
        ("alter table app.organization add constraint planted_key unique (slug)", "app.planted_key"),
        ("create unique index planted_key on app.bot (slug, org_id)", "app.planted_key"),
        ("create unique index planted_key on app.bot (lower(slug))", "app.planted_key"),
        ("create table app.planted (org_id uuid, id uuid primary key)", "app.planted_pkey"),
        ("alter table app.message add constraint planted_excl exclude using hash (content with =)", "app.planted_excl")),
    *plants(
        "a13",
        ("create table app.planted (org_id uuid not null, id uuid)", "app.planted"),
        ("create index planted_idx on app.chunk (document_id)", "app.planted_idx"),
        ("create index planted_idx on app.chunk using hnsw (embedding extensions.vector_cosine_ops)", "app.planted_idx"),
        ("create table app.planted (org_id uuid, done boolean); create index on app.planted (org_id) where done", "app.planted")),
    *plants(
        "a16",
        ("create table app.planted (id uuid primary key)", "app.planted"),
        ("create table app.planted (id uuid, org_id uuid, primary key (org_id, id))", "app.planted"),
        ("create table app.planted (org_id text, id uuid, primary key (org_id, id))", "app.planted"),
        ("create table app.planted (org_id uuid not null, id uuid primary key)", "app.planted"),
        (f"{TABLE}; alter table app.planted alter org_id set default gen_random_uuid()", "app.planted"),
        ("create table app.planted (org_id uuid, id uuid); comment on table app.planted is 'nullable'", "app.planted")),
    *plants(
        "a17",
        ("create sequence app.planted", "app.planted"),
        ("create table app.planted (org_id uuid, id bigint generated always as identity)", "app.planted_id_seq")),
    *plants(
        "a19",
        ("alter table app.bot disable trigger _100_archive", "app.bot"),
        ("alter table app.bot enable replica trigger _950_usage", "app.bot")),
    *plants(
        "r2",
        ("create table api.planted (id int)", ("api.planted",)),
        ("create view api.planted with (security_invoker) as select 1 as a", "api.planted"),
        ("create type api.planted as enum ('a')", "api.planted"),
        ("create domain api.planted as text", "api.planted"),
        ("create procedure api.planted() language sql as 'select 1'", "api.planted()"),
        ("create aggregate api.planted (int) (sfunc = int4pl, stype = int)", "api.planted(integer)")),
    *plants(
        "r12",
        ("create materialized view app.planted as select * from app.chunk", "app.planted"),
        ("create materialized view public.planted as select * from app.chunk; grant select (content) on public.planted to anon", "public.planted"),
        ("create foreign data wrapper planted; create server planted foreign data wrapper planted;"
         " create foreign table app.planted (id int) server planted", "app.planted")),
    *plants(
        "r30",
        ("create extension pg_trgm schema public", "extension pg_trgm"),
        ("grant execute on function pg_catalog.pg_read_file(text) to authenticated", "authenticated -> pg_read_file(text)"),
        ("grant execute on function pg_catalog.lo_export(oid, text) to ringfence_analyst", "ringfence_analyst -> lo_export(oid,text)")),
]
