"""One snapshot of what a database's catalogs say, as plain values. Read once by `snapshot.read`; nothing here asks the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.rls.objects import (
    PUBLIC, Argument, Bucket, Column, Constraint, DefaultPrivilege, Extension, Function, Grant, Index, Policy, Publication, Relation, Role, Schema,
    Sequence, Table, Trigger, View, quoted,
)

__all__ = [
    "PUBLIC", "Argument", "Bucket", "Catalog", "Column", "Constraint", "DefaultPrivilege", "Extension", "Function", "Grant", "Index", "Policy",
    "Publication", "Relation", "Role", "Schema", "Sequence", "Table", "Trigger", "View", "quoted",
]


@dataclass(frozen=True)
class Catalog:
    tables: dict[int, Table]
    views: dict[int, View]
    functions: dict[int, Function]
    roles: dict[str, Role]
    schemas: dict[str, Schema]
    sequences: dict[int, Sequence]
    default_privileges: tuple[DefaultPrivilege, ...]
    publications: tuple[Publication, ...]
    buckets: tuple[Bucket, ...]
    extensions: tuple[Extension, ...]
    database: str
    server_version: int
    current_user: str
    is_superuser: bool
    database_grants: tuple[Grant, ...]
    settings: dict[str, str]
    """Settings of roles that matter here: `pgrst.…` of the authenticator and of the database, by name."""
    anon_role: str
    user_role: str

    @property
    def api_roles(self) -> tuple[str, ...]:
        """The roles strangers and signed-in people act as; only those that exist."""
        return tuple(r for r in (self.anon_role, self.user_role) if r in self.roles)

    def relation(self, oid: int) -> Table | View | None:
        return self.tables.get(oid) or self.views.get(oid)

    def find(self, label: str) -> Table | View | None:
        """Return the relation called `schema.name`."""
        return next((r for r in (*self.tables.values(), *self.views.values()) if r.label == label), None)

    def own_tables(self) -> Iterator[Table]:
        """Yield the user's tables, without those the platform or an extension manages."""
        yield from (t for t in self.tables.values() if not t.managed)

    def own_views(self) -> Iterator[View]:
        yield from (v for v in self.views.values() if not v.managed)

    def own_functions(self) -> Iterator[Function]:
        yield from (f for f in self.functions.values() if not f.managed and not f.extension)

    def acting_as(self, role: str) -> frozenset[str]:
        """Return every grantee whose grants a role enjoys: itself, what it inherits, PUBLIC."""
        known = self.roles.get(role)
        return frozenset({role, PUBLIC, *(known.inherits if known else ())})

    def privileges(self, role: str, thing: Relation | Function | Sequence | Schema) -> set[str]:
        """Return the privileges a role has on the whole of a thing, ownership included: {'SELECT', ...}. USAGE of its schema is not looked at."""
        held = self.acting_as(role)
        return {g.privilege for g in thing.grants if g.grantee in held and g.column is None}

    def columns_with(self, role: str, relation: Relation, privilege: str) -> set[str]:
        """Return the columns a role has a privilege on, through the whole relation or column by column."""
        if privilege in self.privileges(role, relation):
            return {column.name for column in relation.columns}
        held = self.acting_as(role)
        return {g.column for g in relation.grants if g.grantee in held and g.column is not None and g.privilege == privilege}

    def may_use(self, role: str, schema: str) -> bool:
        """Return whether a role has USAGE on a schema."""
        return schema in self.schemas and "USAGE" in self.privileges(role, self.schemas[schema])

    def may_execute(self, role: str, function: Function) -> bool:
        """Return whether a role has EXECUTE on a function; USAGE of its schema is not looked at."""
        return "EXECUTE" in self.privileges(role, function)

    def may_touch(self, role: str, relation: Relation, privilege: str) -> bool:
        """Return whether a role reaches a relation: USAGE of the schema and the privilege on it or on one of its columns."""
        return self.may_use(role, relation.schema) and bool(
            privilege in self.privileges(role, relation) or self.columns_with(role, relation, privilege)
        )
