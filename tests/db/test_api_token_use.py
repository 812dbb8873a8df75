"""What one sees of API tokens, what their use leaves behind, and what they change (F08, F14, F18)."""

from __future__ import annotations

import pytest

from tests.db.registry.decision import PERSONAL, ROLES
from tests.db.test_api_tokens import make, new_session, permitted, wish
from tests.db.session import Person
from tests.db.world import World


def test_whoami_tells_of_a_token_what_it_may_and_not_what_its_owner_may_F08(own_world: World) -> None:
    owner = own_world.acme.people["owner"]
    acting, _ = make(own_world, owner, "documents.read", "bots.run")

    def told(person: Person, **claims: str) -> set[str]:
        with own_world.as_(person, **claims) as db:
            (found,) = [set(o["permissions"]) for o in db.rpc("whoami")["organizations"]]
            assert found == permitted(db) == {p["name"] for p in db.rpc("list_permissions", org_id=own_world.acme.id) if p["held"]}
        return found

    assert told(acting) == {"documents.read", "bots.run"}
    assert told(owner, client_id="an app") == ROLES["owner"] - PERSONAL
    assert told(owner) == ROLES["owner"]


def test_one_sees_and_revokes_ones_own_tokens_and_who_manages_members_everybodys_F08(own_world: World) -> None:
    org, people = own_world.acme.id, own_world.acme.people
    _, made = make(own_world, people["member"])
    with own_world.as_(people["agent"]) as db:
        assert db.rpc("list_api_tokens", org_id=org) == []
        assert db.rpc_error("revoke_api_token", org_id=org, token_id=made["id"]).sqlstate == "PT404"
    with own_world.as_(people["member"]) as db:
        (row,) = db.rpc("list_api_tokens", org_id=org)
        assert str(row["id"]) == made["id"] and row["last_used_at"] is None and "token_sha256" not in row
        assert db.rpc("revoke_api_token", org_id=org, token_id=made["id"])["revoked_at"]
    with own_world.as_(people["admin"], keep=True) as db:
        assert made["id"] in [str(t["id"]) for t in db.rpc("list_api_tokens", org_id=org)]
        first = db.rpc("revoke_api_token", org_id=org, token_id=made["id"])["revoked_at"]
    with own_world.as_(people["admin"]) as db:
        assert db.rpc("revoke_api_token", org_id=org, token_id=made["id"])["revoked_at"] == first, "revoked is since the first time"
        assert db.run("update app.api_token set revoked_at = null where id = %s", made["id"]) == 1
        assert db.one("select revoked_at from app.api_token where id = %s", made["id"]) is not None


def test_use_is_noted_by_the_tokens_own_session_and_hash_only_F08(own_world: World) -> None:
    member = own_world.acme.people["member"]
    sha = "ab12" * 16
    acting, made = make(own_world, member, token_sha256=sha)
    with own_world.as_(member) as db:
        assert db.rpc("touch_api_token", token_sha256=sha) is False
    with own_world.as_(acting) as db:
        assert db.rpc("touch_api_token", token_sha256="00" * 32) is False
        assert db.one("select last_used_at from app.api_token where id = %s", made["id"]) is None
        assert db.rpc("touch_api_token", token_sha256=sha) is True
        assert db.one("select last_used_at = now() from app.api_token where id = %s", made["id"]) is True


@pytest.mark.parametrize("seconds", [59, 31622401, -1, 0])
def test_a_token_always_ends_within_a_year_F08(own_world: World, seconds: int) -> None:
    member = own_world.acme.people["member"]
    session = new_session(own_world, member)
    with own_world.as_(member) as db:
        assert db.rpc_error("create_api_token", **wish(own_world, session, expires_in=seconds)).sqlstate == "22023"
        assert db.rpc("create_api_token", **wish(own_world, session, expires_in=31622400))["id"]


def test_what_is_done_with_a_token_says_so_in_the_record_F08_F18(own_world: World) -> None:
    customer, org = own_world.acme.people["customer"], own_world.acme.id
    acting, made = make(own_world, customer, "tickets.create", "bots.run")
    for claims in ({}, {"client_id": "app-1"}):
        with own_world.as_(acting if not claims else customer, keep=True, **claims) as db:
            db.rpc("create_ticket", org_id=org, subject="s", body="b")
            db.rpc("start_run", bot="acme/helpdesk", question="Hello?")
    with own_world.operator() as db:
        query = ("select action, actor_id, actor_kind, api_token_id::text, client_id, bot_id from app.audit_event where org_id = %s"
                 " and action in ('support_ticket.insert', 'run.insert') order by at desc limit 4")
        bot = own_world.acme.ids["bot"]
        assert db.all(query, org) == [
            ("run.insert", customer.user_id, "user", None, "app-1", bot), ("support_ticket.insert", customer.user_id, "user", None, "app-1", None),
            ("run.insert", customer.user_id, "user", made["id"], None, bot), ("support_ticket.insert", customer.user_id, "user", made["id"], None, None)]
        runs = db.all("select actor_kind, on_behalf_of, api_token_id::text, client_id from app.run where org_id = %s order by started_at desc limit 2", org)
        assert runs == [("user", None, None, "app-1"), ("user", None, made["id"], None)]


def test_a_token_changes_its_owners_own_things_with_the_permission_for_them_only_F08_F14(own_world: World) -> None:
    """The owner made them, so the owner needs no permission; a token of theirs does."""
    owner, org, ids = own_world.acme.people["owner"], own_world.acme.id, own_world.acme.ids
    reading, _ = make(own_world, owner, "documents.read", "bots.run")
    changing, _ = make(own_world, owner, "documents.read", "documents.manage", "bots.run", "bots.manage")
    acts = (f"update app.document set title = 'x' where id = '{ids['private_document']}'", f"update app.knowledge_base set name = 'x' where id = '{ids['knowledge_base']}'",
            f"update app.bot set name = 'x' where id = '{ids['bot']}'", f"delete from app.bot_binding where org_id = '{org}'")
    with own_world.as_(reading) as db:
        assert db.one("select count(*) from app.document where id = %s", ids["private_document"]) == 1
        for act in acts:
            error, needed = db.error(act), "bots.manage" if "bot" in act.split("where")[0] else "documents.manage"
            assert (error.sqlstate, error.diag.message_primary) == ("42501", f"this API token was not made for that: it takes one with {needed}"), act
    with own_world.as_(changing) as db:
        assert all(db.run(act) > 0 for act in acts)
