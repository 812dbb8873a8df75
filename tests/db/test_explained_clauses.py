"""Each clause of an explanation says what is so, one condition at a time (F87). That its verdict is what the policies do is tried in test_explain_access.py.

The owner of acme asks about others, with every object in sight; what is so is set by the superuser in between.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.registry import ROLES
from tests.db.session import Request, second_factor
from tests.db.world import World

IN_SCOPE = "acts through no API token, or one made for "
MEMBER = "is an active member"
NO_RULE = "no rule takes it from them"
Clauses = dict[tuple[str, str], bool | None]


@pytest.fixture
def asking(world: World) -> Iterator[Request]:
    """A session of the owner of acme who sees every document and knowledge base."""
    hidden = [f"drop policy document_{what}_floor on app.document" for what in ("classification", "denied", "expired", "loading")]
    with planted(world, *hidden, "alter policy document_select_reader on app.document using (true)", "alter policy knowledge_base_select_reader on app.knowledge_base using (true)",
                 REPLICA) as db:
        become(db, world.acme.people["owner"], **second_factor())
        yield db


def made(db: Request, *statements: str) -> None:
    """Have the superuser set what is so."""
    db.run("select set_config('role', 'none', true)")
    for statement in statements:
        db.run(statement)
    db.run("select set_config('role', 'authenticated', true)")


def said(db: Request, call: str) -> Clauses:
    return {(policy, clause): holds for policy, clause, holds in db.all(f"select policy, clause, holds from {call}")}


def shared(world: World, table: str, column: str, object_id: UUID, who: str, level: str | None) -> list[str]:
    """The statements by which nobody has the object, or this person at this level."""
    user, owner = world.acme.people[who].user_id, world.acme.people["owner"].user_id
    by = {"bot_runner": ("", "")}.get(table, (", created_by", f", '{owner}'"))
    return [f"delete from app.{table} where {column} = '{object_id}'",
            *([f"insert into app.{table} (org_id, {column}, user_id, level{by[0]}) values ('{world.acme.id}', '{object_id}', '{user}', '{level}'{by[1]})"] if level else [])]


def document(action: str, held: set[str], visibility: str, classification: int, mine: bool, left: bool, base: str | None) -> Clauses:
    """What is so of a document that is loaded, checked at no source and shared with nobody but by its knowledge base."""
    by_base = visibility == "knowledge_base" and base is not None
    reads: Clauses = {
        ("document_select_reader", "holds documents.read"): "documents.read" in held,
        ("document_select_reader", "it is the whole organization's"): visibility == "organization",
        ("document_select_reader", "added it"): mine, ("document_select_reader", "it is shared with them"): False,
        ("document_select_reader", "its restricted knowledge base is shared with them"): by_base, ("document_floor", MEMBER): True,
        ("document_classification_floor", "it is public or internal"): classification <= 1,
        ("document_classification_floor", "it is confidential and they hold documents.read_confidential"): classification == 2 and "documents.read_confidential" in held,
        ("document_classification_floor", "holds documents.read_secret"): "documents.read_secret" in held,
        ("document_denied_floor", NO_RULE): True, ("document_denied_floor", "no rule takes its knowledge base from them"): True,
        ("document_expired_floor", "its access was checked at its source recently enough"): True, ("document_expired_floor", "added it"): mine,
        ("document_loading_floor", "it is loaded"): True, ("document_loading_floor", "added it"): mine,
    }
    if action == "read":
        return reads
    writes = {"change": "document_update_editor", "delete": "document_delete_editor"}[action]
    return reads | {
        (writes, "holds documents.read"): "documents.read" in held, (writes, "added it and has not left since"): mine and not left,
        (writes, "it is shared with them as editor"): False,
        (writes, "it is not private and its knowledge base is shared with them as editor"): visibility != "private" and base == "editor",
        (writes, "holds documents.manage, and reads it other than by having added it"): "documents.manage" in held and (visibility == "organization" or by_base),
        ("trigger _060_in_scope", IN_SCOPE + "documents.manage"): True,
    }


@pytest.mark.parametrize("who", ["admin", "builder", "member"])
def test_each_clause_about_a_document_says_what_is_so_F87(world: World, asking: Request, who: str) -> None:
    org, ids, person = world.acme.id, world.acme.ids, world.acme.people[who].user_id
    for state in (("private", 2, True, False, None), ("private", 2, True, True, "editor"), ("organization", 3, False, False, None), ("organization", 1, False, False, None),
                  ("knowledge_base", 1, False, False, None), ("knowledge_base", 2, False, False, "viewer"), ("knowledge_base", 3, False, True, "editor"),
                  ("private", 1, False, False, "viewer"), ("organization", 2, False, False, "editor")):
        visibility, classification, mine, left, base = state
        owner = person if mine else world.acme.people["owner"].user_id
        made(asking, f"update app.document set visibility = '{visibility}', base_visibility = '{'restricted' if visibility == 'knowledge_base' else 'organization'}', classification = {classification}, owner_id = '{owner}', acl_expires_at = 'infinity',"
             f" owner_left_at = {'now()' if left else 'null'} where id = '{ids['unbound_document']}'",
             *shared(world, "kb_grant", "knowledge_base_id", ids["other_base"], who, base))
        for action in ("read", "change", "delete"):
            found = said(asking, f"authz.explained_document('{org}', '{person}', '{ids['unbound_document']}', '{action}')")
            assert found == document(action, ROLES[who], visibility, classification, mine, left, base), (state, action)


@pytest.mark.parametrize("who", ["builder", "member"])
def test_each_clause_about_a_knowledge_base_says_what_is_so_F87(world: World, asking: Request, who: str) -> None:
    org, base, person = world.acme.id, world.acme.ids["other_base"], world.acme.people[who].user_id
    manages = "documents.manage" in ROLES[who]
    for visibility, level in (("organization", None), ("restricted", None), ("restricted", "viewer"), ("restricted", "owner")):
        made(asking, f"update app.knowledge_base set visibility = '{visibility}' where id = '{base}'", *shared(world, "kb_grant", "knowledge_base_id", base, who, level))
        reads: Clauses = {
            ("knowledge_base_select_reader", "holds documents.read"): True, ("knowledge_base_select_reader", "it is the whole organization's"): visibility == "organization",
            ("knowledge_base_select_reader", "it is shared with them"): level is not None, ("knowledge_base_floor", MEMBER): True,
            ("knowledge_base_denied_floor", NO_RULE): True}
        for action, writes in (("read", ""), ("change", "knowledge_base_update_manager"), ("delete", "knowledge_base_delete_manager")):
            expected = reads | ({
                (writes, "holds documents.read"): True, (writes, "it is shared with them as owner"): level == "owner",
                (writes, "holds documents.manage and reads it"): manages and (visibility == "organization" or level is not None),
                ("trigger _060_in_scope", IN_SCOPE + "documents.manage"): True} if writes else {})
            assert said(asking, f"authz.explained_knowledge_base('{org}', '{person}', '{base}', '{action}')") == expected, (visibility, level, action)


@pytest.mark.parametrize("who", ["builder", "member"])
def test_each_clause_about_a_bot_says_what_is_so_F87(world: World, asking: Request, who: str) -> None:
    org, bot, person = world.acme.id, world.acme.ids["hidden_bot"], world.acme.people[who].user_id
    manages = "bots.manage" in ROLES[who]
    for level, runs, archived in ((None, True, False), ("viewer", True, True), ("editor", True, False), ("editor", False, False)):
        made(asking, f"update app.bot set archived_at = {'now()' if archived else 'null'} where id = '{bot}'", *shared(world, "bot_runner", "bot_id", bot, who, level),
             f"update app.membership set permissions = permissions {'|' if runs else '& ~'} authz.permission_bit('bots.run') where user_id = '{person}' and org_id = '{org}'")
        reads: Clauses = {
            ("bot_select_viewer", "holds bots.manage"): manages, ("bot_select_viewer", "holds bots.run and it is shared with them"): runs and level is not None,
            ("bot_floor", MEMBER): True, ("bot_denied_floor", NO_RULE): True}
        more: dict[str, Clauses] = {
            "read": {}, "delete": {("bot_delete_nobody", "nobody: bots are archived"): False},
            "change": {("bot_update_editor", "holds bots.manage"): manages,
                       ("bot_update_editor", "holds bots.run and it is shared with them as editor"): runs and level == "editor",
                       ("trigger _060_in_scope", IN_SCOPE + "bots.manage"): True},
            "run": {("run_insert_self", "holds bots.run"): runs, ("run_insert_self", "it is shared with them"): level is not None,
                    ("run_insert_self", "it is in use, not archived"): not archived}}
        for action, clauses in more.items():
            assert said(asking, f"authz.explained_bot('{org}', '{person}', '{bot}', '{action}')") == reads | clauses, (level, runs, archived, action)


ROWS = {"order": ("customer_order", "order", "orders.read", "_select_customer", "orders.place or orders.read"),
        "ticket": ("support_ticket", "ticket", "tickets.read", "_select_customer", "tickets.create or tickets.read or tickets.manage"),
        "run": ("run", "run", "runs.read", "_select_self", "bots.run or runs.read"), "conversation": ("conversation", "conversation", "", "_select_self", "bots.run")}
"""Of each kind of row: its table, one of the customer's, the permission to read those of all, how its policy is called, and what a token is made for."""


@pytest.mark.parametrize("who", ["customer", "agent"])
@pytest.mark.parametrize("kind", ROWS)
def test_each_clause_about_a_row_says_what_is_so_F87(world: World, asking: Request, kind: str, who: str) -> None:
    table, one, permission, ending, scope = ROWS[kind]
    held, person, mine = ROLES["member" if who == "customer" else who], world.acme.people[who].user_id, who == "customer"
    # The policies of a conversation show it to its own person alone, and so does the explanation.
    reader: Clauses = {(table + ending, "it is their own"): mine if kind != "conversation" else None, (f"{table}_floor", MEMBER): True, (f"{table}_scope_floor", IN_SCOPE + scope): True}
    if permission:
        reader[(table + ending, f"holds {permission}")] = permission in held
    nobody: Clauses = {(f"{table}_update_nobody", "nobody"): False}
    changes: dict[str, Clauses] = {
        "order": nobody, "conversation": nobody, "ticket": {("support_ticket_update_staff", "holds tickets.manage"): "tickets.manage" in held},
        "run": {("run_update_self", "it is their own"): mine, ("run_update_self", "it is running"): False}}
    for action, clauses in (("read", {}), ("change", changes[kind]), ("delete", {(f"{table}_delete_nobody", "nobody"): False})):
        found = said(asking, f"authz.explained_row('{world.acme.id}', '{person}', '{kind}', '{world.acme.ids[one]}', '{action}')")
        assert found == reader | clauses, action


OBJECTS = {"document": ("document_grant", "document_id", "unbound_document", "document"), "knowledge_base": ("kb_grant", "knowledge_base_id", "other_base", "knowledge_base"),
           "bot": ("bot_runner", "bot_id", "hidden_bot", "bot")}


@pytest.mark.parametrize("kind", OBJECTS)
def test_it_is_told_whether_and_how_something_is_shared_with_them_F87(world: World, asking: Request, kind: str) -> None:
    org, people = world.acme.id, world.acme.people
    table, column, one, other = OBJECTS[kind]
    team, role = uuid4(), "member"
    by = "" if kind == "bot" else f", '{people['owner'].user_id}'"
    given = f"insert into app.{table} (org_id, {column}, level, {{who}}{'' if kind == 'bot' else ', created_by'}) values ('{{org}}', '{{object}}', '{{level}}', {{id}}{by})"
    made(asking, f"delete from app.{table}", f"insert into app.team (org_id, id, slug, name, created_by) values ('{org}', '{team}', 'some', 'Some', '{people['owner'].user_id}')",
         f"insert into app.team_member (org_id, team_id, user_id) values ('{org}', '{team}', '{people['agent'].user_id}')")
    member = asking.one("select id from app.role where org_id = %s and name = %s", org, role)

    def told(who: str, level: str, by: str = "owner") -> bool | None:
        become(asking, people[by], **second_factor())
        return asking.one("select holds from authz.explained_grants(%s, %s, %s, %s, %s)", org, people[who].user_id, kind, world.acme.ids[one], level)  # type: ignore[no-any-return]

    for column_, value, whom in (("user_id", people["agent"].user_id, {"agent"}), ("team_id", team, {"agent"}), ("role_id", member, {"member", "customer"}), ("user_id", None, set(people))):
        if column_ == "role_id" and kind != "bot":
            continue
        made(asking, f"delete from app.{table}", given.format(org=org, object=world.acme.ids[one], who=column_, id=f"'{value}'" if value else "null", level="editor"),
             given.format(org=org, object=world.acme.ids[other], who="user_id", id="null", level="owner"))
        for who in ("agent", "member", "auditor"):
            assert [told(who, level) for level in ("viewer", "editor", "owner")] == [who in whom, who in whom, False], (column_, who)
        # Who does not see every grant on it tells of nobody else that there is none.
        if column_ == "user_id" and value:
            made(asking, f"delete from app.{table}")
            assert (told("agent", "viewer", by="auditor"), told("agent", "viewer", by="admin")) == (None, False)
            assert told("auditor", "viewer", by="auditor") is False


def test_what_somebody_holds_is_told_as_their_own_session_has_it_F87(world: World, asking: Request) -> None:
    """Also of a service account, of one whose owner is suspended, and of somebody suspended."""
    org, people = world.acme.id, world.acme.people
    serves = ("update app.membership m set role_id = a.role_id, permissions = a.permissions, service_owner_id = b.user_id, service_owner_role_id = b.role_id, service_owner_status = '{status}'"
              " from app.membership a, app.membership b where m.user_id = '{who}' and m.org_id = '{org}' and a.org_id = m.org_id and b.org_id = m.org_id"
              f" and a.user_id = '{people['admin'].user_id}' and b.user_id = '{people['builder'].user_id}'")
    made(asking, *(serves.format(status=status, who=people[who].user_id, org=org) for who, status in (("auditor", "active"), ("member", "suspended"))),
         f"update app.membership set status = 'suspended' where user_id = '{people['analyst'].user_id}' and org_id = '{org}'")
    inactive = {"member", "analyst"}
    for who, person in people.items():
        become(asking, person, **second_factor())
        own = {p for (p,) in asking.all("select p.name from app.permission p where %s in (select authz.orgs_with(p.name))", org)}
        (themselves,) = asking.all("select s.is_caller, s.active, s.permissions from authz.explained_member(%s, %s) s", org, person.user_id) or [(True, False, [])]
        teams = {t for (t,) in asking.all("select authz.team_ids()")}
        become(asking, people["owner"], **second_factor())
        ((caller, active, role, permissions, in_teams, known, answers),) = asking.all(
            "select s.is_caller, s.active, s.role_id, s.permissions, s.team_ids, s.teams_known, s.answers_id from authz.explained_member(%s, %s) s", org, person.user_id)
        made(asking)
        assert (caller, active, set(permissions), set(in_teams), known) == (who == "owner", who not in inactive, own, teams, True), who
        assert (themselves[0], themselves[1], set(themselves[2])) == (True, who not in inactive, own), who
        assert answers == (people["builder"].user_id if who in ("auditor", "member") else None)
        assert [(role,)] == asking.all("select role_id from app.membership where org_id = %s and user_id = %s", org, person.user_id)
        assert (own == set()) is (who in inactive)
