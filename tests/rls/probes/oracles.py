"""Constraints that answer for everybody: a unique key or a foreign key that does not carry the tenant tells that a foreign row exists."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls import culprit, vocabulary
from tests.rls.acting import Outcome, Persona, text
from tests.rls.catalog import Table, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.inserting import insert
from tests.rls.probes.write import fresh
from tests.rls.tenancy import CHILD, MEMBERSHIP, OWNED
from tests.rls.world import Row


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield the keys that tell members of one tenant about another's rows."""
    if "owner_a" not in context.personas.everyone or not context.world.tenants:
        return
    for table in context.catalog.own_tables():
        if context.tenancy.of(table).kind in (OWNED, CHILD, MEMBERSHIP) and not context.config.skips(table.schema):
            yield from _Keys(context, table).findings()


class _Keys:
    def __init__(self, context: Context, table: Table) -> None:
        self.context, self.table = context, table
        self.one = context.tenancy.of(table)
        self.foreign = context.world.first(table, "B")

    def findings(self) -> Iterator[Finding]:
        if self.foreign is None:
            return
        for key in ("owner_a", "member_a"):
            persona = self.context.personas[key]
            insertable = self.context.catalog.columns_with(persona.role, self.table, "INSERT")
            template = self._template(persona)
            if template is None:
                return
            base = fresh(self.context, template, {name: persona.user_id for name in self.one.user_columns}, "A") if self.one.kind != MEMBERSHIP else None
            usable = base is not None and bool(insertable) and self._run(persona, insert(self.table, base, insertable)).ok
            found = list(self._unique(persona, template, base if usable else None, insertable)) + list(self._foreign_keys(persona, template, base if usable else None, insertable))
            if found:
                yield from found
                return

    def _template(self, persona: Persona) -> Row | None:
        return next((r for r in self.context.world.of(self.table, "A") if r.user == persona.user), None) or self.context.world.first(self.table, "A")

    def _run(self, persona: Persona, statement: str) -> Outcome:
        self.context.count("key cells")
        return self.context.personas.acting.run(persona, statement)

    def _unique(self, persona: Persona, own: Row, base: dict[str, str | None] | None, insertable: set[str]) -> Iterator[Finding]:
        """A unique or exclusion key without the tenant: the foreign value clashes, another does not."""
        assert self.foreign is not None
        changeable = self.context.catalog.columns_with(persona.role, self.table, "UPDATE")
        for index in self.table.indexes:
            columns = [c for name in index.columns if (c := self.table.column(name.strip('"'))) is not None]
            if not (index.unique or index.exclusion) or self._carries_owner(index.columns) or not columns or any(c.identity == "a" for c in columns):
                continue
            if all(c.base_type == "uuid" or vocabulary.SECRET.search(c.name) for c in columns):
                continue  # nobody can guess those
            values = {c.name: self.foreign.get(c.name) for c in columns if c.base_type != "uuid"}
            attempts = []
            if base is not None and set(values) <= insertable:
                attempts.append(insert(self.table, base | values, insertable))
            if set(values) <= changeable and own is not None:
                attempts.append(f"update {self.table.sql} set {', '.join(f'{quoted(n)} = {text(v)}' for n, v in values.items())} where {own.where}")
            for statement in attempts:
                outcome = self._run(persona, statement)
                if outcome.sqlstate in ("23505", "23P01") and outcome.constraint == index.name:
                    number = any(c.base_type in ("smallint", "integer", "bigint") for c in columns)
                    name = "client-chosen-sequential-key" if number and index.primary else "unique-not-tenant-scoped"
                    what = ("the client chooses the number of the key, and counts other tenants' rows by it" if name.startswith("client") else "the key does not carry the tenant")
                    yield self._finding(persona, name, "insert", f"{'exclusion constraint' if index.exclusion else 'unique key'} {index.name} on {self.table.label} ({', '.join(index.columns)}) "
                                        f"tells a member whether another tenant has the value: {what}", f"{outcome.sqlstate} for a foreign value, none for a new one", statement)
                    break

    def _carries_owner(self, columns: tuple[str, ...]) -> bool:
        """Return whether the key has the tenant, the parent or a user in it."""
        names = {name.strip('"') for name in columns}
        return bool(names & {self.one.tenant_column, *self.one.parent_columns, *self.one.user_columns})

    def _foreign_keys(self, persona: Persona, own: Row, base: dict[str, str | None] | None, insertable: set[str]) -> Iterator[Finding]:
        """A row of one's own that points at a foreign parent."""
        assert self.foreign is not None
        changeable = self.context.catalog.columns_with(persona.role, self.table, "UPDATE")
        for key in self.table.foreign_keys:
            target = self.context.catalog.tables.get(key.references or 0)
            if target is None or not self.context.tenancy.is_tenant_bound(target) or target.oid == self.context.tenancy.tenant or set(key.columns) & {*self.one.user_columns, self.one.tenant_column}:
                continue
            if self.one.kind == CHILD and key.columns == self.one.parent_columns:
                continue
            parent = self.context.world.first(target, "B")
            if parent is None:
                continue
            values = {c: parent.get(r) for c, r in zip(key.columns, key.referenced_columns, strict=True)}
            attempts = []
            if base is not None and set(values) <= insertable:
                attempts.append(insert(self.table, base | values, insertable))
            if set(values) <= changeable and own is not None:
                attempts.append(f"update {self.table.sql} set {', '.join(f'{quoted(n)} = {text(v)}' for n, v in values.items())} where {own.where}")
            for statement in attempts:
                outcome = self._run(persona, statement)
                if outcome.ok and outcome.count:
                    yield self._finding(persona, "fk-not-tenant-scoped", "insert", f"foreign key {key.name} on {self.table.label} ({', '.join(key.columns)}) does not carry the tenant: a member hangs "
                                        f"their own row under a row of {target.label} of another tenant, and learns that it exists", "1 row written with a foreign parent", statement)
                    break

    def _finding(self, persona: Persona, name: str, command: str, sentence: str, evidence: str, statement: str) -> Finding:
        return Finding(name, self.table.label, command, "member of another organization", sentence, evidence, culprit.script(self.context, persona, statement), proven=True)
