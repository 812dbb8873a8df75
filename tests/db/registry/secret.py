"""Sealed secrets of connectors and providers."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    from tests.db.session import Request
    from tests.db.world import Organization

_BOX, _KEY = base64.b64encode(bytes(40)).decode(), base64.b64encode(bytes(60)).decode()
_MANAGES = "(t.user_id = :me or t.user_id is null and can(organization.manage))"

TABLES: dict[str, Decision] = {
    "secret": Decision(
        "t.user_id = :me or t.user_id is null and (can(organization.manage) or can(bots.run))", insert="can(organization.manage)", update=_MANAGES, delete=_MANAGES,
        change="key_id = 'probe'", in_person=True, scope=frozenset({"bots.run"}),
        new={"org_id": ":org", "id": "gen_random_uuid()", "purpose": "'connector'", "name": "'probe'", "ciphertext": r"decode(repeat('00', 40), 'hex')",
             "wrapped_key": r"decode(repeat('00', 60), 'hex')", "key_id": "'probe'"}),
}

RECIPES: dict[str, Recipe] = {
    "put_secret": ("owner", {"org_id": ":org", "secret_id": ":fresh_secret", "purpose": "provider", "name": "models", "ciphertext": _BOX, "wrapped_key": _KEY,
                             "key_id": "first", "own": False}),
    "read_sealed_secret": ("customer", {"org_id": ":org", "purpose": "connector", "name": "shop"}),
    "list_secrets": ("owner", {"org_id": ":org"}),
    "delete_secret": ("owner", {"org_id": ":org", "secret_id": ":secret"}),
}

EVENTS: dict[str, list[str]] = {"put_secret": ["secret.insert"], "delete_secret": ["secret.delete"]}

# Whoever seals chooses it: what is sealed is bound to it.
CHOSEN = {("put_secret", "secret_id")}


def fill(db: Request, organization: Organization) -> None:
    """A secret of the organization and one of its owner's own: boxes of zeros, which the database does not open."""
    organization.ids["secret"], organization.ids["fresh_secret"] = uuid4(), uuid4()
    for row, own in ((organization.ids["secret"], False), (uuid4(), True)):
        UUID(db.rpc("put_secret", org_id=organization.id, secret_id=row, purpose="connector", name="shop", ciphertext=_BOX, wrapped_key=_KEY, key_id="first", own=own)["secret_id"])
