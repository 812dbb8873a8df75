"""A version of a bot never changes; a run names the one it used; no change is lost under another (F14, and the record of DESIGN.md 8)."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import psycopg
import pytest

from tests.db.matrix import become, planted
from tests.db.session import Request
from tests.db.world import World


def versions(db: Request, world: World) -> list[tuple[Any, ...]]:
    return [(v["version"], v["name"], v["instructions"]) for v in
            db.rpc("list_bot_versions", org_id=world.acme.id, bot_id=world.acme.ids["bot"])]


def test_each_change_is_a_new_version_and_the_earlier_ones_stay_F14(world: World) -> None:
    bot = {"org_id": world.acme.id, "bot_id": world.acme.ids["bot"]}
    with world.as_(world.acme.people["owner"]) as db:
        first = (1, "Help aardvark", "Help the aardvark.")
        assert versions(db, world) == [first]
        assert db.rpc("update_bot", **bot, expected_version=1, instructions="Be brief.") == {"version": 2}
        assert db.rpc("update_bot", **bot, expected_version=2, instructions="Be brief.") == {"version": 2}  # nothing changed
        assert db.rpc("update_bot", **bot, expected_version=2, name="Brief") == {"version": 3}
        assert versions(db, world) == [(3, "Brief", "Be brief."), (2, "Help aardvark", "Be brief."), first]
        got = db.rpc("get_bot", **bot)
        assert (got["version"], got["name"], got["instructions"], got["level"]) == (3, "Brief", "Be brief.", "owner")
        assert got["sha256"] == hashlib.sha256(b'["Brief", "Be brief."]').hexdigest()
        by = {v["created_by"] for v in db.rpc("list_bot_versions", **bot)}
        assert by == {world.acme.people["owner"].user_id}


def test_a_run_gets_the_text_of_the_version_it_names_and_goes_on_with_it_F14(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        run = db.rpc("start_run", bot="acme/helpdesk", question="Probe?")
        assert (run["bot"]["version"], run["bot"]["instructions"]) == (1, "Help the aardvark.")
        become(db, world.acme.people["owner"])
        db.rpc("update_bot", org_id=world.acme.id, bot_id=world.acme.ids["bot"], expected_version=1, instructions="Be brief.")
        become(db, world.acme.people["customer"])
        later = db.rpc("start_run", bot="acme/helpdesk", question="Probe?")
        assert (later["bot"]["version"], later["bot"]["instructions"]) == (2, "Be brief.")
        assert later["bot"]["sha256"] != run["bot"]["sha256"]
        assert db.all("select r.bot_version, v.instructions, v.sha256 from app.run r join app.bot_version v on (v.org_id, v.bot_id, v.version)"
                      " = (r.org_id, r.bot_id, r.bot_version) where r.id in (%s, %s) order by 1", run["run_id"], later["run_id"]) == [
            (1, "Help the aardvark.", run["bot"]["sha256"]), (2, "Be brief.", later["bot"]["sha256"])]


@pytest.mark.parametrize("version", [0, 2, 99, -1])
def test_a_run_cannot_name_a_version_there_never_was_F14(world: World, version: int) -> None:
    run = ("insert into app.run (org_id, bot_id, bot_version, conversation_id, question_sha256) values"
           f" ('{world.acme.id}', '{world.acme.ids['bot']}', %s, '{world.acme.ids['conversation']}', repeat('0', 64))")
    with world.as_(world.acme.people["customer"]) as db:
        error = db.error(run, version)
        assert (error.sqlstate, "run_bot_version_fkey" in str(error)) == ("23503", True)
        assert db.run(run, 1) == 1


@pytest.mark.parametrize("who", ["owner", "admin", "builder", "customer"])
@pytest.mark.parametrize("statement", [
    "update app.bot_version set instructions = 'x'", "delete from app.bot_version", "truncate app.bot_version",
    "insert into app.bot_version (org_id, bot_id, version, name, instructions, sha256) values ('{org}', '{bot}', 2, 'x', 'x', repeat('0', 64))",
    "merge into app.bot_version t using (select 1) s on t.org_id is not null when matched then delete",
])
def test_nobody_changes_adds_or_deletes_a_version_F14(world: World, who: str, statement: str) -> None:
    with world.as_(world.acme.people[who]) as db:
        assert db.one("select count(*) from app.bot_version") > 0
        error = db.error(statement.format(org=world.acme.id, bot=world.acme.ids["bot"]))
        assert (error.sqlstate, error.diag.message_primary) == ("42501", "permission denied for table bot_version")


def test_with_a_grant_by_mistake_the_policies_still_keep_the_versions_F14(world: World) -> None:
    with planted(world, "grant insert, update, delete on app.bot_version to authenticated") as db:
        become(db, world.acme.people["owner"])
        for statement in ("update app.bot_version set instructions = 'x'", "delete from app.bot_version"):
            assert db.run(statement) == 0
        error = db.error("insert into app.bot_version (org_id, bot_id, version, name, instructions, sha256) values (%s, %s, 2, 'x', 'x', repeat('0', 64))",
                         world.acme.id, world.acme.ids["bot"])
        assert "row-level security policy" in str(error)


def test_a_bot_is_not_deleted_not_even_with_its_versions_F14(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        assert db.error("delete from app.bot").sqlstate == "42501"


@pytest.mark.parametrize(("who", "expected", "sqlstate"), [
    ("owner", 1, None), ("owner", 2, "PT409"), ("owner", None, "22023"), ("owner", 0, "22023"), ("agent", 1, None), ("analyst", 1, None),
    ("builder", 1, None), ("admin", 1, "PT404"), ("customer", 1, "PT404"), ("auditor", 1, "PT404"),
])
def test_who_may_publish_and_over_which_version_F14(world: World, who: str, expected: int | None, sqlstate: str | None) -> None:
    bot = {"org_id": world.acme.id, "bot_id": world.acme.ids["desk_bot"], "expected_version": expected, "name": "Probe"}
    with world.as_(world.acme.people[who]) as db:
        if sqlstate:
            assert db.rpc_error("update_bot", **bot).sqlstate == sqlstate
        else:
            assert db.rpc("update_bot", **bot) == {"version": 2}


def test_a_viewer_is_told_they_may_not_and_a_stranger_nothing_F14(world: World) -> None:
    bot = {"org_id": world.acme.id, "bot_id": world.acme.ids["bot"]}
    with world.as_(world.acme.people["customer"]) as db:
        assert db.rpc_error("update_bot", **bot, expected_version=1, name="x").sqlstate == "42501"
        assert db.rpc_error("archive_bot", **bot).sqlstate == "42501"
    with world.as_(world.globex.people["owner"]) as db:
        assert db.rpc_error("update_bot", **bot, expected_version=1, name="x").sqlstate == "PT404"
        assert db.rpc_error("archive_bot", **bot).sqlstate == "PT404"


def test_of_two_changes_at_once_one_wins_and_the_other_is_told_F14(own_world: World) -> None:
    """The second waits for the first to commit, and must not overwrite what it never saw."""
    world, answers = own_world, []
    bot = {"org_id": world.acme.id, "bot_id": world.acme.ids["bot"], "expected_version": 1}

    def second() -> None:
        with world.as_(world.acme.people["builder"]) as db:
            answers.append(db.rpc_error("update_bot", **bot, instructions="Second.").sqlstate)

    with world.as_(world.acme.people["owner"], keep=True) as db:
        db.rpc("update_bot", **bot, instructions="First.")
        thread = threading.Thread(target=second)
        thread.start()
        with psycopg.connect(world.superuser_url, autocommit=True) as watch:
            while not watch.execute("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'").fetchone()[0]:  # type: ignore[index]
                thread.join(0.05)
                assert thread.is_alive(), answers
    thread.join()
    assert answers == ["PT409"]
    with world.as_(world.acme.people["owner"]) as db:
        assert versions(db, world)[0] == (2, "Help aardvark", "First.")
