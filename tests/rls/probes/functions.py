"""Every function a stranger or a signed-in person may call, by oid, with everybody's ids: what it answers, what it changes, what its errors tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls import calls, culprit
from tests.rls.acting import Outcome, Persona, text
from tests.rls.calls import Call
from tests.rls.catalog import Function, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.tenancy import CHILD, MEMBERSHIP, OWNED, PERSONAL, PROFILE, TENANT
from tests.rls.world import CANARY, UUID

READS = {"optional-tenant-argument", "definer-match-function", "trusts-tenant-argument", "trusts-user-argument", "trusts-row-argument",
         "definer-without-tenant-filter", "function-foreign-rows", "existence-oracle"}
EXECUTED = "ringfence" + "-executed"


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield what each function gives away."""
    fingerprints: dict[str, tuple[str, Outcome]] = {}
    for target in ("A", "B"):
        statement = _fingerprint(context, target)
        fingerprints[target] = statement, context.personas.acting.run(None, statement)
    # Helpers of policies outside the exposed schemas have a probe of their own.
    catalog = context.catalog
    called = {oid for table in catalog.tables.values() for policy in table.policies for oid in policy.functions if oid in catalog.functions}
    asked = {oid for oid in called if context.world.tenants and not catalog.schemas[catalog.functions[oid].schema].exposed}
    for function in reachable(context):
        if context.config.never_calls(function.label) or function.oid in asked:
            continue
        told: set[str] = set()
        for persona in _callers(context, function):
            target = "A" if persona in context.personas.former else "B"
            for found in _called(context, function, persona, target, fingerprints[target]):
                key = found.id if isinstance(found, Finding) else "not covered"
                # One way to read is enough to say; what it changes is another matter.
                if key not in told and not (told & READS and key in READS):
                    told.add(key)
                    yield found
        yield from _hostile(context, function)
        yield from _founds(context, function)


def _founds(context: Context, function: Function) -> Iterator[Finding]:
    """An anonymous sign-in that founds a tenant, in a schema that elsewhere tells anonymous people from others."""
    catalog, tenancy, people = context.catalog, context.tenancy, context.personas
    persona = people.everyone.get("anonymous_user")
    if persona is None or tenancy.tenant is None or function.volatility != "volatile" or not catalog.may_execute(persona.role, function):
        return
    texts = [p.text for t in catalog.tables.values() for p in t.policies] + [f.source or f.definition for f in catalog.own_functions() if f.oid != function.oid]
    if not any("is_anonymous" in text for text in texts):
        return
    count = f"select count(*) from {catalog.tables[tenancy.tenant].sql}"
    for call in calls.calls(context, function, persona, "B", brief=True):
        _, after = people.acting.look(persona, call.statement, after=count)
        context.count("function calls")
        if after is not None and after.rows != people.acting.run(None, count).rows:
            yield _finding(context, function, persona, call.statement, "anonymous-founds-tenant",
                           f"an anonymous sign-in makes a tenant through {function.label}: it does not ask for is_anonymous, as other parts of the schema do", "one more row in the table of tenants")
            return


def reachable(context: Context) -> Iterator[Function]:
    """Yield the user's functions that an API role may execute, in schemas it may use."""
    catalog = context.catalog
    for function in catalog.own_functions():
        if function.kind in "fp" and not function.is_trigger and not context.config.skips(function.schema) and any(
                catalog.may_execute(role, function) and catalog.may_use(role, function.schema) for role in catalog.api_roles):
            yield function


def _callers(context: Context, function: Function) -> list[Persona]:
    people = context.personas
    keys = ("owner_a", "member_a", "outsider", "no_claims", "anon", "removed", *list(context.world.inactive)[:2])
    return [p for p in (people.everyone[k] for k in keys if k in people.everyone)
            if context.catalog.may_execute(p.role, function) and context.catalog.may_use(p.role, function.schema)]


def _called(context: Context, function: Function, persona: Persona, target: str, fingerprint: tuple[str, Outcome]) -> Iterator[Finding | NotCovered]:
    acting = context.personas.acting
    writes = function.volatility == "volatile"
    leaking: list[str] = []
    for call in calls.calls(context, function, persona, target, brief=persona.user != "owner_a"):
        context.count("function calls")
        outcome, after = acting.look(persona, call.statement, after=fingerprint[0] if writes else "")
        if outcome.sqlstate.startswith("57"):
            yield NotCovered(function.label, "execute", f"as {persona.name}: {outcome.said()}")
            return
        seen = _seen(context, target, persona, outcome, call.given)
        context.saw(function.label, "execute", persona.name, outcome, bool(seen) and function.definer)
        if seen and not leaking and not (context.leaking and not function.definer):
            leaking.append(call.what)
            name, why = _read_cause(context, function, call, leaking)
            yield _finding(context, function, persona, call.statement, name, f"{_who(context, persona)} gets rows of tenant {target} from {function.label}: {why}",
                           f"{'error or notice' if not outcome.ok else 'result'} holds {', '.join(sorted(seen)[:3])} ({call.what} arguments)")
        changed = _changed(context, target, fingerprint[1], after) if outcome.ok and after is not None else []
        if changed and (function.definer or not context.leaking):
            name = "definer-writes-foreign-rows" if function.definer else "function-writes-foreign-rows"
            yield _finding(context, function, persona, call.statement, name,
                           f"{_who(context, persona)} changes rows of tenant {target} in {', '.join(changed)} through {function.label}"
                           + (f", which runs as {function.owner} and does not bind the rows to the caller's tenant" if function.definer else ""),
                           f"rows of tenant {target} differ after the call ({call.what} arguments)")
        if not seen and not changed and call.what == "foreign":
            yield from _oracle(context, function, persona, call, outcome, target)


def _seen(context: Context, target: str, persona: Persona, outcome: Outcome, given: str) -> set[str]:
    """Return strings of a tenant, or private ones of its people, in an answer."""
    world = context.world
    texts = [value for value in outcome.texts()]
    found: set[str] = set(world.seen(target, texts, given))
    for row in world.rows:
        one = context.tenancy.of(row.table)
        private = row.values.values() if one.kind == PERSONAL else [row.get(c) for c in one.personal_columns] if one.kind == PROFILE else []
        if one.kind in (PERSONAL, PROFILE) and row.user in (f"member_{target.lower()}", f"owner_{target.lower()}") and row.user != persona.user:
            words = {m[0].lower() for value in private if value for m in CANARY.finditer(value)}
            found |= {w for w in words if w not in given and any(w in t.lower() for t in texts)}
    return found


def _read_cause(context: Context, function: Function, call: Call, leaking: list[str]) -> tuple[str, str]:
    """Name the mistake of a function that gives away rows."""
    runs = f"it is SECURITY DEFINER (as {function.owner})" if function.definer else "it runs as the caller but reads through something that does not"
    overloads = [f for f in context.catalog.own_functions() if (f.schema, f.name) == (function.schema, function.name) and f.oid != function.oid]
    stale = f"; {len(overloads)} other overloads of the name exist" if overloads else ""
    ids = [known for known in context.world.strings.get("B", set()) | context.world.strings.get("A", set()) if known in call.given]
    users = [u for u in context.world.users.values() if u in call.given]
    if call.what in ("null", "omitted"):
        return "optional-tenant-argument", f"{runs} and answers for all tenants when an argument is NULL or left out{stale}"
    if any("vector" in a.base_type for a in function.arguments):
        return "definer-match-function", f"{runs} and compares the embedding with every tenant's rows{stale}"
    if any(known in context.world.tenants.values() for known in ids):
        return "trusts-tenant-argument", f"{runs} and believes the tenant id it is given{stale}"
    if users and not ids:
        return "trusts-user-argument", f"{runs} and believes the user id it is given{stale}"
    if ids:
        return "trusts-row-argument", f"{runs} and returns the row of any id it is given{stale}"
    return "definer-without-tenant-filter" if function.definer else "function-foreign-rows", f"{runs} and reads without asking whose rows they are{stale}"


def _oracle(context: Context, function: Function, persona: Persona, call: Call, outcome: Outcome, target: str) -> Iterator[Finding]:
    """A foreign id and one that exists nowhere must give the same."""
    twin = calls.random_twin(context, function, call, target)
    if twin == call.statement:
        return
    other = context.personas.acting.run(persona, twin)
    left, right = _shape(outcome), _shape(other)
    # Where two ids that exist nowhere differ too, the answer is made of the id itself, as a digest is.
    if left != right and _shape(context.personas.acting.run(persona, calls.random_twin(context, function, call, target, far=1954))) == right:
        yield _finding(context, function, persona, f"{call.statement};\n-- and the same with ids that exist nowhere:\n{twin}", "existence-oracle",
                       f"{_who(context, persona)} learns from {function.label} whether an id of another tenant exists: it answers foreign and random ids differently",
                       f"foreign: {outcome.said()[:150]}; random: {other.said()[:150]}")


def _shape(outcome: Outcome) -> tuple[str, str, int, tuple[tuple[str, ...], ...]]:
    """Return what a caller can tell apart, without ids, canaries and times that differ by themselves."""
    def plain(value: str | None) -> str:
        value = CANARY.sub("<word>", UUID.sub("<id>", value or "<null>"))
        return re.sub(r"\d{4}-\d\d-\d\d[ T][\d:.+]+|\b\d{7,}\b", "<number>", value)
    return outcome.sqlstate, plain(outcome.message), outcome.count, tuple(tuple(plain(v) for v in row) for row in outcome.rows[:5])


def _hostile(context: Context, function: Function) -> Iterator[Finding]:
    """Text that is run as SQL, quoted badly, or used to set a setting."""
    texts = [a for a in function.arguments if a.base_type in ("text", "character varying")]
    people = context.personas
    persona = next((people.everyone[k] for k in ("member_a", "outsider", "anon") if k in people.everyone
                    and context.catalog.may_execute(people.everyone[k].role, function)), None)
    if not texts or persona is None:
        return
    acting = people.acting
    for attempt in (f"select '{'ringfence'}' || '-executed' as x", "select 1/0", "perform 1/0"):
        statement = _with_texts(function, dict.fromkeys((a.name for a in texts), attempt))
        outcome = acting.run(persona, statement)
        context.count("function calls")
        if any(EXECUTED in value for value in outcome.texts()) and EXECUTED not in attempt or outcome.sqlstate == "22012":
            yield _finding(context, function, persona, statement, "exec-sql",
                           f"{persona.name} runs SQL text through {function.label}" + (f" as {function.owner}: every policy can be stepped around" if function.definer else ": set_config and other roles become reachable"),
                           outcome.said()[:200])
            return
    for argument in texts:
        for hostile in ("rf'", 'rf"'):
            statement = _with_texts(function, {argument.name: hostile})
            outcome = acting.run(persona, statement)
            if outcome.sqlstate == "42601" and not re.search(r"tsquery|jsonpath|regular expression|invalid input", outcome.message):
                yield _finding(context, function, persona, statement, "sql-injection",
                               f"{function.label} builds SQL from its argument {argument.name} without quoting it" + (f", and runs it as {function.owner}" if function.definer else ""),
                               outcome.said()[:200])
                return
    if len(texts) >= 2:
        for first, second in ((texts[0], texts[1]), (texts[1], texts[0])):
            statement = _with_texts(function, {first.name: "ringfence.probe", second.name: "reached"})
            outcome, after = acting.look(persona, statement, after="select current_setting('ringfence.probe', true)")
            if outcome.ok and after is not None and after.rows == (("reached",),):
                yield _finding(context, function, persona, statement, "set-config-reachable",
                               f"{persona.name} sets any setting through {function.label}, request.jwt.claims included: whoever calls it becomes anybody", "the setting was changed")
                return


def _with_texts(function: Function, given: dict[str, str]) -> str:
    parts = []
    for argument in function.arguments:
        if argument.has_default and argument.name not in given and argument.name:
            continue
        plain = {"boolean": "false", "integer": "1", "bigint": "1", "json": "{}", "jsonb": "{}"}.get(argument.base_type)
        value = given.get(argument.name, "rf" if argument.base_type in ("text", "character varying") else plain)
        parts.append((f"{quoted(argument.name)} => " if argument.name else "") + f"{text(value)}::{argument.type}")
    return (f"call {function.sql}" if function.kind == "p" else f"select * from {function.sql}") + f"({', '.join(parts)})"


def _fingerprint(context: Context, tenant: str) -> str:
    """A query with one column a table: a digest of the tenant's rows in it."""
    columns = []
    for table in context.catalog.own_tables():
        one, rows = context.tenancy.of(table), context.world.of(table, tenant)
        people = [r for r in context.world.of(table) if one.kind in (PROFILE, PERSONAL) and r.user in (f"owner_{tenant.lower()}", f"member_{tenant.lower()}")]
        if one.kind in (OWNED, MEMBERSHIP) and one.tenant_column and tenant in context.world.tenants:
            where = f"{quoted(one.tenant_column)} = {text(context.world.tenants[tenant])}"
        elif one.kind in (TENANT, CHILD) and rows or people:
            where = " or ".join(f"({row.where})" for row in rows or people)
        else:
            continue
        columns.append(f"(select md5(string_agg(t::text, '|' order by t::text)) from {table.sql} t where {where}) as {quoted(table.label)}")
    return "select " + (", ".join(columns) or "1")


def _changed(context: Context, tenant: str, before: Outcome, after: Outcome) -> list[str]:
    if not before.rows or not after.rows:
        return []
    return [name for name, old, new in zip(before.columns, before.rows[0], after.rows[0], strict=True) if old != new]


def _who(context: Context, persona: Persona) -> str:
    return "member of another organization" if persona in context.personas.insiders else persona.name


def _finding(context: Context, function: Function, persona: Persona, statement: str, name: str, sentence: str, evidence: str) -> Finding:
    return Finding(name, function.label, "execute", _who(context, persona), sentence, evidence, culprit.script(context, persona, statement), proven=True)
