"""Arguments to call functions with: one's own, somebody else's, random, NULL, omitted, hostile."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from tests.rls import vocabulary
from tests.rls.acting import Persona, text
from tests.rls.catalog import Argument, Function, quoted
from tests.rls.context import Context
from tests.rls.values import SIMPLE, canary
from tests.rls.world import Row

MOST_CALLS = 24
HOSTILE = ("' or true or '", "%", "' or '1'='1", "1 or 1=1", "x' union all select null --")
SQL_ARGUMENT = re.compile(r"sql|query|stmt|statement|command|filter|where|condition|expr", re.I)


@dataclass(frozen=True)
class Call:
    statement: str
    what: str
    """own, foreign, random, null, omitted or hostile: what was given."""
    given: str
    """All values as one text, so that an echo is not taken for a leak."""


def calls(context: Context, function: Function, persona: Persona, target: str, *, brief: bool = False) -> Iterator[Call]:
    """Yield calls of one function as one persona against a tenant, the most telling first; `brief` leaves out what another persona has tried."""
    own = next(iter(sorted(persona.tenants)), None)
    made: set[str] = set()
    more = () if brief else ("own", "foreign mixed", *(f"hostile {i}" for i in range(len(HOSTILE))), "foreign owner")
    for what in ("foreign", "foreign user", "null", "omitted", *more):
        if what.startswith("hostile") and not any(a.base_type in ("text", "character varying", "json", "jsonb") for a in function.arguments):
            continue
        if what in ("omitted", "own", "null") and what == "omitted" and not any(a.has_default for a in function.arguments):
            continue
        values: list[tuple[Argument, str | None]] = []
        for place, argument in enumerate(function.arguments):
            if what == "omitted" and argument.has_default:
                continue
            side = target if what.startswith(("foreign", "hostile")) else own
            if what == "foreign mixed":
                side = target if place == len(function.arguments) - 1 else own
            value = None if what == "null" else value_for(context, function, argument, side, persona, what)
            if what == "foreign mixed" and argument.element is not None:
                # A check that looks at one of several ids lets the others through.
                both = [value_for(context, function, argument, s, persona, "foreign") for s in (own, target) if s]
                value = "{" + ",".join(v.strip("{}") for v in both if v) + "}"
            values.append((argument, value))
        call = made_call(function, values, what)
        if call.statement not in made and len(made) < MOST_CALLS:
            made.add(call.statement)
            yield call
    if not brief:
        yield from _nulls(context, function, persona, own, made)


def _nulls(context: Context, function: Function, persona: Persona, own: str | None, made: set[str]) -> Iterator[Call]:
    """Each argument NULL alone, the others one's own: the optional tenant argument."""
    for argument in function.arguments if len(function.arguments) > 1 else ():
        values = [(a, None if a is argument else value_for(context, function, a, own, persona, "own")) for a in function.arguments]
        call = made_call(function, values, "null")
        if call.statement not in made and len(made) < MOST_CALLS:
            made.add(call.statement)
            yield call


def made_call(function: Function, values: list[tuple[Argument, str | None]], what: str) -> Call:
    named = all(argument.name for argument, _ in values)
    arguments = ", ".join((f"{quoted(a.name)} => " if named else "") + ("variadic " if a.variadic and not named else "") + f"{text(v)}::{a.type}" for a, v in values)
    verb = f"call {function.sql}({arguments})" if function.kind == "p" else f"select * from {function.sql}({arguments})"
    return Call(verb, what.split()[0], " ".join(v.lower() for _, v in values if v))


def random_twin(context: Context, function: Function, call: Call, target: str, far: int = 977) -> str:
    """Return the same call with ids that exist nowhere in place of a tenant's ids: random ones, and numbers `far` from the tenant's."""
    statement = call.statement
    for known in context.world.strings.get(target, ()):
        if known in statement and ("-" in known or known.isdigit()):
            statement = statement.replace(known, str(uuid.uuid4()) if "-" in known else str(int(known) + far))
    return statement


def value_for(context: Context, function: Function, argument: Argument, side: str | None, persona: Persona, what: str) -> str | None:
    """Return a value for an argument that belongs to a tenant's side (None: to nobody)."""
    world, base = context.world, argument.base_type
    array = base.endswith("[]") or argument.element is not None
    kind = argument.element or base
    if argument.labels:
        value: str | None = argument.labels[0]
    elif kind in ("uuid", context.tenancy.tenant_type) and _is_id(context, argument, kind):
        value = _identifier(context, function, argument, side, persona, what, kind)
    elif kind in ("text", "character varying", "citext", "name"):
        value = _text(context, function, argument, side, what)
    elif kind in ("smallint", "integer", "bigint", "numeric", "real", "double precision"):
        value = _number(context, argument, side)
    elif kind == "boolean":
        value = "true"
    elif kind in ("json", "jsonb"):
        ids = {"id": _row_value(context, argument, side), "org_id": world.tenants.get(side or "", "")}
        value = "{" + ", ".join(f'"{k}": "{v}"' for k, v in ids.items() if v) + "}" if side and not what.startswith("hostile") else "{}"
    elif "vector" in kind:
        row = next((r for t in context.catalog.own_tables() for r in world.of(t, side or "B") for c in t.columns if "vector" in c.base_type and r.get(c.name)), None)
        column = next((c.name for c in row.table.columns if "vector" in c.base_type), None) if row else None
        value = row.get(column) if row else None
    elif kind in ("timestamp with time zone", "timestamp without time zone", "date"):
        value = "2030-01-01"
    else:
        value = next(iter(SIMPLE.get(kind, ())), None)
    return f"{{{value}}}" if array and value is not None and not value.startswith("{") else value


def _is_id(context: Context, argument: Argument, kind: str) -> bool:
    return kind == "uuid" or bool(re.search(r"id$|^id|org|tenant|workspace", argument.name, re.I))


def _identifier(context: Context, function: Function, argument: Argument, side: str | None, persona: Persona, what: str, kind: str) -> str | None:
    """Choose among tenant, user and row ids by the argument's name."""
    world, name = context.world, argument.name.lower()
    member = context.tenancy.membership
    bare = re.sub(r"^(p|in|_|arg|v|the|target)_*|_*(uu)?ids?$", "", name).strip("_")
    tenant_words = {context.tenancy.tenant_key, member.tenant_column if member else "", "org", "tenant", "workspace", "organization", "account", "team", "company"}
    if context.tenancy.tenant is not None:
        tenant_words.add(context.catalog.tables[context.tenancy.tenant].name)
        tenant_words.add(context.catalog.tables[context.tenancy.tenant].name.rstrip("s"))
    is_user = bool(re.search(r"user|member|author|profile|owner|uid|person|assignee|creator|sender", name))
    is_tenant = not is_user and any(bare and (bare == w.removesuffix("_id") or bare in w.split("_")) for w in tenant_words if w and w != "id")
    if is_user and kind == "uuid" or what == "foreign user" and not is_tenant and kind == "uuid" and _row_value(context, argument, side) is None:
        if what == "own" or side is None:
            return persona.user_id or str(uuid.uuid4())
        if what == "foreign mixed" and side in persona.tenants:
            return persona.user_id
        return world.users.get(f"{'owner' if what == 'foreign owner' else 'member'}_{side.lower()}")
    if is_tenant:
        return world.tenants.get(side or "", str(uuid.uuid4()) if kind == "uuid" else canary("n"))
    row = _row_value(context, argument, side, function)
    if row is not None:
        return row
    if what == "foreign user" and kind == "uuid":
        return world.users.get(f"member_{(side or 'b').lower()}")
    return world.tenants.get(side or "") or str(uuid.uuid4())


def _row_value(context: Context, argument: Argument, side: str | None, function: Function | None = None) -> str | None:
    """Return the primary key of a tenant's row of the table that the argument, or else the function's body, names."""
    if side is None:
        return None
    bare = re.sub(r"^(p|in|_|arg|v|the|target)_*|_*(uu)?ids?$", "", argument.name.lower()).strip("_")
    best: tuple[int, Row] | None = None
    for table in context.catalog.own_tables():
        key = table.column(table.primary_key[-1]) if table.primary_key else None
        row = context.world.first(table, side)
        if key is None or row is None or key.base_type != (argument.element or argument.base_type):
            continue
        name = table.name.lower()
        close = 5 if bare and bare in (name, name.rstrip("s"), re.sub(r"ies$", "y", name)) else 4 if bare and (bare in name or name.rstrip("s").endswith(bare)) else 0
        if not close and function is not None and re.search(rf"\b{re.escape(table.name)}\b", function.source or function.definition):
            close = 2
        if close and table.oid not in (context.tenancy.tenant,) and (best is None or close > best[0]):
            best = (close, row)
    return best[1].get(best[1].table.primary_key[-1]) if best else None


def _text(context: Context, function: Function, argument: Argument, side: str | None, what: str) -> str | None:
    if what.startswith("hostile"):
        return HOSTILE[int(what.split()[1])]
    if SQL_ARGUMENT.search(argument.name):
        secret = next((t for t in context.catalog.own_tables() if context.world.of(t, side or "B")), None)
        return f"select * from {secret.sql}" if secret and argument.name.lower() not in ("query", "filter") else "rf"
    if re.search(r"org|tenant|workspace", argument.name, re.I) and side in context.world.tenants and re.search(r"id$|org$|tenant$", argument.name, re.I):
        return context.world.tenants[side]
    if (strongest := role_for(context, argument)) is not None:
        return strongest
    if side and (row := _text_of(context, function, argument, side)) is not None:
        return row
    return "rf"


def _text_of(context: Context, function: Function, argument: Argument, side: str) -> str | None:
    """A text of a tenant's row in a column called like the argument: an e-mail, a slug, a token, a hash."""
    bare = re.sub(r"^(p|in|_|arg|v)_+", "", argument.name.lower())
    if vocabulary.SECRET.search(bare):
        return None  # who has the token may use it
    for table in context.catalog.tables.values():
        column = table.column(bare)
        row = context.world.first(table, side)
        if column is not None and row is not None and re.search(rf"\b{re.escape(table.name)}\b", function.source or function.definition) and row.get(bare):
            return row.get(bare)
    return None


def role_for(context: Context, argument: Argument) -> str | None:
    """The strongest role, for an argument that is called so or as the column of the membership that holds it."""
    member = context.tenancy.membership
    called = member is not None and (re.search(r"role", argument.name, re.I) or re.search(rf"(^|_){re.escape(member.role_column or 'role')}($|_)", argument.name, re.I))
    return member.roles[0] if member is not None and called and member.roles else None


def _number(context: Context, argument: Argument, side: str | None) -> str:
    if (strongest := role_for(context, argument)) is not None and strongest.lstrip("-").isdigit():
        return strongest
    return _row_value(context, argument, side) or ("1000" if re.search(r"limit|count|max|size|page|top|rows|^k$|_k$|^n$", argument.name, re.I) else "0" if re.search(r"thresh|offset|min|sim", argument.name, re.I) else "1")
