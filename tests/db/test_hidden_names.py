"""Taking a name or a place tells nothing of what one cannot see: hidden and absent are one answer inside an organization too (R51)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.db.registry.document import add_with_file
from tests.db.session import Request, second_factor
from tests.db.test_document_publishing import begin
from tests.db.world import World


def answer(db: Request, name: str, /, **arguments: Any) -> str:
    """What a call gives, without ids: its SQLSTATE or its keys; undone."""
    from psycopg import Error

    try:
        with db.connection.transaction(force_rollback=True):
            return " ".join(sorted(db.rpc(name, **arguments)))
    except Error as error:
        return str(error.sqlstate)


@pytest.mark.parametrize("why", ["its class", "a rule", "its age"])
def test_a_place_that_a_hidden_document_has_is_as_free_as_any_R51_F26(own_world: World, why: str) -> None:
    """The builder adds documents, and sees neither secret ones, nor this one by a rule, nor what was checked too long ago."""
    people, org = own_world.acme.people, own_world.acme.id
    with own_world.as_(people["admin"], keep=True, **second_factor()) as db:
        hidden = add_with_file(db, own_world.acme, "knowledge_base", "taken", 1, **({"classification": 3} if why == "its class" else {}))
        if why == "a rule":
            db.run("insert into app.deny_rule (org_id, user_id, document_id, reason) values (%s, %s, %s, 'Probe')", org, people["builder"].user_id, hidden)
        if why == "its age":
            db.rpc("sync_document_access", org_id=org, document_id=hidden, synced_at="2026-01-02", grants=[])
    with own_world.as_(people["builder"], keep=True) as db:
        taken, free = (begin(db, own_world, "knowledge_base", name) for name in ("taken", "free"))
        assert answer(db, "finish_document", **taken) == answer(db, "finish_document", **free) == "chunks document_id replaced"
        made = db.rpc("finish_document", **taken)
        assert made["replaced"] is None
    with own_world.operator() as db:
        assert db.one("select count(*) from app.document where id in (%s, %s) and state = 'ready'", hidden, taken["document_id"]) == 2
    with own_world.as_(people["admin"]) as db:  # who sees both replaces both
        if why != "its age":
            add_with_file(db, own_world.acme, "knowledge_base", "taken", 2, classification=3)
            assert db.one("select count(*) from app.document where org_id = %s and uri = %s", org, f"test:taken-{own_world.acme.canary}") == 1


def test_who_sees_the_document_replaces_it_as_before_R51(own_world: World) -> None:
    with own_world.as_(own_world.acme.people["builder"]) as db:
        first = add_with_file(db, own_world.acme, "knowledge_base", "seen", 1)
        assert db.rpc("finish_document", **begin(db, own_world, "knowledge_base", "seen"))["replaced"] == str(first)


def test_a_name_of_a_knowledge_base_one_cannot_see_is_as_free_as_any_R51(own_world: World) -> None:
    people, org = own_world.acme.people, own_world.acme.id
    with own_world.as_(people["admin"]) as db:  # who sees the vault is told
        assert db.one("select slug from app.knowledge_base where id = %s", own_world.acme.ids["vault_knowledge_base"]) == "vault"
        assert db.rpc_error("create_knowledge_base", org_id=org, slug="vault", name="V").sqlstate == "PT409"
    with own_world.as_(people["builder"]) as db:
        assert answer(db, "create_knowledge_base", org_id=org, slug="vault", name="V") == answer(db, "create_knowledge_base", org_id=org, slug="free", name="V") == "id"
        assert db.rpc_error("create_knowledge_base", org_id=org, slug="manual", name="V").sqlstate == "PT409"
        restricted = db.rpc("create_knowledge_base", org_id=org, slug="vault", name="V", visibility="restricted")["id"]
        assert [str(k["id"]) for k in db.rpc("list_knowledge_bases", org_id=org) if k["slug"] == "vault"] == [restricted]


def test_a_name_of_a_bot_one_cannot_see_is_as_free_as_any_and_who_sees_both_names_the_id_R51(own_world: World) -> None:
    """bots.manage sees every bot but those a rule takes from it."""
    people, org, hidden = own_world.acme.people, own_world.acme.id, own_world.acme.ids["hidden_bot"]
    with own_world.as_(people["builder"]) as db:
        assert db.rpc_error("create_bot", org_id=org, slug="hidden", name="H").sqlstate == "PT409"
    with own_world.as_(people["owner"], keep=True) as db:
        db.run("insert into app.deny_rule (org_id, user_id, bot_id, reason) values (%s, %s, %s, 'Probe')", org, people["builder"].user_id, hidden)
    with own_world.as_(people["builder"], keep=True) as db:
        assert answer(db, "create_bot", org_id=org, slug="hidden", name="H") == answer(db, "create_bot", org_id=org, slug="free", name="H") == "id"
        mine = db.rpc("create_bot", org_id=org, slug="hidden", name="H")["id"]
        assert db.rpc_error("create_bot", org_id=org, slug="hidden", name="H").sqlstate == "PT409"
        assert db.rpc("start_run", bot="acme/hidden", question="?")["bot"]["id"] == mine
    with own_world.as_(people["owner"], keep=True) as db:
        db.rpc("share_bot", org_id=org, bot_id=mine, user_id=people["owner"].user_id)
        assert db.rpc_error("start_run", bot="acme/hidden", question="?").sqlstate == "PT409"
        for one in (mine, str(hidden)):
            assert db.rpc("start_run", bot=f"{org}/{one}", question="?")["bot"]["id"] == one
