"""What api.explain_access says is what the policies do, and it says nothing of what whoever asks may not see (F87)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from agent.cli.why import KINDS
from tests.db.matrix import Persona, calling, personas
from tests.db.session import Person, Request, second_factor
from tests.db.world import World, make_person

TABLES = {"document": "document", "knowledge_base": "knowledge_base", "bot": "bot", "order": "customer_order", "ticket": "support_ticket",
          "conversation": "conversation", "run": "run"}
CHANGES = {"document": "title = title", "knowledge_base": "name = name", "bot": "name = name", "order": "status = status", "ticket": "status = status",
           "conversation": "title = title", "run": "status = status"}
ACTIONS = ("read", "change", "delete")
ABSENT = ("PT404", "no such object, or not yours to see")
# What is not about who may: a guard of values, or other rows that hang on this one.
BESIDE = {"23503", "PT409"}


def objects(world: World) -> dict[str, list[UUID]]:
    """Every object of acme there is, by kind."""
    with world.operator() as db:
        return {kind: [i for (i,) in db.all(f"select id from app.{table} where org_id = %s order by id", world.acme.id)] for kind, table in TABLES.items()}


def actions(kind: str) -> tuple[str, ...]:
    return (*ACTIONS, "run") if kind == "bot" else ACTIONS


def does(db: Request, world: World, kind: str, object_id: UUID, action: str) -> bool:
    """Whether the caller of this session can, tried and undone."""
    if action == "run":
        tried = "select 1 from authz.runnable_bots() b where b = %s and %s in (select authz.orgs_with('bots.run'))"
    else:
        verb = {"read": "select 1 from {t}", "change": f"update {{t}} set {CHANGES[kind]}", "delete": "delete from {t}"}[action]
        tried = verb.format(t=f"app.{TABLES[kind]}") + " where id = %s and org_id = %s"
    try:
        with db.connection.transaction(force_rollback=True):
            return db.run(tried, object_id, world.acme.id) == 1
    except psycopg.Error as error:
        if error.sqlstate in BESIDE:
            return True
        assert error.sqlstate == "42501", error
        return False


def said(db: Request, world: World, kind: str, object_id: UUID, action: str, about: Person | None = None) -> dict[str, Any] | tuple[str | None, str | None]:
    """The explanation, or how it was refused."""
    try:
        with db.connection.transaction(force_rollback=True):
            return dict(db.rpc("explain_access", org_id=world.acme.id, kind=kind, object_id=object_id, action=action, user_id=about.user_id if about else None))
    except psycopg.Error as error:
        return error.sqlstate, error.diag.message_primary


def members(world: World) -> dict[str, Person]:
    return world.acme.people | {"both": world.both}


@pytest.fixture(scope="module")
def shared_with_all_sorts(strict_world: World) -> World:
    """The world with an open private document of the analyst's, a rule against a team and a suspended member besides."""
    world = strict_world
    with world.operator(keep=True) as db:
        db.run("update app.organization set require_mfa = false where id = %s", world.acme.id)
    suspended = make_person(world.superuser_url, "suspended@acme.test")
    world.join(world.acme, suspended, "agent")
    world.acme.people["suspended"] = suspended
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("suspend_member", org_id=world.acme.id, user_id=suspended.user_id)
        team = UUID(db.rpc("create_team", org_id=world.acme.id, slug="readers", name="Readers")["id"])
        for one in ("agent", "member"):
            db.rpc("add_team_member", org_id=world.acme.id, team_id=team, user_id=world.acme.people[one].user_id)
        db.rpc("share_document", org_id=world.acme.id, document_id=world.acme.ids["private_document"], team_id=team, level="editor")
        db.rpc("share_bot", org_id=world.acme.id, bot_id=world.acme.ids["hidden_bot"], team_id=team, level="editor")
        db.rpc("create_deny_rule", org_id=world.acme.id, team_id=team, knowledge_base_id=world.acme.ids["other_base"], reason="not for readers")
    return world


@pytest.mark.parametrize(("asker", "kinds"), [("owner", tuple(TABLES)), ("admin", ("bot", "ticket"))])
def test_what_is_said_of_a_colleague_is_what_the_policies_do_to_them_F87(shared_with_all_sorts: World, asker: str, kinds: tuple[str, ...]) -> None:
    world = shared_with_all_sorts
    seen = compared = denied = 0
    told: dict[tuple[str, str, UUID, str], Any] = {}
    with world.as_(world.acme.people[asker], **second_factor()) as db:
        for kind in kinds:
            for object_id in objects(world)[kind]:
                visible = does(db, world, kind, object_id, "read")
                seen += visible
                for name, person in members(world).items():
                    for action in actions(kind):
                        answer = said(db, world, kind, object_id, action, person)
                        if not visible:
                            assert answer == ABSENT, (kind, name, action)
                        else:
                            assert isinstance(answer, dict), (kind, name, action, answer)
                            told[kind, name, object_id, action] = answer
    for name, person in members(world).items():
        with world.as_(person, **second_factor()) as db:
            for (kind, about, object_id, action), answer in told.items():
                if about == name:
                    expected = "allowed" if does(db, world, kind, object_id, action) else "denied"
                    assert answer["verdict"] == expected, (kind, name, action, answer["decided_by"])
                    assert answer["decided_by"], "and says by what"
                    compared, denied = compared + 1, denied + (expected == "denied")
    assert seen >= len(kinds) and compared > 20 * seen and denied > seen and compared - denied > seen


ASKING = ("owner", "builder", "analyst", "agent", "member", "auditor", "customer", "member of both", "oauth client of owner", "api token of owner")


@pytest.mark.parametrize("name", ASKING)
def test_what_is_said_of_oneself_is_what_the_policies_do_in_this_very_session_F87(shared_with_all_sorts: World, name: str) -> None:
    world = shared_with_all_sorts
    persona: Persona = personas(world)[name]
    allowed = absent = 0
    with calling(world, persona) as db:
        for kind, ids in objects(world).items():
            for object_id in ids:
                visible = does(db, world, kind, object_id, "read")
                for action in actions(kind):
                    answer = said(db, world, kind, object_id, action)
                    if not visible:
                        assert answer == ABSENT == said(db, world, kind, uuid4(), action)
                        absent += 1
                    else:
                        assert isinstance(answer, dict), answer
                        assert answer["verdict"] == ("allowed" if does(db, world, kind, object_id, action) else "denied"), (kind, action, answer["decided_by"])
                        allowed += answer["verdict"] == "allowed"
    assert allowed and absent


def test_who_may_not_see_the_rules_is_told_undetermined_and_never_wrong_F87(shared_with_all_sorts: World) -> None:
    world = shared_with_all_sorts
    partial = make_person(world.superuser_url, "partial@acme.test")
    with world.as_(world.acme.people["owner"], keep=True, **second_factor()) as db:
        db.rpc("create_role", org_id=world.acme.id, name="people-office", permissions=["members.read", "members.manage", "documents.read"])
    world.join(world.acme, partial, "people-office")
    verdicts: set[str] = set()
    told: list[tuple[str, str, UUID, str, str]] = []
    with world.as_(partial, **second_factor()) as db:
        for kind, ids in objects(world).items():
            for object_id in ids:
                if does(db, world, kind, object_id, "read"):
                    for name, person in members(world).items():
                        for action in actions(kind):
                            answer = said(db, world, kind, object_id, action, person)
                            assert isinstance(answer, dict)
                            assert "not for readers" not in str(answer), "no rule is shown to who may not see it"
                            told.append((name, kind, object_id, action, answer["verdict"]))
    for name, kind, object_id, action, verdict in told:
        verdicts.add(verdict)
        if verdict != "undetermined":
            with world.as_(members(world)[name], **second_factor()) as db:
                assert verdict == ("allowed" if does(db, world, kind, object_id, action) else "denied"), (name, kind, action)
    assert verdicts >= {"undetermined", "denied"}


def test_the_rule_the_team_and_the_grant_that_decide_are_named_F87(shared_with_all_sorts: World) -> None:
    world = shared_with_all_sorts
    agent = world.acme.people["agent"]
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        def decided(kind: str, name: str, action: str) -> list[Any]:
            answer = said(db, world, kind, world.acme.ids[name], action, agent)
            assert isinstance(answer, dict)
            return [answer["verdict"], *answer["decided_by"]]

        verdict, *rules = decided("document", "unbound_document", "read")
        assert verdict == "denied" and [r["policy"] for r in rules] == ["document_denied_floor"] and rules[0]["found"]["rules"][0]["reason"] == "not for readers"
        verdict, *grants = decided("document", "private_document", "change")
        shared = [g["found"]["grants"] for g in grants if g["clause"] == "it is shared with them as editor"]
        assert verdict == "allowed" and shared and shared[0][0]["with"] == "team" and shared[0][0]["level"] == "editor"
        verdict, *missing = decided("order", "order", "change")
        assert (verdict, missing) == ("denied", [{"policy": "customer_order_update_nobody", "clause": "nobody"}])


def test_only_who_manages_members_asks_about_others_and_gets_one_answer_for_whatever_is_not_theirs_F87(world: World) -> None:
    people = world.acme.people
    for name in ("builder", "analyst", "member", "auditor"):
        with world.as_(people[name], **second_factor()) as db:
            for about in (people["customer"], world.globex.people["owner"], Person("nobody at all")):
                assert said(db, world, "document", world.acme.ids["document"], "read", about) == ("42501", "explaining what somebody else may takes members.manage")
            assert isinstance(said(db, world, "document", world.acme.ids["document"], "read", people[name]), dict) or name == "auditor"
    with world.as_(people["admin"], **second_factor()) as db:
        for about in (world.globex.people["owner"], world.removed, world.nobody, Person("nobody at all")):
            assert said(db, world, "document", world.acme.ids["document"], "read", about) == ("PT404", "no such member, or not yours to see")
        for foreign in (world.globex.ids["document"], world.acme.ids["private_document"], uuid4()):
            assert said(db, world, "document", foreign, "read", people["owner"]) == ABSENT
        with pytest.raises(psycopg.Error, match="action: read, change, delete"):
            db.rpc("explain_access", org_id=world.acme.id, kind="document", object_id=world.acme.ids["document"], action="run")


@pytest.fixture
def changed(own_world: World) -> Iterator[Callable[[str], set[str]]]:
    """Which verdicts about everybody's documents are wrong after this DDL."""
    def wrong(ddl: str) -> set[str]:
        world, found = own_world, set()
        with world.operator(keep=True) as db:
            db.run(ddl)
        for name in ("builder", "analyst", "member"):
            with world.as_(world.acme.people["owner"], **second_factor()) as db:
                answers = {i: said(db, world, "document", i, "read", world.acme.people[name]) for i in objects(world)["document"]}
            with world.as_(world.acme.people[name], **second_factor()) as db:
                found |= {name for i, a in answers.items() if isinstance(a, dict) and a["verdict"] != ("allowed" if does(db, world, "document", i, "read") else "denied")}
        return found

    yield wrong


def test_a_policy_that_was_changed_without_its_explanation_is_noticed(changed: Callable[[str], set[str]]) -> None:
    assert changed("select 1") == set()
    assert changed("drop policy document_classification_floor on app.document; drop policy document_denied_floor on app.document;"
                   " alter policy document_select_reader on app.document using (true)") >= {"analyst"}


def test_every_policy_of_a_kind_and_action_is_in_the_explanation_F87(world: World) -> None:
    commands = {"read": "r", "change": "rw", "delete": "rd"}
    with world.operator() as db:
        for kind, table in TABLES.items():
            policies = {action: {name for (name,) in db.all(
                "select polname::text from pg_policy where polrelid = %s::regclass and 'authenticated'::regrole = any (polroles) and (polcmd = '*' or position(polcmd::text in %s) > 0)",
                f"app.{table}", letters)} for action, letters in commands.items()}
            with world.as_(world.acme.people["customer" if kind != "bot" else "owner"]) as asking:
                own = next(i for i in objects(world)[kind] if does(asking, world, kind, i, "read"))
                for action in ACTIONS:
                    answer = said(asking, world, kind, own, action)
                    assert isinstance(answer, dict)
                    named = {p["policy"] for p in answer["policies"] if not p["policy"].startswith("trigger")}
                    assert named == policies[action], (kind, action)


def test_the_command_knows_the_kinds_that_are_explained_F87(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        error = db.rpc_error("explain_access", org_id=world.acme.id, kind="bots", object_id=uuid4(), action="read")
    assert (error.sqlstate, error.diag.message_primary) == ("22023", f"kind: {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    assert set(KINDS) == TABLES.keys()
