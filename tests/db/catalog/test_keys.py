"""No key is missing, changed or added without a review, and nothing is published (R34)."""

from __future__ import annotations

import pytest

from tests.conftest import Database
from tests.db.catalog.keys import found, reviewed


def differences(database: Database, *ddl: str) -> list[str]:
    """Return the lines that are only in the file (-) or only in the database (+)."""
    with database.connect("supabase_admin") as connection:
        for statement in ddl:
            connection.execute(statement.encode())
        there, decided = set(found(connection)), set(reviewed())
        connection.rollback()
    return [f"- {line}" for line in sorted(decided - there)] + [f"+ {line}" for line in sorted(there - decided)]


def test_every_key_and_every_publication_is_one_that_was_reviewed_R34(catalog: Database) -> None:
    assert differences(catalog) == [], "review each line, then correct tests/db/catalog/keys.txt"


def test_the_reviewed_keys_stand_in_order_and_each_once() -> None:
    assert reviewed() == sorted(set(reviewed()))


@pytest.mark.parametrize(("ddl", "line"), [
    ("alter table app.support_ticket drop constraint support_ticket_order_id_fkey", "- app.support_ticket | support_ticket_order_id_fkey | FOREIGN KEY (org_id, "),
    ("alter table app.bot add constraint bot_slug_key unique (slug)", "+ app.bot | bot_slug_key | UNIQUE (slug)"),
    ("create unique index bot_name_key on app.bot (name)", "+ app.bot | bot_name_key | unique USING btree (name)"),
    ("alter table app.message replica identity full", "+ app.message | replica identity | every column"),
    ("create publication planted for table app.message", "+ publication planted | app.message"),
    ("create publication planted for tables in schema app", "+ publication planted | no table, schema app"),
    ("create publication planted for all tables", "+ publication planted | all tables"),
])
def test_one_key_less_or_one_publication_more_is_seen_R34(catalog: Database, ddl: str, line: str) -> None:
    assert any(said.startswith(line) for said in differences(catalog, ddl))
