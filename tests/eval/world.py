"""Put the evaluation set into a running stack, as the people themselves, in two organizations of its own."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from agent.cli.client import EdgeClient
from agent.cli.embedding import configured_embedder
from agent.cli.errors import CliError
from agent.cli.members import join
from agent.cli.people import INSTRUCTIONS, TOOLS
from agent.embedding import Embedder
from agent.ingest import ingest
from agent.rpc import Rpc
from agent.tracing import Spans
from tests.eval import texts
from tests.eval.questions import ORGANIZATIONS, Part, load

BASE, BOT = "library", "librarian"


@dataclass(frozen=True, slots=True)
class Home:
    """One organization of the set in a stack, and the door through which its questions are asked."""

    part: Part
    org_id: str
    bot: str
    asker: Rpc
    """A member who may read the documents and their own orders, nothing else."""
    documents: dict[str, str]
    """Name by id, as the owner sees them."""
    orders: frozenset[str]
    """Ids of the asker's own."""

    def may_show(self, row: dict[str, Any]) -> bool:
        """Return whether a row that a tool returned is the asker's to see; a ticket is what the asker has just written."""
        if "document_id" in row:
            return row["document_id"] in self.documents
        return "order_number" not in row or row["id"] in self.orders


@asynccontextmanager
async def homes(stack: dict[str, Any]) -> AsyncIterator[tuple[list[Home], Embedder]]:
    """Yield both organizations, made new and filled, and the embedder they were filled with."""
    async with configured_embedder() as embedder, EdgeClient(stack["url"], stack["publishable_key"]) as client:
        # A name of its own: the set can be put into the same stack again.
        tail = secrets.token_hex(4)
        yield [await _home(client, embedder, load(name), f"{name}-{tail}") for name in ORGANIZATIONS], embedder


async def _home(client: EdgeClient, embedder: Embedder, part: Part, slug: str) -> Home:
    people = {who: await Staying.new(client, f"{who}@{slug}.test") for who in ("owner", "asker", "colleague")}
    owner = people["owner"]
    org_id = str((await owner.call("create_organization", {"slug": slug, "name": slug}))["id"])
    for who in ("asker", "colleague"):
        await join(owner, people[who], org_id, f"{who}@{slug}.test", "member")
    base = (await owner.call("create_knowledge_base", {"org_id": org_id, "slug": BASE, "name": BASE}))["id"]
    bot = (await owner.call("create_bot", {"org_id": org_id, "slug": BOT, "name": BOT, "instructions": INSTRUCTIONS}))["id"]
    await owner.call("share_bot", {"org_id": org_id, "bot_id": bot})
    for reach in ({"knowledge_base_id": base}, *({"tool": tool} for tool in TOOLS)):
        await owner.call("bind_bot", {"org_id": org_id, "bot_id": bot, **reach})
    for order in part.orders:
        await people[order["customer"]].call("place_order", {"org_id": org_id} | {k: v for k, v in order.items() if k != "customer"})
    documents = {}
    for name in part.documents:
        text = texts.read(name)
        done = await ingest(owner, embedder, org_id=org_id, knowledge_base_id=base, title=text.title, uri=text.uri, text=text.text)
        documents[done.document_id] = name
    mine = await people["asker"].call("my_orders", {"org_id": org_id})
    return Home(part, org_id, f"{slug}/{BOT}", people["asker"], documents, frozenset(row["id"] for row in mine))


AGAIN_S = 1200.0
"""Seconds after which a person signs in again: a model on this machine takes longer for the set than a token holds."""


class Staying(Rpc):
    """One person for hours, from sign-up on."""

    __slots__ = ("_account", "_client", "_inner", "_since")

    def __init__(self, client: EdgeClient, account: tuple[str, str], token: str) -> None:
        """`account`: e-mail address and password."""
        self._client, self._account, self._inner, self._since = client, account, client.as_person(token), time.monotonic()

    @classmethod
    async def new(cls, client: EdgeClient, email: str) -> Self:
        """Sign somebody up. Raises: CliError."""
        account = email, secrets.token_urlsafe(12)
        answer = await client.sign_up(*account)
        if answer.status != 200:
            raise CliError(f"{email} cannot sign up: {answer.body}")
        return cls(client, account, str(answer.body["access_token"]))

    @property
    def spans(self) -> Spans:
        return self._inner.spans

    async def call(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
        """As `Rpc.call`. Raises: CliError too, when signing in again fails."""
        if time.monotonic() - self._since > AGAIN_S:
            self._inner, self._since = self._client.as_person(await self._client.sign_in(*self._account)), time.monotonic()
        return await self._inner.call(name, arguments)
