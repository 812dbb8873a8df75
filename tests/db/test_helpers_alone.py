"""The helpers behind policies and definers, each asked directly: what it answers is what was decided, though a policy around it says the same (R10, R49).

A deprovisioning is at work in the transaction: it opens rows of somebody else to the role that owns the definers, so that nothing but the
helper's own condition keeps them out of its answer. What should come is read by the superuser.
"""

from __future__ import annotations

import json

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.world import World

MINE = "from app.membership m where m.user_id = :me"
# A helper, who is allowed to ask it, and what it answers.
SETS: dict[str, tuple[str, str]] = {
    "authz.joined_org_ids()": ("ringfence_owner", f"select m.org_id {MINE}"),
    "authz.org_ids()": ("authenticated", f"select m.org_id {MINE}"),
    "authz.orgs_with('documents.read')": ("authenticated", f"select m.org_id {MINE} and exists (select from app.role_permission p where p.org_id = m.org_id"
                                          " and p.role_id = m.role_id and p.permission = 'documents.read')"),
    "authz.owned_org_ids()": ("ringfence_owner", f"select m.org_id {MINE} and exists (select from app.role r where r.org_id = m.org_id and r.id = m.role_id"
                              " and r.name = 'owner' and r.built_in)"),
    "authz.role_ids()": ("authenticated", f"select m.role_id {MINE}"),
    "authz.service_owner_ids()": ("ringfence_owner", f"select m.service_owner_id {MINE} and m.service_owner_id is not null"),
    "authz.service_owner_role_ids()": ("ringfence_owner", f"select m.service_owner_role_id {MINE} and m.service_owner_id is not null"),
    "authz.team_ids()": ("authenticated", "select t.team_id from app.team_member t where t.user_id = :me"),
    "authz.managed_team_ids()": ("authenticated", "select t.team_id from app.team_member t where t.user_id = :me and t.manager"),
    "authz.inviting_org_ids()": ("ringfence_owner", "select i.org_id from app.invitation i join auth.users u on u.email = i.email where u.id = :me"
                                 " and i.accepted_at is null and i.revoked_at is null and i.expires_at > now()"),
    "authz.departing_org_ids()": ("ringfence_owner", "select d.org_id from app.departure d where d.ended_by = :me and d.how = 'deprovisioned'"
                                  " and d.ended_in = pg_current_xact_id()"),
    "authz.departing_user_ids()": ("ringfence_owner", "select d.user_id from app.departure d where d.ended_by = :me and d.how = 'deprovisioned'"
                                   " and d.ended_in = pg_current_xact_id()"),
}


@pytest.mark.parametrize("helper", SETS)
@pytest.mark.parametrize("who", ["owner", "admin", "builder", "customer", "guest", "both"])
def test_a_helper_answers_for_its_person_alone_F17(world: World, helper: str, who: str) -> None:
    org, people = world.acme.id, world.acme.people | {"guest": world.acme.guest, "both": world.both}
    person, role, expected = people[who], *SETS[helper]
    ended = "insert into app.departure (org_id, user_id, ended_by, how, ended_in) values ('{org}', '{user}', '{by}', '{how}', {ended_in})"
    # Sent away by this person just now; then: by hand, before, and this person by somebody else, whose membership was given back.
    rows = [(people["analyst"], person, "deprovisioned", "pg_current_xact_id()"), (people["agent"], person, "removed", "pg_current_xact_id()"),
            (people["member"], person, "deprovisioned", "'3'"), (person, people["auditor"], "deprovisioned", "pg_current_xact_id()")]
    invited = ("insert into app.invitation (org_id, email, role_id, token_sha256, created_by, expires_at, created_at, revoked_at)"
               " select i.org_id, '{email}', i.role_id, repeat('{digit}', 64), i.created_by, i.expires_at {expires}, i.created_at - interval '9 days', {revoked}"
               " from app.invitation i where i.id = '{invitation}'")
    planting = ["alter table app.departure disable trigger user", "alter table app.invitation disable trigger user",
                *(ended.format(org=org, user=user.user_id, by=by.user_id, how=how, ended_in=ended_in) for user, by, how, ended_in in rows),
                *(invited.format(email=person.email, digit=n, expires=expires, revoked=revoked, invitation=world.acme.ids["invitation"])
                  for n, (expires, revoked) in enumerate((("- interval '8 days'", "null"), ("", "now()"), ("", "null"))))]
    with planted(world, *planting) as db:
        should = sorted(str(v) for (v,) in db.all(expected.replace(":me", f"'{person.user_id}'::uuid")))
        become(db, person, role=role)
        assert sorted(str(v) for (v,) in db.all(f"select * from {helper}")) == should


def test_a_session_is_over_when_it_is_the_one_that_ended_F08(world: World) -> None:
    """Also where the definers see every session that ended."""
    owner = world.acme.people["owner"]
    with planted(world, "create policy opened on authz.ended_session for select to ringfence_owner using (true)",
                 "insert into authz.ended_session (session_id) values (gen_random_uuid())") as db:
        become(db, owner)
        assert db.one("select authz.api_token_is_over()") is False
        db.run("reset role")
        db.run("insert into authz.ended_session (session_id) values (%s)", owner.session_id)
        become(db, owner)
        assert db.one("select authz.api_token_is_over()") is True


@pytest.mark.parametrize(("setting", "helper", "permission"), [
    ("ringfence.adopting_org_id", "authz.adopting_org_id()", "documents.manage"), ("ringfence.search_org_id", "authz.search_org_id()", "documents.read")])
def test_an_organization_named_in_a_setting_counts_for_who_may_there_F03(world: World, setting: str, helper: str, permission: str) -> None:
    lacking = {"documents.manage": "customer", "documents.read": "auditor"}[permission]
    with planted(world) as db:
        for who, org, counts in (("owner", world.acme.id, True), (lacking, world.acme.id, False), ("owner", world.globex.id, False)):
            become(db, world.acme.people[who], role="ringfence_owner")
            # orgs_with() is asked as the person; the definers have no right to call it otherwise.
            db.run("select set_config('role', 'none', true), set_config(%s, %s, true)", setting, str(org))
            assert db.one(f"select {helper}") == (org if counts else None), (who, json.dumps(str(org)))


def test_what_a_purge_counts_is_rows_of_ours_that_went_F23(world: World) -> None:
    """PostgreSQL counts what this session deleted a moment ago too, until it has written its numbers down: so what is asked is what is added to them."""
    orders = "select count(*) from app.customer_order"
    with planted(world) as db:
        db.run("delete from auth.sessions where user_id not in (select user_id from app.membership)")
        before, counted = db.one("select authz.deleted_rows()"), db.one(orders)
        gone = db.run("delete from app.customer_order where order_number = 'ORD-1000' and org_id = %s", world.acme.id)
        after = db.one("select authz.deleted_rows()")
        assert gone == counted - db.one(orders) == 1
        assert after == before | {"customer_order": before.get("customer_order", 0) + gone}
        ours = {name for (name,) in db.all("select relname::text from pg_class where relnamespace = 'app'::regnamespace")}
        assert set(after) <= ours and 0 not in after.values(), "a table of ours that lost a row"


def test_tools_and_teams_that_rules_take_are_tools_and_teams_F15(world: World) -> None:
    org, customer = world.acme.id, world.acme.people["customer"]
    rule = f"insert into app.deny_rule (org_id, user_id, {{column}}, reason, created_by) values ('{org}', '{customer.user_id}', '{{value}}', 'Probe', '{customer.user_id}')"
    with planted(world, "alter table app.deny_rule disable trigger user", "delete from app.deny_rule", rule.format(column="tool", value="my_orders"),
                 rule.format(column="document_id", value=world.acme.ids["document"])) as db:
        become(db, customer)
        assert db.all("select * from authz.denied_tools()") == [(org, "my_orders")]
        assert db.all("select * from authz.ruled_team_ids()") == []


@pytest.mark.parametrize(("status", "whose", "has"), [("verified", "owner", True), ("unverified", "owner", False), ("verified", "admin", False)])
def test_a_second_factor_is_ones_own_and_verified_F07(world: World, status: str, whose: str, has: bool) -> None:
    with planted(world, "insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)"
                 f" values (gen_random_uuid(), '{world.acme.people[whose].user_id}', 'totp', '{status}', now(), now())") as db:
        become(db, world.acme.people["owner"])
        assert db.one("select authz.has_second_factor()") is has


LEVELS = {"viewer": {"viewer", "editor", "owner"}, "editor": {"editor", "owner"}, "owner": {"owner"}}


@pytest.mark.parametrize("asked", LEVELS)
@pytest.mark.parametrize(("helper", "table", "column"), [
    ("authz.granted_documents", "document_grant", "document_id"), ("authz.granted_knowledge_bases", "kb_grant", "knowledge_base_id")])
def test_what_is_granted_at_a_level_or_above_to_oneself_ones_team_or_all_F14(world: World, helper: str, table: str, column: str, asked: str) -> None:
    """As the owner of a document sees all its grants: those of others are none of theirs."""
    org, people, ids = world.acme.id, world.acme.people, world.acme.ids
    own = {"document_id": ("document", "private_document", "unbound_document"), "knowledge_base_id": ("knowledge_base", "other_base", "vault_knowledge_base")}[column]
    with world.operator() as db:
        team = db.one("select team_id from app.team_member where org_id = %s and user_id = %s limit 1", org, people["customer"].user_id)
    to = {"viewer": f"user_id) values ('{people['admin'].user_id}', '{org}', '{ids[own[0]]}', 'viewer', '{people['customer'].user_id}'", "editor": f"team_id) values ('{people['admin'].user_id}', '{org}', '{ids[own[1]]}', 'editor', '{team}'",
          "owner": f"user_id) values ('{people['admin'].user_id}', '{org}', '{ids[own[2]]}', 'owner', '{people['auditor'].user_id}'"}
    with planted(world, f"alter table app.{table} disable trigger user", f"delete from app.{table}",
                 *(f"insert into app.{table} (created_by, org_id, {column}, level, {rest})" for rest in to.values())) as db:
        for who, level, which in (("customer", "viewer", 0), ("customer", "editor", 1), ("auditor", "owner", 2)):
            become(db, people[who])
            found = {str(v) for (v,) in db.all(f"select * from {helper}(%s)", asked)}
            assert (str(ids[own[which]]) in found) is (level in LEVELS[asked]), (who, level)
            assert who == "customer" or found <= {str(ids[own[2]])}, "somebody else's"


def test_a_new_version_inherits_the_rules_on_its_document_against_others_F15(world: World) -> None:
    org, people, ids = world.acme.id, world.acme.people, world.acme.ids
    with world.operator() as db:
        owners, theirs = (db.one("select id from app.role where org_id = %s and name = %s", org, name) for name in ("owner", "member"))
    rules = {"user_id": (people["customer"].user_id, people["owner"].user_id), "role_id": (theirs, owners)}
    on = "insert into app.deny_rule (org_id, {column}, document_id, reason, created_by) values ('{org}', '{value}', '{document}', 'Probe', '{by}')"
    planting = [on.format(org=org, column=column, value=value, document=ids[document], by=people["admin"].user_id)
                for column, values in rules.items() for value, document in ((values[0], "document"), (values[1], "document"))]
    planting.append(on.format(org=org, column="user_id", value=people["analyst"].user_id, document=ids["unbound_document"], by=people["admin"].user_id))
    everybody = f"insert into app.deny_rule (org_id, document_id, reason, created_by) values ('{org}', '{ids['document']}', 'Probe', '{people['admin'].user_id}')"
    with planted(world, "alter table app.deny_rule disable trigger user", "delete from app.deny_rule", *planting, everybody) as db:
        become(db, people["owner"])
        db.run("select authz.inherit_rules(%s, %s, %s)", org, ids["document"], ids["loading_document"])
        db.run("reset role")
        found = db.all("select user_id, role_id from app.deny_rule where document_id = %s order by user_id nulls last", ids["loading_document"])
    assert found == [(people["customer"].user_id, None), (None, theirs)]


def test_what_one_is_told_to_see_has_that_id_F87(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        for kind in ("document", "knowledge_base", "bot", "order", "ticket", "conversation", "run"):
            for id_, seen in ((world.acme.ids[kind], True), (world.acme.ids["sso_group"], False)):
                assert db.one("select authz.sees_object(%s, %s, %s)", world.acme.id, kind, id_) is seen, kind


@pytest.mark.parametrize(("began", "used"), [("since", True), ("before", False), ("as that of others", False)])
def test_a_conversation_was_used_when_a_run_of_it_began_since_in_its_organization_F72(world: World, began: str, used: bool) -> None:
    """Another organization has runs of a conversation with that id, begun now; so has this one, of other conversations."""
    conversation = world.acme.ids["conversation"]
    change = {"since": "started_at = now()", "before": "started_at = '2020-01-01'", "as that of others": "conversation_id = id"}[began]
    with planted(world, "create policy opened on app.run for select to ringfence_owner using (true)", REPLICA,
                 f"update app.run set started_at = now(), conversation_id = '{conversation}' where org_id = '{world.globex.id}'",
                 f"update app.run set {change} where org_id = '{world.acme.id}'") as db:
        become(db, None, role="ringfence_owner")
        assert db.one("select authz.used_since(%s, %s, '2021-01-01')", world.acme.id, conversation) is used
        assert db.one("select authz.used_since(%s, %s, '2021-01-01')", world.globex.id, conversation) is True
