"""Every table and every function the database tests know, one module a noun: read these files to review access.

A module may define
  TABLES           decisions for the access matrix, by table
  RECIPES          a call that works, by function
  EVENTS           the audit events the recipe's call leaves, by function that writes
  OWN_RECORD       functions that write without an audit event, because the row they write is the record
  CHOSEN           (function, argument) that the caller makes up: it names nothing that exists before
  EITHER           groups of arguments of which one call names one, by function: an id is tried in each without the others
  fill(db, org)    called as the owner of each organization of the world, to make rows
  plant(connection, org)  called after it as the superuser: what an operator or Supabase Auth writes
Nothing here is read from the database: a table, a role or a function that is not decided here fails the matrix or the sweep.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from tests.db.registry.decision import PERSONAL, ROLES, Decision
from tests.db.registry.recipe import HOSTILE, Recipe

MODULES: list[ModuleType] = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]


def _merged(name: str) -> dict[str, Any]:
    """All entries of that name; one in two modules is a mistake."""
    merged: dict[str, Any] = {}
    for module in MODULES:
        entries = getattr(module, name, {})
        assert not merged.keys() & entries.keys(), f"{name} in two modules: {merged.keys() & entries.keys()}"
        merged |= entries
    return merged


def _union(name: str) -> set[Any]:
    return set().union(*(getattr(module, name, set()) for module in MODULES))


TABLES: dict[str, Decision] = _merged("TABLES")
GLOBAL: set[str] = {table for table, decision in TABLES.items() if decision.org is None}
"""Tables that belong to no organization: everybody signed in reads them, and they change by migration or by the operator."""
RECIPES: dict[str, Recipe] = _merged("RECIPES")
EVENTS: dict[str, list[str]] = _merged("EVENTS")
OWN_RECORD: set[str] = _union("OWN_RECORD")
CHOSEN: set[tuple[str, str]] = _union("CHOSEN")
EITHER: dict[str, list[set[str]]] = _merged("EITHER")

OWNER_ALONE = {"authz.ended_session", "authz.purge_receipt", "app.job_lease", "app.job_scope"}
"""Read and written by definers of ringfence_owner, and by nobody else: no decision of the matrix concerns them."""

__all__ = ["CHOSEN", "EITHER", "EVENTS", "GLOBAL", "HOSTILE", "MODULES", "OWNER_ALONE", "OWN_RECORD", "PERSONAL", "RECIPES", "ROLES", "TABLES", "Decision", "Recipe"]
