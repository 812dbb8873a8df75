"""What rules ask again and again about a database: who the clients are, what they reach, which alternatives of a policy leave a row open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tests.rls.analysis.predicate import Alternative, Predicate, Target, binds, quiet
from tests.rls.analysis.reading import Reading
from tests.rls.catalog import PUBLIC, Catalog, Function, Policy, Relation, Table, quoted
from tests.rls.context import Context
from tests.rls.tenancy import MEMBERSHIP, PROFILE, TENANT, USERS, Tenancy

PRIVILEGE = {"select": "SELECT", "insert": "INSERT", "update": "UPDATE", "delete": "DELETE"}
PLATFORM = {
    "storage.objects": (frozenset({"name", "path_tokens", "owner", "owner_id"}), frozenset({"name", "path_tokens"})),
    "realtime.messages": (frozenset({"topic"}), frozenset({"topic"})),
}
# The first that an alternative says names the bug.
REASONS = ("captured", "tautology", "half-key", "uncorrelated", "request", "unasking", "email", "membership", "tenant-null", "anonymous", "null-pass", "deny-list", "signed-in", "aal", "row", "time")


@dataclass(frozen=True)
class Hole:
    """One alternative of a permissive policy that lets a client at rows that are not theirs."""

    table: Table
    command: str
    role: str
    policy: Policy
    clause: str
    """using or check."""
    alternative: Alternative
    others: tuple[Policy, ...]
    """The permissive policies of the same command that do tie the row."""

    @property
    def reason(self) -> str:
        kinds = {fact.kind for fact in self.alternative}
        if "bound" in kinds and not kinds & {"captured", "tautology"}:
            return "user-only"
        return next((reason for reason in REASONS if reason in kinds), "true")

    @property
    def expression(self) -> str:
        return (self.policy.check if self.clause == "check" and self.policy.check is not None else self.policy.using) or ""


class Model:
    """One context, read for rules. Made once a run: `Model.of(context)`."""

    def __init__(self, catalog: Catalog, tenancy: Tenancy) -> None:
        self.catalog, self.tenancy, self.reading = catalog, tenancy, Reading(catalog)
        self.roles = catalog.api_roles
        self._predicates: dict[int, Predicate] = {}

    @classmethod
    def of(cls, context: Context) -> Model:
        known = context.__dict__.get("_rules_model")
        if known is None:
            known = context.__dict__["_rules_model"] = cls(context.catalog, context.tenancy)
        return known

    @cached_property
    def tables(self) -> list[Table]:
        """The user's own tables."""
        return [t for t in self.catalog.own_tables() if t.kind in "rp"]

    @cached_property
    def protected(self) -> frozenset[int]:
        """Oids of the tables whose own policies show a caller only what is theirs."""
        return frozenset(t.oid for t in self.tables if t.rls and (self.tenancy.is_tenant_bound(t) or self.tenancy.is_user_bound(t)))

    @property
    def membership(self) -> Table | None:
        known = self.tenancy.membership
        return self.catalog.tables.get(known.table) if known else None

    def target(self, table: Table) -> Target:
        if table.label in PLATFORM:
            return Target(table, *PLATFORM[table.label], self.membership.oid if self.membership else None, self.protected)
        of = self.tenancy.of(table)
        bound = [k for k in table.foreign_keys if k.references in self.protected and k.references != table.oid]
        tenant = {of.tenant_column, *of.parent_columns} - {None}
        tenant |= {c for k in bound if self.tenancy.is_tenant_bound(k.references or 0) for c in k.columns}
        if of.kind == TENANT:
            tenant |= {*table.primary_key}
        binding = tenant | {*of.user_columns} | {c for k in bound for c in k.columns}
        if of.kind in (PROFILE, USERS):
            binding |= {*table.primary_key}
        own = frozenset(table.primary_key if of.kind == TENANT else {of.tenant_column} - {None})
        return Target(table, frozenset(binding), frozenset(tenant), self.membership.oid if self.membership else None, self.protected, own, frozenset(of.user_columns))  # type: ignore[arg-type]

    def predicate(self, table: Table) -> Predicate:
        if table.oid not in self._predicates:
            self._predicates[table.oid] = Predicate(self.reading, self.target(table))
        return self._predicates[table.oid]

    def belongs(self, table: Table) -> bool:
        """Return whether the rows of a table are somebody's."""
        return self.tenancy.is_tenant_bound(table) or self.tenancy.is_user_bound(table)

    def reaches(self, role: str, relation: Relation, *privileges: str) -> bool:
        return any(self.catalog.may_touch(role, relation, privilege) for privilege in privileges)

    def reachers(self, relation: Relation, *privileges: str) -> list[str]:
        """Return the client roles with one of the privileges on a relation or on a column of it."""
        return [role for role in self.roles if self.reaches(role, relation, *privileges)]

    def callers(self, function: Function) -> list[str]:
        """Return the client roles that can call a function by its name."""
        return [r for r in self.roles if self.catalog.may_use(r, function.schema) and self.catalog.may_execute(r, function)]

    def applying(self, table: Table, command: str, role: str, permissive: bool) -> list[Policy]:
        return table.policies_for(command, self.catalog.acting_as(role), permissive=permissive)

    def clauses(self, policy: Policy, command: str) -> list[tuple[str, str | None]]:
        """Return the conditions a policy puts on a command: (using or check, expression)."""
        check = ("check", policy.check if policy.check is not None else policy.using)
        return {"insert": [check], "update": [("using", policy.using), check]}.get(command, [("using", policy.using)])

    def needed(self, table: Table, command: str, clause: str) -> frozenset[str] | None:
        """Return the columns one of which a condition must tie: the tenant's for what is written, any for what is read."""
        target = self.target(table)
        written = clause == "check" and self.tenancy.is_tenant_bound(table) and self.tenancy.of(table).kind != TENANT and target.tenant
        return target.tenant if written else None

    def holes(self, table: Table, command: str, role: str) -> Iterator[Hole]:
        """Yield the alternatives of permissive policies that no column of the row limits, unless a restrictive policy limits them all."""
        policies = self.applying(table, command, role, permissive=True)
        read = self.predicate(table).alternatives
        for clause in ("using", "check"):
            texts = [(policy, dict(self.clauses(policy, command))) for policy in policies]
            texts = [(policy, parts) for policy, parts in texts if clause in parts]
            needed = self.needed(table, command, clause)
            floors = [dict(self.clauses(p, command)).get(clause) for p in self.applying(table, command, role, permissive=False)]
            floored = [found for text in floors if (found := read(text)) is not None]
            if any(all(binds(one, needed) for one in found) for found in floored):
                continue
            judged = {policy.name: read(parts[clause]) for policy, parts in texts}
            good = [p for p, _ in texts if (found := judged[p.name]) is not None and found and all(binds(one, needed) for one in found)]
            for policy, parts in texts:
                for alternative in judged[policy.name] or ():
                    if clause == "check" and policy.check is None and command == "update" and not binds(alternative):
                        continue  # the same text as USING, reported there
                    if not binds(alternative, needed) and not quiet(alternative):
                        yield Hole(table, command, role, policy, clause, alternative, tuple(p for p in good if p is not policy))

    def bypasses(self, owner: str, table: Table) -> bool:
        """Return whether what runs as `owner` sees every row of a table."""
        known = self.catalog.roles.get(owner)
        if not table.rls or known is None or known.superuser or known.bypassrls:
            return True
        return not table.force and (owner == table.owner or table.owner in known.inherits)


def act(role: str, *statements: str, sub: str = "00000000-0000-0000-0000-00000000000b") -> str:
    """Return a script that does something as a client role and rolls back."""
    claims = f"""select set_config('request.jwt.claims', '{{"sub": "{sub}", "role": "{role}", "aal": "aal1"}}', true);""" if role != "anon" else ""
    lines = ["begin;", f"set local role {quoted(role)};", claims, *statements, "rollback;"]
    return "\n".join(line for line in lines if line)


def persona(role: str) -> str:
    """Return who a client role is, in the words findings use."""
    return {"anon": "anonymous", PUBLIC: "anonymous"}.get(role, "signed in, no membership")


__all__ = ["MEMBERSHIP", "Hole", "Model", "act", "persona"]
