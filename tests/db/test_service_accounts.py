"""Service accounts: ordinary members with an owner, gone when the owner goes, and named as what they are in the record (F03)."""

from __future__ import annotations

import pytest

from tests.db.session import Person, request, second_factor
from tests.db.world import World, make_person


def add(world: World, owner: str = "admin", role: str = "member") -> Person:
    """Sign an account up and let somebody of acme add it as theirs."""
    account = make_person(world.superuser_url, f"import-{owner}@acme.test")
    with world.as_(world.acme.people[owner], keep=True) as db:
        made = db.rpc("add_service_account", org_id=world.acme.id, user_id=account.user_id, role=role)
    assert made == {"user_id": str(account.user_id), "role": role, "owner_id": str(world.acme.people[owner].user_id)}
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
        acts = db.all("select action, actor_kind, on_behalf_of, bot_id from app.audit_event where actor_id = %s order by at", account.user_id)
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


def test_one_answers_for_ones_own_accounts_only_and_as_a_person_F03(own_world: World) -> None:
    world = own_world
    people, org = world.acme.people, world.acme.id
    insert = ("insert into app.membership (org_id, user_id, role_id, service_owner_id) select %s, %s, r.id, %s from app.role r"
              " where r.org_id = %s and r.name = 'member'")
    with world.as_(people["owner"]) as db:
        error = db.error(insert, org, world.nobody.user_id, people["admin"].user_id, org)
        assert (error.sqlstate, "answer for yourself" in str(error)) == ("42501", True)
        assert db.rpc_error("add_service_account", org_id=org, user_id=people["owner"].user_id, role="member").sqlstate in ("22023", "PT409")
        assert "permission denied" in str(db.error("update app.membership set service_owner_id = null"))
    account = add(world, "owner", "admin")
    with world.as_(account) as db:
        error = db.rpc_error("add_service_account", org_id=org, user_id=world.nobody.user_id, role="member")
        assert (error.sqlstate, "as a person" in str(error)) == ("42501", True)
    with world.as_(people["member"]) as db:
        assert db.rpc_error("add_service_account", org_id=org, user_id=world.nobody.user_id, role="member").sqlstate in ("42501", "PT404")


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
