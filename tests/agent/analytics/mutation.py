"""Statements made from others: from analytics and from attacks, by rules that keep many of them SQL. The same seed makes the same statements."""

import random
import re
from collections.abc import Iterator

from tests.agent.analytics import attacks, corpus

_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|[A-Za-z_][A-Za-z0-9_]*|[0-9]+(?:\.[0-9]+)?|::|<>|!=|<=|>=|\|\||->>?|\s+|.", re.S)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

CALLS = [
    "set_config('role', 'postgres', true)", "pg_sleep(1)", "current_setting('role')", "query_to_xml('select 1', true, false, '')", "pg_advisory_lock(1)",
    "lower(status)", "count(*)", "sum(total)", "lo_creat(-1)", "pg_notify('a', 'b')", "now()", "repeat('x', 1000)", "coalesce(total, 0)", "version()",
    "(select count(*) from tickets)", "(select rolname from pg_roles limit 1)", "max(placed_at) over (partition by status)", "array[1, 2]", "null", "'x'::regclass",
    "cast(total as text)", "interval '1 day'", "date '2026-01-01'", "current_user", "current_date", "case when paid then 1 else 0 end", "row_number() over ()",
    "pg_read_file('x')", "dblink('a', 'b')", "to_json(orders)", "orders", "orders.*", "ctid", "nextval('s')", "generate_series(1, 3)", "-1", "1e9", "''", "$1",
]
RELATIONS = ["orders", "tickets", "regions", "pg_class", "app.customer_order", "source.orders", "information_schema.tables", "orders o", "(select 1 as id) x", "pg_roles",
             "generate_series(1, 3) as g", "orders cross join tickets", "lateral (select 1) y", "only orders", "unnest(array[1, 2]) as u", "pg_temp.t", "source.secrets"]
INSERTS = [";", "; select 1", " for update", " into t", "--", "/*", "*/", "'", '"', "$$", "\\", "::regclass", "::text", "::int", " collate \"C\"", "\u00a0", "\u200b", "U&", "E", "(", ")",
           " limit 1", " offset 1", " distinct", " all", " lateral", " with ordinality", " operator(pg_catalog.+) 1", " at time zone 'UTC'", " is null", " or true", " union select 1",
           "not ", "-", "+", "[1]", ".x", " as x", ", 1", " order by 1", " group by 1", " filter (where true)", " over ()", " tablesample system (1)", "\x00", "%", "?"]


def tokens(sql: str) -> list[str]:
    return _TOKEN.findall(sql)


def _fragments(statements: list[str]) -> list[str]:
    """Return what stands in brackets anywhere: subqueries, lists of arguments, conditions."""
    found = []
    for sql in statements:
        starts = []
        for place, character in enumerate(sql):
            if character == "(":
                starts.append(place)
            elif character == ")" and starts:
                start = starts.pop()
                if 3 < place - start < 300:
                    found.append(sql[start:place + 1])
    return sorted(set(found))


class Mutator:
    """An endless row of statements."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.fair = [one for one in corpus.QUERIES if len(one) < 900]
        self.foul = [one for one in attacks.ALL.values() if len(one) < 900]
        self.fragments = _fragments(self.fair + self.foul)
        self.words = sorted({word for one in self.fair for word in _WORD.findall(one)})
        self.foul_words = sorted({word for one in self.foul for word in _WORD.findall(one)})

    def __iter__(self) -> Iterator[str]:
        while True:
            sql = self.random.choice(self.fair if self.random.random() < 0.8 else self.foul)
            for _ in range(self.random.choice((1, 1, 1, 1, 2, 2, 3, 5))):
                sql = self.change(sql)
            yield sql[:6_000]

    def change(self, sql: str) -> str:
        pick = self.random
        parts = tokens(sql) or [" "]
        place = pick.randrange(len(parts))
        match pick.choice((0, 0, 1, 2, 3, 4, 4, 4, 5, 5, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 13, 14, 14, 15)):
            case 0:
                parts[place] = pick.choice(CALLS)
            case 1:
                parts.insert(place, pick.choice(INSERTS))
            case 2:
                del parts[place]
            case 3:
                other = pick.randrange(len(parts))
                parts[place], parts[other] = parts[other], parts[place]
            case 4:
                self._swap_word(parts, self.words)
            case 5:
                self._swap_word(parts, self.foul_words)
            case 6:
                return self._swap_brackets(sql)
            case 7:
                return re.sub(r"\bfrom\s+[a-z_.]+", lambda _: f"from {pick.choice(RELATIONS)}", sql, count=pick.choice((1, 2)))
            case 8:
                return f"select * from ({sql}) as wrapped" if pick.random() < 0.5 else f"with wrapped as ({sql}) select count(*) from wrapped"
            case 9:
                return f"{sql} union all {pick.choice(self.fair + self.foul)}" if pick.random() < 0.5 else f"select {pick.choice(CALLS)} from orders where exists ({sql})"
            case 10:
                return re.sub(r"^\s*select\s+(distinct\s+)?", lambda found: found[0] + pick.choice(CALLS) + ", ", sql, count=1)
            case 11:
                parts[place] = parts[place].upper() if pick.random() < 0.5 else parts[place].swapcase()
            case 12:
                parts = [pick.choice(("/**/ ", "\n", "\t", " -- x\n")) if one.isspace() and pick.random() < 0.3 else one for one in parts]
            case 13:
                parts[place] = f'"{parts[place]}"' if _WORD.fullmatch(parts[place]) else parts[place] * 2
            case 14:
                return f"{sql} {pick.choice(('where', 'and', 'or', 'having', 'order by', 'limit'))} {pick.choice(CALLS)}"
            case _:
                start, end = sorted((place, pick.randrange(len(parts))))
                parts[start:start] = parts[start:min(end, start + 12)]
        return "".join(parts)

    def _swap_word(self, parts: list[str], words: list[str]) -> None:
        places = [place for place, one in enumerate(parts) if _WORD.fullmatch(one)]
        if places:
            parts[self.random.choice(places)] = self.random.choice(words)

    def _swap_brackets(self, sql: str) -> str:
        mine = _fragments([sql])
        return sql.replace(self.random.choice(mine), self.random.choice(self.fragments), 1) if mine else f"{sql} {self.random.choice(self.fragments)}"
