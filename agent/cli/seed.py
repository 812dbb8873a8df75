"""Fill a new stack through the edge, as the people themselves: no step here could be done with less than their own rights."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from agent.cli import corpus
from agent.cli.client import EdgeClient
from agent.cli.embedding import configured_embedder
from agent.cli.errors import CliError
from agent.cli.members import join
from agent.cli.people import ACME, GLOBEX, INSTRUCTIONS, ORGANIZATIONS, SOURCE, TOOLS, Organization, everybody
from agent.embedding import Embedder
from agent.errors import Conflict
from agent.ingest import ingest
from agent.naming import id_of
from agent.rpc import Rpc
from edge_proxy.local import tools
from edge_proxy.local.state import State
from edge_proxy.local.steps import Report, step

# Passages in all: at least 300, and few enough to embed in some twenty seconds on two cores.
README_CHUNKS, LONGEST_README = 180, 20
LICENCE_CHUNKS, LONGEST_LICENCE = 135, 22


def seed(described: dict[str, Any], state: State, report: Report = print) -> list[dict[str, Any]]:
    """Return the people with their passwords and organizations, created first where they are missing.

    Every step looks at what is there, so an interrupted run is completed by the next.
    """
    kept = state.read("users.json")
    if kept.get("complete"):
        return list(kept["users"])
    users = asyncio.run(_seed(described, state, report))
    state.write("users.json", {"complete": True, "users": users})
    return users


async def _seed(described: dict[str, Any], state: State, report: Report) -> list[dict[str, Any]]:
    async with EdgeClient(described["url"], described["publishable_key"]) as client:
        with step("people sign up", report):
            people = await _sign_up(client, state)
        with step("organizations, members, bots and orders", report):
            homes = [await _organization(client, people, one) for one in ORGANIZATIONS]
        readmes = corpus.up_to(corpus.readmes(tools.MODULES), README_CHUNKS, LONGEST_README)
        licences = corpus.up_to(corpus.licences(), LICENCE_CHUNKS, LONGEST_LICENCE)
        async with configured_embedder() as embedder:
            for one, (org_id, knowledge_base_id), texts in ((ACME, homes[0], readmes), (GLOBEX, homes[1], licences)):
                rpc = client.as_person(people[one.owner]["token"])
                with step(f"{len(texts)} documents into {one.slug}/{one.knowledge_base}", report):
                    await _documents(rpc, embedder, org_id, knowledge_base_id, texts)
        return [await _described(client, email, person) for email, person in people.items()]


async def _sign_up(client: EdgeClient, state: State) -> dict[str, dict[str, str]]:
    """Return password, user id and access token by e-mail address."""
    passwords: dict[str, str] = state.read("passwords.json")
    for email in everybody():
        passwords.setdefault(email, secrets.token_urlsafe(12))
    state.write("passwords.json", passwords)
    people = {}
    for email in everybody():
        answer = await client.sign_up(email, passwords[email])
        if answer.status == 200:
            token = str(answer.body["access_token"])
        elif answer.body.get("error_code") == "user_already_exists":
            token = await client.sign_in(email, passwords[email])
        else:
            raise CliError(f"{email} cannot sign up: {answer.body}")
        user = await client.get("/auth/v1/user", token)
        people[email] = {"password": passwords[email], "user_id": str(user.body["id"]), "token": token}
    return people


async def _organization(client: EdgeClient, people: dict[str, dict[str, str]], one: Organization) -> tuple[str, str]:
    """Create one organization with its people, bot and orders; return its id and its knowledge base's."""
    owner = client.as_person(people[one.owner]["token"])
    org_id = id_of(one.slug, (await owner.call("whoami"))["organizations"]) or (await owner.call("create_organization", {"slug": one.slug, "name": one.name}))["id"]
    present = {row["user_id"] for row in await owner.call("list_members", {"org_id": org_id})}
    for email, role in (one.members | one.removed).items():
        if people[email]["user_id"] not in present:
            await join(owner, client.as_person(people[email]["token"]), org_id, email, role)
    for email in one.removed:
        await owner.call("remove_member", {"org_id": org_id, "user_id": people[email]["user_id"]})
    bases = {row["slug"]: row["id"] for row in await owner.call("list_knowledge_bases", {"org_id": org_id})}
    base_id = bases.get(one.knowledge_base) or (await owner.call(
        "create_knowledge_base", {"org_id": org_id, "slug": one.knowledge_base, "name": f"{one.name} handbook"}))["id"]
    await _bot(owner, org_id, base_id, one)
    await _unless_there(owner.call, "create_data_source", {"org_id": org_id, **SOURCE})
    await _unless_there(owner.call, "share_data_source", {"org_id": org_id, "source": SOURCE["slug"]})
    for email, order in one.orders.items():
        await _unless_there(client.as_person(people[email]["token"]).call, "place_order", {"org_id": org_id, **order})
    return str(org_id), str(base_id)


async def _bot(owner: Rpc, org_id: str, base_id: str, one: Organization) -> None:
    """Create the bot, share it with everyone in the organization, bind it to the knowledge base and the tools."""
    bots = {row["bot"]: row["id"] for row in await owner.call("list_bots") if row["org_id"] == org_id}
    bot_id = bots.get(one.bot)
    if bot_id is None:
        made = await owner.call("create_bot", {
            "org_id": org_id, "slug": one.bot, "name": f"{one.name} help desk", "instructions": INSTRUCTIONS})
        bot_id = made["id"]
    await _unless_there(owner.call, "share_bot", {"org_id": org_id, "bot_id": bot_id})
    await _unless_there(owner.call, "bind_bot", {"org_id": org_id, "bot_id": bot_id, "knowledge_base_id": base_id})
    for tool in TOOLS:
        await _unless_there(owner.call, "bind_bot", {"org_id": org_id, "bot_id": bot_id, "tool": tool})


async def _documents(rpc: Rpc, embedder: Embedder, org_id: str, base_id: str, texts: list[corpus.Text]) -> None:
    for text in texts:
        await ingest(
            rpc, embedder, org_id=org_id, knowledge_base_id=base_id, title=text.title, uri=text.uri, text=text.text
        )


async def _described(client: EdgeClient, email: str, person: dict[str, str]) -> dict[str, Any]:
    me = await client.as_person(person["token"]).call("whoami")
    orgs = [{name: row[name] for name in ("id", "slug", "role")} for row in me["organizations"]]
    return {"email": email, "password": person["password"], "user_id": person["user_id"], "orgs": orgs}


async def _unless_there(call: Callable[..., Any], name: str, arguments: dict[str, Any]) -> None:
    try:
        await call(name, arguments)
    except Conflict:
        pass  # an earlier, interrupted run did it
