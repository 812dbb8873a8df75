"""Guess whose a row is: which table is the tenant, which says who is a member, how each table reaches them. Keys first, then policies, names last."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

from tests.rls import membership, vocabulary
from tests.rls.catalog import Catalog, Column, Table
from tests.rls.config import Config
from tests.rls.tenancy import CHILD, MEMBERSHIP, OWNED, PERSONAL, PROFILE, SHARED, TENANT, USERS, Membership, TableTenancy, Tenancy

IDENTITY = r"(?:\(\s*)*(?:select\s+)?(?:\w+\.)?\w*uid\(\)"


def tenancy(catalog: Catalog, config: Config) -> Tenancy:
    """Return what was guessed, corrected by the configuration; `guesses` says it in sentences."""
    users = _users(catalog)
    user_columns = _user_columns(catalog, users)
    tenant, member, bare = _tenant(catalog, user_columns, users, config)
    tables = _tables(catalog, config, users, user_columns, tenant, member, bare)
    key, type_ = "id", "uuid"
    if tenant is not None:
        table = catalog.tables[tenant]
        key = _referenced_key(catalog, tenant, member) or (table.primary_key[0] if len(table.primary_key) == 1 else "id")
        type_ = next((c.base_type for c in table.columns if c.name == key), "uuid")
    elif bare:
        type_ = bare[1]
    text = _text(catalog)
    found = Tenancy(
        users=users, users_key="id" if users is None else (catalog.tables[users].primary_key or ("id",))[0], tenant=tenant, tenant_key=key, tenant_type=type_,
        membership=member, tables=tables, claims=tuple(sorted(_keys(text, "app_metadata") | set(config.tenancy.get("claims", ())))),
        user_claims=tuple(sorted(_keys(text, "user_metadata") | _keys(text, "raw_user_meta_data"))), headers=tuple(sorted(_headers(text))),
        settings=tuple(sorted(_settings(text))), claims_by_design=bool(config.tenancy.get("claims")),
    )
    if member is None and found.claims and tenant is not None or (bare and member is None and found.claims):
        found = replace(found, claims_by_design=True)
    return replace(found, guesses=_said(catalog, found, bare))


def _users(catalog: Catalog) -> int | None:
    """The platform's table of users; else the one whose key is compared with the token's subject or that is called so."""
    for label in ("auth.users", "public.users", "public.user", "public.profiles"):
        table = next((t for t in catalog.tables.values() if t.label == label), None)
        if table is not None and len(table.primary_key) == 1:
            return table.oid
    return None


def _user_columns(catalog: Catalog, users: int | None) -> dict[int, list[str]]:
    """Columns that hold a user's id: keys to the table of users or to a table of profiles, compared with auth.uid(), or called so."""
    found: dict[int, list[str]] = {}
    holders = {users} if users is not None else set()
    for _ in range(3):  # users <- profiles <- what points at profiles
        for table in catalog.own_tables():
            columns = found.setdefault(table.oid, [])
            for key in table.foreign_keys:
                passed = found.get(key.references or 0, []) if len(key.columns) > 1 else []
                pairs = zip(key.columns, key.referenced_columns, strict=True)
                new = list(key.columns) if len(key.columns) == 1 and key.references in holders else [c for c, r in pairs if r in passed]
                columns += [c for c in new if c not in columns and key.references != table.oid]
            if len(table.primary_key) == 1 and table.primary_key[0] in columns:
                holders.add(table.oid)
    user_type = next((c.base_type for t in catalog.tables.values() if t.oid == users for c in t.columns if c.name in t.primary_key), "uuid")
    for table in catalog.own_tables():
        keyed = {column for key in table.foreign_keys if key.references not in holders for column in key.columns}
        for column in table.columns:
            if column.name in found[table.oid] or column.name in keyed or table.oid in holders and column.name in table.primary_key:
                continue
            named = column.base_type == user_type and vocabulary.USER.search(column.name) and column.name not in table.primary_key
            if _compared(table, column) or named:
                found[table.oid].append(column.name)
    for oid, columns in found.items():
        table = catalog.tables[oid]
        columns.sort(key=lambda name: (bool(vocabulary.NOT_THE_OWNER.search(name)), not _mentioned(table, name)))
    return found


def _compared(table: Table, column: Column) -> bool:
    """Return whether a policy of the table compares the column with the caller's id."""
    if column.base_type not in ("uuid", "text", "character varying"):
        return False
    name = rf'(?:\w+\.)?"?{re.escape(column.name)}"?(?:::\w+)?\)*'
    return any(re.search(rf"(?<![\w.]){name}\s*=\s*{IDENTITY}|{IDENTITY}(?:\s+AS\s+\w+)?\)*(?:::\w+\)*)?\s*=\s*\(*{name}(?!\w)", p.text, re.I) for p in table.policies)


def _mentioned(table: Table, column: str) -> bool:
    return any(re.search(rf"\b{re.escape(column)}\b", policy.text) for policy in table.policies)


def _tenant(catalog: Catalog, user_columns: dict[int, list[str]], users: int | None, config: Config) -> tuple[int | None, Membership | None, tuple[str, str] | None]:
    """Return the tenant table, the membership, and a bare tenant column (name, type) where no table of tenants exists."""
    told = config.tenancy
    if told.get("tenant") == "none":
        return None, None, None
    profiles = {oid for oid, columns in user_columns.items() if len(catalog.tables[oid].primary_key) == 1 and catalog.tables[oid].primary_key[0] in columns}
    pointed = Counter(key.references for table in catalog.own_tables() for key in table.foreign_keys if key.references != table.oid)
    best: tuple[float, int, int, str] | None = None
    for table in catalog.own_tables():
        if not user_columns.get(table.oid) or told.get("membership") not in (None, table.label):
            continue
        for key in table.foreign_keys:
            target = key.references
            if target is None or target in profiles or target == users or target == table.oid or target not in catalog.tables or catalog.tables[target].managed:
                continue
            if told.get("tenant") not in (None, catalog.tables[target].label):
                continue
            column = _tenant_part(key.columns, key.referenced_columns, catalog.tables[target])
            score = membership.score(catalog, table, catalog.tables[target], column, user_columns[table.oid], pointed[target])
            if score > 0 and (best is None or score > best[0]):
                best = (score, target, table.oid, column)
    if best is not None and (best[0] >= membership.ENOUGH or "tenant" in told or "membership" in told):
        _, target, table_oid, column = best
        return target, membership.describe(catalog, catalog.tables[table_oid], told.get("tenant_column", column), user_columns[table_oid], config), None
    return _without_membership(catalog, user_columns, pointed, profiles, users, config)


def _without_membership(
    catalog: Catalog, user_columns: dict[int, list[str]], pointed: Counter[int | None], profiles: set[int], users: int | None, config: Config,
) -> tuple[int | None, Membership | None, tuple[str, str] | None]:
    """A column many tables share, compared with a claim or with a bare membership table; else a table many point at that no user owns."""
    names: Counter[tuple[str, str]] = Counter()
    for table in catalog.own_tables():
        for column in table.columns:
            if column.name in user_columns.get(table.oid, ()) or (len(table.primary_key) == 1 and column.name in table.primary_key):
                continue
            if column.base_type in ("uuid", "text", "bigint", "integer") and _mentioned(table, column.name) and (
                    vocabulary.TENANT.search(column.name) or column.name == config.tenancy.get("tenant_column")):
                names[column.name, column.base_type] += 1
    if not names:
        return None, None, None
    (name, type_), _ = names.most_common(1)[0]
    for table in catalog.own_tables():
        unique = {frozenset(index.columns) for index in table.indexes if index.unique}
        users_here = user_columns.get(table.oid, [])
        if table.column(name) and any(frozenset({name, user}) in unique for user in users_here) or (
                table.column(name) and table.oid in profiles):
            return _target_of(catalog, name, type_), membership.describe(catalog, table, name, users_here, config), (name, type_)
    return _target_of(catalog, name, type_), None, (name, type_)


def _target_of(catalog: Catalog, name: str, type_: str) -> int | None:
    """The table that the bare column's foreign keys point at, if any."""
    targets = Counter(key.references for table in catalog.own_tables() for key in table.foreign_keys if key.columns == (name,) and key.references != table.oid)
    return targets.most_common(1)[0][0] if targets else None


def _tenant_part(columns: tuple[str, ...], referenced: tuple[str, ...], target: Table) -> str:
    """Of a foreign key to the tenant table, the column that holds the tenant's id."""
    if len(columns) == 1:
        return columns[0]
    return next((c for c, r in zip(columns, referenced, strict=True) if (r,) == target.primary_key), columns[0])


def _referenced_key(catalog: Catalog, tenant: int, member: Membership | None) -> str | None:
    """The column of the tenant table that the membership points at."""
    if member is None:
        return None
    for key in catalog.tables[member.table].foreign_keys:
        if key.references == tenant and member.tenant_column in key.columns:
            return key.referenced_columns[key.columns.index(member.tenant_column)]
    return None


def _tables(
    catalog: Catalog, config: Config, users: int | None, user_columns: dict[int, list[str]], tenant: int | None, member: Membership | None, bare: tuple[str, str] | None,
) -> dict[int, TableTenancy]:
    """Classify every table: itself, then what it points at."""
    direct = {table.oid: _tenant_column(catalog, table, tenant, member, bare, config) for table in catalog.own_tables()}
    for _ in range(4):  # composite keys pass the tenant on: (org_id, project_id) -> project (org_id, id)
        for table in catalog.own_tables():
            for key in table.foreign_keys:
                passed = direct.get(key.references) if key.references is not None else None
                if direct[table.oid] is None and passed and passed in key.referenced_columns and len(key.columns) > 1:
                    direct[table.oid] = key.columns[key.referenced_columns.index(passed)]
    found: dict[int, TableTenancy] = {}
    pending = list(catalog.own_tables())
    if users is not None:
        found[users] = TableTenancy(USERS, user_columns=(catalog.tables[users].primary_key or ("id",))[:1], personal_columns=_personal(catalog.tables[users]))
    for _ in range(5):
        for table in list(pending):
            one = _classified(catalog, config, table, tenant, member, direct, user_columns, found)
            if one is not None:
                found[table.oid] = one
                pending.remove(table)
    for table in pending:
        columns = tuple(user_columns[table.oid])
        found[table.oid] = TableTenancy(PERSONAL if columns else SHARED, user_columns=columns, owner_columns=_owners(columns), personal_columns=_personal(table))
    return found


def _classified(
    catalog: Catalog, config: Config, table: Table, tenant: int | None, member: Membership | None, direct: dict[int, str | None],
    user_columns: dict[int, list[str]], found: dict[int, TableTenancy],
) -> TableTenancy | None:
    users = tuple(user_columns[table.oid])
    common: dict[str, Any] = {"user_columns": users, "owner_columns": _owners(users), "personal_columns": _personal(table)}
    told = config.table(table.label).get("kind")
    if told in ("shared", "skip"):
        return TableTenancy(SHARED, **common)
    if table.oid == tenant:
        return TableTenancy(TENANT, **common)
    if member is not None and table.oid == member.table:
        return TableTenancy(MEMBERSHIP, member.tenant_column, **common)
    if table.oid in found:
        return found[table.oid]
    if direct[table.oid] is not None:
        return TableTenancy(OWNED, direct[table.oid], **common)
    if len(table.primary_key) == 1 and table.primary_key[0] in users:
        return TableTenancy(PROFILE, **common)
    for key in sorted(table.foreign_keys, key=lambda key: not all((c := table.column(name)) and c.not_null for name in key.columns)):
        parent = found.get(key.references) if key.references is not None else None
        if parent is not None and key.references != table.oid and parent.kind in (TENANT, OWNED, CHILD, MEMBERSHIP):
            return TableTenancy(CHILD, None, key.references, key.columns, **common)
    if table.parents and (parent := found.get(table.parents[0])) is not None:
        return replace(parent, personal_columns=_personal(table))
    return None


def _tenant_column(catalog: Catalog, table: Table, tenant: int | None, member: Membership | None, bare: tuple[str, str] | None, config: Config) -> str | None:
    """The column of a table that holds a tenant's id, through a key, the name the membership uses, or the configuration."""
    told = config.table(table.label).get("tenant_column")
    if told:
        return str(told)
    for key in table.foreign_keys:
        if tenant is not None and key.references == tenant and table.oid != tenant:
            return _tenant_part(key.columns, key.referenced_columns, catalog.tables[tenant])
    name = member.tenant_column if member is not None else bare[0] if bare else None
    if name is None or table.oid == tenant:
        return None
    here = table.column(name)
    type_ = (catalog.tables[member.table].column(name) if member else None)
    return name if here is not None and (type_ is None or here.base_type == type_.base_type) and not any(
        name in key.columns and key.references not in (tenant,) and len(key.columns) == 1 for key in table.foreign_keys) else None


def _owners(columns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in columns if not vocabulary.NOT_THE_OWNER.search(name))


def _personal(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns if vocabulary.PERSONAL.search(column.name) and column.base_type not in ("boolean",))


def _text(catalog: Catalog) -> str:
    """All policies and all function bodies, where keys of claims, headers and settings are read."""
    policies = [policy.text for table in catalog.tables.values() if not table.managed or table.schema in ("storage", "realtime") for policy in table.policies]
    return "\n".join([*policies, *(f.source or f.definition for f in catalog.own_functions()), *(f.definition for f in catalog.own_functions() if not f.source),
                      *(v.definition for v in catalog.own_views())])


def _keys(text: str, claim: str) -> set[str]:
    """Keys read from a claim: `-> 'app_metadata' ->> 'org_id'`, `#>> '{app_metadata,org_id}'`."""
    found = set(re.findall(rf"'{claim}'(?:::text)?\s*\)*\s*->>?\s*'(\w+)'", text)) | set(re.findall(rf"'\{{{claim},\s*(\w+)", text))
    return found | set(re.findall(rf"{claim}\s*->>?\s*'(\w+)'", text))


def _headers(text: str) -> set[str]:
    """Header names read: whatever is taken out of request.headers."""
    if "request.headers" not in text:
        return set()
    return {name for name in re.findall(r"->>?\s*'([\w-]+)'", text) if name.lower().startswith("x-") or "-" in name}


def _settings(text: str) -> set[str]:
    return {name for name in re.findall(r"current_setting\(\s*'([\w.]+)'", text) if "." in name and not name.startswith(("request.", "pgrst.", "response."))}


def _said(catalog: Catalog, found: Tenancy, bare: tuple[str, str] | None) -> tuple[str, ...]:
    """Say aloud what was guessed."""
    label = lambda oid: catalog.tables[oid].label  # noqa: E731
    said = [f"users: {label(found.users)}.{found.users_key}" if found.users is not None else "users: no table; ids of the token's sub"]
    if found.tenant is not None:
        said.append(f"tenant: {label(found.tenant)}.{found.tenant_key} ({found.tenant_type})")
    else:
        said.append(f"tenant: column {bare[0]} ({bare[1]}), no table" if bare else "tenant: none; every user is their own tenant")
    if (m := found.membership) is not None:
        parts = [f"{label(m.table)} ({m.tenant_column}, {m.user_column})"]
        parts += [f"role {m.role_column}: {', '.join(m.roles) or '?'}"] if m.role_column else []
        parts += [f"status {m.status_column}: {m.active}, not in force: {', '.join(m.inactive)}"] if m.status_column else []
        parts += [f"{name} = {value}" for name, value in m.flags] + [f"{name} not past" for name in m.ends] + [f"{name} holds today" for name in m.periods] + [f"{name} filled" for name in m.starts]
        said.append("membership: " + "; ".join(parts))
    for oid, one in found.tables.items():
        how = {CHILD: f"through {', '.join(one.parent_columns)} to {label(one.parent) if one.parent else '?'}", OWNED: f"by {one.tenant_column}"}.get(one.kind, "")
        if not catalog.tables[oid].managed:
            said.append(f"{label(oid)}: {one.kind} {how}".rstrip() + (f", users in {', '.join(one.user_columns)}" if one.user_columns else ""))
    for name, keys in (("app_metadata", found.claims), ("user_metadata", found.user_claims), ("headers", found.headers), ("settings", found.settings)):
        said += [f"policies or functions read {name}: {', '.join(keys)}"] if keys else []
    return tuple(said)
