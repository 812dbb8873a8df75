"""Policies that ask less than their neighbours on the same table: no role, no owner, FOR ALL where one command was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls import vocabulary
from tests.rls.analysis import tree
from tests.rls.analysis.alternatives import alternatives as parted
from tests.rls.analysis.membership import asks_role, plain_member
from tests.rls.analysis.model import Model, act
from tests.rls.analysis.predicate import binds, quiet
from tests.rls.catalog import Policy, Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.rules.grants import NOT_SECRET, SECRET
from tests.rls.tenancy import MEMBERSHIP

READS = re.compile(r"(?<![a-z])(read|reads|select|view|views|see|sees|visible|readable|viewable)(?![a-z])", re.I)
WRITES = re.compile(r"write|manage|edit|full|update|insert|delete|own|crud|change|admin|(?<![a-z])all(?![a-z])", re.I)
COMMANDS = ("insert", "update", "delete")


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for table in model.tables:
        if not table.rls or not model.tenancy.is_tenant_bound(table):
            continue
        for role in model.roles:
            policies = [p for p in table.policies if p.permissive and {*p.roles} & context.catalog.acting_as(role)]
            yield from _for_all(model, table, role, policies)
            yield from _without_role(model, table, role, policies)
            yield from _owner_widened(model, table, role, policies)
            yield from _owner_only_written(model, table, role, policies)


def _for_all(model: Model, table: Table, role: str, policies: list[Policy]) -> Iterator[Finding]:
    """A policy FOR ALL beside stricter ones for single commands, or one that calls itself a read policy."""
    for policy in policies:
        if policy.command != "all" or not model.reaches(role, table, "INSERT", "UPDATE", "DELETE"):
            continue
        stricter = [p for p in policies if p.command in COMMANDS and _needs_role(model, p) and not _asks(model, policy)]
        alternatives = model.predicate(table).alternatives(policy.using) or ()
        if not any(binds(one) for one in alternatives):
            continue
        own = any(f.columns & {*model.tenancy.of(table).user_columns} for one in alternatives for f in one)
        named = READS.search(policy.name) and not WRITES.search(policy.name)
        if (stricter and not own) or named:
            command = next(c for c in ("delete", "update", "insert") if model.reaches(role, table, c.upper()))
            yield _found("policy-for-all", table, command, role, policy,
                         "FOR ALL where FOR SELECT was meant: whoever may read may also insert, update and delete"
                         + (f", past {', '.join(p.name for p in stricter)}" if stricter else ""))


def _without_role(model: Model, table: Table, role: str, policies: list[Policy]) -> Iterator[Finding]:
    """A write policy for any member where the table's other write policies ask for a role."""
    membership = model.tenancy.of(table).kind == MEMBERSHIP
    secret = any(SECRET.search(c.name) and not NOT_SECRET.search(c.name) for c in table.columns)
    strong = secret and any(not p.permissive and p.covers("select") and "aal" in model.reading.sources_of(p.using) for p in table.policies)
    for policy in policies:
        judged = [c for c in COMMANDS if policy.command == c] or (["select"] if policy.command == "select" and strong else [])
        for command in judged:
            if not model.reaches(role, table, command.upper()) or _asks(model, policy):
                continue
            clause = policy.check if command == "insert" else policy.using
            alternatives = model.predicate(table).alternatives(clause) or []
            plain = any(plain_member(model, policy, one) for one in alternatives)
            neighbours = [p for p in policies if p.command in COMMANDS and p is not policy and _needs_role(model, p)]
            tied = any(binds(one, model.target(table).tenant) for one in alternatives)
            if plain and membership:
                yield _found("membership-write-without-role", table, command, role, policy, f"any member may {command} memberships of the tenant: no role is asked")
            elif neighbours and tied and (plain or command == "insert") and _unusual(model, command, neighbours):
                yield _found(f"{'read' if command == 'select' else 'write'}-policy-without-role", table, command, role, policy,
                             f"role check missing: any member passes, while {', '.join(p.name for p in neighbours)} on the same table ask for a role")


def _unusual(model: Model, command: str, neighbours: list[Policy]) -> bool:
    """Return whether a command open to every member stands out. Adding and editing is what members do, unless a role is there to read only."""
    known = model.tenancy.membership
    reader = known is not None and any(vocabulary.READ_ONLY.search(name) for name in known.roles)
    return reader if command in ("insert", "update") else command == "select" or any(p.command in ("insert", "update") for p in neighbours)


def _owner_widened(model: Model, table: Table, role: str, policies: list[Policy]) -> Iterator[Finding]:
    """A policy of tenant and owner made useless by another of the tenant alone."""
    of = model.tenancy.of(table)
    for command in ("select", "update", "delete"):
        if not model.reaches(role, table, command.upper()) or not of.user_columns:
            continue
        covering = [p for p in policies if p.covers(command)]
        for narrow in covering:
            alternatives = model.predicate(table).alternatives(narrow.using) or []
            target = model.target(table)
            if not alternatives or not all(binds(one, frozenset(of.user_columns)) and binds(one, target.tenant) for one in alternatives):
                continue
            for wide in covering:
                if wide is not narrow and not _asks(model, wide) and any(plain_member(model, wide, one) for one in model.predicate(table).alternatives(wide.using) or []):
                    yield _found("policy-owner-filter-widened", table, command, role, wide,
                                 f"owner check ORed away: {narrow.name} shows a person their own rows only, this one shows them to every member of the tenant")


def _owner_only_written(model: Model, table: Table, role: str, policies: list[Policy]) -> Iterator[Finding]:
    """FOR ALL whose WITH CHECK asks for the owner and whose USING does not."""
    users = frozenset(model.tenancy.of(table).user_columns)
    for policy in policies:
        if policy.command != "all" or policy.check is None or not users or not model.reaches(role, table, "SELECT"):
            continue
        written, seen = (model.predicate(table).alternatives(text) or [] for text in (policy.check, policy.using))
        if written and seen and all(binds(one, users) for one in written) and not any(binds(one, users) or quiet(one) for one in seen) and all(binds(one) for one in seen):
            yield _found("policy-owner-only-on-write", table, "select", role, policy, "owner check dropped: WITH CHECK asks that the row is the caller's own, USING does not, so other people's rows are read and deleted")


def _asks(model: Model, policy: Policy) -> bool:
    """Return whether a policy looks at a role anywhere."""
    return any(asks_role(model, text) for text in (policy.using, policy.check) if text is not None)


def _needs_role(model: Model, policy: Policy) -> bool:
    """Return whether nobody passes a policy without a role: `own row or admin` lets every member pass."""
    found = [parted(node) for text in (policy.using, policy.check) if (node := tree.expression(text)) is not None]
    return any(one and all(any(asks_role(model, atom.node) for atom in alternative) for alternative in one) for one in found)


def _found(name: str, table: Table, command: str, role: str, policy: Policy, what: str) -> Finding:
    statement = {"select": f"select * from {table.sql};", "delete": f"delete from {table.sql};"}.get(command, f"{command} on {table.sql} as a member without that role")
    return Finding(name, table.label, command, "member", f"policy {policy.name} on {table.label} ({command}): {what}",
                   f"FOR {policy.command.upper()} USING ({policy.using}) WITH CHECK ({policy.check})",
                   act(role, statement if statement.endswith(";") else f"-- {statement}", sub="<a member without that role>"))
