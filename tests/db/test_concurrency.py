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
READS = ("list_members", "list_roles", "list_teams", "list_organization_bots", "list_knowledge_bases", "list_conversations", "list_audit_events",
         "organization_settings", "my_orders")


def test_under_load_nobody_gets_anything_of_another_organization_R48(world: World) -> None:
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
                with request("", person.claims(**second_factor()), connection=connection) as db:
                    answer = str(db.rpc(name, org_id=own.id))
                    canaries = [other.canary, str(other.id), *(str(p.user_id) for p in other.people.values())]
                    leaks.extend(f"{name} as {person.email}: {c}" for c in canaries if c in answer)
                outcome = "with its own canary" if own.canary in answer or str(own.id) in answer else "without"
            except psycopg.errors.QueryCanceled:
                # A cancel may come as late as the request's last words: it is told once, as cancelled.
                outcome = "cancelled"
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
                list(workers.map(one, range(RESPONSES)))
        finally:
            done.set()
            canceller.join()
    assert leaks == []
    assert sum(told.values()) == RESPONSES and told["with its own canary"] > RESPONSES / 4, told
