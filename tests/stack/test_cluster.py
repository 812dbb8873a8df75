"""The cluster under everything: roles and schemas as on Supabase."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from filelock import FileLock
from psycopg import errors


def test_the_cluster_asks_for_a_password_and_listens_on_loopback_only(cluster: Any) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(cluster.url("postgres", password="wrong"))
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(re.sub(r":[^:@/]+@", "@", cluster.url("postgres")))
    with cluster.connect() as connection:
        settings = dict(connection.execute(
            "select name, setting from pg_settings where name in ('listen_addresses', 'unix_socket_directories', 'password_encryption')"
        ).fetchall())
        methods = {row[0] for row in connection.execute("select auth_method from pg_hba_file_rules")}
    assert settings == {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "password_encryption": "scram-sha-256"}
    assert methods == {"scram-sha-256"}


def test_the_migration_role_is_no_superuser_and_cannot_become_one(cluster: Any) -> None:
    with cluster.connect("postgres", autocommit=True) as connection:
        row = connection.execute(
            "select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication from pg_roles where rolname = current_user"
        ).fetchone()
        assert row == (False, True, True, True, True)
        for role in ("supabase_admin", "supabase_auth_admin"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(f"set role {role}")
        connection.execute("set role authenticated")  # the allowed twin


def test_every_database_looks_like_a_new_supabase_project(empty_database: Any) -> None:
    with empty_database.connect() as connection:
        schemas = dict(connection.execute(
            "select nspname, nspowner::regrole::text from pg_namespace where nspname in ('auth', 'extensions', 'public')"
        ).fetchall())
        assert schemas == {"auth": "supabase_auth_admin", "extensions": "postgres", "public": "pg_database_owner"}
        vector = connection.execute("select extnamespace::regnamespace::text from pg_extension where extname = 'vector'").fetchone()
        assert vector == ("extensions",)
        assert connection.execute("select to_regclass('auth.users') is not null").fetchone() == (True,)
        # Supabase lets the migration role put policies on auth's tables; ours must too.
        connection.execute("create policy for_a_test on auth.users for select to authenticated using (false)")
        connection.rollback()


def test_the_migration_role_may_set_what_postgrest_reads(cluster: Any, shared: Path) -> None:
    # Roles belong to the whole cluster: two changes of one at once end in an error.
    with FileLock(shared / "sql_template.lock"), cluster.connect("postgres") as connection:
        connection.execute("alter role authenticator set pgrst.db_schemas = 'planted'")
        config = connection.execute("select rolconfig from pg_roles where rolname = 'authenticator'").fetchone()
        assert config is not None and "pgrst.db_schemas=planted" in config[0]
        connection.rollback()
