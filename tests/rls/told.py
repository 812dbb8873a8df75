"""What the configuration says of tables and columns, held against the database: an entry about what is not there would correct nothing, in silence."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from tests.rls.catalog import Catalog, Relation
from tests.rls.config import Config, ConfigError


def check(config: Config, catalog: Catalog) -> None:
    """Return if everything the configuration names exists. Raises: ConfigError with the first thing that does not."""
    tables = {table.label: table for table in catalog.tables.values()}
    relations: dict[str, Relation] = {view.label: view for view in catalog.views.values()} | tables
    for schema in config.schemas.get("exposed", ()):
        if schema not in catalog.schemas:
            raise ConfigError(f"[schemas]: exposed names {schema}, which is no schema here")
    for pattern in config.schemas.get("skip", ()):
        if not fnmatch.filter(catalog.schemas, pattern):
            raise ConfigError(f"[schemas]: skip names {pattern}, which fits no schema here")
    for name in ("tenant", "membership"):
        label = config.tenancy.get(name)
        if label is not None and label not in tables and (name, label) != ("tenant", "none"):
            raise ConfigError(f"[tenancy]: {name} names {label}, which is no table here{_near(label, tables)}")
    membership = tables.get(config.tenancy.get("membership", ""))
    for name in ("tenant_column", "user_column", "role_column", "status_column"):
        column = config.tenancy.get(name)
        if column is not None and not any(table.column(column) for table in ([membership] if membership else tables.values())):
            raise ConfigError(f"[tenancy]: {name} names {column}, which is no column of {membership.label if membership else 'any table here'}")
    for label, told in config.tables.items():
        if label not in relations:
            raise ConfigError(f'[tables."{label}"] is about no table or view here{_near(label, relations)}')
        if "tenant_column" in told and relations[label].column(told["tenant_column"]) is None:
            raise ConfigError(f'[tables."{label}"]: tenant_column names {told["tenant_column"]}, which is no column of it')


def _near(label: str, tables: Iterable[str]) -> str:
    """The label with its schema, where it was left out."""
    found = [known for known in sorted(tables) if known.rpartition(".")[2] == label]
    return f"; is {found[0]} meant?" if found else "; write schema.table"
