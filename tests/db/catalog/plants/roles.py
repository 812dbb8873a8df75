"""Roles, memberships and settings of the cluster and the database. Each is rolled back like everything else."""

from __future__ import annotations

from tests.db.catalog.plants.plant import plants

HERE = "do $$ begin execute format('{}', current_database()); end $$"

ROLES = [
    *plants(
        "a14",
        (HERE.format("grant temporary on database %I to authenticated"), "authenticated"),
        (HERE.format("grant temporary on database %I to ringfence_analyst"), "ringfence_analyst"),
        (HERE.format("grant create on database %I to ringfence_owner"), "ringfence_owner"),
        ("create role planted; " + HERE.format("grant temporary on database %I to planted"), "planted")),
    *plants(
        "a15",
        ("alter role authenticated bypassrls", "authenticated"),
        ("alter role anon createrole", "anon"),
        ("alter role authenticator inherit", "authenticator"),
        ("alter role authenticator superuser", "authenticator"),
        ("alter role ringfence_owner login", "ringfence_owner"),
        ("alter role ringfence_owner bypassrls", "ringfence_owner"),
        ("alter role ringfence_worker replication", "ringfence_worker"),
        ("alter role ringfence_analyst createdb", "ringfence_analyst")),
    *plants(
        "r3",
        (HERE.format("alter role authenticator in database %I set pgrst.db_schemas = app"), "authenticator in {db}"),
        (HERE.format("alter database %I set pgrst.db_extra_search_path = app"), "every role in {db}"),
        ("alter role authenticator reset pgrst.db_pre_request", "authenticator")),
    *plants(
        "r6",
        ("grant create on schema app to authenticated", "authenticated in app"),
        ("grant create on schema authz to ringfence_owner", "ringfence_owner in authz"),
        ("grant create on schema extensions to ringfence_worker", "ringfence_worker in extensions"),
        ("grant create on schema api to service_role", "service_role in api")),
    *plants(
        "r16",
        ("grant pg_execute_server_program to authenticator", "authenticator -> pg_execute_server_program"),
        ("grant ringfence_owner to authenticated", "authenticated -> ringfence_owner"),
        ("grant authenticated to ringfence_worker", "ringfence_worker -> authenticated"),
        ("grant pg_read_all_data to ringfence_analyst", "ringfence_analyst -> pg_read_all_data"),
        ("grant service_role to authenticated", "authenticated -> service_role"),
        ("grant ringfence_owner to supabase_auth_admin", "supabase_auth_admin -> ringfence_owner"),
        ("grant ringfence_worker to postgres with set true", "postgres -> ringfence_worker"),
        ("grant ringfence_owner to postgres with inherit true", "postgres -> ringfence_owner")),
]
