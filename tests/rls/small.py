"""A small correct schema to break in one way at a time, and the findings of single rules over it, in a transaction that is rolled back."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import psycopg

from tests.rls import engine
from tests.rls.config import Config
from tests.rls.finding import Finding

CORRECT = """
create schema private;
grant usage on schema private to authenticated;
create table public.org (id uuid primary key default gen_random_uuid(), name text not null, plan text not null default 'free');
create table public.member (
  org_id uuid not null references public.org (id), user_id uuid not null references auth.users (id), role text not null default 'member' check (role in ('viewer', 'member', 'owner')),
  status text not null default 'active' check (status in ('active', 'suspended')), primary key (org_id, user_id));
create table public.note (
  id uuid primary key default gen_random_uuid(), org_id uuid not null references public.org (id), author_id uuid not null default auth.uid() references auth.users (id),
  title text not null, is_public boolean not null default false, unique (org_id, id), unique (org_id, title));
create table public.note_line (id uuid primary key default gen_random_uuid(), org_id uuid not null, note_id uuid not null, body text not null,
  foreign key (org_id, note_id) references public.note (org_id, id));
create table public.diary (id uuid primary key default gen_random_uuid(), org_id uuid not null references public.org (id), user_id uuid not null references auth.users (id), body text);
create table public.country (code text primary key, name text not null);

create function private.my_orgs() returns setof uuid language sql stable security definer set search_path = '' as $$
  select m.org_id from public.member m where m.user_id = (select auth.uid()) and m.status = 'active' $$;
create function private.has_role(org uuid, roles text[]) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select 1 from public.member m where m.org_id = org and m.user_id = (select auth.uid()) and m.status = 'active' and m.role = any (roles)) $$;
revoke execute on all functions in schema private from public;
grant execute on all functions in schema private to authenticated;

alter table public.org enable row level security;
alter table public.member enable row level security;
alter table public.note enable row level security;
alter table public.note_line enable row level security;
alter table public.diary enable row level security;
alter table public.country enable row level security;

create policy org_read on public.org for select to authenticated using (id in (select private.my_orgs()));
create policy member_read on public.member for select to authenticated using (org_id in (select private.my_orgs()));
create policy member_manage on public.member for update to authenticated
  using (private.has_role(org_id, '{owner}')) with check (private.has_role(org_id, '{owner}'));
create policy note_read on public.note for select to authenticated using (is_public or org_id = any (array(select private.my_orgs())));
create policy note_add on public.note for insert to authenticated with check (private.has_role(org_id, '{member,owner}') and author_id = (select auth.uid()));
create policy note_edit on public.note for update to authenticated using (private.has_role(org_id, '{member,owner}')) with check (private.has_role(org_id, '{member,owner}'));
create policy note_remove on public.note for delete to authenticated using (private.has_role(org_id, '{owner}'));
create policy note_line_read on public.note_line for select to authenticated using (exists (select 1 from public.note n where n.id = note_id));
create policy note_line_add on public.note_line for insert to authenticated
  with check (private.has_role(org_id, '{member,owner}') and exists (select 1 from public.note n where n.id = note_id));
create policy diary_own on public.diary for all to authenticated
  using (user_id = (select auth.uid()) and org_id in (select private.my_orgs())) with check (user_id = (select auth.uid()) and org_id in (select private.my_orgs()));
create policy country_read on public.country for select to anon, authenticated using (true);
grant select on public.org to authenticated;
grant select, update on public.member to authenticated;
grant select, insert, update, delete on public.note, public.diary to authenticated;
grant select, insert on public.note_line to authenticated;
grant select on public.country to anon, authenticated;
"""


def findings(connection: psycopg.Connection[Any], patch: str, *rules: ModuleType) -> list[Finding]:
    """Return what the rules say about the correct schema after a patch. Everything is rolled back."""
    try:
        connection.execute(CORRECT)
        if patch:
            connection.execute(patch)  # type: ignore[arg-type]
        result = engine.run_on(connection, Config(), [rule.check for rule in rules])
        assert not result.not_covered, result.not_covered
        return result.findings
    finally:
        connection.rollback()


def named(connection: psycopg.Connection[Any], patch: str, *rules: ModuleType) -> set[tuple[str, str, str]]:
    """Return (id, object, command) of each finding."""
    return {(found.id, found.object, found.command) for found in findings(connection, patch, *rules)}


def replaced(table: str, policy: str, command: str, text: str, to: str = "to authenticated") -> str:
    """Return SQL that puts another policy in the place of one."""
    return f"drop policy {policy} on public.{table}; create policy {policy} on public.{table} for {command} {to} {text};"
