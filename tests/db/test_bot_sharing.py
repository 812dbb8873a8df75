"""Sharing a bot: levels, with whom, by whom; withdrawn means gone with the next statement (F14, F17)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.session import Person, Request
from tests.db.test_run_reach import start, tool
from tests.db.world import World

# What each level may do, beside running: asked of the bot "desk", which the analyst owns and the agent edits through a team.
ACTS = ("run", "change", "bind", "unbind", "share with a person", "withdraw", "archive")
MAY = {"owner": set(ACTS), "editor": {"run", "change", "bind", "unbind"}, "viewer": {"run"}, None: set()}


def act(db: Request, world: World, what: str) -> Any:
    """Do one act with the bot "desk" as the caller of `db`."""
    bot: dict[str, Any] = {"org_id": world.acme.id, "bot_id": world.acme.ids["desk_bot"]}
    match what:
        case "run": return start(db, "acme/desk")
        case "change": return db.rpc("update_bot", **bot, expected_version=1, instructions="Otherwise.")
        case "bind": return db.rpc("bind_bot", **bot, tool="get_order")
        case "unbind": return db.rpc("unbind_bot", org_id=world.acme.id, binding_id=world.acme.ids["desk_bot_binding"])
        case "share with a person": return db.rpc("share_bot", **bot, user_id=world.acme.people["customer"].user_id)
        case "withdraw": return db.rpc("unshare_bot", **bot, team_id=world.acme.ids["drafters_team"])
        case "archive": return db.rpc("archive_bot", **bot)
    raise AssertionError(what)


def share(db: Request, world: World, level: str | None, person: Person, through: str = "person") -> None:
    """As the superuser, share "desk" with a person at a level, as the only way they have to it."""
    if level is None:
        return
    org, column, value = world.acme.id, "user_id", person.user_id
    if through == "team":
        value = db.one("insert into app.team (org_id, slug, name, created_by) values (%s, 'probe', 'Probe', %s) returning id", org, person.user_id)
        db.run("insert into app.team_member (org_id, team_id, user_id) values (%s, %s, %s)", org, value, person.user_id)
        column = "team_id"
    elif through == "role":
        value, column = db.one("select role_id from app.membership where org_id = %s and user_id = %s", org, person.user_id), "role_id"
    elif through == "everyone":
        value = None
    db.run(f"insert into app.bot_runner (org_id, bot_id, {column}, level) values (%s, %s, %s, %s)", org, world.acme.ids["desk_bot"], value, level)


@pytest.mark.parametrize("what", ACTS)
@pytest.mark.parametrize("level", MAY)
@pytest.mark.parametrize("through", ["person", "team", "role", "everyone"])
def test_each_level_may_do_what_it_says_and_no_more_F14(world: World, through: str, level: str | None, what: str) -> None:
    customer = world.acme.people["customer"]
    with planted(world) as db:
        share(db, world, level, customer, through)
        become(db, customer)
        if what in MAY[level]:
            act(db, world, what)
        else:
            with pytest.raises(Exception) as caught, db.connection.transaction():
                act(db, world, what)
            assert caught.value.sqlstate in ("42501", "PT404"), caught.value  # type: ignore[attr-defined]


@pytest.mark.parametrize("level", ["viewer", "editor", "owner"])
def test_a_level_is_nothing_without_the_permission_to_run_bots_F14(world: World, level: str) -> None:
    with planted(world, "delete from app.role_permission p using app.role r where r.id = p.role_id and r.name = 'member' and p.permission = 'bots.run'") as db:
        share(db, world, level, world.acme.people["customer"])
        become(db, world.acme.people["customer"])
        assert db.rpc("list_organization_bots", org_id=world.acme.id) == []
        for what in ACTS:
            with pytest.raises(Exception) as caught, db.connection.transaction():
                act(db, world, what)
            assert caught.value.sqlstate in ("42501", "PT404")  # type: ignore[attr-defined]


@pytest.mark.parametrize(("role", "permissions", "public"), [
    ("owner of the bot", [], "42501"), ("owner of the bot", ["resources.publish"], None),
    ("manager", ["bots.manage"], "42501"), ("manager", ["bots.manage", "resources.publish"], None),
    ("editor", ["resources.publish"], "42501"),
])
@pytest.mark.parametrize("with_whom", [{}, {"role": "auditor"}])
def test_sharing_with_everyone_or_a_role_asks_for_more_than_sharing_with_people_F14(
    world: World, role: str, permissions: list[str], public: str | None, with_whom: dict[str, str],
) -> None:
    """SHARE is not SHARE_PUBLIC: with a person or a team an owner of the bot shares by themselves."""
    customer, bot = world.acme.people["customer"], {"org_id": world.acme.id, "bot_id": world.acme.ids["desk_bot"]}
    with planted(world) as db:
        for permission in permissions:
            db.run("insert into app.role_permission select org_id, id, %s from app.role where name = 'member' and org_id = %s", permission, world.acme.id)
        share(db, world, {"owner of the bot": "owner", "editor": "editor"}.get(role), customer)
        become(db, customer)
        if public:
            assert db.rpc_error("share_bot", **bot, **with_whom).sqlstate == public
        else:
            assert db.rpc("share_bot", **bot, **with_whom)["id"]
        for target in ({"team_id": world.acme.ids["team"]}, {"user_id": world.acme.people["auditor"].user_id}):
            if role == "editor":
                assert db.rpc_error("share_bot", **bot, **target).sqlstate == "42501"
            else:
                assert db.rpc("share_bot", **bot, **target)["id"]


def test_a_public_sharing_is_not_raised_by_who_could_not_have_made_it_F14(world: World) -> None:
    bot = {"org_id": world.acme.id, "bot_id": world.acme.ids["desk_bot"]}
    with planted(world) as db:
        db.run("insert into app.bot_runner (org_id, bot_id) values (%s, %s)", world.acme.id, world.acme.ids["desk_bot"])
        become(db, world.acme.people["analyst"])  # its owner, without resources.publish
        assert db.rpc_error("share_bot", **bot, level="owner").sqlstate == "42501"
        assert db.run("update app.bot_runner set level = 'owner' where user_id is null and team_id is null") == 0
        assert db.rpc("unshare_bot", **bot)["id"]  # taking it away is sharing less
        become(db, world.acme.people["owner"])
        assert db.rpc("share_bot", **bot, level="editor")["id"]


def test_a_level_is_changed_by_sharing_again_and_a_sharing_is_one_row_F14(world: World) -> None:
    bot = {"org_id": world.acme.id, "bot_id": world.acme.ids["desk_bot"], "user_id": world.acme.people["customer"].user_id}
    with world.as_(world.acme.people["analyst"]) as db:
        made = db.rpc("share_bot", **bot)
        assert db.rpc("share_bot", **bot, level="editor") == made
        error = db.rpc_error("share_bot", **bot, level="editor")
        assert (error.sqlstate, error.diag.message_primary) == ("PT409", "already shared so")
        for level in ("", "admin", "Owner", "*", None):
            assert db.rpc_error("share_bot", **bot, level=level).sqlstate == "22023"
        rows = db.rpc("list_bot_shares", org_id=world.acme.id, bot_id=world.acme.ids["desk_bot"])
        assert [(r["user_id"], r["level"]) for r in rows if str(r["id"]) == made["id"]] == [(bot["user_id"], "editor")]
        assert db.rpc("unshare_bot", **bot) == made
        assert db.rpc_error("unshare_bot", **bot).sqlstate == "PT404"


def test_an_editor_withdraws_no_sharing_not_even_their_own_teams_F14(world: World) -> None:
    with world.as_(world.acme.people["agent"]) as db:
        assert db.rpc_error("unshare_bot", org_id=world.acme.id, bot_id=world.acme.ids["desk_bot"], team_id=world.acme.ids["drafters_team"]).sqlstate == "PT404"
        assert db.run("delete from app.bot_runner") == 0  # reads no column: the select policy has no say
        assert db.run("update app.bot_runner set level = 'owner'") == 0
    with world.as_(world.acme.people["analyst"]) as db:
        assert db.run("delete from app.bot_runner") == 3  # of the bot they own, and of no other


def test_who_makes_a_bot_owns_it_and_loses_it_with_the_permission_to_manage_only_what_that_gave_F14(world: World) -> None:
    builder = world.acme.people["builder"]
    with planted(world) as db:
        become(db, builder)
        made = db.rpc("create_bot", org_id=world.acme.id, slug="mine", name="Mine")["id"]
        assert [(r["user_id"], r["level"]) for r in db.rpc("list_bot_shares", org_id=world.acme.id, bot_id=made)] == [(builder.user_id, "owner")]
        db.run("reset role")
        db.run("update app.membership m set role_id = r.id from app.role r where r.org_id = m.org_id and r.name = 'member' and m.user_id = %s", builder.user_id)
        become(db, builder)
        assert db.rpc("share_bot", org_id=world.acme.id, bot_id=made, user_id=world.acme.people["customer"].user_id)["id"]
        assert db.rpc_error("archive_bot", org_id=world.acme.id, bot_id=world.acme.ids["hidden_bot"]).sqlstate == "PT404"
        assert db.rpc_error("share_bot", org_id=world.acme.id, bot_id=made).sqlstate == "42501"


@pytest.mark.parametrize("who", ["customer", "agent", "analyst", "builder"])
def test_one_sees_with_whom_a_bot_is_shared_as_far_as_one_shares_it_F14(world: World, who: str) -> None:
    shares = {"customer": [], "agent": [("editor", "drafters")], "analyst": [("owner", None), ("editor", "drafters"), ("owner", None)]}
    with world.as_(world.acme.people[who]) as db:
        rows = db.rpc("list_bot_shares", org_id=world.acme.id, bot_id=world.acme.ids["desk_bot"])
    assert sorted((r["level"], r["team"] or "") for r in rows) == sorted((level, team or "") for level, team in shares.get(who, shares["analyst"]))


WITHDRAWN = {
    "the sharing": "delete from app.bot_runner where bot_id = '{desk_bot}' and team_id = '{drafters_team}'",
    "the place in the team": "delete from app.team_member where team_id = '{drafters_team}'",
    "the team": "delete from app.team where id = '{drafters_team}'",
    "the membership": "delete from app.membership where user_id = '{me}'",
    "the membership, suspended": "update app.membership set status = 'suspended' where user_id = '{me}'",
    "the organization, suspended": "update app.organization set suspended_at = now() where id = '{org}'",
    "the permission": "delete from app.role_permission where permission = 'bots.run'",
    "the bot, archived": "update app.bot set archived_at = now() where id = '{desk_bot}'",
    "by a rule": "insert into app.deny_rule (org_id, team_id, bot_id, reason, created_by) values ('{org}', '{drafters_team}', '{desk_bot}', 'Probe.', '{me}')",
}


@pytest.mark.parametrize("what", WITHDRAWN)
def test_what_is_withdrawn_is_gone_on_the_next_statement_even_inside_a_run_F17(world: World, what: str) -> None:
    agent = world.acme.people["agent"]
    with planted(world) as db:
        become(db, agent)
        run = start(db, "acme/desk")
        assert tool(db, run, "my_orders")["outcome"] == "ok"
        call = db.rpc("begin_model_call", org_id=world.acme.id, run_id=run, model="m", provider="p", max_tokens=5)
        assert "desk" in [b["bot"] for b in db.rpc("list_bots")]
        db.run("reset role")
        assert db.run(WITHDRAWN[what].format(me=agent.user_id, org=world.acme.id, **world.acme.ids)) >= 1
        become(db, agent)
        assert db.rpc_error("call_tool", run_id=run, tool="my_orders").sqlstate == "PT404"
        assert db.rpc_error("begin_model_call", org_id=world.acme.id, run_id=run, model="m", provider="p", max_tokens=5).sqlstate == "PT404"
        assert db.rpc_error("end_model_call", call_id=call["call_id"], key=call["key"], input_tokens=1, output_tokens=1, duration_ms=1).sqlstate == "PT404"
        assert db.rpc_error("start_run", bot="acme/desk", question="Probe?").sqlstate == "PT404"
        assert "desk" not in [b["bot"] for b in db.rpc("list_bots")]
        if what != "the bot, archived":  # out of use, it can still be put right
            with pytest.raises(Exception) as caught, db.connection.transaction():
                act(db, world, "change")
            assert caught.value.sqlstate == "PT404"  # type: ignore[attr-defined]


def test_an_archived_bot_is_run_by_nobody_and_comes_back_as_it_was_F14(world: World) -> None:
    bot = {"org_id": world.acme.id, "bot_id": world.acme.ids["bot"]}
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        conversation = {"org_id": world.acme.id, "conversation_id": world.acme.ids["conversation"]}
        messages = db.rpc("list_messages", **conversation)
        become(db, world.acme.people["owner"])
        at = db.rpc("archive_bot", **bot)["archived_at"]
        assert at and db.rpc("archive_bot", **bot)["archived_at"] == at
        assert [b["archived_at"] is not None for b in db.rpc("list_organization_bots", org_id=world.acme.id) if b["bot"] == "helpdesk"] == [True]
        for person in world.acme.people.values():
            become(db, person)
            assert db.rpc_error("start_run", bot="acme/helpdesk", question="Probe?").sqlstate == "PT404"
            assert "helpdesk" not in [b["bot"] for b in db.rpc("list_bots")]
        become(db, world.acme.people["customer"])
        assert db.rpc("list_messages", **conversation) == messages != []  # the record stays
        become(db, world.acme.people["owner"])
        assert db.rpc("restore_bot", **bot) == {"archived_at": None}
        become(db, world.acme.people["customer"])
        assert start(db)


def test_an_editor_binds_only_knowledge_bases_they_see_F14(world: World) -> None:
    """The auditor reads no documents; as an editor of the bot they bind tools, and nothing they cannot see."""
    auditor, bot = world.acme.people["auditor"], {"org_id": world.acme.id, "bot_id": world.acme.ids["desk_bot"]}
    with planted(world) as db:
        share(db, world, "editor", auditor)
        become(db, auditor)
        unseen = db.rpc_error("bind_bot", **bot, knowledge_base_id=world.acme.ids["knowledge_base"])
        absent = db.rpc_error("bind_bot", **bot, knowledge_base_id=world.globex.ids["knowledge_base"])
        assert (unseen.sqlstate, unseen.diag.message_primary) == (absent.sqlstate, absent.diag.message_primary) == (
            "PT404", "no such bot, or no such knowledge base or data source")
        error = db.error("insert into app.bot_binding (org_id, bot_id, knowledge_base_id) values (%s, %s, %s)",
                         world.acme.id, world.acme.ids["desk_bot"], world.acme.ids["knowledge_base"])
        assert "row-level security policy" in str(error)
        assert db.rpc("bind_bot", **bot, tool="get_order")["id"]
        become(db, world.acme.people["agent"])
        assert db.rpc("bind_bot", **bot, knowledge_base_id=world.acme.ids["knowledge_base"])["id"]


def test_not_even_the_organizations_owner_binds_a_restricted_knowledge_base_they_are_not_in_F14_F13(world: World) -> None:
    bot = {"org_id": world.acme.id, "bot_id": world.acme.ids["bot"], "knowledge_base_id": world.acme.ids["vault_knowledge_base"]}
    with world.as_(world.acme.people["owner"]) as db:
        assert db.rpc_error("bind_bot", **bot).sqlstate == "PT404"
    with world.as_(world.acme.people["admin"]) as db:
        made = db.rpc("bind_bot", **bot)["id"]
        assert [b["knowledge_base"] for b in db.rpc("list_bot_bindings", org_id=world.acme.id, bot_id=bot["bot_id"]) if str(b["id"]) == made] == ["vault"]
