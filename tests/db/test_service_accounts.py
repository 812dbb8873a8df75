"""Service accounts: ordinary members with an owner, gone when the owner goes, and named as what they are in the record (F03)."""

from __future__ import annotations

import pytest

from tests.db.session import Person, request, second_factor
from tests.db.world import World, make_person


def add(world: World, owner: str = "admin", role: str = "member") -> Person:
    """Sign an account up and let somebody of acme add it as theirs."""
    account = make_person(world.superuser_url, f"import-{owner}@acme.test")
    with world.as_(world.acme.people[owner], keep=True) as db:
        token = db.rpc("create_invitation", org_id=world.acme.id, email=account.email, role=role, service=True)["token"]
    assert orgs(world, account) == []  # nobody is added, not even an account without a person
    with world.as_(account, keep=True) as db:
        db.rpc("accept_invitation", token=token)
    return account


def orgs(world: World, person: Person) -> list[str]:
    with world.as_(person) as db:
        return [o["slug"] for o in db.rpc("whoami")["organizations"]]


def test_a_service_account_is_a_member_and_everybody_sees_who_answers_for_it_F03(own_world: World) -> None:
    world = own_world
    account = add(world)
    assert orgs(world, account) == ["acme"]
    with world.as_(world.acme.people["auditor"]) as db:
        (row,) = db.rpc("list_service_accounts", org_id=world.acme.id)
    assert (row["user_id"], row["role"], row["owner_id"], row["active"]) == (account.user_id, "member", world.acme.people["admin"].user_id, True)


def test_it_stands_still_with_its_suspended_owner_and_goes_with_one_who_leaves_F03_R40(own_world: World) -> None:
    world = own_world
    account, owner = add(world), world.acme.people["admin"]
    suspend = "update app.membership set status = %s where org_id = %s and user_id = %s"
    for status, seen in (("suspended", []), ("active", ["acme"])):
        with world.operator(keep=True) as db:
            db.run(suspend, status, world.acme.id, owner.user_id)
        assert orgs(world, account) == seen
    with world.as_(owner, keep=True) as db:
        db.rpc("remove_member", org_id=world.acme.id, user_id=owner.user_id)
    assert orgs(world, account) == []
    with world.operator() as db:
        assert db.one("select count(*) from app.membership where user_id = %s", account.user_id) == 0
        gone = db.all("select object_id from app.audit_event where org_id = %s and action = 'membership.delete'", world.acme.id)
        assert {str(account.user_id), str(owner.user_id)} <= {o for (o,) in gone}


def test_its_acts_say_service_and_on_whose_behalf_F03(own_world: World) -> None:
    world = own_world
    account, owner = add(world), world.acme.people["admin"]
    with world.as_(account, keep=True) as db:
        db.rpc("create_ticket", org_id=world.acme.id, subject="s", body="b")
        run = db.rpc("start_run", bot="acme/helpdesk", question="Hello?")["run_id"]
    with world.operator() as db:
        acts = db.all("select action, actor_kind, on_behalf_of, bot_id from app.audit_event where actor_id = %s and action !~ '^(membership|invitation)' order by at", account.user_id)
        assert acts == [("support_ticket.insert", "service", owner.user_id, None), ("run.insert", "service", owner.user_id, world.acme.ids["bot"])]
        assert db.all("select user_id, actor_kind, on_behalf_of, bot_id from app.run where id = %s", run) == [
            (account.user_id, "service", owner.user_id, world.acme.ids["bot"])]
    with world.as_(world.acme.people["member"], keep=True) as db:
        db.rpc("create_ticket", org_id=world.acme.id, subject="s", body="b")
    with world.operator() as db:
        assert db.all("select actor_kind, on_behalf_of from app.audit_event where actor_id = %s", world.acme.people["member"].user_id)[-1] == ("user", None)


def test_nobody_says_who_acted_in_a_run_but_the_database_F03(world: World) -> None:
    with world.as_(world.acme.people["customer"]) as db:
        for column, value in (("actor_kind", "'service'"), ("on_behalf_of", "gen_random_uuid()"), ("api_token_id", "gen_random_uuid()")):
            assert "permission denied" in str(db.error(f"update app.run set {column} = {value}"))


def test_nobody_is_added_without_a_yes_F03(own_world: World) -> None:
    world = own_world
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        for statement in ("insert into app.membership (org_id, user_id, role_id, service_owner_id, service_owner_role_id, service_owner_status)"
                          " select m.org_id, %s, m.role_id, m.user_id, m.role_id, m.status from app.membership m where m.user_id = authz.uid()",
                          "update app.membership set service_owner_id = null where user_id = %s"):
            assert "permission denied for table membership" in str(db.error(statement, world.nobody.user_id))
    account = add(world, "owner", "admin")
    with world.as_(account, **second_factor()) as db:
        error = db.rpc_error("create_invitation", org_id=world.acme.id, email="more@example.test", role="member", service=True)
        assert error.sqlstate in ("42501", "PT404")


def test_who_lost_a_role_does_not_take_it_back_through_their_service_account_F03_F12(own_world: World) -> None:
    """It may what its owner may too, as they are now, and nothing that is for people alone."""
    world = own_world
    people, org = world.acme.people, world.acme.id
    account = add(world, "admin", "admin")
    back = {"org_id": org, "user_id": people["admin"].user_id, "role": "admin"}

    def carries(*permissions: str) -> list[bool]:
        with world.as_(account, **second_factor()) as db:
            return [db.all("select authz.orgs_with(%s)", p) == [(org,)] for p in permissions]

    assert carries("orders.read", "documents.read", "members.manage", "roles.manage", "teams.manage", "rules.manage", "tokens.create") == [True] * 2 + [False] * 5
    with world.as_(account, **second_factor()) as db:
        assert db.rpc_error("change_member", **back).sqlstate == "PT404"
    with world.as_(people["owner"], keep=True) as db:
        db.rpc("change_member", **back | {"role": "member"})
    assert carries("orders.read", "documents.read") == [False, True]
    with world.as_(people["owner"], keep=True, **second_factor()) as db:
        db.rpc("change_member", **back)
    assert carries("orders.read") == [True]


def test_what_is_denied_to_its_owner_is_denied_to_it_F03_F15(own_world: World) -> None:
    world = own_world
    account, org, document = add(world, "admin"), world.acme.id, world.acme.ids["document"]
    see = "select count(*) from app.document where id = %s"
    for subject, there in (({}, 1), ({"user_id": world.acme.people["admin"].user_id}, 0), ({"role": "admin"}, 0), ({"role": "agent"}, 1)):
        with world.as_(world.acme.people["owner"], keep=True) as db:
            rule = db.rpc("create_deny_rule", org_id=org, reason="Probe.", document_id=document, **subject)["id"] if subject else None
        with world.as_(account) as db:
            assert db.one(see, document) == there, subject
        with world.as_(world.acme.people["owner"], keep=True) as db:
            if rule:
                db.rpc("delete_deny_rule", org_id=org, rule_id=rule)


def test_an_owner_of_the_organization_is_a_person_F03_R45(own_world: World) -> None:
    world = own_world
    owner, org = world.acme.people["owner"], world.acme.id
    account = add(world, "owner", "owner")
    with world.as_(owner, **second_factor()) as db:
        assert db.rpc_error("change_member", org_id=org, user_id=owner.user_id, role="admin").sqlstate == "PT409"
    with world.as_(account, **second_factor()) as db:
        assert db.rpc_error("suspend_organization", org_id=org).sqlstate in ("42501", "PT404")
    with world.as_(owner, **second_factor()) as db:
        assert db.rpc("suspend_organization", org_id=org)


@pytest.mark.parametrize("claims", [{"is_anonymous": True}, {"client_id": "an app"}])
def test_somebody_anonymous_founds_and_joins_nothing_R43(own_world: World, claims: dict[str, object]) -> None:
    """Every door: founding, being added and then acting, choosing, and tokens. An OAuth client may read, and no more."""
    world = own_world
    member, org = world.acme.people["member"], world.acme.id
    with request(world.authenticator_url, member.claims(**claims, **second_factor()), pre_request=False) as db:
        assert db.all("select authz.org_ids()") == ([] if "is_anonymous" in claims else [(org,)])
        for name, arguments in (("create_organization", {"slug": "mine", "name": "Mine"}), ("choose_organization", {"org_id": org}),
                                ("check_api_token", {"org_id": org, "name": "x", "permissions": ["documents.read"], "expires_in": 60}),
                                ("create_invitation", {"org_id": org, "email": "new@example.test", "role": "member"}),
                                ("accept_invitation", {"token": "rfi_" + "A" * 43}),
                                ("remove_member", {"org_id": org, "user_id": member.user_id})):
            assert db.rpc_error(name, **arguments).sqlstate in ("42501", "PT404"), name
    with world.as_(member) as db:
        assert db.rpc("create_organization", slug="mine", name="Mine")["id"]
