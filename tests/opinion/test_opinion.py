"""An independent opinion on the pushed database: each remark is fixed or explained in reviewed.toml, and no explanation outlives its remark (F81)."""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import Database
from tests.opinion import tools
from tests.opinion.tools import ROOT, Remark

REVIEWED: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "reviewed.toml").read_text())["reviewed"]


def covers(entry: dict[str, Any], remark: Remark) -> bool:
    """Return whether a reviewed entry is about this remark."""
    if (entry["tool"], entry["rule"]) != (remark.tool, remark.rule) or not any(fnmatch.fnmatchcase(remark.object, p) for p in entry["objects"]):
        return False
    return "listed_in" not in entry or f"`{remark.object}(" in (ROOT / entry["listed_in"]).read_text()


def unexplained(remarks: Iterable[Remark]) -> list[Remark]:
    return [remark for remark in remarks if not any(covers(entry, remark) for entry in REVIEWED)]


@pytest.fixture(scope="module")
def remarks(stack: dict[str, Any]) -> list[Remark]:
    """What the tools say about the database that the real CLI pushed to."""
    return tools.advisors(stack["database_url"]) + tools.pgrls_lint(stack["database_url"])


def test_every_remark_of_another_tool_is_explained_and_every_explanation_is_needed_F81(remarks: list[Remark]) -> None:
    assert unexplained(remarks) == []
    unneeded = [entry for entry in REVIEWED if not any(covers(entry, remark) for remark in remarks)]
    assert unneeded == []
    assert {remark.tool for remark in remarks} == {"advisors", "pgrls"}, "a tool that says nothing at all has looked at nothing"


def test_what_is_broken_is_remarked_upon_and_not_explained_F81(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create policy order_leak on app.customer_order for select to authenticated using (true)")
        connection.execute("alter table app.support_ticket disable row level security")
        connection.execute(
            "create function authz.planted() returns bigint language sql stable security definer set search_path = pg_catalog, pg_temp "
            "as 'select count(*) from app.customer_order'")
        connection.commit()
    found = unexplained(tools.advisors(database.url()) + tools.pgrls_lint(database.url()))
    assert any("customer_order" in remark.object for remark in found)
    assert any("support_ticket" in remark.object for remark in found)
    assert any(remark.object == "authz.planted" for remark in found)
    assert not any("app.conversation" in remark.object for remark in found)


def test_pgrls_sees_the_same_row_security_in_sql_and_in_the_pushed_database_F83(stack: dict[str, Any], database: Database, tmp_path: Path) -> None:
    pushed = tools.pgrls_snapshot(stack["database_url"], tmp_path / "pushed.json")
    source = tools.pgrls_snapshot(database.url(), tmp_path / "source.json")
    assert tools.pgrls_diff(source, pushed)[0] == 0
    with psycopg.connect(database.url(), autocommit=True) as connection:
        # By the tool's default threshold a changed predicate would pass.
        connection.execute("alter policy customer_order_select_customer on app.customer_order using (true)")
    status, report = tools.pgrls_diff(source, tools.pgrls_snapshot(database.url(), tmp_path / "changed.json"))
    assert status != 0 and "customer_order" in report


def test_rls_policy_tester_finds_no_problem_and_has_looked_at_every_table_F81(stack: dict[str, Any]) -> None:
    inspected, report = tools.policy_tester(stack["database_url"])
    with psycopg.connect(stack["database_url"]) as connection:
        [tables] = connection.execute("select count(*) from pg_class where relnamespace = 'app'::regnamespace and relkind in ('r', 'p')").fetchone() or [0]
    assert inspected == tables > 30, report
