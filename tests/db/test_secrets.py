"""Sealed secrets in the database: who gets which box, that none opens elsewhere, and a rotation while requests go on (F73, F37)."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from agent.cli.secret_keys import rewrap_all
from agent.sealing import Keyring, NotOpened, Sealed, new_key
from tests.db.session import Person, Request, second_factor
from tests.db.world import World

OLD, NEW = Keyring.parse([new_key("old")], "test"), Keyring.parse([new_key("new")], "test")
BOTH = Keyring({**OLD.keys, **NEW.keys})
NEW_FIRST = Keyring({**NEW.keys, **OLD.keys})


def put(world: World, person: Person, name: str, value: bytes, ring: Keyring = OLD, *, own: bool = False, row: UUID | None = None) -> UUID:
    row = row or uuid4()
    sealed = ring.seal(world.acme.id, row, value)
    with world.as_(person, keep=True, **second_factor()) as db:
        db.rpc("put_secret", org_id=world.acme.id, secret_id=row, purpose="connector", name=name, own=own, key_id=sealed.key_id,
               ciphertext=base64.b64encode(sealed.ciphertext).decode(), wrapped_key=base64.b64encode(sealed.wrapped_key).decode())
    return row


def read(db: Request, world: World, name: str, ring: Keyring) -> bytes:
    kept = db.rpc("read_sealed_secret", org_id=world.acme.id, purpose="connector", name=name)
    return ring.open(world.acme.id, UUID(kept["secret_id"]), Sealed(base64.b64decode(kept["ciphertext"]), base64.b64decode(kept["wrapped_key"]), kept["key_id"]))


@pytest.fixture
def job_url(cluster: Any, own_world: World) -> str:
    return str(cluster.url("ringfence_worker", own_world.superuser_url.rsplit("/", 1)[1].partition("?")[0]))


def test_one_gets_ones_own_before_the_organizations_and_nobody_elses_F37(own_world: World) -> None:
    world, people = own_world, own_world.acme.people
    put(world, people["owner"], "shop", b"the organization's")
    put(world, people["customer"], "shop", b"mine", own=True)
    for name, expected in (("customer", b"mine"), ("builder", b"the organization's"), ("auditor", b"the organization's")):
        with world.as_(people[name]) as db:
            assert read(db, world, "shop", OLD) == expected
    with world.as_(people["customer"]) as db:
        assert [s["own"] for s in db.rpc("list_secrets", org_id=world.acme.id) if s["name"] == "shop"] == [True, False]
    for stranger in (world.globex.people["owner"], world.nobody, world.removed):
        with world.as_(stranger) as db:
            assert db.rpc_error("read_sealed_secret", org_id=world.acme.id, purpose="connector", name="shop").sqlstate == "PT404"
            assert db.all("select * from app.secret where org_id = %s", world.acme.id) == []


def test_only_organization_manage_sets_and_deletes_the_organizations_and_each_their_own_F73(own_world: World) -> None:
    world, people = own_world, own_world.acme.people
    row = put(world, people["owner"], "shop", b"x")
    for name in ("admin", "builder", "customer"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"organization\.manage"):
            put(world, people[name], "shop", b"y")
        with world.as_(people[name], **second_factor()) as db:
            assert db.rpc_error("delete_secret", org_id=world.acme.id, secret_id=row).sqlstate == "PT404"
    own = put(world, people["customer"], "mine", b"z", own=True)
    with world.as_(people["owner"], **second_factor()) as db:
        assert db.rpc_error("delete_secret", org_id=world.acme.id, secret_id=own).sqlstate == "PT404", "not even an owner takes somebody's own"
        db.rpc("delete_secret", org_id=world.acme.id, secret_id=row)


def test_a_box_copied_into_another_row_does_not_open_there_F73(own_world: World) -> None:
    world = own_world
    first, second = put(world, world.acme.people["owner"], "first", b"one"), put(world, world.acme.people["owner"], "second", b"two")
    with world.operator(keep=True) as db:
        db.run("update app.secret t set ciphertext = f.ciphertext, wrapped_key = f.wrapped_key from app.secret f where f.id = %s and t.id = %s", first, second)
    with world.as_(world.acme.people["customer"]) as db:
        assert read(db, world, "first", OLD) == b"one"
        with pytest.raises(NotOpened):
            read(db, world, "second", OLD)


def test_neither_the_jobs_nor_the_database_can_open_a_secret_F73(own_world: World, job_url: str) -> None:
    """The rotation sees wrapped keys and no secret; whoever reads the rows has no key."""
    world = own_world
    put(world, world.acme.people["owner"], "shop", b"swordfish")
    with psycopg.connect(job_url, autocommit=True) as connection:
        cursor = connection.execute("select * from authz.wrapped_keys('none', null, 100)")
        assert [c.name for c in cursor.description or ()] == ["org_id", "id", "wrapped_key", "key_id"]
        for statement in ("select ciphertext from app.secret", "update app.secret set key_id = 'x'", "delete from app.secret"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    with world.operator() as db:
        assert "swordfish" not in str(db.all("select encode(ciphertext, 'escape'), encode(wrapped_key, 'escape'), t::text from app.secret t"))
    with world.as_(world.acme.people["owner"]) as db:
        for name in ("wrapped_keys('x', null, 1)", "rewrap_key(gen_random_uuid(), gen_random_uuid(), '', '', 'x')", "secret_keys()"):
            assert "permission denied for function" in str(db.error(f"select * from authz.{name}"))


def rotating(job_url: str, work: Callable[[psycopg.Connection[Any]], None]) -> None:
    with psycopg.connect(job_url, autocommit=True) as connection:
        work(connection)


def test_a_rotation_fails_no_request_stops_and_goes_on_and_is_in_the_trail_F73(own_world: World, job_url: str) -> None:
    world, people = own_world, own_world.acme.people
    for n in range(30):
        put(world, people["owner"], f"shop-{n}", f"value {n}".encode())
    failed: list[BaseException] = []
    served = [0]
    stop = threading.Event()

    def requests() -> None:
        n = 0
        while not stop.is_set():
            n = (n + 1) % 30
            try:
                with world.as_(people["customer"]) as db:
                    assert read(db, world, f"shop-{n}", BOTH) == f"value {n}".encode()
                served[0] += 1
            except BaseException as error:  # noqa: BLE001 -- whatever a request fails with is what this test looks for
                failed.append(error)
                return

    threads = [threading.Thread(target=requests) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        def part(connection: psycopg.Connection[Any]) -> None:
            rows = connection.execute("select org_id, id, wrapped_key, key_id from authz.wrapped_keys('new', null, 1000) where key_id = 'old' limit 10").fetchall()
            for org_id, row_id, wrapped, key_id in rows:
                again, first = NEW_FIRST.rewrap(org_id, row_id, wrapped, key_id)
                assert connection.execute("select authz.rewrap_key(%s, %s, %s, %s, %s)", [org_id, row_id, wrapped, again, first]).fetchone() == (True,)

        rotating(job_url, part)  # and stops there
        put(world, people["owner"], "shop-3", b"value 3", NEW_FIRST)  # somebody sets one meanwhile
        while served[0] < 60 and not failed:
            pass
        told: list[tuple[int, list[str]]] = []
        for _ in range(2):
            rotating(job_url, lambda connection: told.append(rewrap_all(connection, NEW_FIRST)))
        # The boxes of the world were sealed by no key there is: they stop nothing, and are named.
        assert told[0][0] >= 19 and told[1][0] == 0 and len(told[1][1]) == world.rows("secret", "key_id = 'first'") > 0
        done = served[0]
        while served[0] < done + 30 and not failed:
            pass
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failed == [] and served[0] >= 90
    with psycopg.connect(job_url) as connection:
        counts = {key: count for key, count, _ in connection.execute("select * from authz.secret_keys()").fetchall()}
    assert "old" not in counts and counts["new"] >= 30
    with world.as_(people["customer"]) as db:
        assert read(db, world, "shop-7", NEW) == b"value 7", "the old key is not needed any more"
    with world.operator() as db:
        assert db.one("select count(*) from app.audit_event where action = 'secret.update' and actor_kind = 'operator' and changed @> '{key_id,wrapped_key}'") >= 29


def test_a_wrapping_that_changed_meanwhile_is_left_as_it_is_F73(own_world: World, job_url: str) -> None:
    world = own_world
    row = put(world, world.acme.people["owner"], "shop", b"before")
    with psycopg.connect(job_url, autocommit=True) as connection:
        org_id, row_id, wrapped, key_id = next(r for r in connection.execute("select * from authz.wrapped_keys('new', null, 1000)").fetchall() if r[1] == row)
        put(world, world.acme.people["owner"], "shop", b"after", row=row)
        again, first = NEW_FIRST.rewrap(org_id, row_id, wrapped, key_id)
        assert connection.execute("select authz.rewrap_key(%s, %s, %s, %s, %s)", [org_id, row_id, wrapped, again, first]).fetchone() == (False,)
    with world.as_(world.acme.people["customer"]) as db:
        assert read(db, world, "shop", OLD) == b"after"
