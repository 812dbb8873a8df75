"""The file that corrects guesses: what it says takes effect or is refused, and what it leaves out stays in sight."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.conftest import Database
from tests.rls import config, engine
from tests.rls.config import SKIPPED, Allowance, Config, ConfigError
from tests.rls.rules import rls_state
from tests.rls.small import CORRECT

SLIPS = {
    "a section": "[nonsense]\n",
    "an allowance without a reason": '[[allow]]\nid = "x"\n',
    "an empty reason": '[[allow]]\nid = "x"\nreason = " "\n',
    "no TOML": "= 1",
    "a field of the tenancy": '[tenancy]\ntennant = "public.org"\n',
    "a number for a table": "[tenancy]\ntenant = 5\n",
    "a text for a list": '[schemas]\nexposed = "public"\n',
    "a list of numbers": "[tenancy]\nroles = [1]\n",
    "a table that is no section": "[tables]\nfoo = 1\n",
    "a kind": '[tables."public.note"]\nkind = "shard"\n',
    "a field of a table": '[tables."public.note"]\nkint = "shared"\n',
    "no time": "statement_timeout_ms = 0\n",
    "a role that is no name": "[roles]\nanonymous = true\n",
}
ABSENT = {
    "tenant": (Config(tenancy={"tenant": "public.nope"}), "public.nope"),
    "tenant without its schema": (Config(tenancy={"tenant": "org"}), "is public.org meant"),
    "membership": (Config(tenancy={"membership": "public.nope"}), "public.nope"),
    "a column of no table": (Config(tenancy={"tenant_column": "tenant"}), "no column of any table"),
    "a column of another table": (Config(tenancy={"membership": "public.member", "status_column": "title"}), "no column of public.member"),
    "a table": (Config(tables={"public.nope": {"kind": "shared"}}), "public.nope"),
    "a column of the table": (Config(tables={"public.note": {"tenant_column": "nope"}}), "nope"),
    "an exposed schema": (Config(schemas={"exposed": ["nope"]}), "nope"),
    "a skipped schema": (Config(schemas={"skip": ["nope_*"]}), "nope_"),
}
OPEN = "alter table public.diary disable row level security"


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_of_the_pen_is_refused(tmp_path: Path, slip: str) -> None:
    file = tmp_path / "rls.toml"
    file.write_text(SLIPS[slip])
    with pytest.raises(ConfigError, match="rls.toml"):
        config.load(file)


def test_the_form_in_the_documentation_is_the_one_that_is_read(tmp_path: Path) -> None:
    file = tmp_path / "rls.toml"
    file.write_text("\n".join(line.strip() for line in (config.__doc__ or "").splitlines()[2:]))
    told = config.load(file)
    assert told.table("public.countries") == {"kind": "shared"} and told.tenancy["roles"] == ["owner", "admin", "member"]
    assert told.skips("legacy_2020") and told.never_calls("public.send_mail(text)") and len(told.allow) == len(told.allow_not_covered) == 1


def run(database: Database, told: Config, patch: str = OPEN) -> engine.Result:
    with database.connect() as connection:
        try:
            connection.execute(CORRECT)
            connection.execute(patch.encode())
            return engine.run_on(connection, told, [rls_state.check])
        finally:
            connection.rollback()


@pytest.mark.parametrize("what", ABSENT)
def test_what_the_database_does_not_have_is_refused(empty_database: Database, what: str) -> None:
    told, said = ABSENT[what]
    with pytest.raises(ConfigError, match=said):
        run(empty_database, told)


@pytest.mark.parametrize("told", [Config(tables={"public.diary": {"kind": "skip"}}), Config(schemas={"skip": ["pub*"]})], ids=["a table", "a schema"])
def test_what_is_left_out_is_not_judged_and_stays_in_sight(empty_database: Database, told: Config) -> None:
    assert [f.object for f in run(empty_database, Config()).findings] == ["public.diary"]
    result = run(empty_database, told)
    assert (result.findings, result.not_covered, result.exit_code) == ([], [], 0)
    assert {one.object for one, reason in result.allowed if reason == SKIPPED} >= {"public.diary"}
    assert [one.object for one, _ in run(empty_database, told, "select 1").allowed], "also where nothing would have been found"


def test_what_is_left_out_hides_nothing_else(empty_database: Database) -> None:
    told = Config(tables={"public.country": {"kind": "skip"}}, schemas={"skip": ["private"]})
    assert [f.object for f in run(empty_database, told).findings] == ["public.diary"]


def test_an_entry_that_allows_nothing_any_more_is_named(empty_database: Database) -> None:
    (known,) = run(empty_database, Config()).findings
    used, needless = Allowance("known", id=known.id, object=known.object), Allowance("gone", id=known.id, object="public.note")
    result = run(empty_database, Config(allow=(used, needless)))
    assert (result.exit_code, result.needless) == (0, (needless,))


def test_a_database_with_nothing_in_it_is_not_safe(empty_database: Database) -> None:
    """A wrong URL, or migrations that were never applied: no check would find anything."""
    with empty_database.connect() as connection:
        result = engine.run_on(connection, Config())
        assert ([one.object for one in result.not_covered], result.exit_code) == ([f"database {connection.info.dbname}"], 3)
        connection.execute("create table public.one (id uuid primary key); alter table public.one enable row level security")
        assert engine.run_on(connection, Config(), []).exit_code == 0
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
