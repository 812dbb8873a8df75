"""Single permissive policies put to the test alone, with rows that tell their conditions apart (R10, R49)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.db.alone import CASES, Alone
from tests.db.matrix import Persona, bindings, fill, personas
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request, request
from tests.db.test_policies_alone import rule
from tests.db.world import World

COMMANDS = {"r": "select", "a": "insert", "w": "update", "d": "delete"}


@contextmanager
def left_alone(world: World, case: Alone) -> Iterator[tuple[Request, str, str, int, set[str], dict[str, Any]]]:
    """A request of the persona with one policy left; and the table, the command, how many rows there are and which are to be reached."""
    persona = (personas(world) | {"guest": Persona(world.acme.guest)})[case.persona]
    with world.operator() as db:
        ids = bindings(world.acme, db) | {"globex": world.globex.id, "me": persona.person.user_id if persona.person else None}
        found = db.all("select polrelid::regclass::text, polcmd::text, polroles[1]::regrole::text from pg_policy where polname = %s and polpermissive", case.policy)
        assert len(found) == 1, f"{len(found)} permissive policies of this name"
        table, command, role = found[0]
        assert command in COMMANDS, "a policy is for one command"
        for permission in case.also:
            db.run("insert into app.role_permission (org_id, role_id, permission) values (%s, %s, %s)", world.acme.id, ids[f"{case.persona}_role"], permission)
        for permission in case.lacking:
            db.run("delete from app.role_permission where role_id = %s and permission = %s", ids[f"{case.persona}_role"], permission)
        db.run(REPLICA)
        for statement in case.planted:
            db.run(fill(rule(statement, persona, world, db), ids))
        db.run(ORIGIN)
        for name, permissive, cmd in db.all("select polname, polpermissive, polcmd::text from pg_policy where polrelid = %s::regclass and %s::regrole = any (polroles)", table, role):
            if name != case.policy and (not permissive or cmd == command):
                db.run(f"drop policy {name} on {table}")
        if command == "w":
            # What is written must be readable too, and that is not asked here.
            db.run(f"create policy planted_select on {table} for select to {role} using (true)")
        db.run(f"alter table {table} disable trigger all")
        db.run(f"grant select, insert, update, delete on {table} to {role}")
        db.run("grant usage on schema auth to ringfence_owner")
        db.run("grant usage on schema app to ringfence_analyst")
        rows = db.all(f"select t.ctid::text, t::text, coalesce(({fill(rule(case.rule, persona, world, db), ids)}), false) from {table} t")
        db.run("set local session authorization authenticator") if role == "authenticated" else None
        with request(world.superuser_url, persona.person.claims(**persona.claims) if persona.person else None, role=role, connection=db.connection, pre_request=False) as made:
            for name, value in case.settings.items():
                db.run("select set_config(%s, %s, true)", name, fill(value, ids).strip("'").removesuffix("'::uuid"))
            yield made, table, COMMANDS[command], len(rows), {text for _, text, wanted in rows if wanted}, ids


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_permissive_policy_alone_lets_through_what_was_decided_R49(world: World, case: Alone) -> None:
    with left_alone(world, case) as (db, table, command, there, wanted, ids):
        # Of a new row nothing is there to be reached; and a rule `false` or `true` stands beside another of the same policy.
        assert command == "insert" or 0 < len(wanted) < there or case.rule in ("false", "true") and there, "some rows are reached and some are not, or nothing is shown"
        if command == "select":
            assert {text for (text,) in db.all(f"select t::text from {table} t")} == wanted
        elif command == "delete":
            assert reached(db, f"delete from {table}") == len(wanted)
        elif not (case.refused or case.passed):
            assert reached(db, f"update {table} set {CONSTANT[table]}") == len(wanted)
        for text in (statement(command, table, fill(a, ids)) for a in case.passed):
            assert reached(db, text) == len(wanted) if command == "update" else not is_refused(db, text), text
        assert [a for a in case.refused if not is_refused(db, statement(command, table, fill(a, ids)))] == []


# A column written without reading one, where the case names no assignment.
CONSTANT = {"app.role": "created_at = now()", "authz.purge_receipt": "total = 1", "app.document": "title = 'x'", "app.knowledge_base": "name = 'x'",
            "app.job_lease": "expires_at = now()"}


def statement(command: str, table: str, assignment: str) -> str:
    """Write the assignment to every row, reading none; or a new row of it."""
    if command == "update":
        return f"update {table} set {assignment}"
    pairs = [pair.split(" = ") for pair in assignment.split(", ")]
    return f"insert into {table} ({', '.join(column for column, _ in pairs)}) values ({', '.join(value for _, value in pairs)})"


def is_refused(db: Request, text: str) -> bool:
    try:
        with db.connection.transaction(force_rollback=True):
            db.run(text)
    except psycopg.errors.InsufficientPrivilege as error:
        assert "row-level security policy" in str(error), str(error)
        return True
    except psycopg.errors.IntegrityError:
        pass
    return False


def reached(db: Request, text: str) -> int:
    with db.connection.transaction(force_rollback=True):
        return db.run(text)
