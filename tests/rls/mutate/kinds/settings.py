"""What is around the tables: roles, memberships, defaults, what PostgREST is told, what is published."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from tests.rls.mutate.mutant import Mutant, mutant

_ROLES = ("anon", "authenticated", "authenticator", "ringfence_owner", "ringfence_worker", "ringfence_analyst")
_SETTINGS = {
    "pre-request": "alter role authenticator reset pgrst.db_pre_request",
    "pre-request-other": "alter role authenticator set pgrst.db_pre_request = 'authz.claims'",
    "schemas-app": "alter role authenticator set pgrst.db_schemas = 'api, app'",
    "schemas-authz": "alter role authenticator set pgrst.db_schemas = 'api, authz'",
    "schemas-default": "alter role authenticator reset pgrst.db_schemas",
    "plan-enabled": "alter role authenticator set pgrst.db_plan_enabled = 'true'",
    "row-limit": "alter role authenticator set pgrst.db_max_rows = '1000000000'",
    "anon-role": "alter role authenticator set pgrst.db_anon_role = 'authenticated'",
    "role-claim": "alter role authenticator set pgrst.jwt_role_claim_key = '.user_metadata.role'",
    "timeout-authenticated": "alter role authenticated reset statement_timeout",
    "timeout-anon": "alter role anon reset statement_timeout",
    "timeout-authenticator": "alter role authenticator reset statement_timeout",
    "idle-authenticator": "alter role authenticator reset idle_in_transaction_session_timeout",
    "idle-worker": "alter role ringfence_worker reset idle_in_transaction_session_timeout",
    "idle-analyst": "alter role ringfence_analyst reset idle_in_transaction_session_timeout",
    "analyst-writes": "alter role ringfence_analyst reset default_transaction_read_only",
}
_MEMBERSHIPS = (
    ("ringfence_owner", "authenticated"), ("ringfence_owner", "authenticator"), ("service_role", "authenticated"),
    ("pg_read_all_data", "authenticated"), ("pg_read_all_data", "anon"), ("pg_write_all_data", "authenticated"), ("authenticated", "anon"),
    ("authenticated", "ringfence_worker"), ("authenticated", "ringfence_analyst"), ("ringfence_owner", "ringfence_worker"),
    ("ringfence_worker", "authenticator"), ("ringfence_analyst", "authenticator"), ("pg_monitor", "authenticated"), ("pg_read_server_files", "authenticated"),
    ("supabase_auth_admin", "authenticated"),
)
_DEFAULTS = {
    "tables-app": "alter default privileges for role postgres in schema app grant select, insert, update, delete on tables to authenticated",
    "tables-anon": "alter default privileges for role postgres in schema app grant select on tables to anon",
    "tables-all": "alter default privileges for role postgres grant select on tables to authenticated",
    "functions-public": "alter default privileges for role postgres grant execute on functions to public",
    "functions-api": "alter default privileges for role postgres in schema api grant execute on functions to anon",
    "functions-authz": "alter default privileges for role postgres in schema authz grant execute on functions to authenticated",
    "sequences": "alter default privileges for role postgres in schema app grant usage on sequences to authenticated",
}


def mutants(db: psycopg.Connection) -> Iterator[Mutant]:
    """Yield the mutants of settings, roles and defaults."""
    (name,) = db.execute("select quote_ident(current_database())").fetchone() or ("",)
    for key, sql in _SETTINGS.items():
        yield mutant("setting", key, sql, about=set())
    for role in _ROLES:
        for attribute in ("bypassrls", "superuser", "createrole", "createdb", "replication"):
            yield mutant("role-attribute", f"{role}: {attribute}", f"alter role {role} {attribute}", about=set())
    for role in ("anon", "authenticated", "ringfence_owner"):
        yield mutant("role-attribute", f"{role}: login", f"alter role {role} login", about=set())
    for role, member in _MEMBERSHIPS:
        yield mutant("role-membership", f"{role} to {member}", f"grant {role} to {member}", about=set())
    yield mutant("role-membership", "ringfence_owner to postgres: inherits", "grant ringfence_owner to postgres with inherit true", about=set())
    for key, sql in _DEFAULTS.items():
        yield mutant("default-privileges", key, sql, about=set())
    for role in ("public", "authenticated", "anon"):
        yield mutant("grant-database", f"TEMP to {role}", f"grant temporary on database {name} to {role}", about=set())
        yield mutant("grant-database", f"CREATE to {role}", f"grant create on database {name} to {role}", about=set())
    yield mutant("publication", "all tables", "create publication planted for all tables", about=set())
    yield mutant("publication", "app.message", "create publication planted for table app.message", about={"app.message"})
    yield mutant("publication", "schema app", "create publication planted for tables in schema app", about=set())
    for function in ("pg_read_file(text)", "lo_import(text)", "pg_ls_dir(text)"):
        yield mutant("grant-system", f"{function} to authenticated", f"grant execute on function pg_catalog.{function} to authenticated", about=set())
    for table in ("auth.users", "auth.sessions", "auth.mfa_factors"):
        yield mutant("grant-auth", f"{table} to authenticated", f"grant select on {table} to authenticated", "grant usage on schema auth to authenticated", about={table})
        yield mutant("rls-disable", table, f"alter table {table} disable row level security", about={table})
