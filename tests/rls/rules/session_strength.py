"""Restrictive policies that demand a stronger session, and bind nobody, or not every command, or not what they say."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.membership import asks_role
from tests.rls.analysis.model import Model, act
from tests.rls.catalog import PUBLIC, Policy, Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.rules.grants import NOT_SECRET, SECRET

COMMANDS = ("select", "insert", "update", "delete")


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    told: set[str] = set()
    for table in context.catalog.tables.values():
        if not table.rls or table.managed and table.label != "storage.objects":
            continue
        reached = {c: model.reachers(table, c.upper()) for c in COMMANDS}
        restrictive = [p for p in table.policies if not p.permissive]
        for policy in restrictive:
            bound = {r for c in COMMANDS if policy.covers(c) for r in reached[c] if {*policy.roles} & model.catalog.acting_as(r)}
            others = {r for c in COMMANDS if policy.covers(c) for r in reached[c] if model.applying(table, c, r, True)}
            if others and not bound & others and PUBLIC not in policy.roles and not _server(model, policy):
                yield _found("restrictive-policy-binds-nobody", table, policy.command if policy.command != "all" else "select", policy,
                             f"restrictive, but TO {', '.join(policy.roles)}: it does not bind {', '.join(sorted(others))}, who can use the table")
        yield from _uncovered(model, table, [p for p in restrictive if _strength(model, p)], reached)
        yield from _neighbours_stronger(model, table, reached)
        for policy in table.policies:
            for name, what, evidence in _not_compared(model, policy):
                key = f"{table.label}{name}{policy.name}"
                if key not in told:
                    told.add(key)
                    yield Finding(name, table.label, policy.command if policy.command != "all" else "select", "aal1", f"policy {policy.name} on {table.label}: {what}", evidence,
                                  act("authenticated", f"select * from {table.sql}; -- with an aal1 token"))


def _server(model: Model, policy: Policy) -> bool:
    """Return whether a policy is for trusted roles on purpose."""
    return all((role := model.catalog.roles.get(name)) is not None and (role.login or role.bypassrls or role.name not in model.roles) for name in policy.roles)


def _strength(model: Model, policy: Policy) -> bool:
    return bool((model.reading.sources_of(policy.using) | model.reading.sources_of(policy.check)) & {"aal", "session"})


def _uncovered(model: Model, table: Table, strong: list[Policy], reached: dict[str, list[str]]) -> Iterator[Finding]:
    """A table whose reading asks for a second factor and whose writing does not."""
    covered = {c for p in strong for c in COMMANDS if p.covers(c)}
    if "select" not in covered:
        return
    for command in ("delete", "update", "insert"):
        roles = [r for r in reached[command] if model.applying(table, command, r, True)]
        if roles and command not in covered:
            yield _found("aal-not-for-every-command", table, command, strong[0], f"restrictive policy narrowed: reading asks for a second factor (aal2), {command} does not")
            return


def _neighbours_stronger(model: Model, table: Table, reached: dict[str, list[str]]) -> Iterator[Finding]:
    """A table of secrets, for some roles only, without the second factor that another such table asks for."""
    reads = [p for r in reached["select"] for p in model.applying(table, "select", r, True)]
    if not _sensitive(model, table) or not reads or any(_strength(model, p) for p in table.policies) or any("aal" in model.reading.sources_of(p.using) for p in reads):
        return
    for other in model.tables:
        strong = [p for p in other.policies if not p.permissive and p.command == "all" and _strength(model, p)]
        if other is not table and strong and _sensitive(model, other):
            yield _found("aal-missing", table, "select", reads[0], f"no restrictive aal2 policy on this table of secrets, while {other.label} beside it asks for a second factor ({strong[0].name})")
            return


def _sensitive(model: Model, table: Table) -> bool:
    """Return whether a table has secrets and is for some roles of a tenant only."""
    secret = any(SECRET.search(c.name) and not NOT_SECRET.search(c.name) and "token" not in c.name for c in table.columns)
    reads = [p for p in table.policies if p.permissive and p.covers("select")]
    return secret and table.rls and bool(reads) and all(asks_role(model, p.using) for p in reads)


def _not_compared(model: Model, policy: Policy) -> Iterator[tuple[str, str, str]]:
    """Conditions that name aal and let aal1 pass."""
    for text in (policy.using, policy.check):
        node = tree.expression(text)
        if node is None:
            continue
        for label, body in [("", [node]), *((f.label, model.reading.body(f).nodes) for f in model.reading.closure(model.reading.called(node)))]:
            if any("aal" in tree.constants(one) for one in body) and (how := _lax(body)):
                yield "aal-not-compared", f"{'helper ' + label + ' ' if label else ''}asks for aal but {how}, so a session without a second factor passes", text or ""


def _lax(nodes: list[tree.Node]) -> str:
    for key, one in tree.walk(nodes):
        if key == "null_test" and "aal" in tree.constants(one) and one.get("nulltesttype") == "IS_NOT_NULL":
            return "only that it is there (is not null)"
        if key == "coalesce_expr" and "aal" in tree.constants(one["args"][:-1]) and "aal2" in tree.constants(one["args"][-1:]):
            return "takes a missing claim for aal2"
        if key == "a_expr" and "aal" in tree.constants(one.get("lexpr")) and "aal1" in tree.constants(one.get("rexpr")) and tree.strings(one.get("name"))[-1:] != ("<>",):
            return "aal1 is enough"
    return ""


def _found(name: str, table: Table, command: str, policy: Policy, what: str) -> Finding:
    return Finding(name, table.label, command, "aal1", f"policy {policy.name} on {table.label} ({command}): {what}", f"restrictive FOR {policy.command.upper()} TO {', '.join(policy.roles)} USING ({policy.using})",
                   act("authenticated", f"-- {command} on {table.sql} with an aal1 token" if command != "select" else f"select * from {table.sql}; -- with an aal1 token"))
