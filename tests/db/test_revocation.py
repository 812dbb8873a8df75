"""What is taken away is gone at the next statement of the same token: membership, role, sharing, binding (R40, F04, F17)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.session import Request
from tests.db.test_claims import ORG_TABLES, organizations_of, visible
from tests.db.world import World, embedding


def as_operator(db: Request, statement: str, *arguments: Any) -> int:
    """Change something as the superuser in the middle of somebody's transaction, and go on as before."""
    claims = db.one("select current_setting('request.jwt.claims', true)")
    db.run("reset role")
    touched = db.run(statement, *arguments)
    db.run("select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)", claims)
    return touched


def test_a_removed_member_sees_nothing_on_the_next_statement_even_of_an_open_transaction_R40(own_world: World) -> None:
    world = own_world
    member = world.acme.people["customer"]
    with world.as_(member) as open_request:
        before = visible(open_request)
        assert {"organization", "document", "chunk", "customer_order", "message", "run"} <= set(before)
        with world.as_(world.acme.people["owner"], keep=True) as owner:
            owner.rpc("remove_member", org_id=world.acme.id, user_id=member.user_id)
        assert set(visible(open_request)) == {"permission", "provider"}
    with world.as_(member) as db:  # the session lives, the token is the same
        assert set(visible(db)) == {"permission", "provider"}
        assert db.rpc("whoami")["organizations"] == []
        assert db.rpc("list_bots") == []
        assert db.rpc_error("start_run", bot="acme/helpdesk", question="Still there?").sqlstate == "PT404"
        assert db.rpc_error("call_tool", run_id=world.acme.ids["running_run"], tool="my_orders").sqlstate == "PT404"
        assert "row-level security" in str(db.rpc_error("place_order", org_id=world.acme.id, order_number="ORD-999", total_cents=1, currency="EUR"))
    assert world.rows("customer_order", f"user_id = '{member.user_id}'") == 1  # it is the person who lost it, not the organization
    world.join(world.acme, member, "member")
    with world.as_(member) as db:
        assert visible(db).items() >= {k: v for k, v in before.items() if k not in ("audit_event", "membership", "team_member")}.items()


def test_another_role_counts_at_the_next_statement_F17(world: World) -> None:
    analyst = world.acme.people["analyst"]
    move = "update app.membership set role_id = (select id from app.role r where r.org_id = membership.org_id and name = %s) where user_id = %s"
    with planted(world) as db:
        become(db, analyst)
        assert db.one("select count(*) from app.customer_order") == 2
        as_operator(db, move, "member", analyst.user_id)
        assert db.one("select count(*) from app.customer_order") == 0
        assert db.one("select count(*) from app.membership") == 1
        as_operator(db, move, "admin", analyst.user_id)
        assert db.one("select count(*) from app.customer_order") == 2
        assert db.rpc("create_bot", org_id=world.acme.id, slug="mine", name="Mine")["id"]


def test_a_permission_taken_from_a_role_counts_at_the_next_statement_F17(world: World) -> None:
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        assert db.one("select count(*) from app.chunk") == 5
        taken = as_operator(db, "delete from app.role_permission p using app.role r where r.id = p.role_id and r.name = 'member'"
                                " and p.permission = 'documents.read' and p.org_id = %s", world.acme.id)
        assert taken == 1
        assert db.one("select count(*) from app.chunk") == 0
        assert db.one("select count(*) from app.customer_order") == 1


def search(db: Request, world: World) -> dict[str, Any]:
    return dict(db.rpc("call_tool", run_id=world.acme.ids["running_run"], tool="search_documents", arguments={"query": "delivery"},
                       query_embedding=json.dumps(embedding(0))))


WITHDRAWN = {
    "membership": "delete from app.membership where user_id = '{customer}'",
    "role": "update app.membership set role_id = (select id from app.role r where r.org_id = membership.org_id and name = 'probe')"
            " where user_id = '{customer}'",
    "sharing": "delete from app.bot_runner where bot_id = '{bot}' and level = 'viewer'",
    "finished": "update app.run set status = 'cancelled' where id = '{running_run}'",
}


@pytest.mark.parametrize("what", WITHDRAWN)
def test_a_tool_call_in_the_middle_of_a_run_fails_once_it_is_withdrawn_R40(world: World, what: str) -> None:
    customer = world.acme.people["customer"]
    with planted(world, f"insert into app.role (org_id, name) values ('{world.acme.id}', 'probe')") as db:
        become(db, customer)
        first = search(db, world)
        assert (first["outcome"], first["row_count"]) == ("ok", 3)
        assert as_operator(db, WITHDRAWN[what].format(customer=customer.user_id, **world.acme.ids)) == 1
        for call in (lambda: search(db, world), lambda: db.rpc("begin_model_call", org_id=world.acme.id, run_id=world.acme.ids["running_run"], model="m",
                                                               provider="p", max_tokens=5)):
            with pytest.raises(Exception, match="no such running run of yours") as caught, db.connection.transaction():
                call()
            assert caught.value.sqlstate == "PT404"  # type: ignore[attr-defined]


def test_a_removed_member_cannot_finish_the_run_and_one_whose_bot_was_withdrawn_can_R40(world: World) -> None:
    customer, run = world.acme.people["customer"], world.acme.ids["running_run"]
    with planted(world, f"delete from app.membership where user_id = '{customer.user_id}'") as db:
        become(db, customer)
        assert db.rpc_error("finish_run", run_id=run, outcome="cancelled", answer="").sqlstate == "PT404"
    with planted(world, f"delete from app.bot_runner where bot_id = '{world.acme.ids['bot']}'") as db:
        become(db, customer)
        assert db.rpc("finish_run", run_id=run, outcome="cancelled", answer="") == {"message_id": None}


def test_a_tool_or_a_knowledge_base_unbound_in_the_middle_of_a_run_is_out_of_reach_F17(world: World) -> None:
    bot = world.acme.ids["bot"]
    with planted(world) as db:
        become(db, world.acme.people["customer"])
        assert search(db, world)["row_count"] == 3
        assert as_operator(db, "delete from app.bot_binding where bot_id = %s and knowledge_base_id is not null", bot) == 1
        assert (lambda r: (r["outcome"], r["rows"]))(search(db, world)) == ("ok", [])
        assert as_operator(db, "delete from app.bot_binding where bot_id = %s and tool = 'search_documents'", bot) == 1
        found = search(db, world)
        assert (found["outcome"], found["code"], found["rows"]) == ("denied", "42501", [])


def test_a_permission_given_in_one_organization_gives_nothing_in_the_other_F11(world: World) -> None:
    with planted(world, f"delete from app.membership where user_id = '{world.both.user_id}' and org_id = '{world.acme.id}'") as db:
        become(db, world.both)
        assert organizations_of(db) == {str(world.globex.id)}
    assert len(ORG_TABLES) >= 17
