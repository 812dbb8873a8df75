"""The guard of SQL that a model or a person wrote: what it refuses, with which code, and what it lets through."""

import contextlib
import pickle
import re
import time

import pytest

from agent.analytics.guard import Limits, Refused, Relation, Schema, check
from agent.analytics.refusal import CODES
from tests.agent.analytics import attacks, corpus
from tests.db.test_analyst_attacks import LEGITIMATE, MORE, TIMED

DIRECT = {name: sql.replace("source.", "").replace("{view}", "orders").replace("{column}", "customer_id") for name, sql in (MORE | TIMED).items()}
"""What is put to the database with the guard removed, over the names that the guard knows."""


def filled(sql: str) -> str:
    for name, value in {"claims": "{}", "pid": "4711"}.items():
        sql = sql.replace("{" + name + "}", value)
    return re.sub(r"\{(other|user|job|lease|canary)\}", "x", sql)


@pytest.mark.parametrize("sql", attacks.ALL.values(), ids=attacks.ALL)
def test_an_attack_does_not_pass_the_guard_F49(sql: str) -> None:
    with pytest.raises(Refused) as refused:
        check(filled(sql), corpus.SCHEMA)
    assert refused.value.code in CODES
    assert refused.value.message.isprintable() and len(refused.value.message) < 400


@pytest.mark.parametrize("name", DIRECT)
def test_of_the_attacks_on_the_database_the_guard_lets_pass_only_those_that_are_analytics_too_F49(name: str) -> None:
    with contextlib.nullcontext() if name in LEGITIMATE else pytest.raises(Refused):
        check(filled(DIRECT[name]), corpus.SCHEMA)


@pytest.mark.parametrize("sql", corpus.QUERIES, ids=range(len(corpus.QUERIES)))
def test_analytics_pass_and_come_to_a_fixed_point_F49(sql: str) -> None:
    once = check(sql, corpus.SCHEMA)
    twice = check(once.sql, corpus.SCHEMA)
    assert once == twice
    outside_texts = re.sub(r"'(?:[^']|'')*'", "", once.sql)
    assert "--" not in outside_texts and "/*" not in outside_texts


@pytest.mark.parametrize(("sql", "code", "words"), [
    ("select 1; select 2", "several_statements", "these are 2"),
    ("delete from orders", "not_a_query", "Only a SELECT"),
    ("select", "not_a_query", "without columns"),
    ("select from where", "not_parsed", "where"),
    ("select * from pg_class", "unknown_relation", "pg_class"),
    ("select ctid from orders", "unknown_column", "ctid"),
    ("select o.totl from orders o", "unknown_column", "o has no column totl"),
    ("select " + "1," * 20_000 + "1", "too_large", "20000"),
    ("select set_config('a', 'b', true)", "function_not_allowed", "set_config"),
    ("select 'a'::regclass", "type_not_allowed", "regclass"),
    ("select 1 # 2", "operator_not_allowed", "#"),
    ("select id from orders for update", "construct_not_allowed", "a row lock"),
])
def test_a_refusal_says_why_in_a_code_and_in_words_F49(sql: str, code: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        check(sql, corpus.SCHEMA, Limits())
    assert refused.value.code == code
    assert words in refused.value.message


def test_a_statement_reads_the_target_of_its_relation_and_says_what_it_reads_F49() -> None:
    schema = Schema({"orders": Relation({"id": "uuid"}, "source.orders"), "sheet": Relation({"a": "integer"}, "select (d->>'a')::int as a from app.row r where r.id = 1")})
    checked = check("select count(*) from orders o, sheet, sheet as s where s.a = sheet.a and lower('\"sheet\"') = 'sheet'", schema)
    assert checked.relations == ("orders", "sheet")
    assert checked.functions == ("count", "lower")
    assert checked.sql.count("(select (d->>'a')::int as a from app.row r where r.id = 1) AS ") == 2
    assert '"source".orders AS o' in checked.sql


def test_a_column_of_an_upload_that_looks_like_a_place_is_only_a_column() -> None:
    target = 'select d as "rf__1", e as a from app.row'
    schema = Schema({"one": Relation({"rf__1": "text", "a": "text"}, target), "two": Relation({"b": "text"}, "select 'secret' as b")})
    assert check("select one.a from one, two", schema).sql == f"SELECT one.a FROM ({target}) AS one, (select 'secret' as b) AS two"


@pytest.mark.parametrize(("opening", "closing"), [
    ("lower(", ")"), ("(", ")"), ("case when true then ", " end"), ("(select ", ")"), ("cast(", " as text)"), ("coalesce(1, ", ")"), ("1 + (", ")"), ("not (", ")"),
    ("exists (select ", ")"), ("array(select ", ")"), ("1 in (", ")"), ("(1, ", ")"), ("sum(", ") over ()"), ("count(*) filter (where ", ")"), ("- (", ")"), ("(", ")::text"),
    ("(select * from (select ", ") x)"), ("extract(year from ", ")"), ("substring(", " from 1)"), ("trim(", ")"), ("position('a' in ", ")"), ("array[", "]"),
    ("(array[1])[", "]"), ("a = any(", ")"), ("(with c as (select ", ") select * from c)"), ("string_agg(", ", ',')"), ("(", ") is null"), ("1 between 0 and (", ")"),
])
def test_no_nesting_takes_long_to_refuse_or_to_let_through(opening: str, closing: str) -> None:
    for depth in (3, 6, 10, 14, 18, 22, 26, 30, 34, 60):
        sql = f"select {opening * depth}1{closing * depth} from orders"
        began = time.thread_time()
        with contextlib.suppress(Refused):
            check(sql, corpus.SCHEMA)
        assert time.thread_time() - began < 1, depth


@pytest.mark.parametrize("target", ["select 1) t; drop table x; select (1", "orders; select 1", "select 1 -- ", "delete from x"])
def test_a_target_that_is_no_single_select_is_a_mistake_of_the_program(target: str) -> None:
    with pytest.raises(Exception) as error:
        check("select 1", Schema({"sheet": Relation({"a": "integer"}, target)}))
    assert not isinstance(error.value, Refused)


def test_a_refusal_can_cross_processes() -> None:
    copy = pickle.loads(pickle.dumps(Refused("not_parsed", "No SQL.")))
    assert (copy.code, copy.message) == ("not_parsed", "No SQL.")
    with pytest.raises(ValueError, match="unknown code"):
        Refused("other", "x")
