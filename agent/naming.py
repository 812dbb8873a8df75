"""What people write for a thing, into its id: the id itself, or the slug where it means one thing only.

Slugs are not unique across organizations (R51), and anybody may found one of any slug: of two with the same no guess is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from agent.errors import Conflict, NotVisible

if TYPE_CHECKING:
    from agent.rpc import Rpc


def id_of(name: str, rows: Iterable[dict[str, Any]]) -> str | None:
    """Return the id of the row of that id, or else of that slug; None: there is none. Raises: Conflict."""
    found = {str(row["id"]): str(row["slug"]) for row in rows}
    if name in found:
        return name
    called = [one for one, slug in found.items() if slug == name]
    if len(called) > 1:
        raise Conflict(f"more than one is called {name}: give the id instead")
    return called[0] if called else None


async def organization_id(rpc: Rpc, name: str) -> str:
    """Return the id of one of the person's organizations. Raises: NotVisible, Conflict."""
    orgs = (await rpc.call("whoami"))["organizations"]
    found = id_of(name, orgs)
    if found is None:
        raise NotVisible(f"no organization {name!r} of yours; yours: {_slugs(orgs)}")
    return found


async def knowledge_base_ids(rpc: Rpc, name: str) -> tuple[str, str]:
    """Return the ids of organization and knowledge base of `organization/base`. Raises: NotVisible, Conflict."""
    org, _, base = name.partition("/")
    org_id = await organization_id(rpc, org)
    bases = await rpc.call("list_knowledge_bases", {"org_id": org_id})
    found = id_of(base, bases)
    if found is None:
        raise NotVisible(f"{org} has no knowledge base {base!r}; those you may see: {_slugs(bases)}")
    return org_id, found


def _slugs(rows: Iterable[dict[str, Any]]) -> str:
    return ", ".join(sorted({str(row["slug"]) for row in rows})) or "none"
