"""The engine itself: what it reads, what it guesses, and how it counts what it could not check."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from tests.conftest import Database
from tests.rls import engine
from tests.rls.config import Allowance, Config
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

LEAK = Finding("planted", "public.x", "select", "member", "a planted leak", "one row", "select 1")


def test_the_tenancy_of_our_own_schema_is_guessed_without_help(database: Database) -> None:
    with database.connect() as connection:
        result = engine.run_on(connection, Config(), [])
    assert "tenant: app.organization.id (uuid)" in result.guesses
    assert any(guess.startswith("membership: app.membership (org_id, user_id); role role_id") for guess in result.guesses)
    assert result.exit_code == 0


def test_a_leak_fails_the_run_and_so_does_what_was_not_covered_unless_reviewed(empty_database: Database) -> None:
    def leaks(context: Context) -> Iterator[Finding | NotCovered]:
        yield LEAK

    def gives_up(context: Context) -> Iterator[Finding | NotCovered]:
        yield NotCovered("public.y", "insert", "no row can be made")

    def breaks(context: Context) -> Iterator[Finding | NotCovered]:
        context.conn.execute("select 1 / 0")
        yield LEAK

    allowed = Config(allow=(Allowance("reviewed", id="planted", object="public.*"),), allow_not_covered=(Allowance("reviewed", object="public.y"),))
    with empty_database.connect() as connection:
        connection.execute("create table public.x (); alter table public.x enable row level security")

        def outcome(config: Config, *checks: engine.Check) -> tuple[int, int, int]:
            result = engine.run_on(connection, config, checks)
            return result.exit_code, len(result.findings), len(result.not_covered)

        assert outcome(Config(), leaks) == (1, 1, 0)
        assert outcome(Config(), leaks, leaks) == (1, 1, 0), "the same is told once"
        assert outcome(Config(), gives_up) == (3, 0, 1)
        assert outcome(Config(), breaks) == (3, 0, 1), "a check that fails is never safe"
        assert outcome(allowed, leaks, gives_up) == (0, 0, 0)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
