"""What would fill memory or disk is refused by the guard, and what looks like it and is small is not (F52)."""

import pytest

from agent.analytics.guard import Limits, Refused, check
from tests.agent.analytics import corpus

X = "'" + "x" * 3900 + "'"
Y = "'" + "y" * 60 + "'"
ROUNDS = "with recursive r(n) as (select 1 union all select n + 1 from r, {} where {} and n < 1000) select count(*) from r"
DOUBLED = ", ".join(f"a{n} as (select x || x as x from a{n - 1})" for n in range(1, 15))
COPIES = "select {} from (select {} as x) a"

PAIRS = {
    "replacing what was replaced": (
        "too_large", f"select length(replace(replace({X}, 'x', {X}), 'x', {Y}))", "select replace(replace(status, 'a', 'bb'), 'bb', 'ccc') from orders"),
    "replacing by a column": ("too_large", "select replace(subject, priority, subject) from tickets", "select replace(subject, priority, '') from tickets"),
    "a pattern for every place": (
        "too_large", f"select regexp_replace({X}, '', {X}, 'g')", "select regexp_replace(regexp_replace(subject, '\\s+', ' ', 'g'), '[^a-z ]', '', 'g') from tickets"),
    "a pattern that copies what it found": (
        "too_large", f"select regexp_replace({X}, '.*', replace({X}, 'x', '\\&'))", "select regexp_replace(subject, '^(\\w+) (\\w+)', '\\2 \\1') from tickets"),
    "many small ones": (
        "too_large", COPIES.format(", ".join(f"length(replace(a.x, 'x', '{'z' * 200}'))" for _ in range(60)), X),
        COPIES.format(", ".join("length(replace(a.x, 'x', 'zz'))" for _ in range(60)), "'xxx'")),
    "doubled in common table expressions": (
        "too_large", f"with a0 as (select {X} as x), {DOUBLED} select length(x) from a14", f"with a0 as (select 'x'::text as x), {DOUBLED.partition(', a5 ')[0]} select x from a4"),
    "one value in many places": (
        "too_large", COPIES.replace("{} as x", "string_agg(s.status, {}) as x from orders s").format("x, " * 59 + "x", "', '"),
        COPIES.replace("{} as x", "string_agg(s.status, {}) as x from orders s").format("x, length(x)", "', '")),
    "an array of long texts": ("too_large", f"select array_agg({X} || g) from generate_series(1, 100000) g", "select array_agg(g) from generate_series(1, 100000) g"),
    "a long text of all rows": ("too_large", f"select string_agg({X}, '') from generate_series(1, 1000)", "select string_agg(status, ', ' order by id) from orders"),
    "a long text of all rows of a relation": (
        "too_large", f"select string_agg({X} || status, '') from orders", "select string_agg(status || ' ' || quantity || ': ' || to_char(placed_at, 'YYYY-MM-DD'), ', ') from orders"),
    "a padding of all rows": ("too_large", "select string_agg(lpad(status, 200), '') from orders, generate_series(1, 100)", "select string_agg(lpad(status, 20), '') from orders"),
    "a text of all pairs": (
        "too_large", "select string_agg(a.status, '') from orders a, orders b", "select string_agg(t.subject, '') from orders o join tickets t on t.order_id = o.id group by o.status"),
    "a text of all that tie": (
        "too_large", "select string_agg(s, '') from (select lpad('x', 200) as s from generate_series(1, 100000) g order by 1 fetch first 1 row with ties) t",
        "select string_agg(s, '') from (select lpad('x', 200) as s from generate_series(1, 100000) g order by 1 fetch first 3 rows only) t"),
    "a text of all pairs by an equality of nothing": (
        "too_large", "select array_agg(o.status) from orders o join (select 1 as k from generate_series(1, 10000)) s on s.k = o.quantity",
        "select d, array_agg(o.status) from generate_series(date '2026-01-01', date '2026-12-31', interval '1 day') d left join orders o on o.placed_at::date = d group by d"),
    "a text of all groupings": (
        "too_large", "select string_agg(status, '') from orders group by cube (id, customer_id, total, status, paid, quantity)",
        "select string_agg(status, '') from orders group by rollup (customer_id, paid)"),
    "all values of a subquery": (
        "too_large", f"select array(select {X} from generate_series(1, 1000))", "select array(select subject from tickets t where t.order_id = o.id) from orders o"),
    "a set of long values": (
        "too_large", f"select 1 where 'a' in (select {X} || g from generate_series(1, 100000) g)", "select 1 from orders where status in (select priority from tickets)"),
    "a text between all characters": (
        "too_large", f"select array_to_string(string_to_array({X}, null), {X})", "select array_to_string(string_to_array(subject, ' '), ', ') from tickets"),
    "a padded type": ("too_large", "select status::char(10000000) from orders", "select status::char(20) from orders"),
    "a number of many digits in a few characters": (
        "too_large", f"select ('[' || replace('{'x' * 99}', 'x', '1e131000,') || '1]')::jsonb::text", "select '[1e3, 2]'::jsonb ->> 0, subject::jsonb ->> 'channel' from tickets"),
    "many numbers of many digits": (
        "too_large", "select array_agg(power(10::numeric, 130000)) from generate_series(1, 1000)", "select array_agg(total * 2 order by id), avg(power(total, 2)) from orders"),
    "a row in a row in a row": (
        "too_large", "select " + "(" * 25 + "'\"'" + ", 1)" * 25 + "::text", "select (quantity, (status, paid)) = (1, ('paid', true)) from orders"),
    "a long series of times": (
        "too_large", "select array_agg(d) from generate_series(now() - interval '200000 years', now(), interval '1 hour') d",
        "select array_agg(d) from generate_series(now() - interval '12 months', now(), interval '1 month') d"),
    "a recursion over a series": ("construct_not_allowed", ROUNDS.format("generate_series(1, 100000) g", "true"), ROUNDS.replace(", {} where {} and", " where").format()),
    "a recursion over a few values": ("construct_not_allowed", ROUNDS.format("(values (1), (2)) v", "true"), ROUNDS.format("regions", "regions.id = r.n")),
    "a recursion over equal values": ("construct_not_allowed", ROUNDS.format("(select 1 as x union all select 1) v", "v.x = r.n"), ROUNDS.format("regions g", "g.parent_id = r.n")),
    "a recursion over all of a relation": ("construct_not_allowed", ROUNDS.format("regions", "true"), ROUNDS.format("regions join orders o on o.customer_id = regions.id", "regions.id = r.n")),
    "a recursion from many rows": (
        "too_large", "with recursive r(n) as (select 1 from generate_series(1, 100000) union all select n + 1 from r where n < 1000) select count(*) from r",
        "with recursive r(id, n) as (select id, 1 from orders union all select id, n + 1 from r where n < 12) select count(*) from r"),
}


@pytest.mark.parametrize(("code", "bomb"), [pair[:2] for pair in PAIRS.values()], ids=PAIRS)
def test_what_would_fill_memory_or_disk_is_refused_F52(code: str, bomb: str) -> None:
    with pytest.raises(Refused) as refused:
        check(bomb, corpus.SCHEMA)
    assert refused.value.code == code
    assert refused.value.message.isprintable() and len(refused.value.message) < 250


@pytest.mark.parametrize("neighbour", [pair[2] for pair in PAIRS.values()], ids=PAIRS)
def test_what_is_small_passes_F48(neighbour: str) -> None:
    assert check(neighbour, corpus.SCHEMA).sql


def test_what_a_value_may_come_to_is_one_of_the_limits() -> None:
    sql = f"select replace({X}, 'x', 'yy')"
    assert check(sql, corpus.SCHEMA, Limits(value_characters=7_800))
    with pytest.raises(Refused, match="more than 7799 characters"):
        check(sql, corpus.SCHEMA, Limits(value_characters=7_799))
    with pytest.raises(Refused, match="more than 7799 characters together"):
        check(sql, corpus.SCHEMA, Limits(statement_characters=7_799))
