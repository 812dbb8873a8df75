"""Rules about what stands in the catalogs: row security, grants, roles, views, keys, files, live updates, secrets, agents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.conftest import _copy
from tests.rls.rules import agents, grants, keys, platform, realtime, rls_state, roles, secret_ways, secrets, session_strength, storage, views
from tests.rls.small import findings, named, replaced

RULES = (agents, grants, keys, platform, realtime, rls_state, roles, secret_ways, secrets, session_strength, storage, views)
AAL = "((select auth.jwt()) ->> 'aal')"
FLOOR = "create policy aal on public.diary as restrictive for all to authenticated using ({}) with check ({})"

@pytest.fixture(scope="module")
def connection(cluster: Any) -> Iterator[psycopg.Connection[Any]]:
    for database in _copy(cluster, "template1"):
        with database.connect("supabase_admin") as opened:
            opened.execute("grant usage on schema public to authenticated, anon")
            opened.commit()
            yield opened


STATES = {
    "rls-disabled-with-policies": ("alter table public.note disable row level security", "public.note"),
    "rls-disabled": ("create table public.memo (org_id uuid references public.org (id), body text); grant select on public.memo to authenticated", "public.memo"),
    "partition-without-rls": ("create table public.old_note () inherits (public.note); grant select on public.old_note to authenticated", "public.old_note"),
    "table-owned-by-client-role": ("alter table public.note owner to authenticated", "public.note"),
    "trigger-disabled": ("create function private.t() returns trigger language plpgsql as 'begin return new; end'; create trigger g before update on public.note for each row execute function private.t();"
                         "alter table public.note disable trigger g", "public.note"),
    "no-force-owner-path": ("create role d2_owner nologin; grant usage on schema private, auth to d2_owner; alter table public.note owner to d2_owner; create function public.f() returns setof public.note "
                            "language sql stable security definer set search_path = '' as 'select * from public.note'; alter function public.f() owner to d2_owner", "public.note"),
    "truncate-granted": ("grant truncate on public.note to authenticated", "public.note"),
    "references-granted": ("grant references on public.note to authenticated", "public.note"),
    "trigger-granted": ("grant trigger on public.note to authenticated", "public.note"),
    "grant-option": ("grant select on public.note to authenticated with grant option", "public.note"),
    "column-grant-widened-update": ("revoke update on public.note from authenticated; grant update (title) on public.note to authenticated; grant update on public.note to authenticated", "public.note"),
    "secret-column-readable": ("alter table public.note add column api_key text", "public.note"),
    "privileged-column-writable": ("create policy u on public.org for update to authenticated using (private.has_role(id, '{owner}')); grant update on public.org to authenticated", "public.org"),
    "create-on-schema": ("grant create on schema public to authenticated", "schema public"),
    "sequence-granted": ("create sequence public.s; grant all on sequence public.s to authenticated", "public.s"),
    "default-privileges": ("alter default privileges for role postgres in schema public grant all on tables to authenticated", "schema public"),
    "client-role-member-of": ("grant pg_read_all_data to authenticated", "role authenticated"),
    "client-role-attribute": ("alter role authenticated bypassrls", "role authenticated"),
    "definer-view": ("create view public.v as select * from public.note; grant select on public.v to authenticated", "public.v"),
    "invoker-view-over-definer-view": ("create view private.i as select * from public.note; grant select on private.i to authenticated;"
                                       "create view public.v with (security_invoker = on) as select * from private.i; grant select on public.v to authenticated", "public.v"),
    "materialized-view-readable": ("create materialized view public.m as select * from public.note; grant select on public.m to authenticated", "public.m"),
    "rewrite-rule": ("create table public.drop (org_id uuid); alter table public.drop enable row level security; grant insert on public.drop to authenticated;"
                     "create rule r as on insert to public.drop do instead insert into public.diary (org_id, user_id) values (new.org_id, auth.uid())", "public.drop"),
    "unique-not-tenant-scoped": ("create unique index u on public.note (lower(title))", "public.note"),
    "foreign-key-not-composite": ("alter table public.note_line drop constraint note_line_org_id_note_id_fkey, add foreign key (note_id) references public.note (id); drop policy note_line_add on public.note_line;"
                                  "create policy note_line_add on public.note_line for insert to authenticated with check (private.has_role(org_id, '{member}'))", "public.note_line"),
    "sequential-key": ("create table public.reply (id bigint generated by default as identity primary key, org_id uuid not null references public.org (id)); alter table public.reply enable row level security;"
                       "create policy r on public.reply for insert to authenticated with check (private.has_role(org_id, '{member}')); grant insert on public.reply to authenticated", "public.reply"),
    "publication-all-tables": ("create publication supabase_realtime for all tables", "publication supabase_realtime"),
    "replica-identity-full": ("create publication supabase_realtime for table public.note; alter table public.note replica identity full", "public.note"),
    "notify-carries-row": ("create function private.n() returns trigger language plpgsql as $$ begin perform pg_notify('x', to_jsonb(new)::text); return null; end $$", "private.n()"),
    "secret-in-catalog": ("comment on table public.note is 'Authorization: Bearer sk_live_51H8sK2eZvKYlo2C0aBcDeFg'", "public.note"),
    "tenant-less-cache": ("create table public.llm_cache (prompt_hash text primary key, response text); alter table public.llm_cache enable row level security; create policy r on public.llm_cache for select "
                          "to authenticated using (true); grant select on public.llm_cache to authenticated", "public.llm_cache"),
    "author-not-bound": (replaced("note", "note_add", "insert", "with check (private.has_role(org_id, '{member,owner}'))"), "public.note"),
    "restrictive-policy-binds-nobody": ("create policy aal on public.diary as restrictive for all to anon using (((select auth.jwt()) ->> 'aal') = 'aal2')", "public.diary"),
    "aal-not-for-every-command": ("create policy aal on public.diary as restrictive for select to authenticated using (((select auth.jwt()) ->> 'aal') = 'aal2')", "public.diary"),
    "aal-not-compared": (FLOOR.format(f"{AAL} is not null", f"{AAL} is not null"), "public.diary"),
    "platform-table-open": ("grant select on auth.users to authenticated; alter table auth.users disable row level security", "auth.users"),
    "secret-copied": ("alter table public.note add column api_key text, add column shown text generated always as (left(api_key, 12)) stored; revoke select on public.note from authenticated;"
                      "grant select (id, title, shown) on public.note to authenticated", "public.note"),
    "platform-secret-in-view": ("create schema if not exists vault; create table vault.kept (name text, decrypted_secret text); create view public.v as select * from vault.kept; grant select on public.v to authenticated",
                                "public.v"),
    "platform-secret-in-function": ("create schema if not exists vault; create table vault.kept (name text, decrypted_secret text); create function public.f(what text) returns text language sql stable security definer "
                                    "set search_path = '' as 'select decrypted_secret from vault.kept where name = what'; grant execute on function public.f(text) to authenticated", "public.f(text)"),
    "parameter-granted": ("grant set on parameter session_replication_role to authenticated", "role authenticated"),
}


@pytest.mark.parametrize("rule", STATES)
def test_each_state_is_named_with_the_object_that_has_it(connection: psycopg.Connection[Any], rule: str) -> None:
    patch, culprit = STATES[rule]
    found = findings(connection, patch, *RULES)
    assert (rule, culprit) in {(one.id, one.object) for one in found}, [(one.id, one.object) for one in found]


@pytest.mark.parametrize("harmless", [
    "",
    "create view public.v with (security_invoker = on) as select * from public.note; grant select on public.v to authenticated",
    "create view public.v as select * from public.note where org_id in (select private.my_orgs()); grant select on public.v to authenticated",
    "create table private.queue (id bigint generated always as identity primary key, payload jsonb)",
    "create publication supabase_realtime for table public.note",
    "alter table public.org add column slug text unique",
    "comment on column public.note.title is 'The secret of a good title: at most 100 characters; see https://example.test/titles'",
    FLOOR.format(f"{AAL} = 'aal2'", f"{AAL} = 'aal2'"),
    "alter table public.note add column token_count int, add column secret_name text",
    "alter table public.note force row level security",
], ids=["correct", "invoker view", "filtered view", "unreachable table", "published", "slug", "comment", "aal2 for all", "innocent names", "force"])
def test_states_that_are_meant_are_not_reported(connection: psycopg.Connection[Any], harmless: str) -> None:
    assert named(connection, harmless, *RULES) == set()
