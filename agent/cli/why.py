"""`ringfence why`: why somebody can or cannot reach something, as row security itself would say it."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from agent.cli.errors import CliError
from agent.cli.login import call_as
from agent.cli.options import DEFAULT_STATE_DIR, AsEmail, AsJson, StateDir, target
from agent.errors import NotVisible
from agent.naming import id_of, organization_id

if TYPE_CHECKING:
    from agent.rpc import Rpc

MARKS = {True: "yes", False: "no", None: "unknown"}
LISTS = {"bot": "list_organization_bots", "knowledge_base": "list_knowledge_bases"}
"""What may be named by its slug, and the function that lists it."""
KINDS = ("document", "knowledge_base", "bot", "order", "ticket", "conversation", "run")


class Action(StrEnum):
    """What somebody would do with it."""

    read = "read"
    change = "change"
    delete = "delete"
    run = "run"


def why(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Whose access: your own address, or that of a member you manage.")],
    thing: Annotated[str, typer.Argument(metavar="OBJECT", help="ORG/KIND/ID; KIND is document, knowledge_base, bot, order, ticket, conversation or run. "
                                         "A bot or a knowledge base also by its slug: acme/bot/helpdesk.")],
    action: Annotated[Action, typer.Option("--action", help="read, change, delete; of a bot also run.")] = Action.read,
    as_json: AsJson = False,
    as_email: AsEmail = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Say why somebody can or cannot reach an object: policy by policy, with the role, grant or rule that decided."""
    organization, kind, name = parts(thing)

    async def call(rpc: Rpc) -> Any:
        org_id = await organization_id(rpc, organization)
        whose = await member(rpc, org_id, email)
        return await rpc.call("explain_access", {
            "org_id": org_id, "kind": kind, "object_id": await object_id(rpc, org_id, kind, name), "action": action.value} | whose)

    told = call_as(target(state_dir), as_email, call)
    typer.echo(json.dumps(told, indent=2) if as_json else "\n".join(lines(told, email)))


def parts(thing: str) -> tuple[str, str, str]:
    """Return organization, kind and name of `ORG/KIND/ID`. Raises: CliError."""
    match thing.split("/"):
        case [_, kind, name] if kind and name and kind not in KINDS:
            raise CliError(f"{kind}: no such kind; it is one of {', '.join(KINDS)}")
        case [organization, kind, name] if organization and kind and name:
            return organization, kind, name
    raise CliError(f"{thing}: write ORG/KIND/ID, for example acme/bot/helpdesk")


async def member(rpc: Rpc, org_id: str, email: str) -> dict[str, str]:
    """Return the argument that names the member of this address or id; none for oneself. Raises: NotVisible."""
    for one in await rpc.call("list_members", {"org_id": org_id}):
        if email.lower() in (one["email"], one["user_id"]):
            me = (await rpc.call("whoami"))["user_id"]
            return {} if one["user_id"] == me else {"user_id": str(one["user_id"])}
    raise NotVisible(f"no member {email} that you may see in this organization")


async def object_id(rpc: Rpc, org_id: str, kind: str, name: str) -> str:
    """Return the id that was written, or the one of the slug. Raises: CliError, Conflict."""
    try:
        return str(UUID(name))
    except ValueError:
        pass
    if kind not in LISTS:
        raise CliError(f"{name}: a {kind} is named by its id")
    listed = await rpc.call(LISTS[kind], {"org_id": org_id})
    found = id_of(name, [{"id": one["id"], "slug": one.get("slug") or one["bot"]} for one in listed])
    if found is None:
        raise NotVisible(f"no {kind} {name!r} that you may see")
    return found


def lines(told: dict[str, Any], email: str) -> list[str]:
    """Return the explanation for a reader: the verdict, what decided, then every policy with its clauses."""
    made = [f"{email} · {told['action']} {told['kind']} {told['id']}: {told['verdict']}"]
    made += [f"  because {one['policy']}: {one['clause']}{_found(one)}" for one in told["decided_by"]]
    for policy in told["policies"]:
        kind = "restrictive policy" if policy["restrictive"] else "policy"
        made.append(f"{kind if ' ' not in policy['policy'] else ''} {policy['policy']}: {MARKS[policy['holds']]}".strip())
        made += [f"  {one['need']}  {MARKS[one['holds']]:<8}{one['clause']}{_found(one)}" for one in policy["clauses"]]
    return made


def _found(clause: dict[str, Any]) -> str:
    found = clause.get("found") or {}
    said = [f"role {found['role']}"] if found.get("role") else []
    said += [f"grant {g['id']} ({g['level']}, {g['with']})" for g in found.get("grants", ())]
    said += [f"rule {r['id']} ({r['reason']})" for r in found.get("rules", ())]
    return f"  [{'; '.join(said)}]" if said else ""
