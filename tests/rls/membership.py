"""Which table says who belongs to a tenant, and what its columns mean: role, status, flags, times."""

from __future__ import annotations

import re

from tests.rls import vocabulary
from tests.rls.catalog import Catalog, Column, Table
from tests.rls.config import Config
from tests.rls.tenancy import Membership
from tests.rls.values import NUMBERS

UNKNOWN = 13
"""Where a role stands among those of `vocabulary.POWER` whose name says nothing."""
ENOUGH = 6.0
"""Below this a table with a user and a foreign key is any other table."""


def score(catalog: Catalog, table: Table, target: Table, column: str, users: list[str], pointing: int) -> float:
    """Return how much a table looks like the membership of `target` through `column`."""
    unique = {frozenset(index.columns) for index in table.indexes if index.unique and index.predicate is None}
    pair = any(frozenset({column, user}) in unique for user in users)
    single = any(frozenset({user}) in unique for user in users)
    if not pair and not single and not any({column, user} < one and len(one) == 3 for one in unique for user in users):
        return 0.0
    asked = sum(1 for other in catalog.own_tables() if other.oid != table.oid for p in other.policies if table.oid in p.relations)
    name = re.compile(rf"\b{re.escape(table.name)}\b")
    helpers = [f for f in catalog.own_functions() if name.search(f.source or f.definition) and not f.is_trigger]
    by_helper = sum(1 for other in catalog.own_tables() for p in other.policies if {f.oid for f in helpers} & {*p.functions})
    return (
        (4.0 if pair else 1.0) + min(pointing, 8) + 0.5 * min(asked + by_helper, 12) + (2.0 if role_column(catalog, table, users) else 0.0)
        + (2.0 if vocabulary.TENANT.search(target.name) else 0.0) + (2.0 if vocabulary.MEMBERS.search(table.name) else 0.0)
        - (3.0 if any(k.references not in (target.oid, None) and k.columns[0] not in users and k.columns != (column,) for k in table.foreign_keys) and len(table.columns) > 12 else 0.0)
    )


def role_column(catalog: Catalog, table: Table, users: list[str]) -> Column | None:
    """Return the column that says what a member may do: called so, with labels or checks that name powers, or compared with several constants."""
    candidates = [c for c in table.columns if c.name not in users and c.name not in table.primary_key[:1]]
    for column in candidates:
        if set(values(table, column)) & {"owner", "admin", "member"}:
            return column
    return (next((c for c in candidates if vocabulary.ROLE.search(c.name)), None)
            or next((c for c in candidates if _plain(table, c) and _told_apart(compared(catalog, table, c))), None)
            or next((c for c in candidates if c.base_type == "boolean" and vocabulary.STRONG_FLAG.search(c.name)), None))


def _told_apart(roles: tuple[str, ...]) -> bool:
    """Return whether these are several roles of which one can say which is the stronger."""
    return len(roles) > 1 and (all(role.lstrip("-").isdigit() for role in roles) or sum(_place(role) < len(vocabulary.POWER) for role in roles) >= len(roles) - 1)


def _plain(table: Table, column: Column) -> bool:
    """Return whether a column is a number or a text that no key holds and that says nothing of a state."""
    keyed = column.name in table.primary_key or any(column.name in key.columns for key in table.foreign_keys)
    states = vocabulary.STATUS.search(column.name) or set(values(table, column)) & {"active", "suspended", "revoked", "invited"}
    return not keyed and not states and (column.base_type in NUMBERS or column.category in "SE")


def compared(catalog: Catalog, table: Table, column: Column) -> tuple[str, ...]:
    """Return the constants that the column's check lists, or else those helpers and policies compare it with."""
    listed = values(table, column)
    if len(listed) > 1:
        return listed
    found = [n for text in _asking(catalog, table) for n in re.findall(
        rf"\b{re.escape(column.name)}\b\)?(?:::\w+)?\s*(?:=|>=?|<=?|in\b|= any)\s*\(*(?:array\[)?((?:'?[\w-]+'?(?:::\w+)?,?\s*)+)", text, re.I)]
    pattern = r"(?<![\w'-])-?\d+\b" if column.base_type in NUMBERS else r"'([^']+)'"
    return tuple(dict.fromkeys(value for one in found for value in re.findall(pattern, one)))


def _asking(catalog: Catalog, table: Table) -> list[str]:
    """The policies and functions that read the table."""
    name = re.compile(rf"\b{re.escape(table.name)}\b")
    return [p.text for other in catalog.own_tables() for p in other.policies if other.oid == table.oid or table.oid in p.relations] + [
        text for f in catalog.own_functions() if name.search(text := f.source or f.definition)]


def values(table: Table, column: Column) -> tuple[str, ...]:
    """Return the values a column may have: labels of its enum, or what a check or its domain lists."""
    if column.labels:
        return column.labels
    if column.base_type == "boolean":
        return ("t", "f")
    texts = [k.definition for k in table.constraints if k.kind == "c" and column.name in k.columns and len(k.columns) == 1] + list(column.domain_checks)
    if column.base_type in NUMBERS:
        return tuple(dict.fromkeys(n for text in texts for listed in re.findall(r"= ANY \(+ARRAY\[([^\]]+)\]", text) for n in re.findall(r"-?\d+", re.sub(r"::\w+", "", listed))))
    found = [label for text in texts if "ANY" in text or "=" in text for label in re.findall(r"'((?:[^']|'')*)'::", text)]
    return tuple(dict.fromkeys(label for label in found if not label.startswith("{")))


def describe(catalog: Catalog, table: Table, tenant_column: str, users: list[str], config: Config) -> Membership:
    """Return what the columns of the membership table mean, corrected by the configuration."""
    told = config.tenancy
    unique = [frozenset(index.columns) for index in table.indexes if index.unique]
    user = told.get("user_column") or next((u for u in users if any({tenant_column, u} <= one for one in unique)), None) or next(
        (u for u in users if frozenset({u}) in unique), users[0])
    role = table.column(told["role_column"]) if told.get("role_column") else role_column(catalog, table, users)
    role_key = next((k for k in table.foreign_keys if role is not None and role.name in k.columns), None)
    status = table.column(told["status_column"]) if told.get("status_column") else next(
        (c for c in table.columns if c is not role and (vocabulary.STATUS.search(c.name) or set(values(table, c)) & {"active", "suspended", "revoked", "invited"})
         and c.category in "SE"), None)
    states = values(table, status) if status else ()
    active = told.get("active") or next((s for known in vocabulary.ACTIVE for s in states if s.lower() == known), states[0] if states else "active")
    return Membership(
        table=table.oid, tenant_column=tenant_column, user_column=user, role_column=role.name if role else None,
        roles=tuple(told.get("roles") or ranked(compared(catalog, table, role) if role else (), role is not None and _least_is_most(catalog, table, role))), role_table=role_key.references if role_key else None,
        status_column=status.name if status else None, active=active if status else None,
        inactive=tuple(told.get("inactive") or [s for s in (states or ("suspended", "invited", "removed")) if s != active]) if status else (),
        flags=tuple((c.name, bool(vocabulary.FLAG_ON.search(c.name))) for c in table.columns
                    if c.base_type == "boolean" and (vocabulary.FLAG_ON.search(c.name) or vocabulary.FLAG_OFF.search(c.name))),
        ends=tuple(c.name for c in table.columns if c.category == "D" and vocabulary.ENDS.search(c.name)),
        periods=tuple(c.name for c in table.columns if c.base_type in ("daterange", "tstzrange", "tsrange")),
        starts=tuple(c.name for c in table.columns if c.category == "D" and vocabulary.STARTS.search(c.name) and not c.not_null),
    )


def _least_is_most(catalog: Catalog, table: Table, role: Column) -> bool:
    """Return whether small numbers are the powerful ones: more often compared by <= than by >=, directly or through what hands the number on."""
    handing = [f.name for f in catalog.own_functions() if f.returns in NUMBERS and re.search(rf"\b{re.escape(role.name)}\b", f.source or f.definition)]
    names = "|".join(map(re.escape, [role.name, *handing]))
    texts = [p.text for other in catalog.own_tables() for p in other.policies] + [f.source or f.definition for f in catalog.own_functions()]
    signs = [sign for text in texts for sign in re.findall(rf"\b(?:{names})\b(?:\(\))?(?:\s+AS\s+\w+)?\)*(?:::\w+)?\s*([<>])=?\s*\(*\d", text)]
    return signs.count("<") > signs.count(">")


def ranked(roles: tuple[str, ...], least_is_most: bool = False) -> tuple[str, ...]:
    """Return roles from the most to the least powerful, as far as their names tell; of numbers the greatest first."""
    if roles and all(re.fullmatch(r"-?\d+", role) for role in roles):
        return tuple(sorted(roles, key=int, reverse=not least_is_most))

    return tuple(sorted(roles, key=lambda role: (place if (place := _place(role)) < len(vocabulary.POWER) else UNKNOWN, roles.index(role))))


def _place(role: str) -> int:
    """Return how far down among known roles one comes by its name, or by a part of it."""
    name = role.lower().replace("-", "_")
    whole = (i for i, known in enumerate(vocabulary.POWER) if name == known)
    part = (i for i, known in enumerate(vocabulary.POWER) if known in name or len(name) > 2 and known.startswith(name))
    return next(whole, next(part, len(vocabulary.POWER)))
