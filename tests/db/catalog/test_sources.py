"""How sql/ is written: what STYLE 3.3 asks for and the catalog cannot tell any more (R25 among it)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.db.catalog.sources import Statement, split, statements

# Text made at run time, each reviewed: identifiers through %I or from pg_proc, values as parameters.
# Checked SQL of a job runs through authz.open_query(): for ringfence_analyst alone, who is whom the job says whatever it runs.
DYNAMIC = {"do", "api.call_tool", "api.export_organization", "api.export_me", "authz.rows_page", "authz.open_query"}
# Who is asking, written: only where nobody is asking yet, and only for the call (DEFINERS.md).
BORROWS_IDENTITY = {"authz.access_token_hook"}
# Written before a search: how long an index is read, and what is searched for. No policy is wider by them.
TUNES_SEARCH = re.compile(r"set_config\('(?:hnsw|ringfence)\.\w+', ")
CREATE_FUNCTION = re.compile(r"create (?:or replace )?(?:function|procedure) (\S+?)\(")
TABLE_OF = {
    "policy": re.compile(r"^create policy \S+ on (\S+) "),
    "enable": re.compile(r"^alter table (\S+) enable row level security$"),
    "force": re.compile(r"^alter table (\S+) force row level security$"),
    "grant": re.compile(r"^grant (?:[a-z, ]|\([a-z0-9_, ]*\))+? on (?:table )?([a-z]+\.\S+) to "),
}
BARE = re.compile(r"\b(?:from|join|into|update|using)\s+(?!only\b)([a-z_][a-z0-9_]*)\b(?!\s*[.(])")
LOCAL = re.compile(r"\b([a-z_][a-z0-9_]*)\s+as\s+(?:not\s+materialized\s+|materialized\s+)?\(")
NOT_TABLES = {"strict", "select", "unnest", "message"}


def name_of(statement: Statement) -> str:
    found = CREATE_FUNCTION.match(statement.outline)
    return found[1] if found else statement.outline.split()[0]


def body(statement: Statement) -> str:
    """The body of a function or do block without comments, lower case."""
    found = re.search(r"(\$\w*\$)(.*)\1|begin atomic(.*)$", statement.text, re.DOTALL)
    return re.sub(r"'(?:[^']|'')*'", "''", re.sub(r"--[^\n]*", "", found[2] or found[3])).lower() if found else ""


def grants(made: list[Statement]) -> list[str]:
    """A grant names privileges and roles, never all and never public."""
    return [s.outline for s in made if re.match(r"grant\b", s.outline) and re.search(r"\ball\b|\bto\b.*\bpublic\b", s.outline)] + [
        s.outline for s in made if re.match(r"alter default privileges.* grant ", s.outline)]


def write_grants(made: list[Statement]) -> list[str]:
    """Insert and update are granted by column."""
    return [s.outline for s in made if re.match(r"grant\b", s.outline) and re.search(r"\b(insert|update)\b(?! \()", s.outline.split(" on ")[0])]


def homes(made: list[Statement]) -> list[str]:
    """What a table is and who reaches it stand in one file (R25)."""
    home = {found[1]: s.file for s in made if (found := re.match(r"create table (\S+) \(", s.outline))}
    wrong, seen = [], {kind: set() for kind in TABLE_OF}  # type: dict[str, set[str]]
    for statement in made:
        for kind, pattern in TABLE_OF.items():
            if (found := pattern.match(statement.outline)) and found[1] in home:
                seen[kind].add(found[1])
                if home[found[1]] != statement.file:
                    wrong.append(f"{statement.file}: {statement.outline[:60]}")
    return wrong + [f"{table}: no {kind}" for kind, tables in seen.items() for table in sorted(set(home) - tables)]


def functions(made: list[Statement]) -> list[str]:
    """A function pins its path, states its volatility, and is documented and closed in the file that makes it."""
    wrong = []
    for statement in (s for s in made if CREATE_FUNCTION.match(s.outline)):
        name, rest = name_of(statement), [s.outline for s in made if s.file == statement.file]
        wrong += [f"{name}: {what}" for what, holds in {
            "search_path": " set search_path = pg_catalog, pg_temp" in statement.outline,
            "volatility": re.search(r"\b(immutable|stable|volatile)\b", statement.outline),
            "comment": any(o.startswith(f"comment on function {name}(") for o in rest),
            "revoke": any(re.match(rf"revoke all on function {re.escape(name)}\([^)]*\) from public$", o) for o in rest),
        }.items() if not holds]
    return wrong


def bare_names(made: list[Statement]) -> list[str]:
    """A relation in a body or policy is named with its schema; pg_catalog, which is pinned first, need not be.

    Nor the rows of a statement that a trigger sees: no relation of that name comes before them.
    """
    wrong = []
    touched = {name for statement in made for name in re.findall(r"referencing (?:old|new) table as (\w+)", statement.text.lower())}
    for statement in made:
        is_function = bool(CREATE_FUNCTION.match(statement.outline))
        if not is_function and not statement.outline.startswith("create policy"):
            continue
        text = body(statement) if is_function else statement.text.lower()
        text = re.sub(r"is (?:not )?distinct from|\bfor (?:no key )?(?:update|delete|insert|select|all)\b", " ", text)
        local = set(LOCAL.findall(text)) | NOT_TABLES | touched
        wrong += [f"{name_of(statement)}: {name}" for name in BARE.findall(text) if name not in local and not name.startswith(("v_", "pg_"))]
    return wrong


def dynamic(made: list[Statement]) -> list[str]:
    """No text is executed but what is reviewed, and no setting is written: set_config could forge who is asking."""
    return [name_of(s) for s in made if re.search(r"(?<!grant )(?<!revoke )\bexecute\b", body(s)) and name_of(s) not in DYNAMIC] + [
        name_of(s) for s in made if "set_config" in body(s) and "set_config" in TUNES_SEARCH.sub("", s.text) and name_of(s) not in BORROWS_IDENTITY]


RULES: dict[str, Callable[[list[Statement]], list[str]]] = {
    rule.__name__: rule for rule in (grants, write_grants, homes, functions, bare_names, dynamic)}
F = "create function api.f() returns int language sql stable set search_path = pg_catalog, pg_temp as $$ {} $$;"
CLOSED = " comment on function api.f() is 'F.'; revoke all on function api.f() from public;"
T = "create table app.t (id int); alter table app.t enable row level security; alter table app.t force row level security;"
P = "create policy t_p on app.t for select to authenticated using (false);"
G = "grant select on app.t to authenticated;"
BAD = [
    ("grants", "grant all on app.t to authenticated;"), ("grants", "grant select on app.t to public;"),
    ("grants", "grant select on app.t to authenticated, public;"), ("grants", "grant all privileges on schema app to authenticated;"),
    ("grants", "alter default privileges in schema app grant select on tables to authenticated;"),
    ("write_grants", "grant select, insert on app.t to authenticated;"), ("write_grants", "grant update on app.t to authenticated;"),
    ("homes", T + P), ("homes", T + G), ("homes", T.replace("force", "no force") + P + G), ("homes", T.replace("alter table app.t enable", "--") + P + G),
    ("functions", F.replace("set search_path = pg_catalog, pg_temp", "") + CLOSED), ("functions", F.replace("stable", "") + CLOSED),
    ("functions", F), ("functions", F + CLOSED.replace("from public", "from anon")),
    ("bare_names", F.format("select count(*) from chunk")), ("bare_names", F.format("update chunk set x = 1")),
    ("bare_names", "create policy t_p on app.t for select to authenticated using (id in (select c.id from chunk c));"),
    ("dynamic", F.format("begin execute 'select ' || x; end")), ("dynamic", F.format("select set_config('role', 'x', true)")),
    ("dynamic", F.format("select set_config('hnsw.ef_search', '9', true), set_config('request.jwt.claims', 'x', true)")),
    ("dynamic", F.format("select set_config('hnsw.ef_search' || x, '9', true)")),
]
GOOD = T + P + G + F.format("with c as (select 1) select * from c join app.t on true -- from nowhere") + CLOSED + (
    "grant insert (id), update (id) on app.t to authenticated; grant execute on function api.f() to authenticated;")


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_sql_is_written_by_the_rules_R25(rule: Callable[[list[Statement]], list[str]]) -> None:
    assert rule(statements()) == []


@pytest.mark.parametrize(("rule", "text"), BAD)
def test_each_rule_is_seen_to_fail(rule: str, text: str) -> None:
    assert RULES[rule](split("bad.sql", text)) != []


def test_what_is_in_order_breaks_no_rule() -> None:
    assert {name: found for name, rule in RULES.items() if (found := rule(split("good.sql", GOOD)))} == {}


def test_a_policy_in_another_file_than_its_table_is_seen_R25() -> None:
    assert homes(split("a.sql", T + P + G) + split("b.sql", P)) == ["b.sql: create policy t_p on app.t for select to authenticated using"]


def test_the_statements_of_sql_are_all_seen() -> None:
    found = [s.outline for s in statements()]
    assert sum(o.startswith("create table app.") for o in found) >= 18
    assert sum(bool(CREATE_FUNCTION.match(o)) for o in found) >= 50
    assert sum(o.startswith("create policy") for o in found) >= 90
