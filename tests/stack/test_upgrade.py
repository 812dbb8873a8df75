"""A database that was made by the first migration and is in use takes the later ones: its rows stay, and its people go on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agent.audit import sources
from edge_proxy.local import migrate, tools
from tests.db.registry.recipe import embedding
from tests.db.test_copies import WRONG
from tests.db.session import request
from tests.db.world import make_person
from tests.stack.test_migrations import new_database, own_cluster  # noqa: F401  # a cluster of its own: migrations change roles

TABLES = "select relname from pg_class where relnamespace = 'app'::regnamespace and relkind = 'r' order by 1"


@pytest.fixture
def early(new_database: Any, tmp_path: Path) -> Any:  # noqa: F811
    """Return a database with the first migration only."""
    folder = tmp_path / "early" / "supabase"
    (folder / "migrations").mkdir(parents=True)
    first, *later = sorted((tools.SUPABASE / "migrations").glob("*.sql"))
    assert later
    shutil.copy(first, folder / "migrations")
    shutil.copy(tools.SUPABASE / "config.toml", folder)
    migrate.push(new_database.url(), home=tmp_path, project=folder.parent)
    return new_database


def test_what_was_there_before_the_later_migrations_is_there_afterwards_R26(early: Any, tmp_path: Path, database: Any) -> None:
    admin, url = early.url("supabase_admin"), early.url("authenticator")
    owner, member, gone = (make_person(admin, f"{name}@early.test") for name in ("owner", "member", "gone"))
    # As slugs could be once; the later migrations give them names that are no ids.
    called = [str(uuid4()) for _ in range(3)]
    with request(url, owner.claims(), keep=True) as db:
        org = db.rpc("create_organization", slug=called[0], name="Early")["id"]
        db.rpc("add_member", org_id=org, user_id=member.user_id, role="member")
        base = db.rpc("create_knowledge_base", org_id=org, slug=called[1], name="Manual")["id"]
        for visibility in ("organization", "private"):
            document = db.rpc("begin_document", org_id=org, knowledge_base_id=base, title=visibility, uri=f"test:{visibility}", sha256="0" * 64,
                              visibility=visibility)["document_id"]
            db.rpc("add_chunks", org_id=org, document_id=document, chunks=[
                {"position": 0, "content": f"delivery {visibility}", "start_char": 0, "end_char": 9, "embedding": embedding(0)}])
            db.rpc("finish_document", org_id=org, document_id=document)
        db.rpc("add_member", org_id=org, user_id=gone.user_id, role="member")
        db.rpc("remove_member", org_id=org, user_id=gone.user_id)
        bot = db.rpc("create_bot", org_id=org, slug=called[2], name="Help", instructions="Help.")["id"]
        db.rpc("share_bot", org_id=org, bot_id=bot)
        db.rpc("bind_bot", org_id=org, bot_id=bot, knowledge_base_id=base)
        db.rpc("bind_bot", org_id=org, bot_id=bot, tool="search_documents")
    with request(url, member.claims(), keep=True) as db:
        asked = db.rpc("start_run", bot=f"{called[0]}/{called[2]}", question="When?")
    with request(url, owner.claims(), keep=True) as db:
        assert db.run("update app.bot set instructions = 'Help well.'") == 1

    def rows() -> dict[str, int]:
        with early.connect("supabase_admin") as connection:
            return {t: connection.execute(f"select count(*) from app.{t}".encode()).fetchone()[0] for (t,) in connection.execute(TABLES).fetchall()}

    with early.connect("supabase_admin") as connection:  # who left had added something
        connection.execute("set session_replication_role = replica")
        connection.execute("insert into app.document (org_id, knowledge_base_id, title, uri, sha256, visibility, owner_id) values (%s, %s, 'left', 'test:left', repeat('0', 64),"
                           " 'private', %s)", [org, base, gone.user_id])
    before = rows()
    migrate.push(early.url(), home=tmp_path)
    after = rows()
    grown = {"permission", "role_permission", "bot_version", "bot_runner", "kb_grant", "audit_event"}
    assert {t: after[t] for t in before if t not in grown} == {t: n for t, n in before.items() if t not in grown}

    # The trail that was there is linked (F62).
    with sources.Database(early.url("supabase_admin")) as database_:
        assert database_.check(org, []) == (after["audit_event"], [])

    def permissions(source: Any, query: str) -> list[Any]:
        with source.connect("supabase_admin") as connection:
            return list(connection.execute(query.encode()).fetchall())

    registry = "select name, description from app.permission order by 1"
    assert permissions(early, registry) == permissions(database, registry)
    # The built-in roles the organization had already carry what those of a new one do.
    assert permissions(early, "select r.name, p.permission from app.role r join app.role_permission p on p.org_id = r.org_id and p.role_id = r.id"
                              " order by 1, 2") == permissions(database, "select role, permission from authz.built_in_roles() order by 1, 2")
    # What is copied from elsewhere was filled in.
    assert {what: permissions(early, query) for what, query in WRONG.items()} == dict.fromkeys(WRONG, [(0,)])
    assert permissions(early, "select count(*) from app.membership where permissions = 0 union all select count(*) from app.document where passages > 0") == [(0,), (2,)]
    with request(url, member.claims(), keep=True) as db:
        [found] = db.rpc("search_documents", org_id=org, query="delivery")
        assert found["title"] == "organization"
        again = db.rpc("start_run", bot=f"x-{called[0]}/x-{called[2]}", question="And now?", conversation_id=asked["conversation_id"])
        answer = db.rpc("call_tool", run_id=again["run_id"], tool="search_documents", arguments={"query": "delivery"})
        assert (answer["outcome"], answer["row_count"]) == ("ok", 1)
    with early.connect("supabase_admin") as connection:
        assert connection.execute("select title from app.document where owner_left_at is not null").fetchall() == [("left",)]
        assert sorted(connection.execute("select email from app.membership").fetchall()) == [(member.email,), (owner.email,)]
    with request(url, owner.claims()) as db:
        assert {r["title"] for r in db.rpc("search_documents", org_id=org, query="delivery")} == {"organization", "private"}
        assert [row["slug"] for row in db.rpc("list_knowledge_bases", org_id=org)] == [f"x-{called[1]}"]
        used = db.rpc("organization_usage", org_id=org)
        assert {k: used[k] for k in ("members", "bots", "knowledge_bases", "documents", "passages", "characters", "runs")} == {
            "members": 2, "bots": 1, "knowledge_bases": 1, "documents": 3, "passages": 2, "characters": 37, "runs": 2}
        assert [(v["version"], v["instructions"]) for v in db.rpc("list_bot_versions", org_id=org, bot_id=bot)] == [
            (2, "Help well."), (1, "Not kept: this version is older than the record of versions.")]
        assert [(r["user_id"], r["level"]) for r in db.rpc("list_bot_shares", org_id=org, bot_id=bot)] == [(None, "viewer"), (owner.user_id, "owner")]
