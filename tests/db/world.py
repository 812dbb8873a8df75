"""Two organizations with people of every role and rows in every table, made through the RPCs people use.

Every test that looks for a leak looks into this world, so it must not be empty: `World.rows` counts what the superuser sees.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from tests.db import registry
from tests.db.registry.recipe import embedding
from tests.db.session import Person, Request, request, second_factor

ROLES = ("owner", "admin", "builder", "analyst", "agent", "member", "auditor")


@dataclass
class Organization:
    """What the tests need to name."""

    id: UUID
    slug: str
    people: dict[str, Person]
    """By role; `customer` is a second member, `private` documents belong to the owner."""
    guest: Person
    """Somebody who is invited and has not accepted."""
    ids: dict[str, Any] = field(default_factory=dict)
    """Identifiers, and the secrets that stand for one."""
    canary: str = ""
    """A word that stands in every text of this organization and nowhere else."""
    bindings: dict[str, Any] | None = None
    """What `matrix.bindings` read, once asked."""


@dataclass
class World:
    """A database and who is in it."""

    superuser_url: str
    authenticator_url: str
    acme: Organization
    globex: Organization
    both: Person
    """builder in acme, member in globex"""
    removed: Person
    """was a member of acme"""
    nobody: Person

    @contextmanager
    def as_(self, person: Person, *, keep: bool = False, **claims: Any) -> Iterator[Request]:
        """A request of this person; `claims` add to or replace what the token says."""
        with request(self.authenticator_url, person.claims(**claims), keep=keep) as made:
            yield made

    @contextmanager
    def operator(self, *, keep: bool = False) -> Iterator[Request]:
        """A session of the superuser: for counting what is really there, and for planting."""
        with psycopg.connect(self.superuser_url) as connection:
            yield Request(connection)
            if not keep:
                connection.rollback()

    def join(self, organization: Organization, person: Person, role: str) -> None:
        """Have its owner invite somebody, who accepts."""
        join(self.authenticator_url, organization.people["owner"], organization.id, person, role)

    def belongs_too(self, person: Person, like: str = "owner") -> str:
        """The statement, for an operator without triggers, by which somebody of acme belongs to globex with the rights of this person of theirs."""
        return (f"insert into app.membership (org_id, user_id, role_id, permissions) select m.org_id, '{person.user_id}', m.role_id, m.permissions from app.membership m"
                f" where m.org_id = '{self.globex.id}' and m.user_id = '{self.globex.people[like].user_id}'")

    def rows(self, table: str, where: str = "true") -> int:
        with self.operator() as db:
            return int(db.one(f"select count(*) from app.{table} where {where}"))


def make_person(superuser_url: str, email: str) -> Person:
    """Insert a user and a live session, as Supabase Auth does at sign-in."""
    person = Person(email)
    with psycopg.connect(superuser_url) as connection:
        connection.execute(
            "insert into auth.users (id, email, email_confirmed_at, aud, role) values (%s, %s, now(), 'authenticated', 'authenticated')",
            [person.user_id, email],
        )
        connection.execute("insert into auth.sessions (id, user_id) values (%s, %s)", [person.session_id, person.user_id])
        connection.execute("insert into auth.sessions (id, user_id, created_at) values (%s, %s, now() + interval '1 day')",
                           [person.token_session_id, person.user_id])
    return person


def join(authenticator_url: str, owner: Person, org_id: UUID, person: Person, role: str) -> None:
    """Have an owner invite somebody, who accepts."""
    with request(authenticator_url, owner.claims(**second_factor()), keep=True) as db:
        token = db.rpc("create_invitation", org_id=org_id, email=person.email, role=role)["token"]
    with request(authenticator_url, person.claims(**second_factor()), keep=True) as db:
        db.rpc("accept_invitation", token=token)


def build(superuser_url: str, authenticator_url: str) -> World:
    """Fill a fresh database."""
    acme = _organization(superuser_url, authenticator_url, "acme", "aardvark")
    globex = _organization(superuser_url, authenticator_url, "globex", "gazelle")
    world = World(
        superuser_url, authenticator_url, acme, globex,
        both=make_person(superuser_url, "both@example.test"),
        removed=make_person(superuser_url, "removed@acme.test"),
        nobody=make_person(superuser_url, "nobody@example.test"),
    )
    for organization, person, role in ((acme, world.both, "builder"), (acme, world.removed, "member"), (globex, world.both, "member")):
        world.join(organization, person, role)
    with world.as_(acme.people["owner"], keep=True) as db:
        db.rpc("remove_member", org_id=acme.id, user_id=world.removed.user_id)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("analyze")
    return world


def _left_behind(superuser_url: str, url: str, made: Organization) -> UUID:
    """The private document of somebody who was a builder and left."""
    person = make_person(superuser_url, f"left@{made.slug}.test")
    join(url, made.people["owner"], made.id, person, "builder")
    with request(url, person.claims(), keep=True) as db:
        document = add_document(db, made, "knowledge_base", f"left-{made.slug}", 1, visibility="private")
        db.rpc("leave_organization", org_id=made.id)
    return document


def _organization(superuser_url: str, url: str, slug: str, canary: str) -> Organization:
    people = {role: make_person(superuser_url, f"{role}@{slug}.test") for role in (*ROLES, "customer")}
    with request(url, people["owner"].claims(), keep=True) as db:
        made = Organization(UUID(db.rpc("create_organization", slug=slug, name=f"{slug} {canary}")["id"]), slug, people,
                            make_person(superuser_url, f"guest@{slug}.test"), canary=canary)
    for role, person in people.items():
        if role != "owner":
            join(url, people["owner"], made.id, person, "member" if role == "customer" else role)
    with request(url, people["owner"].claims(), keep=True) as db:
        ids = made.ids
        ids["knowledge_base"] = UUID(db.rpc("create_knowledge_base", org_id=made.id, slug="manual", name=f"Manual {canary}")["id"])
        ids["other_base"] = UUID(db.rpc("create_knowledge_base", org_id=made.id, slug="unbound", name=f"Unbound {canary}")["id"])
        ids["bot"] = UUID(db.rpc("create_bot", org_id=made.id, slug="helpdesk", name=f"Help {canary}", instructions=f"Help the {canary}.")["id"])
        ids["hidden_bot"] = UUID(db.rpc("create_bot", org_id=made.id, slug="hidden", name=f"Hidden {canary}")["id"])
        db.rpc("share_bot", org_id=made.id, bot_id=ids["bot"])
        db.rpc("share_bot", org_id=made.id, bot_id=ids["hidden_bot"], role="admin")
        db.rpc("bind_bot", org_id=made.id, bot_id=ids["bot"], knowledge_base_id=ids["knowledge_base"])
        for tool in ("search_documents", "my_orders", "get_order", "create_ticket"):
            db.rpc("bind_bot", org_id=made.id, bot_id=ids["bot"], tool=tool)
        ids["document"] = add_document(db, made, "knowledge_base", f"manual-{slug}", 3)
        ids["private_document"] = add_document(db, made, "knowledge_base", f"private-{slug}", 2, visibility="private")
        ids["unbound_document"] = add_document(db, made, "other_base", f"unbound-{slug}", 2)
        ids["loading_document"] = UUID(db.rpc("begin_document", org_id=made.id, knowledge_base_id=ids["knowledge_base"], title=f"Loading {canary}",
                                              uri="test:loading", sha256="0" * 64)["document_id"])
        ids["owner_order"] = UUID(db.rpc("place_order", org_id=made.id, order_number="ORD-1000", total_cents=100, currency="EUR",
                                         items=[{"name": canary, "quantity": 1}])["id"])
    ids["left_document"] = _left_behind(superuser_url, url, made)
    with request(url, people["customer"].claims(), keep=True) as db:
        ids["order"] = UUID(db.rpc("place_order", org_id=made.id, order_number="ORD-2000", total_cents=200, currency="EUR",
                                   items=[{"name": canary, "quantity": 2}])["id"])
        ids["ticket"] = UUID(db.rpc("create_ticket", org_id=made.id, subject=f"About {canary}", body=canary, order_number="ORD-2000")["id"])
        started = db.rpc("start_run", bot=f"{slug}/helpdesk", question=f"What of the {canary}?")
        ids["run"], ids["conversation"] = UUID(started["run_id"]), UUID(started["conversation_id"])
        found = db.rpc("call_tool", run_id=ids["run"], tool="search_documents", arguments={"query": canary},
                       query_embedding=json.dumps(embedding(1)))
        first = found["rows"][0]
        ids["chunk"] = UUID(first["chunk_id"])
        call = db.rpc("begin_model_call", org_id=made.id, run_id=ids["run"], model="none", provider="offline", max_tokens=10)
        db.rpc("end_model_call", call_id=call["call_id"], key=call["key"], input_tokens=1, output_tokens=1, duration_ms=1)
        db.rpc("finish_run", run_id=ids["run"], outcome="succeeded", answer=f"The {canary}.",
               citations=[{"document_id": first["document_id"], "chunk_id": first["chunk_id"]}])
        # One that ended without a word: its answer is empty, and no message.
        ids["silent_run"] = UUID(db.rpc("start_run", bot=f"{slug}/helpdesk", question="Never mind.", conversation_id=ids["conversation"])["run_id"])
        db.rpc("finish_run", run_id=ids["silent_run"], outcome="cancelled", answer="")
        running = db.rpc("start_run", bot=f"{slug}/helpdesk", question=f"And the {canary}?")
        ids["running_run"] = UUID(running["run_id"])
        open_call = db.rpc("begin_model_call", org_id=made.id, run_id=ids["running_run"], model="none", provider="offline", max_tokens=10)
        ids |= {"model_call": UUID(open_call["call_id"]), "model_call_key": open_call["key"]}
    for module in registry.MODULES:
        if hasattr(module, "fill"):
            with request(url, people["owner"].claims(**second_factor()), keep=True) as db:
                module.fill(db, made)
        if hasattr(module, "plant"):
            with psycopg.connect(superuser_url) as connection:
                module.plant(connection, made)
    return made


def add_document(db: Request, organization: Organization, base: str, name: str, chunks: int, visibility: str = "organization") -> UUID:
    """Load one document of `chunks` passages that all carry the organization's canary."""
    texts = [f"Passage {i} of {name} speaks of the {organization.canary} and of delivery within {i + 1} days." for i in range(chunks)]
    document = UUID(db.rpc(
        "begin_document", org_id=organization.id, knowledge_base_id=organization.ids[base], title=name, uri=f"test:{name}",
        sha256=hashlib.sha256("".join(texts).encode()).hexdigest(), visibility=visibility)["document_id"])
    db.rpc("add_chunks", org_id=organization.id, document_id=document, chunks=[
        {"position": i, "content": text, "start_char": 100 * i, "end_char": 100 * i + len(text), "embedding": embedding(i)}
        for i, text in enumerate(texts)])
    db.rpc("finish_document", org_id=organization.id, document_id=document)
    return document
