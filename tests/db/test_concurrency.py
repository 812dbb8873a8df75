"""Isolation holds under load: sixteen workers, fewer connections than workers, people of both organizations in turn, random cancels (R48).

TEST_RESPONSES=10000 runs the full number; the default is a tenth of it.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
from psycopg_pool import ConnectionPool

from tests.db.session import Person, request, second_factor
from tests.db.world import Organization, World

WORKERS, CONNECTIONS = 16, 6
RESPONSES = int(os.environ.get("TEST_RESPONSES", "1000"))
READS = ("whoami", "list_members", "list_roles", "list_teams", "list_organization_bots", "list_knowledge_bases", "list_conversations", "list_audit_events",
         "organization_settings", "my_orders")


def under_load(world: World, responses: int) -> tuple[Counter[str], list[str]]:
    """Let the workers read, each request committed as PostgREST does, and return how many answers of which kind there were, and every foreign word in one."""
    sides: list[tuple[Organization, Organization]] = [(world.acme, world.globex), (world.globex, world.acme)]
    told, leaks, done = Counter[str](), list[str](), threading.Event()
    busy: dict[int, psycopg.Connection] = {}
    lock = threading.Lock()

    def one(number: int) -> None:
        chance = random.Random(number)
        own, other = chance.choice(sides)
        person: Person = chance.choice([own.people[r] for r in ("owner", "admin", "builder", "customer")])
        name = chance.choice(READS)
        with pool.connection() as connection:
            with lock:
                busy[threading.get_ident()] = connection
            try:
                with request("", person.claims(**second_factor()), connection=connection, keep=True) as db:
                    answer = str(db.rpc(name, **({} if name == "whoami" else {"org_id": own.id})))
                    canaries = [other.canary, str(other.id), *(str(p.user_id) for p in other.people.values())]
                    leaks.extend(f"{name} as {person.email}: {c}" for c in canaries if c in answer)
                outcome = "with its own canary" if own.canary in answer or str(own.id) in answer else "without"
            except psycopg.errors.QueryCanceled:
                # A cancel may come as late as the request's last words: it is told once, as cancelled.
                outcome = "cancelled"
            except psycopg.Error as error:
                outcome = f"refused: {error.sqlstate}"
            finally:
                with lock:
                    busy.pop(threading.get_ident(), None)
            with lock:
                told[outcome] += 1

    def cancels() -> None:
        chance = random.Random(0)
        while not done.wait(0.05):
            with lock:
                running = list(busy.values())
            if running:
                chance.choice(running).cancel_safe()

    with ConnectionPool(world.authenticator_url, min_size=CONNECTIONS, max_size=CONNECTIONS, timeout=120, kwargs={"autocommit": False}) as pool:
        canceller = threading.Thread(target=cancels)
        canceller.start()
        try:
            with ThreadPoolExecutor(WORKERS) as workers:
                list(workers.map(one, range(responses)))
        finally:
            done.set()
            canceller.join()
    return told, leaks


def test_under_load_nobody_gets_anything_of_another_organization_R48(own_world: World) -> None:
    told, leaks = under_load(own_world, RESPONSES)
    assert leaks == []
    assert sum(told.values()) == RESPONSES and told["with its own canary"] > RESPONSES / 4, told
    assert told.keys() <= {"with its own canary", "without", "cancelled"}, told


def test_an_identity_that_stays_on_its_connection_is_seen_under_load_R48(own_world: World) -> None:
    """A negative control: who asks is whoever asked first on the connection."""
    with own_world.operator(keep=True) as db:
        db.run("create or replace function authz.claims() returns jsonb language plpgsql stable set search_path = pg_catalog, pg_temp as $$ begin"
               " if coalesce(current_setting('ringfence.first', true), '') = '' then"
               " perform set_config('ringfence.first', current_setting('request.jwt.claims', true), false); end if;"
               " return current_setting('ringfence.first')::jsonb; end $$")
    told, leaks = under_load(own_world, 200)
    assert any(leak.startswith("whoami as ") for leak in leaks), told
