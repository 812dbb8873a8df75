"""Thousands of mutated statements: whatever the guard lets through is one SELECT over the source, and stays what it is. FUZZ=100000 tries more."""

import os
import time
from itertools import islice

import postgast
import pytest
from postgast import pg_query_pb2 as pg

from agent.analytics.functions import FUNCTIONS
from agent.analytics.guard import Refused, check
from tests.agent.analytics import corpus
from tests.agent.analytics.mutation import Mutator

STATEMENTS = int(os.environ.get("FUZZ", "12000"))
SLOWEST_S = 2.0
TARGETS = {relation.target for relation in corpus.SCHEMA.relations.values()}
FORBIDDEN = [pg.IntoClause, pg.LockingClause, pg.ParamRef, pg.InsertStmt, pg.UpdateStmt, pg.DeleteStmt, pg.MergeStmt, pg.XmlExpr, pg.RangeTableFunc, pg.CollateClause]


def faults(sql: str) -> list[str]:
    """Return what a statement that was let through must not hold, by a reader that shares no code with the guard."""
    tree = postgast.parse(sql)
    found = [] if [one.stmt.WhichOneof("node") for one in tree.stmts] == ["select_stmt"] else ["not one SELECT"]
    for kind in FORBIDDEN:
        found += [kind.__name__ for _ in postgast.find_nodes(tree, kind)]
    names = {node.ctename for node in postgast.find_nodes(tree, pg.CommonTableExpr)}
    for node in postgast.find_nodes(tree, pg.RangeVar):
        if not (f"{node.schemaname}.{node.relname}" in TARGETS or (not node.schemaname and node.relname in names)):
            found.append(f"relation {node.schemaname}.{node.relname}")
    for node in postgast.find_nodes(tree, pg.FuncCall):
        name = [part.string.sval for part in node.funcname]
        if name[-1] not in FUNCTIONS or name[:-1] not in ([], ["pg_catalog"]):
            found.append(f"function {name}")
    for node in postgast.find_nodes(tree, pg.TypeName):
        if any(word in node.names[-1].string.sval for word in ("reg", "xml", "oid")):
            found.append("type")
    columns = {column for relation in corpus.COLUMNS.values() for column in relation}
    made = {target.name for target in postgast.find_nodes(tree, pg.ResTarget)} | {
        name.string.sval for kind in (pg.Alias, pg.CommonTableExpr) for node in postgast.find_nodes(tree, kind)
        for name in (node.colnames if kind is pg.Alias else node.aliascolnames)} | {node.aliasname for node in postgast.find_nodes(tree, pg.Alias)}
    for node in postgast.find_nodes(tree, pg.ColumnRef):
        name = node.fields[-1].string.sval
        if name and name not in columns | made | FUNCTIONS | {"case", "coalesce", "greatest", "least", "exists", "array", "ordinality", "column1", "column2", "grouping"}:
            if not name.startswith(("int", "text", "date", "numeric", "float", "bool", "varchar", "bpchar", "uuid", "timestamp", "interval", "json", "time")):
                found.append(f"column {name}")
    return found


@pytest.mark.parametrize("part", range(4))
def test_what_is_let_through_is_one_select_over_the_source_and_comes_to_a_fixed_point_F49(part: int) -> None:
    passed = refused = 0
    codes: set[str] = set()
    for sql in islice(Mutator(20261122 + part), STATEMENTS // 4):
        began = time.thread_time()
        try:
            checked = check(sql, corpus.SCHEMA)
        except Refused as refusal:
            refused += 1
            codes.add(refusal.code)
        else:
            passed += 1
            assert faults(checked.sql) == [], sql
            assert check(checked.sql, corpus.SCHEMA) == checked, sql
        assert time.thread_time() - began < SLOWEST_S, sql
    # Neither is empty: statements of both kinds were there to be told apart.
    assert passed > 0.1 * (passed + refused)
    assert refused > 0.3 * (passed + refused)
    assert len(codes) >= (9 if STATEMENTS >= 10_000 else 6)


@pytest.mark.parametrize(("sql", "fault"), [
    ("select 1; select 2", "not one SELECT"), ("select pg_sleep(1)", "function ['pg_sleep']"), ("select 1 from pg_class", "relation .pg_class"),
    ("select 1 into t", "IntoClause"), ("select ctid from source.orders", "column ctid"), ("select 'a'::regclass", "type"),
])
def test_the_reader_of_the_fuzz_sees_what_it_looks_for(sql: str, fault: str) -> None:
    assert fault in faults(sql)
