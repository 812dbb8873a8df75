"""The functions that policies rely on, asked directly: another tenant, another role, a membership not in force, nobody at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls import culprit
from tests.rls.acting import Outcome, Persona, text
from tests.rls.catalog import Argument, Function, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield the helpers that answer yes to the wrong question."""
    if not context.world.tenants or "member_a" not in context.personas.everyone:
        return
    for function in helpers(context):
        yield from _Helper(context, function).findings()


def helpers(context: Context) -> list[Function]:
    """Return what policies call, and what those call in turn."""
    catalog = context.catalog
    named = {oid for table in catalog.tables.values() for policy in table.policies for oid in policy.functions}
    found = {oid: f for oid in named if (f := catalog.functions.get(oid)) is not None and not f.managed and not f.extension}
    for function in list(found.values()):
        for other in catalog.own_functions():
            if other.oid not in found and re.search(rf"\b{re.escape(other.name)}\s*\(", function.source or function.definition) and not other.is_trigger:
                found[other.oid] = other
    return [f for f in found.values() if f.kind == "f"]


class _Helper:
    def __init__(self, context: Context, function: Function) -> None:
        self.context, self.function = context, function
        self.people, self.world = context.personas, context.world
        self.boolean = function.returns == "boolean" and not function.returns_set

    def findings(self) -> Iterator[Finding]:
        tenant, role, rest = self._places()
        if self.boolean:
            if tenant is None:
                return
            yield from self._asks_membership(tenant, role, rest)
        elif not self.function.arguments or all(a.has_default or a is role for a in self.function.arguments):
            yield from self._lists(role)

    def _places(self) -> tuple[Argument | None, Argument | None, list[Argument]]:
        """Which argument is the tenant, and which the role or the list of roles."""
        member = self.context.tenancy.membership
        tenant_type = self.context.tenancy.tenant_type
        tenant = role = None
        rest = []
        for argument in self.function.arguments:
            users = re.search(r"user|uid|member_id|person", argument.name, re.I)
            if tenant is None and argument.base_type == tenant_type and not users and (tenant_type != "text" or not re.search("role|perm", argument.name)):
                tenant = argument
            elif role is None and member and member.roles and (set(argument.labels) & {*member.roles} or (argument.element or argument.base_type) in ("text", "character varying")):
                role = argument
            else:
                rest.append(argument)
        return tenant, role, rest

    def _call(self, persona: Persona, tenant: Argument | None, tenant_id: str | None, role: Argument | None, roles: tuple[str, ...], rest: list[Argument], user: str | None = None) -> Outcome:
        parts = []
        for argument in self.function.arguments:
            if argument is tenant:
                value = tenant_id
            elif argument is role:
                value = "{" + ",".join(roles) + "}" if argument.element else (roles[0] if roles else None)
            elif argument.has_default:
                continue
            elif re.search(r"user|uid|member|person", argument.name, re.I):
                value = user or persona.user_id
            else:
                value = None
            parts.append((f"{quoted(argument.name)} => " if argument.name else "") + f"{text(value)}::{argument.type}")
        self.statement = f"select * from {self.function.sql}({', '.join(parts)})"
        self.context.count("helper calls")
        # Policies reach their helpers without USAGE of the schema; a direct call needs it.
        grants = (f"grant usage on schema {quoted(self.function.schema)} to {persona.role};\ngrant execute on function {self.function.sql}"
                  f"({', '.join(a.type for a in self.function.arguments)}) to {persona.role}")
        outcome = self.people.acting.run(persona, self.statement, before=grants)
        return outcome if outcome.sqlstate != "42501" else self.people.acting.run(persona, self.statement)

    def _asks_membership(self, tenant: Argument, role: Argument | None, rest: list[Argument]) -> Iterator[Finding]:
        member = self.context.tenancy.membership
        roles = member.roles if member else ()
        a, b = self.world.tenants["A"], self.world.tenants["B"]
        says = [self._yes(self.people["owner_a"], tenant, a, role, (one,), rest) for one in roles or ("",)]
        if not any(says):
            return  # it never says yes: not a question of membership
        strong = roles[:1]
        for key in ("owner_a", "outsider"):
            asked = roles[:1] if role is not None else ()
            if self._yes(self.people[key], tenant, b, role, asked, rest) or role is not None and self._yes(self.people[key], tenant, b, role, roles, rest):
                who = "member of another organization" if key == "owner_a" else self.people[key].name
                yield self._finding("helper-ignores-tenant", who, f"says yes to {who}: it ignores its tenant argument {tenant.name or 1}")
                break
        if role is not None and len(roles) > 1 and any(self.world.roles.get("member_a") not in (r,) for r in strong) and self._yes(self.people["owner_a"], tenant, a, role, strong, rest):
            lower = "viewer_a" if "viewer_a" in self.people.everyone else "member_a"
            if self.world.roles.get(lower) != strong[0] and self._yes(self.people[lower], tenant, a, role, strong, rest):
                yield self._finding("helper-ignores-role", self.people[lower].name, f"says yes to a {self.world.roles.get(lower)} who asks for {strong[0]}: it ignores its role argument {role.name or 2}")
        words = next((a for a in (role, *rest) if a is not None and a.base_type in ("text", "character varying")), None)
        weakest = self.people["viewer_a" if "viewer_a" in self.people.everyone else "member_a"]
        if words is not None and self.world.roles.get(weakest.user or "") != (roles or ("",))[0] and self._yes(weakest, tenant, a, words, ("ringfence-no-such",), rest):
            yield self._finding("helper-says-yes-to-anything", weakest.name, f"says yes to a {self.world.roles.get(weakest.user or '', 'member')} who asks for something that does not exist: what it does not know it allows")
        everything = roles if role is not None else ()
        for key in self.world.inactive:
            if self._yes(self.people[key], tenant, a, role, everything, rest):
                yield self._finding("helper-ignores-status", self.people[key].name, f"says yes to a member whose {self.world.inactive[key]}: it does not ask whether the membership is in force")
                break
        for key in ("no_claims", "no_sub", "anon_no_claims"):
            if key in self.people.everyone and (self._yes(self.people[key], tenant, a, role, everything, rest) or self._yes(self.people[key], tenant, None, role, everything, rest)):
                yield self._finding("helper-trusts-nobody", self.people[key].name, "says yes when there is no user: a NULL identity counts as a member")
                break
        if self._yes(self.people["owner_a"], tenant, None, role, everything, rest):
            yield self._finding("helper-null-tenant", "member", "says yes for a NULL tenant")

    def _yes(self, persona: Persona, tenant: Argument, tenant_id: str | None, role: Argument | None, roles: tuple[str, ...], rest: list[Argument]) -> bool:
        outcome = self._call(persona, tenant, tenant_id, role, roles, rest)
        return outcome.ok and outcome.rows == (("t",),)

    def _lists(self, role: Argument | None) -> Iterator[Finding]:
        """A helper that lists tenants must list the caller's, and nothing for nobody."""
        member = self.context.tenancy.membership
        roles = member.roles if member else ()
        known = {self.world.tenants["A"], self.world.tenants["B"]}

        def listed(key: str) -> set[str]:
            outcome = self._call(self.people[key], None, None, role, roles[:1] if role is not None and not role.element else roles, [])
            return {t for value in outcome.texts() for t in known if t in value} if outcome.ok else set()
        if self.world.tenants["A"] not in listed("owner_a"):
            return
        if self.world.tenants["B"] in listed("owner_a"):
            yield self._finding("helper-ignores-user", "member of another organization", "lists organizations the caller does not belong to")
            return
        for key in self.world.inactive:
            if listed(key):
                yield self._finding("helper-ignores-status", self.people[key].name, f"lists an organization in which {self.world.inactive[key]}: it does not ask whether the membership is in force")
                break
        for key in ("no_claims", "no_sub", "anon_no_claims", "outsider"):
            if key in self.people.everyone and listed(key):
                name = "helper-trusts-nobody" if key != "outsider" else "helper-ignores-user"
                yield self._finding(name, self.people[key].name, "lists organizations when there is no user" if key != "outsider" else "lists organizations of others")
                break

    def _finding(self, name: str, who: str, sentence: str) -> Finding:
        users = sorted({policy.table for table in self.context.catalog.tables.values() for policy in table.policies if self.function.oid in policy.functions})
        persona = next((p for p in self.people.everyone.values() if p.name == who), self.people["owner_a"])
        return Finding(name, self.function.label, "execute", who, f"helper {self.function.label} {sentence}; policies of {', '.join(users) or 'other helpers'} rely on it",
                       f"{self.statement} gave what it should not", culprit.script(self.context, persona, self.statement), proven=True)
