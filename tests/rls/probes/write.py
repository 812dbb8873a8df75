"""Rows of another tenant, attacked: insert, blind update, update by key, delete, move, upsert, merge, as everybody who may not."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls import culprit
from tests.rls.acting import Outcome, Persona, text
from tests.rls.catalog import Column, Table, quoted
from tests.rls.cells import REFUSED
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.inserting import insert
from tests.rls.tenancy import CHILD, MEMBERSHIP, OWNED, PERSONAL, PROFILE, TENANT, USERS
from tests.rls.values import candidates, required
from tests.rls.world import Row

KINDS = (TENANT, MEMBERSHIP, OWNED, CHILD, PERSONAL, PROFILE)


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield one finding for each table, command and kind of mistake."""
    for table in context.catalog.tables.values():
        if table.managed or table.kind == "f" or context.config.skips(table.schema) or context.config.table(table.label).get("kind") in ("skip", "shared"):
            continue
        if context.tenancy.of(table).kind not in KINDS:
            continue
        told: set[str] = set()
        for persona in attackers(context):
            for found in _Attack(context, table, persona).findings():
                if found.id not in told:
                    told.add(found.id)
                    yield found


def attackers(context: Context) -> list[Persona]:
    """The strongest member of the other tenant first: what they cannot do, few can."""
    people, tenancy = context.personas, context.tenancy
    picked = [people[k] for k in ("owner_a", "member_a", "anon", "no_claims", "outsider") if k in people.everyone]
    read = bool(tenancy.claims or tenancy.user_claims or tenancy.headers)
    return [*picked, *(people.forged if read else []), *people.former[:3]]


class _Attack:
    """One persona against the rows of one table."""

    def __init__(self, context: Context, table: Table, persona: Persona) -> None:
        self.context, self.table, self.persona = context, table, persona
        self.one = context.tenancy.of(table)
        self.acting = context.personas.acting
        self.target = "A" if persona in context.personas.former else "B"
        victim = "owner" if persona.user != f"owner_{self.target.lower()}" else "member"
        world = context.world
        personal = self.one.kind in (PERSONAL, PROFILE, USERS)
        people = [f"member_{self.target.lower()}", f"owner_{self.target.lower()}"]
        self.rows: list[Row] = [r for r in world.of(table) if r.user in people and r.user != persona.user] if personal else [
            r for r in world.of(table, self.target) if persona.user_id not in r.values.values()]
        self.victim = world.users.get(f"{victim}_{self.target.lower()}")
        self.who = "member of another organization" if persona in context.personas.insiders else persona.name
        self._known: list[str] | None = None
        self._last = ""

    def findings(self) -> Iterator[Finding]:
        catalog, role = self.context.catalog, self.persona.role
        if not catalog.may_use(role, self.table.schema):
            return
        for command, privilege in (("insert", "INSERT"), ("update", "UPDATE"), ("delete", "DELETE")):
            if not catalog.columns_with(role, self.table, privilege) and privilege not in catalog.privileges(role, self.table):
                self.context.shut(self.table.label, command, self.who)
        if catalog.columns_with(role, self.table, "INSERT") and self._open("insert"):
            yield from self._inserts()
        if self.rows and catalog.columns_with(role, self.table, "UPDATE") and self._open("update"):
            yield from self._updates()
            if self.persona in self.context.personas.insiders:
                yield from self._moves()
        if self.rows and "DELETE" in catalog.privileges(role, self.table) and self._open("delete"):
            yield from self._deletes()

    def _open(self, command: str) -> bool:
        """Return whether anything could let the role through: without a permissive policy row security denies every row, and there is nothing to try."""
        catalog, role = self.context.catalog, self.context.catalog.roles[self.persona.role]
        held = catalog.acting_as(role.name)
        bound = self.table.rls and not role.bypassrls and not role.superuser and (self.table.force or self.table.owner not in held)
        if bound and not self.table.policies_for(command, held, permissive=True):
            self.context.count("cells closed by having no policy")
            self.context.shut(self.table.label, command, self.who, REFUSED, "row security is on and no policy is for this command and role")
            return False
        return True

    # insert -------------------------------------------------------------------------------------------------------------------

    def _inserts(self) -> Iterator[Finding]:
        for row in self._new_rows():
            allowed = self.context.catalog.columns_with(self.persona.role, self.table, "INSERT")
            statement = insert(self.table, row, allowed)
            outcome = self._try(statement, "insert cells")
            if not outcome.ok or not outcome.count or not self._lands(statement):
                continue
            returning = self.acting.run(self.persona, f"{statement} returning *")
            hidden = "" if returning.ok else f"; the same insert with RETURNING is refused ({returning.sqlstate}), which hides it from clients that ask for the row back"

            def leaks(before: str, statement: str = statement) -> bool:
                again = self.acting.run(self.persona, statement, before=before)
                return again.ok and again.count > 0
            cause = culprit.find(self.context, self.table, self.persona, "insert", leaks)
            name, what = self._insert_name(cause.cause)
            yield self._finding(name, "insert", f"{what}: {cause.sentence}", f"1 row inserted{hidden}", statement)
            return

    def _lands(self, statement: str) -> bool:
        """Whether the new row is the target's: a default or a trigger may have made it the caller's own."""
        if self.one.tenant_column is None or self.target not in self.context.world.tenants:
            return True
        count = f"select count(*) from {self.table.sql} where {quoted(self.one.tenant_column)} = {text(self.context.world.tenants[self.target])}"
        _, after = self.acting.look(self.persona, statement, after=count)
        return after is None or after.rows != self.acting.run(None, count).rows

    def _insert_name(self, cause: str) -> tuple[str, str]:
        if self.one.kind == MEMBERSHIP:
            return "self-service-membership", f"{self.who} makes themselves a member of a foreign organization"
        known = {"true": "insert-check-true", "foreign-rows": "insert-foreign-rows"}
        whose = "of another user" if self.one.kind in (PERSONAL, PROFILE) else "into a foreign organization"
        return known.get(cause, f"insert-{cause}"), f"{self.who} inserts rows {whose}"

    def _new_rows(self) -> Iterator[dict[str, str | None]]:
        """Rows of the victim's tenant that the database itself accepts: signed by the attacker, then by a victim; the strongest role for a membership."""
        if self.one.kind == TENANT:
            return
        member = self.context.tenancy.membership
        for signed in dict.fromkeys((self.persona.user_id if self.persona.user else None, self.victim)):
            if self.one.kind in (PERSONAL, PROFILE) and signed != self.victim or signed is None:
                continue
            if self.one.kind == MEMBERSHIP and (signed != self.persona.user_id or self.persona in self.context.personas.former and self.persona.user != "removed_a"):
                continue
            template = self.context.world.first(self.table, self.target) if self.one.kind not in (PERSONAL, PROFILE) else next(iter(self.rows), None)
            if template is None:
                return
            made = fresh(self.context, template, {name: signed for name in self.one.user_columns}, self.target)
            if made is None:
                continue
            if self.one.kind == MEMBERSHIP and member is not None and member.role_column:
                weakest = {**made, member.role_column: member.roles[-1]} if member.roles else made
                yield made
                yield weakest
                if member.status_column:
                    for state in member.inactive:
                        yield {**weakest, member.status_column: state}
            else:
                yield made

    # update -------------------------------------------------------------------------------------------------------------------

    def _updates(self) -> Iterator[Finding]:
        allowed = self.context.catalog.columns_with(self.persona.role, self.table, "UPDATE")
        column = harmless(self.table, allowed, self.one.user_columns)
        if column is None:
            return
        value = overwriting(self.table, column, self.rows[0].values.get(column.name))
        where = " or ".join(f"({row.where})" for row in self.rows[:3])
        for how, statement in (
            ("without WHERE", f"update {self.table.sql} set {quoted(column.name)} = {value}"),
            ("by key", f"update {self.table.sql} set {quoted(column.name)} = {value} where {where}"),
        ):
            touched = self._touched(statement, "update cells")
            if touched:
                def leaks(before: str, statement: str = statement) -> bool:
                    return bool(self._touched(statement, "", before))
                cause = culprit.find(self.context, self.table, self.persona, "update", leaks)
                known = {"true": "update-using-true", "foreign-rows": "update-foreign-rows"}
                name = known.get(cause.cause, f"update-{cause.cause}")
                yield self._finding(name, "update", f"{self.who} overwrites rows of {self._whose()} ({how}): {cause.sentence}", f"{touched} foreign rows changed", statement)
                return

    def _moves(self) -> Iterator[Finding]:
        """Own rows given to the other tenant, or to nobody."""
        allowed = self.context.catalog.columns_with(self.persona.role, self.table, "UPDATE")
        own = next((r for r in self.context.world.of(self.table, "A") if r.user == self.persona.user), None) or next(iter(self.context.world.of(self.table, "A")), None)
        foreign = self.rows[0]
        if self.one.kind == OWNED and self.one.tenant_column:
            changed = {n: foreign.get(n) for key in self.table.foreign_keys if self.one.tenant_column in key.columns for n in key.columns if n not in self.one.user_columns}
            changed[self.one.tenant_column] = foreign.get(self.one.tenant_column)
        elif self.one.kind == CHILD:
            changed = {name: foreign.get(name) for name in self.one.parent_columns}
        elif self.one.kind == MEMBERSHIP and self.one.tenant_column:
            changed = {self.one.tenant_column: foreign.get(self.one.tenant_column)}
        else:
            return
        if own is None or not set(changed) <= allowed:
            return
        sets = ", ".join(f"{quoted(n)} = {text(v)}" for n, v in changed.items())
        blind = f"update {self.table.sql} set {sets}"
        # Where colleagues' rows would be refused, the whole statement is: try it in an organization whose rows are all one's own.
        alone = self._cleared() + "".join(f"delete from {r.table.sql} where {r.where};\n" for r in self.context.world.of(self.table, "A") if r is not own)
        for statement, first in ((blind, ""), (f"{blind} where {own.where}", ""), (blind, alone)):
            self.context.count("move cells")
            outcome = self.acting.run(self.persona, statement, before=first)
            if outcome.ok and outcome.count:
                def leaks(before: str, statement: str = statement, first: str = first) -> bool:
                    again = self.acting.run(self.persona, statement, before=first + before)
                    return again.ok and again.count > 0
                cause = culprit.find(self.context, self.table, self.persona, "update", leaks)
                if cause.policy is not None:
                    cause = culprit.read(self.context, self.table, cause.policy, "check")
                name = "update-check-true" if cause.cause == "true" else "move-to-foreign-tenant"
                yield self._finding(name, "move", f"{self.who} moves rows into a foreign organization: {cause.sentence}", f"{outcome.count} rows moved", statement)
                return

    # delete -------------------------------------------------------------------------------------------------------------------

    def _deletes(self) -> Iterator[Finding]:
        where = " or ".join(f"({row.where})" for row in self.rows[:3])
        cleared = self._cleared()
        for how, statement in (("without WHERE", f"delete from {self.table.sql}"), ("by key", f"delete from {self.table.sql} where {where}")):
            for before in ("", cleared):
                if before and self._last != "23503":
                    continue  # our own rows below are removed only where a foreign key stands in for a policy
                touched = self._touched(statement, "delete cells", before)
                if touched:
                    def leaks(more: str, statement: str = statement, before: str = before) -> bool:
                        return bool(self._touched(statement, "", before + more))
                    cause = culprit.find(self.context, self.table, self.persona, "delete", leaks)
                    known = {"true": "delete-using-true", "foreign-rows": "delete-foreign-rows"}
                    name = known.get(cause.cause, f"delete-{cause.cause}")
                    yield self._finding(name, "delete", f"{self.who} deletes rows of {self._whose()} ({how}): {cause.sentence}", f"{touched} foreign rows gone", statement)
                    return

    def _cleared(self) -> str:
        """Statements that remove our own rows below the target, so that a foreign key does not stand in for a policy."""
        seen, order, pending = {self.table.oid}, [], [self.table.oid]
        while pending:
            oid = pending.pop(0)
            for other in self.context.catalog.own_tables():
                if other.oid not in seen and any(key.references == oid and key.on_delete in "ar" for key in other.foreign_keys):
                    seen.add(other.oid)
                    pending.append(other.oid)
                    order.append(other)
        return "".join(f"delete from {row.table.sql} where {row.where};\n" for other in reversed(order) for row in self.context.world.of(other))

    # common -------------------------------------------------------------------------------------------------------------------

    def _try(self, statement: str, counted: str) -> Outcome:
        self.context.count(counted)
        outcome = self.acting.run(self.persona, statement)
        self.context.saw(self.table.label, counted.split()[0], self.who, outcome, outcome.ok and outcome.count > 0)
        return outcome

    def _touched(self, statement: str, counted: str, before: str = "") -> int:
        """Return how many of the victim's rows are no longer what they were."""
        if counted:
            self.context.count(counted)
        known = self._places()
        if not known:
            return 0
        ids = ", ".join(map(text, known))
        outcome, left = self.acting.look(self.persona, statement, before=before, after=f"select count(*) from {self.table.sql} where ctid::text in ({ids})")
        self._last = outcome.sqlstate
        touched = 0 if not outcome.ok or left is None or not outcome.count else len(known) - int(left.rows[0][0] or 0)
        if counted:
            self.context.saw(self.table.label, counted.split()[0], self.who, outcome, touched > 0)
        return touched

    def _places(self) -> list[str]:
        """Where the victim's rows lie: an overwritten one lies elsewhere."""
        if self._known is None:
            places = " union all ".join(f"(select ctid::text from {self.table.sql} where {row.where})" for row in self.rows)
            self._known = list(dict.fromkeys(row[0] or "" for row in self.acting.run(None, places).rows))
        return self._known

    def _whose(self) -> str:
        return "another user" if self.one.kind in (PERSONAL, PROFILE) else "a foreign organization"

    def _finding(self, name: str, command: str, sentence: str, evidence: str, statement: str) -> Finding:
        return Finding(name, self.table.label, command, self.who, sentence, evidence, culprit.script(self.context, self.persona, statement), proven=True)


def overwriting(table: Table, column: Column, value: str | None) -> str:
    """Return what to write: the victim's own value, or where a key allows it once only another for each row, without reading a column (trap 2)."""
    unique = any(index.unique and column.name in index.columns for index in table.indexes)
    if unique and column.category == "S":
        return "'rf' || pg_catalog.md5(pg_catalog.random()::text)"
    if unique and column.base_type in ("integer", "bigint", "numeric"):
        return "(1000000 + pg_catalog.random() * 1000000000)::int"
    if unique and column.base_type == "uuid" and not any(column.name in key.columns for key in table.foreign_keys):
        return "pg_catalog.gen_random_uuid()"
    return text(value)


def harmless(table: Table, allowed: set[str], users: tuple[str, ...]) -> Column | None:
    """Return a column to overwrite that no key, and if possible no check, concerns."""
    keys = {name for k in table.constraints if k.kind in "pufx" for name in k.columns} | {name for i in table.indexes if i.unique for name in i.columns}
    checked = {name for k in table.constraints if k.kind == "c" for name in k.columns}
    open_ = [c for c in table.columns if c.name in allowed and not c.generated]
    ordered = sorted(open_, key=lambda c: (c.name in keys, c.name in users, c.name in checked, c.category != "S"))
    return ordered[0] if ordered else None


def fresh(context: Context, template: Row, changed: dict[str, str | None], tenant: str) -> dict[str, str | None] | None:
    """Return values of a new row like `template` that the database accepts from its owner, or None."""
    table = template.table
    keys = {name for key in table.foreign_keys for name in key.columns}
    one = context.tenancy.of(table)
    fixed = {*keys, *changed, one.tenant_column}
    values: dict[str, str | None] = {}
    for column in table.columns:
        if column.generated:
            continue
        if column.name in changed:
            values[column.name] = changed[column.name]
        elif column.name in fixed or not (column.name in table.primary_key or any(i.unique and column.name in i.columns for i in table.indexes)):
            if template.get(column.name) is not None and (column.default is None or column.name in fixed or required(column)):
                values[column.name] = template.get(column.name)
        else:
            values[column.name] = next(candidates(table, column, tenant))
    outcome = context.personas.acting.run(None, insert(table, values))
    if not outcome.ok and outcome.sqlstate == "23505":
        # The only row there may be: try what a second one would meet without it.
        return values if context.personas.acting.run(None, insert(table, values), before=f"delete from {table.sql} where {template.where}").ok else None
    return values if outcome.ok else None
