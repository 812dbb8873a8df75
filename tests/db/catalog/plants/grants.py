"""Grants to those who must not have them."""

from __future__ import annotations

from tests.db.catalog.plants.plant import TABLE, plants

CHILD = ("create table app.parent (org_id uuid, id int) partition by list (id);"
         " create table app.planted partition of app.parent for values in (1)")

GRANTS = [
    *plants(
        "a12",
        ("grant truncate on app.chunk to authenticated", "app.chunk"),
        ("grant trigger on app.chunk to public", "app.chunk"),
        ("grant maintain on app.chunk to service_role", "app.chunk"),
        ("grant references (id) on app.organization to anon", "app.organization.id"),
        ("grant all on app.permission to authenticated", "app.permission"),
        ("grant select on app.chunk to authenticated with grant option", "app.chunk"),
        ("grant execute on function api.whoami() to authenticated with grant option", "api.whoami()")),
    *plants(
        "r7",
        ("grant usage on schema api to anon", "anon -> schema api"),
        ("grant usage on schema app to service_role", "service_role -> schema app"),
        ("grant usage on schema app to ringfence_analyst", "ringfence_analyst -> schema app"),
        ("grant select on app.chunk to service_role", "service_role -> app.chunk"),
        ("grant select (id) on app.run to ringfence_worker", "ringfence_worker -> app.run"),
        ("grant insert (org_id) on app.run to anon", "anon -> app.run"),
        ("grant execute on function api.whoami() to anon", "anon -> api.whoami()"),
        ("grant execute on function api.whoami() to service_role", "service_role -> api.whoami()"),
        ("grant execute on function authz.org_ids() to ringfence_analyst", "ringfence_analyst -> authz.org_ids()"),
        ("create role planted; grant execute on function authz.session_is_live() to planted", "planted -> authz.session_is_live()"),
        ("create role planted_reader; create role planted inherit in role planted_reader; grant select on app.run to planted_reader",
         ("planted -> app.run", "planted_reader -> app.run"))),
    *plants(
        "r13",
        (f"{CHILD}; grant select on app.planted to authenticated", "app.planted"),
        (f"{CHILD}; grant select (id) on app.planted to authenticated", "app.planted"),
        (f"{TABLE}; create table app.heir () inherits (app.planted); grant delete on app.heir to authenticated", "app.heir")),
    *plants(
        "r14",
        ("grant update on app.document to authenticated", "app.document"),
        ("grant insert on app.run_step to authenticated", "app.run_step"),
        ("grant insert on app.audit_event to ringfence_owner", "app.audit_event"),
        ("grant update (org_id) on app.document to authenticated", "app.document.org_id"),
        ("grant update (user_id) on app.run to authenticated", "app.run.user_id"),
        ("grant insert (id) on app.conversation to authenticated", "app.conversation.id"),
        ("grant insert (user_id) on app.message to authenticated", "app.message.user_id")),
    *plants(
        "r8",
        ("alter default privileges for role postgres in schema app grant select on tables to authenticated", "postgres in app"),
        ("alter default privileges for role postgres grant execute on functions to public", "postgres"),
        ("alter default privileges for role postgres grant execute on functions to anon", "postgres in every schema"),
        ("alter default privileges in schema api grant execute on functions to public", "supabase_admin in api")),
    *plants(
        "r30",
        ("create extension dblink schema extensions; revoke execute on all functions in schema extensions from public;"
         " grant execute on function extensions.dblink_connect(text) to authenticated", "authenticated -> extensions.dblink_connect(text)"),
        ("create extension pg_stat_statements schema extensions; revoke execute on all functions in schema extensions from public;"
         " revoke select on extensions.pg_stat_statements_info from public; revoke select on extensions.pg_stat_statements from public;"
         " grant select on extensions.pg_stat_statements to authenticated", "authenticated -> extensions.pg_stat_statements")),
]
