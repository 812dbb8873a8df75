"""Make the two tenants: people, memberships in every state, and a row of each in every table, whatever the schema looks like."""

from __future__ import annotations

import json
import uuid

from tests.rls import vocabulary
from tests.rls.acting import Acting, text
from tests.rls.catalog import Catalog, Table, quoted
from tests.rls.config import ConfigError
from tests.rls.inserting import CannotInsert, Inserting
from tests.rls.tenancy import MEMBERSHIP, OWNED, PERSONAL, PROFILE, SHARED, TENANT, USERS, Membership, Tenancy
from tests.rls.values import canary, candidates
from tests.rls.world import CANARY, Row, World

PEOPLE = ("owner_a", "admin_a", "member_a", "viewer_a", "owner_b", "member_b", "both", "removed_a", "outsider", "anonymous")


def seed(acting: Acting, catalog: Catalog, tenancy: Tenancy, after_tenant: str = "") -> World:
    """Return the world. What cannot be made is in `World.failed`. `after_tenant` is SQL run for each new tenant, whose id it names `:tenant`. Raises: ConfigError."""
    return _Seeding(acting, catalog, tenancy, after_tenant).run()


class _Seeding:
    def __init__(self, acting: Acting, catalog: Catalog, tenancy: Tenancy, after_tenant: str) -> None:
        self.after_tenant = after_tenant
        self.acting, self.catalog, self.tenancy = acting, catalog, tenancy
        self.world = World()
        self.making: list[tuple[int, str | None, str | None]] = []
        self.role_rows: dict[str, list[dict[str, str | None]]] = {}

    def run(self) -> World:
        for name in PEOPLE:
            self._user(name)
        self._known_tenants()
        for tenant in ("A", "B"):
            self._tenant(tenant)
        if self.tenancy.membership is not None:
            self._members(self.tenancy.membership)
        for table in self.catalog.own_tables():
            if not table.is_partition and table.kind != "f":
                self._fill(table)
        self._adopt()
        for view in self.catalog.own_views():
            if view.kind == "m":
                self.acting.do(f"refresh materialized view {view.sql}")
        self.acting.do("select set_config('request.jwt.claims', '', true)")
        self.world.script = "".join(f"{statement};\n" for statement in self.acting.kept)
        return self.world

    def _as(self, user: str | None) -> None:
        """Let defaults and triggers that ask for the caller find one."""
        claims = json.dumps({"sub": self.world.users[user], "role": "authenticated", "aal": "aal2"}) if user in self.world.users else ""
        self.acting.do(f"select set_config('request.jwt.claims', {text(claims)}, true)")

    def _user(self, name: str) -> None:
        known = self.tenancy.users
        self.world.users[name] = str(uuid.uuid4())
        tenant = "B" if name.endswith("_b") else "A" if name.endswith("_a") else "N"
        if known is not None:
            table = self.catalog.tables[known]
            key = table.column(self.tenancy.users_key)
            if key is not None and key.base_type != "uuid":
                self.world.users[name] = next((v for v in candidates(table, key, tenant) if v), name)
            fixed: dict[str, str | None] = {self.tenancy.users_key: self.world.users[name]}
            flags = {"is_anonymous": "true" if name == "anonymous" else "false", "is_sso_user": "false", "is_super_admin": None, "role": "authenticated", "aud": "authenticated"}
            fixed |= {column.name: flags[column.name] for column in table.columns if column.name in flags and table.schema == "auth"}
            self._as(None)
            row = self._insert(table, fixed, None, name, tenant)
            if row is not None:
                self.world.users[name] = row.values[self.tenancy.users_key] or self.world.users[name]
        if tenant != "N":
            self.world.remember(f"user {name}", [self.world.users[name]])

    def _known_tenants(self) -> None:
        """Tenants that were there before us: nobody of ours may see their ids."""
        if self.tenancy.tenant is not None:
            outcome = self.acting.do(f"select * from (select {quoted(self.tenancy.tenant_key)} from {self.catalog.tables[self.tenancy.tenant].sql} limit 500) t")
            for row in outcome.rows:
                self.world.remember("X", row)

    def _tenant(self, tenant: str) -> None:
        if self.tenancy.tenant is None:
            if any(one.tenant_column for one in self.tenancy.tables.values()):
                self.world.tenants[tenant] = {"uuid": str(uuid.uuid4())}.get(self.tenancy.tenant_type) or (
                    canary(tenant) if self.tenancy.tenant_type in ("text", "character varying") else str(1_900_000_000 + ord(tenant)))
                self.world.remember(tenant, [self.world.tenants[tenant]])
            return
        table = self.catalog.tables[self.tenancy.tenant]
        row = self._row(table, tenant, f"owner_{tenant.lower()}")
        if row is not None and (key := row.values.get(self.tenancy.tenant_key)) is not None:
            self.world.tenants[tenant] = key
            self.world.remember(tenant, [key])
            done = self.acting.do(self.after_tenant.replace(":tenant", text(key))) if self.after_tenant else None
            if done is not None and not done.ok:
                raise ConfigError(f"after_tenant fails: {done.said()}")

    def _members(self, member: Membership) -> None:
        roles = member.roles
        strongest, weakest = (roles[0], roles[-1]) if roles else (None, None)
        plain = next((r for r in reversed(roles) if not vocabulary.READ_ONLY.search(r)), weakest)
        kinds = {"owner": strongest, "admin": roles[1] if len(roles) > 2 else strongest, "member": plain, "viewer": weakest}
        wanted = [("owner_a", "A", "owner"), ("admin_a", "A", "admin"), ("member_a", "A", "member"), ("viewer_a", "A", "viewer"), ("owner_b", "B", "owner"),
                  ("member_b", "B", "member"), ("both", "A", "member"), ("both", "B", "owner")]
        unique = {frozenset(index.columns) for index in self.catalog.tables[member.table].indexes if index.unique and index.predicate is None}
        alone = frozenset({member.user_column}) in unique
        for user, tenant, kind in wanted:
            if tenant in self.world.tenants and not (alone and user == "both"):  # one tenant a person there
                self._member(member, user, tenant, kind, kinds[kind], {})
        states: list[tuple[str, dict[str, str | None]]] = [(f"{member.status_column} = {state}", {member.status_column or "": state}) for state in member.inactive]
        states += [(f"{name} = {not value}", {name: str(not value).lower()}) for name, value in member.flags]
        states += [(f"{name} is set", {name: "2020-01-01"}) for name in member.ends]
        states += [(f"{name} is over", {name: "[2000-01-01,2000-02-01)"}) for name in member.periods]
        states += [(f"{name} is empty", {name: None}) for name in member.starts]
        for number, (reason, values) in enumerate(states):
            user = f"inactive{number}_a"
            self._user(user)
            if "A" in self.world.tenants and self._member(member, user, "A", "owner", kinds["owner"], values):
                self.world.inactive[user] = reason

    def _member(self, member: Membership, user: str, tenant: str, kind: str, role: str | None, more: dict[str, str | None]) -> bool:
        table = self.catalog.tables[member.table]
        try:
            fixed = self._fixed(table, tenant, user)
        except CannotInsert:
            fixed = {}
        fixed |= {member.tenant_column: self.world.tenants[tenant], member.user_column: self.world.users[user]}
        if member.role_column and member.role_table is not None:
            role = self._role_of(member, tenant, kind)
        if member.role_column and role is not None:
            fixed[member.role_column] = role
            self.world.roles[user] = role
        if member.status_column and member.active:
            fixed[member.status_column] = member.active
        fixed |= {name: str(value).lower() for name, value in member.flags} | {name: "2020-01-01" for name in member.starts}
        fixed |= {name: None if (c := table.column(name)) is None or not c.not_null else "2099-01-01" for name in member.ends}
        fixed |= {name: "[2000-01-01,2099-01-01)" for name in member.periods}
        self._as(f"owner_{tenant.lower()}")
        return self._insert(table, fixed | more, tenant, user, tenant) is not None

    def _role_of(self, member: Membership, tenant: str, kind: str) -> str | None:
        """A role kept in a table: the strongest, the weakest or one between, by what its row is called."""
        assert member.role_table is not None
        table = self.catalog.tables[member.role_table]
        key = next(k for k in self.catalog.tables[member.table].foreign_keys if member.role_column in k.columns)
        target = key.referenced_columns[key.columns.index(member.role_column or "")]
        if tenant not in self.role_rows:
            column = self.tenancy.of(table).tenant_column
            outcome = self.acting.do(f"select * from {table.sql}" + (f" where {quoted(column)} = {text(self.world.tenants[tenant])}" if column else "") + " limit 100")
            self.role_rows[tenant] = [dict(zip(outcome.columns, row, strict=True)) for row in outcome.rows]
            if not self.role_rows[tenant] and (made := self._row(table, tenant, f"owner_{tenant.lower()}")) is not None:
                self.role_rows[tenant] = [made.values]

        def power(row: dict[str, str | None]) -> int:
            names = [v.lower() for k, v in row.items() if v and k != target]
            return min((vocabulary.POWER.index(name) for name in names if name in vocabulary.POWER), default=14)
        theirs = [row for row in self.role_rows[tenant] if not any(CANARY.search(value or "") for value in row.values())]
        ordered = sorted(theirs or self.role_rows[tenant], key=power)
        if not ordered:
            return None
        member_like = next((r for r in ordered if power(r) == vocabulary.POWER.index("member")), ordered[-1])
        return {"owner": ordered[0], "admin": ordered[min(1, len(ordered) - 1)], "member": member_like, "viewer": ordered[-1]}[kind][target]

    def _fill(self, table: Table) -> None:
        one = self.tenancy.of(table)
        if one.kind in (TENANT, MEMBERSHIP, USERS):
            return
        if one.kind in (PROFILE, PERSONAL):
            for user in ("owner_a", "member_a", "owner_b", "member_b", "outsider"):
                self._row(table, "B" if user.endswith("_b") else "A" if user.endswith("_a") else "N", user)
        elif one.kind == SHARED:
            self._row(table, "N", "outsider")
        else:
            for tenant in self.world.tenants:
                for who in ("member", "owner") if one.user_columns else ("member",):
                    self._row(table, tenant, f"{who}_{tenant.lower()}")
            column = table.column(one.tenant_column or "")
            if one.kind == OWNED and column is not None and not column.not_null:
                self._row(table, "null", "member_b")

    def _row(self, table: Table, tenant: str, user: str) -> Row | None:
        """Return the row of a table for a tenant and a user, made now if it is not there."""
        one = self.tenancy.of(table)
        if one.kind == SHARED:
            tenant, user = "N", "outsider"  # what belongs to nobody is no tenant's secret, whoever points at it
        personal = one.kind in (PROFILE, PERSONAL, USERS)
        mark = None if tenant == "N" or personal else tenant
        if (known := [r for r in self.world.of(table) if r.tenant == mark and (r.user == user or not one.user_columns)]) and (not personal or known[0].user == user):
            return known[0]
        this = (table.oid, tenant, user)
        if this in self.making:
            return None
        self.making.append(this)
        try:
            fixed = self._fixed(table, tenant, user)
        except CannotInsert as err:
            self.world.failed.setdefault(table.oid, str(err))
            return None
        finally:
            self.making.pop()
        self._as(user)
        return self._insert(table, fixed, mark, user, "N" if tenant == "null" else tenant)

    def _fixed(self, table: Table, tenant: str, user: str) -> dict[str, str | None]:
        """Return the values that say whose the row is: tenant, users, parents. Raises: CannotInsert."""
        one = self.tenancy.of(table)
        fixed: dict[str, str | None] = {name: self.world.users[user] for name in one.user_columns}
        # Nothing is decided, revoked or handed over yet: a living, waiting row.
        fixed |= {c.name: None for c in table.columns if c.name in one.user_columns and not c.not_null and vocabulary.DECIDED.search(c.name)}
        if one.tenant_column and tenant in self.world.tenants:
            fixed[one.tenant_column] = self.world.tenants[tenant]
        elif one.tenant_column and tenant == "null":
            fixed[one.tenant_column] = None
        for column in table.columns:
            if column.base_type == "uuid[]" and vocabulary.USER.search(column.name.removesuffix("s")) or column.category == "A" and column.element == "uuid" and "user" in column.name:
                fixed[column.name] = f"{{{self.world.users[user]}}}"
            elif column.category == "A" and column.element == self.tenancy.tenant_type and tenant in self.world.tenants and vocabulary.TENANT.search(column.name):
                fixed[column.name] = f"{{{self.world.tenants[tenant]}}}"
        for key in sorted(table.foreign_keys, key=lambda key: -len(key.columns)):
            target = self.catalog.tables.get(key.references or 0)
            missing = [name for name in key.columns if name not in fixed or fixed[name] is None and tenant != "null"]
            if target is None or not missing or tenant == "null" and one.tenant_column in key.columns:
                continue
            optional = all((c := table.column(name)) is not None and not c.not_null for name in missing)
            parent = None if target.oid == table.oid else self._row(target, "B" if tenant == "null" else tenant, user)
            if parent is not None:
                fixed |= {c: parent.values.get(r) for c, r in zip(key.columns, key.referenced_columns, strict=True) if c in missing}
            elif optional:
                fixed |= {name: None for name in missing}
            elif target.oid != table.oid:
                raise CannotInsert(f"no row of {target.label} for {', '.join(missing)}: {self.world.failed.get(target.oid, 'they need each other')}")
        return fixed

    def _insert(self, table: Table, fixed: dict[str, str | None], tenant: str | None, user: str | None, mark: str) -> Row | None:
        try:
            one = self.tenancy.of(table)
            bound = {one.tenant_column, *one.parent_columns, *table.primary_key}
            optional = frozenset(c.name for c in table.columns if not c.not_null and c.name not in bound)
            values = self._made(Inserting(self.acting, table, fixed, mark, optional))
        except CannotInsert as err:
            found = self._existing(table, fixed)
            if found is None:
                self.world.failed.setdefault(table.oid, str(err))
                return None
            values = found
        row = Row(table, tenant, user, values)
        self.world.rows.append(row)
        if tenant in ("A", "B"):
            self._remember(table, tenant, values)
        elif mark in ("A", "B") and user:
            self.world.remember(f"user {user}", values.values())
        return row

    def _made(self, inserting: Inserting) -> dict[str, str | None]:
        """Insert the row; one that takes others with it, as an order to erase does, is put down as if that had been done before. Raises: CannotInsert."""
        before = self._deleted()
        with self.acting.tried() as take_back:
            values = inserting.make()
            if self._deleted() == before or all(self._is_there(row) for row in self.world.rows):
                return values
            take_back()
            return inserting.without_triggers() or values

    def _deleted(self) -> str | None:
        return self.acting.do("select * from (select sum(n_tup_del) from pg_stat_xact_user_tables) t").rows[0][0]

    def _is_there(self, row: Row) -> bool:
        return bool(self.acting.do(f"select * from (select from {row.table.sql} where {row.where}) t").count)

    def _remember(self, table: Table, tenant: str, values: dict[str, str | None]) -> None:
        """Note what only this tenant has: not people, and not what shared tables have for everybody."""
        shared = {name for key in table.foreign_keys if key.references in self.catalog.tables and not self.tenancy.is_tenant_bound(key.references or 0) for name in key.columns}
        people = set(self.world.users.values())
        self.world.remember(tenant, [value for name, value in values.items() if name not in shared and value not in people])

    def _existing(self, table: Table, fixed: dict[str, str | None]) -> dict[str, str | None] | None:
        """A row that a trigger made before us: take it, and give it the values we wanted."""
        unique = [index.columns for index in table.indexes if index.unique and set(index.columns) <= set(fixed)]
        for columns in unique:
            where = " and ".join(f"{quoted(name)} = {text(fixed[name])}" for name in columns)
            more = ", ".join(f"{quoted(n)} = {text(v)}" for n, v in fixed.items() if n not in columns)
            outcome = self.acting.do(f"update {table.sql} set {more} where {where} returning *") if more else None
            if outcome is None or not outcome.ok:
                outcome = self.acting.do(f"select * from {table.sql} where {where}")
            if outcome.ok and outcome.rows:
                return self._with_canaries(table, dict(zip(outcome.columns, outcome.rows[0], strict=True)), where)
        return None

    def _with_canaries(self, table: Table, values: dict[str, str | None], where: str) -> dict[str, str | None]:
        mark = "B" if any(values.get(c) == self.world.users[u] for c in values for u in self.world.users if u.endswith("_b")) else "A"
        for column in table.columns:
            if column.category == "S" and values.get(column.name) is None and not column.generated:
                word = next(candidates(table, column, mark))
                outcome = self.acting.do(f"update {table.sql} set {quoted(column.name)} = {text(word)} where {where} returning *")
                if outcome.ok and outcome.rows:
                    values = dict(zip(outcome.columns, outcome.rows[0], strict=True))
        return values

    def _adopt(self) -> None:
        """Note rows that triggers made: whatever else holds a tenant's id."""
        for table in self.catalog.own_tables():
            one = self.tenancy.of(table)
            if one.kind != OWNED or one.tenant_column is None:
                continue
            for tenant, key in self.world.tenants.items():
                outcome = self.acting.do(f"select * from {table.sql} where {quoted(one.tenant_column)} = {text(key)} limit 200")
                keys = table.primary_key or tuple(column.name for column in table.columns)
                known = [[row.values.get(name) for name in keys] for row in self.world.of(table, tenant)]
                for values in (dict(zip(outcome.columns, row, strict=True)) for row in outcome.rows):
                    if [values.get(name) for name in keys] not in known:
                        people = {i: u for u, i in self.world.users.items()}
                        user = next((people[v] for c in one.user_columns if (v := values.get(c) or "") in people), None)
                        self.world.rows.append(Row(table, tenant, user, values))
                        self._remember(table, tenant, values)
                        self.world.failed.pop(table.oid, None)
