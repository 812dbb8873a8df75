"""Names of permissions are a contract: what a migration has registered is never renamed, taken out, or given another bit (F10)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.db.catalog.sources import SQL, Statement, split

MIGRATIONS = Path(__file__).parents[3] / "supabase" / "migrations"
_BITS = re.compile(r"create (?:or replace )?function authz\.permission_bit\b.*?array_position\(\s*array\[(.*?)\]", re.DOTALL | re.IGNORECASE)
_NAME = re.compile(r"'([a-z_]+\.[a-z_]+)'")
_INSERT = re.compile(r"insert into app\.permission\b", re.IGNORECASE)
_BREAKS = re.compile(r"(delete from|truncate) (only )?app\.permission\b|update (only )?app\.permission\b.*?\bset\b(?:(?!\bwhere\b|\bfrom\b).)*\bname\s*=", re.IGNORECASE)


def registered(statements: Sequence[Statement]) -> set[str]:
    """Return every name that an insert into the registry writes: the first value of each row."""
    return {name for one in statements if _INSERT.match(one.text) for name in re.findall(r"\(\s*'([a-z_]+\.[a-z_]+)'", one.text)}


def bits(statements: Sequence[Statement]) -> list[list[str]]:
    """Return each list of names that was ever in authz.permission_bit(), in the order of the statements."""
    return [_NAME.findall(found[1]) for one in statements if (found := _BITS.search(one.text))]


def wrong(statements: Sequence[Statement], now: Sequence[Statement]) -> list[str]:
    """Return what breaks the contract in the statements of all migrations, against those of sql/."""
    lists = [*bits(statements), *bits(now)]
    return [
        *(f"{name} was registered and is no more" for name in sorted(registered(statements) - registered(now))),
        *(f"{one.file}: {' '.join(one.text.split())[:80]}" for one in statements if _BREAKS.search(one.outline)),
        *(f"bit {place}: {was} has become {(later[place:place + 1] or ['nothing'])[0]}" for earlier, later in zip(lists, lists[1:], strict=False)
          for place, was in enumerate(earlier) if later[place:place + 1] != [was])]


@pytest.fixture(scope="module")
def migrated() -> list[Statement]:
    return [one for file in sorted(MIGRATIONS.glob("*.sql")) for one in split(file.name, file.read_text())]


@pytest.fixture(scope="module")
def source() -> list[Statement]:
    return split("210_permission.sql", (SQL / "210_permission.sql").read_text())


def test_every_permission_that_ever_was_is_there_with_its_bit_F10(migrated: list[Statement], source: list[Statement]) -> None:
    assert len(registered(migrated)) > 20 and bits(migrated) and len(bits(source)) == 1
    assert registered(source) == set(bits(source)[0]), "what sql/ registers has a bit, and nothing else has"
    assert wrong(migrated, source) == []


@pytest.mark.parametrize(("planted", "said"), [
    ("delete from app.permission where name = 'usage.read'", "planted.sql: delete from app.permission"),
    ("update app.permission set name = 'usage.see' where name = 'usage.read'", "planted.sql: update app.permission"),
    ("insert into app.permission (name, description) values ('usage.see', 'See it.')", "usage.see was registered and is no more"),
    ("create or replace function authz.permission_bit(permission text) returns bigint language plpgsql as $$ begin"
     " return 1::bigint << array_position(array['members.read', 'organization.manage'], permission) - 1; end $$", "bit 0: organization.manage has become members.read"),
])
def test_what_breaks_the_contract_is_named_F10(migrated: list[Statement], source: list[Statement], planted: str, said: str) -> None:
    found = wrong([*migrated, Statement("planted.sql", planted)], source)
    assert any(one.startswith(said) for one in found), found


def test_a_new_description_and_a_new_name_at_the_end_break_nothing_F10(migrated: list[Statement], source: list[Statement]) -> None:
    more = [
        Statement("planted.sql", "insert into app.permission (name, description) values ('usage.see', 'See it; all of it.')"),
        Statement("planted.sql", "update app.permission set description = 'x' where name = 'usage.read'"),
        Statement("planted.sql", "create or replace function authz.permission_bit(permission text) returns bigint language sql as $$ select array_position(array["
                  + ", ".join(f"'{name}'" for name in [*bits(source)[0], "usage.see"]) + "], permission) $$")]
    assert wrong([*migrated, *more], [*(one for one in source if not bits([one])), *more]) == []
