"""What the function of a trigger does, asks and refuses where nothing else does, one condition at a time (R10, R49).

The other triggers of the table are off, the policies of the tables it looks at let everything through, and globex has rows with the ids of acme's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.db.matrix import bindings, become, fill, personas
from tests.db.mirrored import image, image_first
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request, second_factor
from tests.db.triggers import CASES, Fires
from tests.db.world import World

_OF = "select tgname, tgfoid = %s::regproc from pg_trigger where tgrelid = %s::regclass and not tgisinternal"


def left(db: Request, case: Fires) -> None:
    """Switch off all triggers of the table but those of the function."""
    function, table = case.trigger.split(" on ")
    kept = [(name, is_it) for name, is_it in db.all(_OF, function, table)]
    assert any(is_it for _, is_it in kept), "no trigger of this function on this table"
    for name, is_it in kept:
        if not is_it:
            db.run(f"alter table {table} disable trigger {name}")


def opened(db: Request, table: str) -> None:
    """Let everybody see and change every row."""
    for (name,) in db.all("select polname from pg_policy where polrelid = %s::regclass", table):
        db.run(f"drop policy {name} on {table}")
    db.run(f"create policy opened on {table} using (true) with check (true)")
    db.run(f"grant select, insert, update, delete on {table} to authenticated, ringfence_owner")


def of_globex(db: Request, world: World, case: Fires) -> dict[str, Any]:
    """The rows of globex in the tables of which it is an image."""
    return {t: db.all(f"select t::text from {t} t where t.{'id' if t == 'app.organization' else 'org_id'} = %s order by 1", world.globex.id) for t in case.image}


@contextmanager
def acting(world: World, case: Fires) -> Iterator[tuple[Request, dict[str, Any]]]:
    """A session of who acts in the case, all set; and the ids that its statements name."""
    with world.operator() as db:
        ids = bindings(world.acme, db) | {"globex": world.globex.id, "both": world.both.user_id, "guest": world.acme.guest.user_id}
        left(db, case)
        for table in case.opened:
            opened(db, table)
        db.run(REPLICA)
        planted = [fill(statement, ids) for statement in case.planted]
        imaged = [s for s in image(db, world).split("; ") if re.match(rf"(?:delete from|insert into) (?:{'|'.join(map(re.escape, case.image))}) ", s)] if case.image else []
        for statement in (*planted, *imaged) if case.late else (*imaged, *planted):
            db.run(statement)
        image_first(db, world, [t for t in case.image if t != "app.organization"])
        db.run(ORIGIN)
        before = of_globex(db, world, case)
        if case.who:
            person = personas(world)[case.who]
            become(db, person.person, case.role or "authenticated", **person.claims, **(second_factor() if case.factor else {}))
        elif case.role:
            become(db, None, case.role)
        yield db, ids
        db.run("select set_config('role', 'none', true)")
        assert of_globex(db, world, case) == before, "rows of the other organization were touched"


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_trigger_alone_does_what_it_says_R10_R49(world: World, case: Fires) -> None:
    with acting(world, case) as (db, ids):
        if case.refused:
            error = db.error(fill(case.act, ids))
            sqlstate, _, words = case.refused.partition(" ")
            assert (error.sqlstate, words in str(error)) == (sqlstate, True), str(error)
            return
        try:
            db.run(fill(case.act, ids))
        except psycopg.Error as error:
            raise AssertionError(f"refused: {error}") from error
        db.run("select set_config('role', 'none', true)")
        assert db.one(f"select {fill(case.then, ids)}") is True
