"""The schema auth is what Supabase's migrations meet on a real project: owners, grants, row security, functions."""

from __future__ import annotations

import json
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from tests.auth.harness import AuthDatabase

TABLES = ["identities", "mfa_amr_claims", "mfa_challenges", "mfa_factors", "refresh_tokens", "sessions", "users"]
CLAIMS = {"sub": "00000000-0000-4000-8000-000000000001", "role": "authenticated", "email": "a@acme.test", "aal": "aal1"}


def test_row_security_is_on_not_forced_and_without_policies(auth_database: AuthDatabase) -> None:
    with auth_database.connect() as connection:
        found = connection.execute(
            "select c.relname, c.relowner::regrole::text, c.relrowsecurity, c.relforcerowsecurity,"
            "       (select count(*) from pg_policy p where p.polrelid = c.oid)"
            "  from pg_class c where c.relnamespace = 'auth'::regnamespace and c.relkind = 'r' order by 1"
        ).fetchall()
    assert found == [(table, "supabase_auth_admin", True, False, 0) for table in TABLES]


def test_postgres_may_read_with_grant_option_and_write(auth_database: AuthDatabase) -> None:
    with auth_database.connect() as connection:
        found = connection.execute(
            "select c.relname, array_agg(a.privilege_type || repeat('*', a.is_grantable::int) order by a.privilege_type)"
            "  from pg_class c cross join lateral aclexplode(c.relacl) a"
            " where c.relnamespace = 'auth'::regnamespace and c.relkind = 'r' and a.grantee = 'postgres'::regrole"
            " group by 1 order by 1"
        ).fetchall()
    granted = ["DELETE", "INSERT", "MAINTAIN", "REFERENCES", "SELECT*", "TRIGGER", "TRUNCATE", "UPDATE"]
    assert found == [(table, granted) for table in TABLES]


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "authenticator"])
@pytest.mark.parametrize("table", TABLES)
def test_api_roles_have_no_privilege_on_the_tables(auth_database: AuthDatabase, role: str, table: str) -> None:
    query: LiteralString = "select has_table_privilege(%s, 'auth.' || %s, 'select, insert, update, delete, truncate, references')"
    with auth_database.connect() as connection:
        assert connection.execute(query, (role, table)).fetchone() == (False,)
        assert connection.execute(query, ("postgres", table)).fetchone() == (True,)


def test_postgres_may_put_a_policy_on_users_but_not_become_their_owner(auth_database: AuthDatabase) -> None:
    with auth_database.connect("postgres") as connection:
        connection.execute("create policy trial on auth.users for select to authenticated using (false)")
        connection.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("set role supabase_auth_admin")


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", "postgres"])
def test_every_api_role_reads_the_claims_of_its_request(auth_database: AuthDatabase, role: str) -> None:
    query: LiteralString = "select auth.uid()::text, auth.role(), auth.email(), auth.jwt()"
    with auth_database.connect() as connection:
        connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
        assert connection.execute(query).fetchone() == (None, None, None, None)
        connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(CLAIMS),))
        assert connection.execute(query).fetchone() == (CLAIMS["sub"], CLAIMS["role"], CLAIMS["email"], CLAIMS)
        # After a commit the setting is '' rather than absent.
        connection.execute("select set_config('request.jwt.claims', '', true)")
        assert connection.execute(query).fetchone() == (None, None, None, None)


def test_the_legacy_setting_wins_as_on_supabase_which_is_why_policies_do_not_ask_auth_uid(auth_database: AuthDatabase) -> None:
    with auth_database.connect() as connection:
        connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(CLAIMS),))
        other = "00000000-0000-4000-8000-000000000002"
        connection.execute("select set_config('request.jwt.claim.sub', %s, true)", (other,))
        assert connection.execute("select auth.uid()::text").fetchone() == (other,)


def test_the_functions_pin_their_search_path(auth_database: AuthDatabase) -> None:
    with auth_database.connect() as connection:
        found = connection.execute(
            "select proname, proconfig, provolatile, prosecdef from pg_proc where pronamespace = 'auth'::regnamespace order by 1"
        ).fetchall()
    assert found == [(name, ['search_path=""'], "s", False) for name in ("email", "jwt", "role", "uid")]
