"""The objects of a database as plain values: tables, policies, functions, grants, roles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

PUBLIC = "public"
"""The name under which grants to PUBLIC are listed (`Grant.grantee`); no role can have it."""


@dataclass(frozen=True)
class Grant:
    """One privilege one grantee holds. Defaults that were never granted (EXECUTE to PUBLIC) are listed too; the owner's own are too."""

    grantee: str
    privilege: str
    grantable: bool = False
    column: str | None = None
    grantor: str = ""


@dataclass(frozen=True)
class Column:
    name: str
    number: int
    type: str
    """As `format_type` writes it: `uuid`, `character varying(20)`, `app.kind`, `text[]`, `extensions.vector(3)`."""
    type_oid: int
    base_type: str
    """The type under every domain, without length: `text`, `uuid`, ..."""
    kind: str
    """`pg_type.typtype` of the base type: b base, e enum, c composite, r range, m multirange, p pseudo."""
    category: str
    """`pg_type.typcategory` of the base type: S string, N number, B boolean, D time, A array, U user, E enum, ..."""
    element: str | None
    """Base type of the elements of an array."""
    labels: tuple[str, ...]
    """The labels of an enum (of its element for an array of an enum), in order."""
    not_null: bool
    default: str | None
    generated: bool
    identity: str
    """`a` always, `d` by default, empty."""
    length: int | None
    """Longest text in characters, or the dimensions of a vector."""
    domain_checks: tuple[str, ...]
    comment: str | None


@dataclass(frozen=True)
class Policy:
    name: str
    table: str
    command: str
    """select, insert, update, delete or all."""
    permissive: bool
    roles: tuple[str, ...]
    """Role names; `public` for a policy without TO."""
    using: str | None
    check: str | None
    functions: tuple[int, ...]
    """Oids of the functions its expressions call."""
    relations: tuple[int, ...]
    """Oids of the other relations its expressions read."""

    def covers(self, command: str) -> bool:
        return self.command in ("all", command)

    @property
    def text(self) -> str:
        return " ".join(part for part in (self.using, self.check) if part)


@dataclass(frozen=True)
class Constraint:
    name: str
    kind: str
    """p primary key, u unique, f foreign key, c check, x exclusion, n not null, t constraint trigger."""
    columns: tuple[str, ...]
    definition: str
    references: int | None
    """Oid of the table a foreign key points at."""
    referenced_columns: tuple[str, ...]
    on_delete: str
    """`pg_constraint.confdeltype`: a no action, r restrict, c cascade, n set null, d set default."""
    deferrable: bool
    validated: bool


@dataclass(frozen=True)
class Index:
    name: str
    columns: tuple[str, ...]
    """Key columns; an expression is listed as its text."""
    unique: bool
    primary: bool
    exclusion: bool
    nulls_not_distinct: bool
    predicate: str | None
    definition: str


@dataclass(frozen=True)
class Trigger:
    name: str
    function: int
    definition: str
    enabled: str
    timing: str
    """before, after or instead of."""
    events: tuple[str, ...]
    """insert, update, delete, truncate."""
    per_row: bool


@dataclass(frozen=True)
class Relation:
    """A table, partitioned table or foreign table (`Table`), or a view or materialized view (`View`)."""

    oid: int
    schema: str
    name: str
    kind: str
    """`pg_class.relkind`: r table, p partitioned, f foreign, v view, m materialized view."""
    owner: str
    columns: tuple[Column, ...]
    grants: tuple[Grant, ...]
    """Also those on single columns (`Grant.column`)."""
    indexes: tuple[Index, ...]
    triggers: tuple[Trigger, ...]
    comment: str | None
    managed: bool
    """Of a schema or an extension the platform manages (auth, storage, realtime, ...), not of the user."""
    rows: float
    """The planner's estimate; -1 when never analysed."""

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}"

    @cached_property
    def sql(self) -> str:
        """The quoted, qualified name."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Table(Relation):
    rls: bool
    force: bool
    persistence: str
    policies: tuple[Policy, ...]
    constraints: tuple[Constraint, ...]
    parents: tuple[int, ...]
    """Oids of the tables it is a partition of or inherits from."""
    is_partition: bool
    replica_identity: str
    """d default, n nothing, f full, i index."""

    @cached_property
    def primary_key(self) -> tuple[str, ...]:
        return next((constraint.columns for constraint in self.constraints if constraint.kind == "p"), ())

    @cached_property
    def foreign_keys(self) -> tuple[Constraint, ...]:
        return tuple(constraint for constraint in self.constraints if constraint.kind == "f")

    def policies_for(self, command: str, role: str | Iterable[str], *, permissive: bool | None = None) -> list[Policy]:
        """Return the policies that apply to a command of a role (or of a set of roles), PUBLIC ones included."""
        names = {role} if isinstance(role, str) else set(role)
        return [p for p in self.policies if p.covers(command) and {*p.roles} & {*names, PUBLIC} and permissive in (None, p.permissive)]


@dataclass(frozen=True)
class View(Relation):
    options: tuple[str, ...]
    """`reloptions`: `security_invoker=on`, `security_barrier=true`, `check_option=local`, ..."""
    definition: str
    depends_on: tuple[int, ...]
    """Oids of the relations it reads directly."""
    functions: tuple[int, ...]
    updatable: bool
    populated: bool

    def option(self, name: str) -> str | None:
        return next((o.partition("=")[2] for o in self.options if o.partition("=")[0] == name), None)

    @property
    def security_invoker(self) -> bool:
        return (self.option("security_invoker") or "").lower() in ("on", "true", "1", "yes")


@dataclass(frozen=True)
class Argument:
    name: str
    type: str
    base_type: str
    kind: str
    element: str | None
    labels: tuple[str, ...]
    has_default: bool
    variadic: bool


@dataclass(frozen=True)
class Function:
    oid: int
    schema: str
    name: str
    kind: str
    """f function, p procedure, a aggregate, w window."""
    arguments: tuple[Argument, ...]
    """Input arguments in order; OUT and TABLE columns are not among them."""
    outputs: tuple[str, ...]
    """Names of OUT and TABLE columns."""
    returns: str
    returns_set: bool
    language: str
    definer: bool
    volatility: str
    """immutable, stable or volatile."""
    strict: bool
    leakproof: bool
    source: str
    definition: str
    """`pg_get_functiondef`, empty for aggregates."""
    config: tuple[str, ...]
    owner: str
    grants: tuple[Grant, ...]
    comment: str | None
    managed: bool
    extension: str | None

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}({','.join(argument.type for argument in self.arguments)})"

    @cached_property
    def sql(self) -> str:
        """The quoted, qualified name without arguments."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def search_path(self) -> str | None:
        """The pinned search_path, or None where there is none."""
        return next((c.partition("=")[2] for c in self.config if c.startswith("search_path=")), None)

    @property
    def is_trigger(self) -> bool:
        return self.returns in ("trigger", "event_trigger")


@dataclass(frozen=True)
class Role:
    name: str
    superuser: bool
    bypassrls: bool
    login: bool
    inherit: bool
    createrole: bool
    createdb: bool
    replication: bool
    settings: tuple[str, ...]
    member_of: frozenset[str]
    """Every role it can SET ROLE to, through any number of memberships; itself not."""
    inherits: frozenset[str]
    """Every role whose privileges it has without SET ROLE; itself not."""


@dataclass(frozen=True)
class DefaultPrivilege:
    role: str
    schema: str | None
    objects: str
    """r tables, S sequences, f functions, T types, n schemas."""
    grants: tuple[Grant, ...]


@dataclass(frozen=True)
class Publication:
    name: str
    all_tables: bool
    tables: frozenset[int]
    schemas: frozenset[str]
    row_filters: dict[int, str] = field(hash=False)


@dataclass(frozen=True)
class Sequence:
    oid: int
    schema: str
    name: str
    owner: str
    grants: tuple[Grant, ...]
    owned_by: tuple[int, str] | None
    """Table oid and column it feeds."""

    @property
    def label(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Schema:
    name: str
    owner: str
    grants: tuple[Grant, ...]
    managed: bool
    exposed: bool
    """Served by PostgREST (`pgrst.db_schemas`; else `public` and `api`)."""


@dataclass(frozen=True)
class Bucket:
    id: str
    name: str
    public: bool


@dataclass(frozen=True)
class Extension:
    name: str
    schema: str
    version: str


def quoted(name: str) -> str:
    """Return an identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'
