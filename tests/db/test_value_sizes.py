"""What the guard takes for the longest a value can get is never less than PostgreSQL makes of it: thousands of random expressions. FUZZ=100000 tries more."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from agent.analytics import guard, opinion, weighing
from agent.analytics.guard import Limits, Refused
from tests.agent.analytics import corpus

EXPRESSIONS = int(os.environ.get("FUZZ", "3000"))
LIMITS = Limits()
TEXTS = ("'x'", "''", "'aXbXc'", "'\\'", "'\"'", "'ab, cd;{}'", "'ä€😀'", "'2026-01-02'", "'{a,b}'", "'\\1\\2'", "'%_'", "'((a))'")
PATTERNS = ("'x'", "''", "'.*'", "'(a)|(b)|'", "'[a-c]+'", "'\\s*'", "'\\w'", "'(.)(.)'", "'$'", "'X?'", "' '", "'[^a]'")
FORMATS = ("'YYYY-MM-DD HH24:MI:SS.US TZ OF'", "'FMMonth Day RM J CC WW'", "'YYYYMMDDHH24MISSMSFF6'", "'MonthMonth DAY J J J'", "'Q \"quoted\" th Y,YYY DDDTH'")
NUMERIC_FORMATS = ("'999'", "'FM999,990.00'", "'RN'", "'RNRN'", "'9.99EEEE'", "'PLS9L9D9G9TH'", "'SG099V99PR'")


class Expressions:
    """Random expressions of texts, numbers and arrays, literals and columns at their ends."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def text(self, depth: int) -> str:
        choose = self.random
        if depth <= 0:
            return choose.choice((*TEXTS, "status", "'" + "x" * choose.randrange(40) + "'"))
        a, b, c = (lambda: self.text(depth - choose.randrange(1, 3)) for _ in range(3))
        n = choose.randrange(-2, 60)
        return choose.choice((
            lambda: f"replace({a()}, {b()}, {c()})", lambda: f"replace({a()}, {choose.choice(TEXTS)}, {c()})",
            lambda: f"regexp_replace({a()}, {choose.choice(PATTERNS)}, {b()})",
            lambda: f"regexp_replace({a()}, {choose.choice(PATTERNS)}, {choose.choice((b(), *TEXTS))}, '{choose.choice(('g', 'gi', 'i', 'gx', 'n'))}')",
            lambda: f"({a()} || {b()})", lambda: f"concat({a()}, {self.number(depth - 1)}, {b()}, paid)", lambda: f"concat_ws({a()}, {b()}, {c()}, {a()})",
            lambda: f"translate({a()}, {b()}, {c()})", lambda: f"lpad({a()}, {abs(n)}, {b()})", lambda: f"rpad({a()}, {abs(n)})",
            lambda: f"overlay({a()} placing {b()} from {abs(n) + 1})", lambda: f"overlay({a()} placing {b()} from 2 for {abs(n)})",
            lambda: f"{choose.choice(('lower', 'upper', 'initcap', 'reverse', 'btrim', 'ltrim'))}({a()})", lambda: f"{choose.choice(('left', 'right'))}({a()}, {n})",
            lambda: f"substring({a()}, 2, {abs(n)})", lambda: f"substr({a()}, {n})", lambda: f"substring({a()} from {choose.choice(PATTERNS)})",
            lambda: f"split_part({a()}, {b()}, 1)", lambda: f"regexp_substr({a()}, {choose.choice(PATTERNS)})", lambda: f"coalesce(nullif({a()}, {b()}), {c()})",
            lambda: f"greatest({a()}, {b()})", lambda: f"case when paid then {a()} else {b()} end", lambda: f"chr({abs(n) + 40})",
            lambda: f"to_char(placed_at, {choose.choice(FORMATS)})", lambda: f"to_char({self.number(depth - 1)}, {choose.choice(NUMERIC_FORMATS)})",
            lambda: f"({self.array(depth - 1)})::text", lambda: f"array_to_string({self.array(depth - 1)}, {a()}, {b()})", lambda: f"({self.array(depth - 1)})[1]",
            lambda: f"({self.number(depth - 1)})::text", lambda: f"({a()})::char({abs(n) + 1})", lambda: f"({a()})::varchar({abs(n) + 1})", lambda: f"({a()}, {b()}, quantity)::text",
            lambda: f"(select string_agg({a()}, {b()}) from generate_series(1, {abs(n) + 1}) g)", lambda: f"(select max(v) from (values ({a()}), ({b()})) as w(v))",
            lambda: f"(select string_agg(w, {a()}) from regexp_split_to_table({b()}, {choose.choice(PATTERNS)}) w)",
            lambda: f"(select v || v from (select {a()} as v) s)", lambda: f"(select string_agg(w, {a()}) from unnest({self.array(depth - 1)}) w)",
        ))()

    def array(self, depth: int) -> str:
        a, b = (lambda: self.text(depth - 1) for _ in range(2))
        return self.random.choice((
            lambda: f"array[{a()}, {b()}]", lambda: f"string_to_array({a()}, {b()})", lambda: f"string_to_array({a()}, null)",
            lambda: f"regexp_match({a()}, {self.random.choice(PATTERNS)})", lambda: f"regexp_split_to_array({a()}, {self.random.choice(PATTERNS)})",
            lambda: f"(array[{a()}] || ({b()})::text)", lambda: f"(array[{a()}] || array[{b()}])", lambda: f"array_remove(array[{a()}], {b()})", lambda: "tags",
            lambda: f"array(select {a()} from generate_series(1, 7))", lambda: f"array[{a()}, ({self.random.choice(TEXTS)}, {b()})::text]",
        ))()

    def number(self, depth: int) -> str:
        choose = self.random
        if depth <= 0:
            return choose.choice(("1", "0", "-3.75", "1e30", "1e-30", "123456789012", "quantity", "total", "length(status)", "12345678901234567890.5", "'7e12'::numeric"))
        a, b = (lambda: self.number(depth - 1) for _ in range(2))
        return choose.choice((
            lambda: f"({a()} + {b()})", lambda: f"({a()} - {b()})", lambda: f"({a()} * {b()})", lambda: f"({a()} / nullif({b()}, 0))", lambda: f"({a()} % 7)",
            lambda: f"round({a()}, {choose.randrange(40)})", lambda: f"trunc({a()})", lambda: f"abs({a()})", lambda: f"ceil({a()})", lambda: f"({a()})::numeric(90, 20)",
            lambda: f"power({a()}, 3)", lambda: f"({a()} ^ 2)", lambda: f"sqrt(abs({a()}))", lambda: f"ln(abs({a()}) + 1)", lambda: f"({a()})::float8", lambda: f"length({self.text(depth - 1)})",
            lambda: f"greatest({a()}, {b()})", lambda: f"coalesce({a()}, {b()})", lambda: f"div({a()}, nullif({b()}, 0))", lambda: f"log(abs({a()}) + 2)",
        ))()


@pytest.fixture(scope="module")
def source(cluster: Any) -> Iterator[psycopg.Connection]:
    """A database of its own with the corpus's tables."""
    name = f"sizes_{secrets.token_hex(6)}"
    cluster.create_database(name)
    try:
        with psycopg.connect(cluster.url("postgres", name), autocommit=True) as connection:
            connection.execute(corpus.SETUP)
            connection.execute("set statement_timeout = '5s'")
            yield connection
    finally:
        cluster.drop_database(name)


def longest(sql: str) -> int:
    """Return the bound of the only column of a statement that is let through."""
    checked = guard.check(sql, corpus.SCHEMA)
    standing = guard._standing(corpus.SCHEMA, guard._registered(corpus.SCHEMA)[1])
    return weighing.Weighing(standing, corpus.SCHEMA, LIMITS).query(opinion.parse(checked.sql)).sizes[0].longest


@pytest.mark.parametrize("part", range(3))
def test_no_value_is_longer_than_the_guard_takes_it_for_F49(source: psycopg.Connection, part: int) -> None:
    expressions = Expressions(20261122 + part)
    ran = 0
    for _ in range(EXPRESSIONS // 3):
        made = expressions.text if expressions.random.random() < 0.7 else expressions.number
        sql = f"select {made(expressions.random.randrange(1, 6))} as v from source.orders"
        try:
            bound = longest(sql)
            found = source.execute(f"select coalesce(max(length(v::text)), 0) from ({sql}) q".encode()).fetchone()
        except (Refused, psycopg.Error):
            continue
        ran += 1
        assert found is not None and found[0] <= bound, (sql, found, bound)
    # Most of what is made is neither refused nor an error of PostgreSQL's.
    assert ran > EXPRESSIONS // 3 * 0.5
