"""A recipe of the registry made into a call in the world: who calls, and with which values."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import psycopg

from tests.db.matrix import bindings
from tests.db.registry import RECIPES
from tests.db.registry.recipe import embedding
from tests.db.session import Person, Request
from tests.db.world import World


def own_ids(world: World) -> dict[str, Any]:
    """What a recipe's placeholders stand for in acme."""
    with world.operator() as db:
        return bindings(world.acme, db) | {"nobody": world.nobody.user_id, "loaded_document": world.acme.ids["loading_document"], "open_hold": world.acme.ids["hold"]}


def made_first(db: Request, world: World, name: str) -> dict[str, Any]:
    """Make what this recipe needs and the world does not hold, as its caller in the transaction of `db`: a document whose passages are in,
    a hold that holds."""
    if ":open_hold" in RECIPES[name][1].values():
        try:
            with db.connection.transaction():
                return {"open_hold": UUID(db.rpc("set_legal_hold", org_id=world.acme.id, reason="a case", user_id=world.nobody.user_id)["hold_id"])}
        except psycopg.errors.InsufficientPrivilege:
            return {}  # what acts for a person sets none
    if ":loaded_document" not in RECIPES[name][1].values():
        return {}
    base = {"org_id": world.acme.id, "knowledge_base_id": world.acme.ids["knowledge_base"]}
    made = UUID(db.rpc("begin_document", **base, title="Loaded", uri="test:loaded", sha256="1" * 64)["document_id"])
    db.rpc("add_chunks", org_id=world.acme.id, document_id=made,
           chunks=[{"position": 0, "content": "x", "start_char": 0, "end_char": 1, "embedding": embedding(0)}])
    return {"loaded_document": made}


def caller(world: World, name: str) -> Person:
    """Return the person of acme with whom the recipe works: a member, or the guest."""
    return (world.acme.people | {"guest": world.acme.guest})[RECIPES[name][0]]


def arguments(db: Request, world: World, name: str) -> dict[str, Any]:
    """Return the arguments with which the function works for its caller, whose request `db` is."""
    return filled(RECIPES[name][1], own_ids(world) | made_first(db, world, name))


def filled(arguments: dict[str, Any], ids: dict[str, Any]) -> dict[str, Any]:
    """The arguments with every placeholder, in texts, lists and objects, replaced by its id."""
    return {name: _filled(value, ids) for name, value in arguments.items()}


def _filled(value: Any, ids: dict[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith(":"):
        return re.sub(r":([a-z_]+)", lambda m: str(ids[m[1]]), value)
    if isinstance(value, list):
        return [_filled(v, ids) for v in value]
    if isinstance(value, dict):
        return {k: _filled(v, ids) for k, v in value.items()}
    return value


class _Names(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        self[name] = ""
        return ""


def placeholders() -> list[str]:
    """Every name the recipes use."""
    names = _Names()
    for _, arguments in RECIPES.values():
        filled(arguments, names)
    return sorted(names)
