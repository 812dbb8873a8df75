"""Values for columns: ones that can be told apart later, and that checks, lengths, enums and formats accept."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Iterator

from tests.rls import vocabulary
from tests.rls.catalog import Column, Constraint, Table
from tests.rls.patterns import matching

# By base type; the first that the constraints accept is used.
SIMPLE = {
    "boolean": ("false", "true"), "date": ("2031-01-01",), "timestamp with time zone": ("2031-01-01 00:00:00+00",), "timestamp without time zone": ("2031-01-01 00:00:00",),
    "time without time zone": ("10:00",), "time with time zone": ("10:00+00",), "interval": ("1 hour",), "bytea": ("\\x7266",), "inet": ("192.0.2.7",), "cidr": ("192.0.2.0/24",),
    "macaddr": ("08:00:2b:01:02:03",), "point": ("(1,2)",), "box": ("(1,1),(0,0)",), "bit": ("1",), "bit varying": ("1",), "money": ("1",), "xml": ("<a/>",), "tsvector": ("canary",),
    "int4range": ("[1,2)",), "int8range": ("[1,2)",), "numrange": ("[1,2)",), "daterange": ("[2031-01-01,2031-01-02)",), "tstzrange": ("[2031-01-01,2031-01-02)",),
    "tsrange": ("[2031-01-01,2031-01-02)",), "regclass": ("pg_class",), "ltree": ("canary",), "hstore": ("a=>b",), "oid": ("1",), "name": ("canary",), "jsonpath": ("$",),
}
TEXTS = ("text", "character varying", "character", "citext", "name", "extensions.citext", "public.citext")
NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
_counter = itertools.count(1)


def canary(tenant: str) -> str:
    """Return a word found nowhere else that names its tenant: lower case letters and digits, 16 characters."""
    return f"rf{tenant.lower()}{next(_counter):04d}x{uuid.uuid4().hex[:8]}"


def candidates(table: Table, column: Column, tenant: str) -> Iterator[str | None]:
    """Yield values to try, as text; None is NULL. The first ones can be recognised as the tenant's."""
    # Of JSON a check compares the kind, `jsonb_typeof(data) = 'object'`, and not the value.
    listed = () if column.base_type in ("json", "jsonb") else _listed(table, column)
    if column.labels and column.kind == "e":
        yield from _default_first(column, column.labels)
    elif listed:
        yield from _default_first(column, listed)
    elif column.base_type in TEXTS or column.category == "S":
        yield from (value[:_longest(table, column)] for value in _texts(column, tenant))
        for pattern in _patterns(table, column):
            yield from filter(None, (matching(pattern) for _ in range(2)))
    elif column.base_type == "uuid":
        yield str(uuid.uuid4())
    elif column.base_type in NUMBERS:
        yield from _numbers(table, column)
    elif column.base_type in ("json", "jsonb"):
        word = canary(tenant)
        # The last is how columns, fields and arguments are mostly listed, where a check asks for more than an object or an array.
        yield from (f'{{"canary": "{word}"}}', f'["{word}"]', "{}", "[]", f'[{{"name": "{word}", "type": "text"}}]')
    elif column.category == "A":
        yield f"{{{canary(tenant)}}}" if column.element in TEXTS else "{}"
        yield "{}"
    elif "vector" in column.base_type:
        size = column.length or 3
        if "sparsevec" in column.base_type:
            yield f"{{1:1}}/{size}"
        unit = ["0.6", "0.8"] if tenant == "B" and size > 1 else ["1"]  # of length one, as embeddings mostly are
        yield "[" + ",".join(unit + ["0"] * (size - len(unit))) + "]"
    else:
        yield from _flags(column)
        yield from SIMPLE.get(column.base_type, ())
    if not column.not_null:
        yield None


def _flags(column: Column) -> Iterator[str]:
    if column.base_type == "boolean":
        yield "true" if vocabulary.FLAG_ON.search(column.name) else "false"


def leave_empty(column: Column) -> bool:
    """Return whether a column means that the row is gone or not for everybody, so that a living row has none."""
    return not column.not_null and column.category == "D" and bool(re.search(r"delet|archiv|revok|remov|suspend|ban|cancel|end|used|consum|left|complet|finish", column.name, re.I))


def _default_first(column: Column, values: tuple[str, ...]) -> Iterator[str]:
    default = (re.match(r"'([^']*)'", column.default or "") or [None, None])[1]
    # Of what may be seen by everybody a row says nothing: a private one is wanted.
    yield from sorted(values, key=lambda value: (value != default, bool(re.search(r"public|publish|open|any|every|world|shared|global", value, re.I))))


def _listed(table: Table, column: Column) -> tuple[str, ...]:
    """Values a check lists: `status = ANY (ARRAY['a', 'b'])`."""
    texts = [k.definition for k in table.constraints if k.kind == "c" and k.columns == (column.name,)] + list(column.domain_checks)
    found = [v for t in texts if "= ANY" in t or re.search(r"(?<![<>!])=\s*'", t) for v in re.findall(r"'((?:[^']|'')*)'::", t)]
    return tuple(dict.fromkeys(found))


def _patterns(table: Table, column: Column) -> list[str]:
    """Regular expressions the checks of a column ask for."""
    texts = [k.definition for k in _checks(table, column)] + list(column.domain_checks)
    return [found.replace("''", "'") for text in texts for found in re.findall(r"(?<!!)~\*?\s*E?'((?:[^']|'')*)'", text)]


def _longest(table: Table, column: Column) -> int:
    found = [column.length or 200] if column.category == "S" else [200]
    for constraint in _checks(table, column):
        for match in re.finditer(rf"length\(\(?\"?{re.escape(column.name)}\"?\)?(?:::text)?\)+\s*(<=|<|=)\s*(\d+)", constraint.definition):
            found.append(int(match[2]) - (match[1] == "<"))
    return max(min(found), 1)


def _checks(table: Table, column: Column) -> list[Constraint]:
    return [k for k in table.constraints if k.kind == "c" and column.name in k.columns]


def _texts(column: Column, tenant: str) -> Iterator[str]:
    word, name = canary(tenant), column.name.lower()
    shapes = [word, f"{word}@canary.test", f"https://{word}.canary.test/x", word.upper(), f"{word}.test", f"{word}-x", "a" * 40 + word, "US", "USD", "en", "#a1b2c3",
              "+15550101234", "1234567890", uuid.uuid4().hex * 2, str(uuid.uuid4()), "/x", "2031-01-01", "1.0.0", "A", "x", "UTC", "* * * * *"]
    if "mail" in name:
        shapes.insert(0, shapes.pop(1))
    elif re.search(r"url|uri|website|link|avatar", name):
        shapes.insert(0, shapes.pop(2))
    elif re.search(r"domain|host", name):
        shapes.insert(0, shapes.pop(4))
    yield from shapes


def _numbers(table: Table, column: Column) -> Iterator[str]:
    unique = column.name in table.primary_key or column.identity or any(index.unique and column.name in index.columns for index in table.indexes)
    if unique or "nextval" in (column.default or ""):
        # Far from what a sequence has reached, so that the number names the row.
        base = {"smallint": 31000, "integer": 1_900_000_000}.get(column.base_type, 7_000_000_000_000)
        yield str(base + next(_counter))
    listed = [n for k in _checks(table, column) for inside in re.findall(r"= ANY \(+ARRAY\[([^\]]+)\]", k.definition) for n in re.findall(r"(?<![\w.-])-?\d+\b", inside)]
    yield from dict.fromkeys((*listed, "7", "1", "0", "100", "2", "0.5", "2031", "-1"))


def required(column: Column) -> bool:
    """Return whether an insert must name the column."""
    return column.not_null and column.default is None and not column.identity and not column.generated
