"""The guard of SQL that a model or a person wrote: what it refuses, and with which code."""

import pickle

import pytest

from agent.analytics.guard import Limits, Refused, Relation, Schema, check

SCHEMA = Schema({"orders": Relation({"id": "uuid", "total": "numeric"}, "source.orders")})


def test_a_statement_runs_as_rendered_over_the_target_of_its_relation_F49() -> None:
    checked = check("select count(*), sum(o.total) from orders o /* c */ -- c", SCHEMA)
    assert "c */" not in checked.sql and "source" in checked.sql
    assert (checked.relations, checked.functions) == (("orders",), ("count", "sum"))


@pytest.mark.parametrize(("sql", "code"), [
    ("select 1; select 2", "several_statements"),
    ("delete from orders", "not_a_query"),
    ("select", "not_a_query"),
    ("select from where", "not_parsed"),
    ("select * from pg_class", "unknown_relation"),
    ("select ctid from orders", "unknown_column"),
    ("select " + "1," * 20_000 + "1", "too_large"),
])
def test_a_refusal_says_why_in_a_code_F49(sql: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        check(sql, SCHEMA, Limits())
    assert refused.value.code == code


def test_a_refusal_can_cross_processes() -> None:
    copy = pickle.loads(pickle.dumps(Refused("not_parsed", "No SQL.")))
    assert (copy.code, copy.message) == ("not_parsed", "No SQL.")
    with pytest.raises(ValueError, match="unknown code"):
        Refused("other", "x")
