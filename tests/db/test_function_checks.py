"""Checks inside functions that a second wall would cover: each is seen alone, by the line it stands in or by its own words (R32, R46, R49)."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.db.calling import caller, filled, made_first, own_ids
from tests.db.matrix import become, planted
from tests.db.racing import said
from tests.db.registry import RECIPES
from tests.db.registry.document import add_with_file
from tests.db.registry.recipe import embedding
from tests.db.session import second_factor
from tests.db.test_access_token_hook import event, hook
from tests.db.test_document_publishing import begin
from tests.db.test_rpc_sweep import call, signatures  # noqa: F401  (a fixture)
from tests.db.world import World

LINES = {
    "organization": ["add_team_member", "change_member", "create_invitation", "create_role", "create_team", "delete_role", "delete_sso_group",
                     "deprovision_member", "erase_me", "erase_member", "leave_organization", "remove_member", "remove_team_member", "resume_member", "revoke_invitation", "set_sso_group",
                     "set_team_manager", "suspend_member", "transfer_ownership", "update_role"],
    "name": ["accept_analytics_query", "commit_uploaded_table", "create_bot", "create_data_source", "create_knowledge_base", "create_metric", "create_uploaded_table", "finish_document",
             "set_column_meaning"],
}
"""Which functions stand in which line before they look: what they read afterwards is what those before them committed."""
_SAYS_SO = {
    "organization": "create or replace function authz.lock_organization(org_id uuid) returns void language plpgsql set search_path = pg_catalog, pg_temp as"
                    " $$ begin raise sqlstate 'PT423' using message = 'in line for ' || org_id; end $$",
    "name": "create or replace function authz.lock_name(org_id uuid, name text) returns void language plpgsql set search_path = pg_catalog, pg_temp as"
            " $$ begin raise sqlstate 'PT423' using message = 'in line for ' || org_id; end $$",
}


@pytest.mark.parametrize(("line", "name"), [(line, name) for line, names in LINES.items() for name in names])
def test_the_function_stands_in_line_before_it_looks_R46(
    world: World, signatures: dict[str, dict[str, str]], line: str, name: str,  # noqa: F811
) -> None:
    """The triggers of some tables stand in the same line later, when the function has looked already: here the line itself says who stands in it."""
    with planted(world, _SAYS_SO[line]) as db:
        become(db, caller(world, name), **second_factor())
        ids = own_ids(world) | made_first(db, world, name)
        answer = call(db, name, signatures[name], filled(RECIPES[name][1], ids))
    assert answer[:2] == ("PT423", f"in line for {world.acme.id}")


def test_no_function_stands_in_line_that_is_not_named_here_R46(world: World) -> None:
    with world.operator() as db:
        held = {line: {n for (n,) in db.all("select p.proname from pg_proc p where p.pronamespace in ('api'::regnamespace, 'authz'::regnamespace)"
                                            " and p.prosrc ~ %s order by 1", rf"perform authz\.lock_{line}\(")} for line in LINES}
    # Both statuses are set by one function, and who leaves is removed by themselves.
    through = {"set_member_status": {"suspend_member", "resume_member"}, "remove_member": {"remove_member", "leave_organization"}}
    assert {line: set().union(*(through.get(n, {n}) for n in names)) for line, names in held.items()} == {line: set(names) for line, names in LINES.items()}


APP = ("42501", "an app acting for you cannot do this: sign in yourself")
NOTHING = "00000000-0000-4000-8000-000000000000"
WORDS: list[tuple[str, str, dict[str, Any], dict[str, Any], tuple[str, str]]] = [
    # who, function, claims, what differs from its recipe, what is said
    ("auditor", "create_team", {}, {}, ("42501", "making teams needs teams.manage")),
    ("owner", "create_team", {"client_id": "an app"}, {}, APP),
    ("owner", "export_organization", {"client_id": "an app"}, {}, APP),
    ("owner", "export_rows", {"client_id": "an app"}, {}, APP),
    ("owner", "set_team_manager", {}, {"user_id": ":auditor"}, ("PT404", "not in the team")),
    ("owner", "create_invitation", {}, {"email": "admin@acme.test"}, ("PT409", "already a member")),
    ("owner", "create_bot", {}, {"slug": "helpdesk"}, ("PT409", "the organization has a bot of that slug")),
    ("owner", "create_knowledge_base", {}, {"slug": "manual"}, ("PT409", "the organization has a knowledge base of that slug")),
    ("owner", "create_organization", {}, {"slug": "acme"}, ("PT409", "you already belong to an organization of that slug")),
    ("analyst", "create_data_source", {}, {"slug": "shop"}, ("PT409", "the organization has a data source of that slug")),
    ("customer", "put_secret", {}, {}, ("42501", "a secret of the organization takes organization.manage")),
    ("auditor", "erase_me", {}, {"confirm_slug": "globex"}, ("22023", "confirm_slug: the slug of the organization, to say that you mean it")),
    ("customer", "archive_bot", {}, {"bot_id": ":bot"}, ("42501", "archiving a bot and taking it back into use is for its owners and bots.manage")),
    ("agent", "archive_bot", {}, {"bot_id": ":desk_bot"}, ("42501", "archiving a bot and taking it back into use is for its owners and bots.manage")),
    ("owner", "change_member", {}, {"role": "no-such"}, ("PT404", "no such role in this organization")),
    ("customer", "add_team_member", {}, {"team_id": NOTHING}, ("PT404", "no such team in this organization")),
    ("customer", "add_team_member", {"client_id": "an app"}, {}, APP),
    ("owner", "explain_access", {}, {"user_id": NOTHING}, ("PT404", "no such member, or not yours to see")),
    ("auditor", "check_api_token", {}, {}, ("42501", "you may not make API tokens in this organization")),
    ("agent", "update_bot", {}, {"expected_version": 999}, ("PT409", "somebody changed the bot meanwhile: read it again")),
]


@pytest.mark.parametrize(("who", "name", "claims", "differs", "words"), WORDS)
def test_a_function_refuses_in_its_own_words_before_a_policy_would_R32(
    world: World, signatures: dict[str, dict[str, str]], who: str, name: str, claims: dict[str, Any], differs: dict[str, Any], words: tuple[str, str],  # noqa: F811
) -> None:
    given = filled(RECIPES[name][1] | differs, own_ids(world))
    with world.as_(world.acme.people[who], **second_factor() | claims) as db:
        assert call(db, name, signatures[name], given)[:2] == words
    with world.as_(caller(world, name), **second_factor()) as db:
        assert call(db, name, signatures[name], filled(RECIPES[name][1], own_ids(world)))[0] == "ok"


class _Absent(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        return uuid4()


SAID = {"a second factor": ("PT401", "confirm your second factor and try again: verify a code of your authenticator app, or enrol one first"), "in person": APP}
ASKING = {
    "a second factor": ["decide_approval", "delete_sso_group", "erase_me", "erase_member", "export_me", "export_organization", "purge_organization", "release_legal_hold",
              "resume_organization", "set_approval_policy", "set_data_policy", "set_legal_hold", "set_mfa_policy", "set_retention", "set_sso_group", "suspend_organization",
              "transfer_ownership"],
    "in person": ["accept_invitation", "choose_organization", "create_team", "decide_approval", "delete_role", "export_rows", "join_by_sso", "purge_organization", "resume_organization",
          "revoke_api_token", "set_budget", "suspend_organization", "transfer_ownership", "update_role"],
}
"""Which functions ask for the person, or for their second factor, before they look anything up."""


@pytest.mark.parametrize(("what", "name"), [(what, name) for what, names in ASKING.items() for name in names])
def test_who_asks_is_looked_at_before_what_they_ask_for_F07_R44(
    world: World, signatures: dict[str, dict[str, str]], what: str, name: str,  # noqa: F811
) -> None:
    """So the answer is the same for everything there is or is not. Triggers say it too, and only where there is a row."""
    given = filled(RECIPES[name][1], _Absent()) | ({"decision": "approve"} if what == "a second factor" and name == "decide_approval" else {})
    with world.as_(caller(world, name), **({} if what == "a second factor" else second_factor() | {"client_id": "an app"})) as db:
        assert call(db, name, signatures[name], given)[:2] == SAID[what]
    with world.as_(caller(world, name), **second_factor()) as db:
        assert call(db, name, signatures[name], given)[:2] not in SAID.values()


def test_an_organization_has_at_most_a_thousand_teams(world: World) -> None:
    with planted(world, f"insert into app.team (org_id, slug, name, created_by) select '{world.acme.id}', 'more-' || n, 'More',"
                 f" '{world.acme.people['owner'].user_id}' from generate_series(1, 999 - (select count(*) from app.team where org_id = '{world.acme.id}')) n") as db:
        become(db, world.acme.people["owner"])
        assert db.rpc("create_team", org_id=world.acme.id, slug="the-last", name="Last")
        assert said(db.rpc_error("create_team", org_id=world.acme.id, slug="one-more", name="More")) == ("PT429", "an organization has at most 1000 teams")


def test_a_document_is_not_shown_at_a_place_that_another_has(world: World) -> None:
    """Two private ones of two people at one place are nobody's business; shown to all, one would stand over the other."""
    people, org = world.acme.people, world.acme.id
    with planted(world) as db:
        become(db, people["owner"])
        public = add_with_file(db, world.acme, "knowledge_base", "place", 1)
        private = add_with_file(db, world.acme, "knowledge_base", "place", 1, visibility="private")
        assert said(db.rpc_error("update_document", org_id=org, document_id=private, visibility="organization")) == ("PT409", "another document has this uri")
        db.rpc("delete_document", org_id=org, document_id=public)
        assert db.rpc("update_document", org_id=org, document_id=private, visibility="organization")["visibility"] == "organization"


@pytest.mark.parametrize("level", ["editor", "owner"])
def test_a_new_version_is_no_way_to_make_a_document_less_confidential(world: World, level: str) -> None:
    """Whoever may edit a knowledge base replaces what is in it; who reads it is for its owners."""
    people, org = world.acme.people, world.acme.id
    with planted(world, f"update app.kb_grant set level = '{level}' where user_id = '{people['agent'].user_id}'") as db:
        become(db, people["admin"])
        old = add_with_file(db, world.acme, "vault_knowledge_base", "sealed", 1, visibility="knowledge_base", classification=1)
        become(db, people["agent"])
        lower = begin(db, world, "vault_knowledge_base", "sealed", visibility="knowledge_base", classification=0)
        if level == "editor":
            assert said(db.rpc_error("finish_document", **lower)) == (
                "42501", "who reads a document is for its owners to change: the earlier version is more confidential")
            same = begin(db, world, "vault_knowledge_base", "sealed", visibility="knowledge_base", classification=1)
            assert db.rpc("finish_document", **same)["replaced"] == str(old)
        else:
            assert db.rpc("finish_document", **lower)["replaced"] == str(old)


def test_a_document_that_cannot_be_replaced_is_not_stood_over(world: World) -> None:
    """Who sees a document at this place and may not take it away: somebody took the right away in between."""
    with planted(world, "alter policy document_delete_editor on app.document using (state = 'loading')") as db:
        become(db, world.acme.people["owner"])
        add_with_file(db, world.acme, "knowledge_base", "kept", 1)
        assert said(db.rpc_error("finish_document", **begin(db, world, "knowledge_base", "kept"))) == (
            "PT409", "another document has this uri, and it is not yours to replace")
        assert db.rpc("finish_document", **begin(db, world, "knowledge_base", "free"))["replaced"] is None


@pytest.mark.parametrize(("how", "ended_in", "seen"), [
    ("deprovisioned", "pg_current_xact_id()", 1), ("deprovisioned", "'3'", 0), ("removed", "pg_current_xact_id()", 0)])
def test_the_definers_see_whose_membership_ends_only_while_a_deprovisioning_ends_it_F05(world: World, how: str, ended_in: str, seen: int) -> None:
    org, owner, customer = world.acme.id, world.acme.people["owner"], world.acme.people["customer"]
    with planted(world, "alter table app.departure disable trigger user",
                 f"insert into app.departure (org_id, user_id, ended_by, how, ended_in) values ('{org}', '{customer.user_id}', '{owner.user_id}', '{how}', {ended_in})") as db:
        become(db, owner, role="ringfence_owner")
        assert db.one("select count(*) from app.membership where org_id = %s and user_id = %s", org, customer.user_id) == seen


def test_passages_outside_the_filter_take_no_place_from_those_inside(world: World) -> None:
    """Fifty are compared further: sixty nearer ones of another knowledge base are none of them."""
    ids = world.acme.ids
    with planted(world) as db:
        become(db, world.acme.people["owner"])
        begun = db.rpc("begin_document", org_id=world.acme.id, knowledge_base_id=ids["other_base"], title="Near", uri="test:near", sha256="2" * 64)
        db.rpc("add_chunks", org_id=world.acme.id, document_id=begun["document_id"], chunks=[
            {"position": n, "content": "near", "start_char": n, "end_char": n + 4, "embedding": embedding(7)} for n in range(60)])
        db.rpc("finish_document", org_id=world.acme.id, document_id=begun["document_id"])
        asked = {"org_id": world.acme.id, "query": "zyzzyva", "query_embedding": json.dumps(embedding(7)), "max_rows": 5}
        assert {r["knowledge_base_id"] for r in db.rpc("search_documents", **asked)} == {ids["other_base"]}
        found = db.rpc("search_documents", **asked, knowledge_bases=[ids["knowledge_base"]])
        assert {r["knowledge_base_id"] for r in found} == {ids["knowledge_base"]}


@pytest.mark.parametrize(("who", "may"), [("builder", True), ("customer", False)])
def test_what_one_may_do_with_a_bot_is_told_as_it_is(world: World, who: str, may: bool) -> None:
    with world.as_(world.acme.people[who]) as db:
        seen = {r["id"]: r["may_change"] for r in db.rpc("list_organization_bots", org_id=world.acme.id)}
        assert seen[world.acme.ids["bot"]] is may
        assert (db.rpc("get_bot", org_id=world.acme.id, bot_id=world.acme.ids["bot"])["level"] == "owner") is may


def test_a_session_that_is_no_tokens_is_not_narrowed_by_the_tokens_of_its_person_F11(world: World) -> None:
    owner = world.acme.people["owner"]
    with world.operator() as db:
        token = db.one("select session_id from app.api_token where user_id = %s", owner.user_id)
    for session, narrowed in ((token, True), (uuid4(), False)):
        given = event(owner)
        given["claims"]["session_id"] = str(session)
        assert ("org_id" in hook(world, given)["claims"]) is narrowed


@pytest.mark.parametrize("given", ["{}", '{"user_id": "00000000-0000-4000-8000-000000000000"}', '{"claims": {}}', '{"user_id": "00000000-0000-4000-8000-000000000000", "claims": []}'])
def test_an_event_without_a_person_or_claims_makes_no_token_F11(world: World, given: str) -> None:
    with planted(world) as db:
        assert said(db.error("select authz.access_token_hook(%s::text::jsonb)", given)) == ("22023", "the event has no person or no claims")
    assert "org_roles" in hook(world, event(world.acme.people["owner"]))["claims"]
