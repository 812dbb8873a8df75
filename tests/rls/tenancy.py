"""Whose a row is: what a schema says about tenants, members and owners, as plain values. `discover` fills it in."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.rls.objects import Table

# How a row of a table finds its tenant or its owner.
TENANT, MEMBERSHIP, USERS, PROFILE, OWNED, CHILD, PERSONAL, SHARED = "tenant", "membership", "users", "profile", "owned", "child", "personal", "shared"


@dataclass(frozen=True)
class Membership:
    """The table that says who belongs to which tenant, and as what."""

    table: int
    tenant_column: str
    user_column: str
    role_column: str | None = None
    roles: tuple[str, ...] = ()
    """Values of the role column, the most powerful first."""
    role_table: int | None = None
    """Where the role column is a foreign key: the table of roles."""
    status_column: str | None = None
    active: str | None = None
    inactive: tuple[str, ...] = ()
    """Values of the status column that are not in force: suspended, invited, removed, ..."""
    flags: tuple[tuple[str, bool], ...] = ()
    """Boolean columns with their value for a member in force: (`is_active`, True)."""
    ends: tuple[str, ...] = ()
    """Time columns that are empty for a member in force: `revoked_at`, `deleted_at`."""
    periods: tuple[str, ...] = ()
    """Range columns that hold the time for which the membership is valid."""
    starts: tuple[str, ...] = ()
    """Time columns that are empty until the member accepts: `accepted_at`."""


@dataclass(frozen=True)
class TableTenancy:
    """How the rows of one table belong to somebody."""

    kind: str
    """tenant: one row is a tenant; membership; users: the platform's users; profile: one row a user; owned: has a tenant column; child: reaches it through
    `parent`; personal: only a user column; shared: none of it."""
    tenant_column: str | None = None
    parent: int | None = None
    parent_columns: tuple[str, ...] = ()
    """Columns of the foreign key to `parent`, for a child."""
    user_columns: tuple[str, ...] = ()
    """Columns that hold a user's id, the owner's first."""
    owner_columns: tuple[str, ...] = ()
    """Those of `user_columns` that say who made or owns the row (not assignees or approvers)."""
    personal_columns: tuple[str, ...] = ()
    """Columns with personal or secret data, by their names: e-mail, phone, token, ..."""


@dataclass(frozen=True)
class Tenancy:
    users: int | None
    """The table of users, `auth.users` on Supabase."""
    users_key: str
    tenant: int | None
    """The table of tenants; None where there is none (a bare tenant column, or every user is a tenant)."""
    tenant_key: str
    tenant_type: str
    """Base type of tenant ids."""
    membership: Membership | None
    tables: dict[int, TableTenancy]
    claims: tuple[str, ...] = ()
    """Keys of app_metadata (or of the token) that policies and functions read."""
    user_claims: tuple[str, ...] = ()
    """Keys of user_metadata that policies and functions read."""
    headers: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    """Other settings that policies and functions read: `app.tenant_id`."""
    claims_by_design: bool = False
    """True where no table says who is a member, so the token must."""
    guesses: tuple[str, ...] = field(default=())

    def of(self, table: Table | int) -> TableTenancy:
        oid = table if isinstance(table, int) else table.oid
        return self.tables.get(oid, TableTenancy(SHARED))

    def is_tenant_bound(self, table: Table | int) -> bool:
        """Return whether rows of the table belong to one tenant."""
        return self.of(table).kind in (TENANT, MEMBERSHIP, OWNED, CHILD)

    def is_user_bound(self, table: Table | int) -> bool:
        """Return whether rows of the table belong to a user and to no tenant."""
        return self.of(table).kind in (USERS, PROFILE, PERSONAL)
