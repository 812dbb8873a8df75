"""Files that a policy opens because a row names them, where whoever asks may write that row."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.catalog import Catalog
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.objects import Policy, Table

_NAME = r"\(*(?:storage\.)?(?:objects\.)?name\)*"
_PATH_READ = re.compile(r"foldername|path_tokens|split_part|starts_with|~~|like|\^@", re.IGNORECASE)


def check(context: Context) -> Iterator[Finding | NotCovered]:
    catalog = context.catalog
    objects = catalog.find("storage.objects")
    if not isinstance(objects, Table):
        return
    for policy in objects.policies:
        text = policy.using or policy.check or ""
        if not policy.permissive or _PATH_READ.search(text):
            continue
        for oid in policy.relations:
            table = catalog.tables.get(oid)
            if table is None or table.oid == objects.oid:
                continue
            column, role = _written_path(catalog, table, text)
            if column:
                yield Finding(
                    "storage-path-from-writable-row", "storage.objects", policy.command, "member of another organization",
                    f"policy {policy.name} on storage.objects opens a file when {table.label}.{column} names it, and {role} may write that "
                    "column as it likes: a row of one's own that names a foreign file opens it",
                    text,
                    f"begin;\nset local role {role};\ninsert into {table.label} ({column}) values ('<path of a foreign file>');\n"
                    "select * from storage.objects where name = '<path of a foreign file>';\nrollback;",
                )


def _written_path(catalog: Catalog, table: Table, text: str) -> tuple[str, str]:
    """The column of the table that is compared with the file's name and that a client may write freely, and the role that may."""
    for column in table.columns:
        dotted = rf"\(*(?:\w+\.)?{re.escape(column.name)}\)*"
        if not re.search(rf"{dotted} = {_NAME}(?![\w.])|(?<![\w.]){_NAME} = {dotted}(?![\w.])", text):
            continue
        if any(_checks(policy, column.name) for policy in table.policies) or any(
            constraint.kind == "c" and column.name in constraint.columns for constraint in table.constraints
        ):
            continue
        for role in catalog.api_roles:
            if any(column.name in catalog.columns_with(role, table, privilege) for privilege in ("INSERT", "UPDATE")) and any(
                policy.permissive and policy.command in ("insert", "update", "all") for policy in table.policies
            ):
                return column.name, role
    return "", ""


def _checks(policy: Policy, column: str) -> bool:
    return policy.command in ("insert", "update", "all") and re.search(rf"\b{re.escape(column)}\b", policy.check or "") is not None
