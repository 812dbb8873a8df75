"""Nobody holds a privilege that was not reviewed, down to single columns (R7, R14)."""

from __future__ import annotations

import pytest

from tests.conftest import Database
from tests.db.catalog.privileges import held, reviewed


def differences(database: Database, *ddl: str) -> list[str]:
    """Return the lines that are only in the file (-) or only in the database (+)."""
    with database.connect("supabase_admin") as connection:
        for statement in ddl:
            connection.execute(statement.encode())
        found, decided = set(held(connection)), set(reviewed())
        connection.rollback()
    return [f"- {line}" for line in sorted(decided - found)] + [f"+ {line}" for line in sorted(found - decided)]


def test_everybody_holds_exactly_the_privileges_that_were_reviewed_R7_R14(catalog: Database) -> None:
    assert differences(catalog) == [], "review each line, then correct tests/db/catalog/privileges.txt"


@pytest.mark.parametrize(("ddl", "line"), [
    ("grant update (prefix) on app.api_token to authenticated", "+ app.api_token | authenticated | "),
    ("grant select on app.team to anon", "+ app.team | anon | select"),
    ("grant execute on function authz.joined_org_ids() to authenticated", "+ authz.joined_org_ids() | authenticated | execute"),
    ("grant create on schema app to authenticated", "+ schema app | authenticated | create, usage"),
    ("grant select on auth.users to authenticated", "+ auth.users | authenticated | select"),
])
def test_one_privilege_more_is_seen_R14(catalog: Database, ddl: str, line: str) -> None:
    assert any(found.startswith(line) for found in differences(catalog, ddl))
