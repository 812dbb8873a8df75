"""Policies dropped, opened, thinned out and turned round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from tests.rls.mutate.conditions import without
from tests.rls.mutate.mutant import Mutant, mutant

_QUERY = """
select n.nspname || '.' || c.relname, quote_ident(p.polname), p.polcmd::text, p.polpermissive,
  coalesce((select string_agg(quote_ident(r.rolname), ', ' order by r.rolname) from pg_roles r where r.oid = any (p.polroles)), 'public'),
  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('api', 'app', 'authz') or p.polname like 'ringfence%' order by 1, 2
"""
_COMMANDS = {"r": "select", "a": "insert", "w": "update", "d": "delete", "*": "all"}


@dataclass(frozen=True)
class Policy:
    table: str
    name: str
    command: str
    permissive: bool
    roles: str
    using: str | None
    check: str | None

    @property
    def place(self) -> str:
        return f"{self.table}.{self.name}"

    def altered(self, **parts: str) -> str:
        clauses = [f"using ({parts['using']})"] if "using" in parts else []
        clauses += [f"with check ({parts['check']})"] if "check" in parts else []
        return f"alter policy {self.name} on {self.table} {' '.join(clauses)}"

    def made(self, *, permissive: bool | None = None, command: str | None = None, roles: str | None = None) -> str:
        """The statement that makes it, or one like it."""
        kind = "permissive" if (self.permissive if permissive is None else permissive) else "restrictive"
        command = command or self.command
        using = self.using if command != "insert" else None
        check = self.check if command not in ("select", "delete") else None
        return (f"create policy {self.name} on {self.table} as {kind} for {command} to {roles or self.roles}"
                + (f" using ({using})" if using is not None else "") + (f" with check ({check})" if check is not None else ""))


def policies(db: psycopg.Connection) -> list[Policy]:
    """Return every policy of ours, expressions with qualified names."""
    db.execute("set local search_path = pg_catalog")
    return [Policy(t, name, _COMMANDS[command], permissive, roles, using, check)
            for t, name, command, permissive, roles, using, check in db.execute(_QUERY).fetchall()]


def mutants(db: psycopg.Connection) -> Iterator[Mutant]:
    """Yield the mutants of every policy."""
    for p in policies(db):
        about = {p.table}
        drop = f"drop policy {p.name} on {p.table}"
        yield mutant("policy-drop", p.place, drop, about=about)
        yield mutant("policy-swap", p.place, drop, p.made(permissive=not p.permissive), about=about)
        if p.roles != "public":
            yield mutant("policy-to-public", p.place, f"alter policy {p.name} on {p.table} to public", about=about)
        if p.permissive and p.command == "select" and p.roles == "authenticated":
            yield mutant("policy-for-all", p.place, drop, p.made(command="all"), about=about)
        parts = {k: v for k, v in (("using", p.using), ("check", p.check)) if v is not None}
        opened = {k: "true" for k, v in parts.items() if v not in ("true", "false") or v == "false"}
        for part in opened:
            yield mutant(f"policy-{part}-true", p.place, p.altered(**{part: "true"}), about=about)
        if len(opened) == 2:
            yield mutant("policy-both-true", p.place, p.altered(**opened), about=about)
        seen: set[str] = set()
        for part, text in parts.items():
            for condition, rest in without(text):
                yield mutant(f"policy-{part}-conjunct", f"{p.place}: {condition}", p.altered(**{part: rest}), about=about)
                if len(parts) == 2 and parts["using"] == parts["check"] and condition not in seen:
                    yield mutant("policy-both-conjunct", f"{p.place}: {condition}", p.altered(using=rest, check=rest), about=about)
                seen.add(condition)
            if "authz.orgs_with(" in text:
                rest = re.sub(r"authz\.orgs_with\('[a-z_.]+'::text\)", "authz.org_ids()", text)
                yield mutant(f"policy-{part}-permission", p.place, p.altered(**{part: rest}), about=about)
