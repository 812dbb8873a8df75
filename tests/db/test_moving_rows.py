"""No statement moves a row to another organization or reaches one there: UPDATE, upsert, MERGE, cascades, foreign keys (R34, R35, R52, F21)."""

from __future__ import annotations

import pytest

from tests.db.registry import TABLES
from tests.db.matrix import bindings, become, fill, planted
from tests.db.session import Request
from tests.db.world import World

MOVABLE = [t for t, d in TABLES.items() if d.org == "org_id"]
OWNS_BOTH = ("insert into app.membership (org_id, user_id, role_id) select r.org_id, '{user}', r.id from app.role r where r.org_id = '{org}'"
             " and r.name = 'owner' on conflict (org_id, user_id) do update set role_id = excluded.role_id")
MOVES = {
    "update": "update app.{t} set org_id = '{to}'",
    "update where": "update app.{t} set org_id = '{to}' where org_id = '{own}'",
    "merge": "merge into app.{t} t using (select 1) s on t.org_id = '{own}' when matched then update set org_id = '{to}'",
}


@pytest.fixture(scope="module")
def world(held_world: World) -> World:
    """Return the world with something to change in every table."""
    return held_world


@pytest.mark.parametrize("table", MOVABLE)
@pytest.mark.parametrize("form", MOVES)
def test_even_an_owner_of_both_organizations_cannot_move_a_row_between_them_R34(world: World, table: str, form: str) -> None:
    statement = MOVES[form].format(t=table, to=world.globex.id, own=world.acme.id)
    with planted(world, *(OWNS_BOTH.format(user=world.both.user_id, org=o.id) for o in (world.acme, world.globex))) as db:
        become(db, world.both)
        assert {r["role"] for r in db.rpc("whoami")["organizations"]} == {"owner"}
        error = db.error(statement)
        assert (error.sqlstate, error.diag.message_primary) == ("42501", f"permission denied for table {table}")


@pytest.mark.parametrize("table", [t for t in MOVABLE if TABLES[t].update])
@pytest.mark.parametrize("form", MOVES)
def test_with_the_column_granted_by_mistake_the_policy_still_refuses_the_move_R34(world: World, table: str, form: str) -> None:
    statement = MOVES[form].format(t=table, to=world.globex.id, own=world.acme.id)
    if table == "membership":  # the last owner stays where they are, whatever the policy says
        statement = statement + (f" where user_id = '{world.both.user_id}'" if form == "update" else "")
    who = {"run": "customer", "support_ticket": "agent", "analytics_job": "customer"}.get(table, "owner")
    with planted(world, f"grant update (org_id) on app.{table} to authenticated") as db:
        become(db, world.acme.people[who])
        error = db.error(statement)
        assert error.sqlstate in ("42501", "PT409"), error
        assert "row-level security policy" in str(error) or table in ("membership", "role")  # their guards refuse first
        db.run("reset role")
        assert db.one(f"select count(*) from app.{table} where org_id = %s", world.acme.id) > 0


UPSERTS = {
    # A row that exists in the other organization under this very key: nothing of it may be read or changed.
    "team": ("(org_id, slug, name) values (:org, 'support', 'Taken')", "(org_id, slug)", "name = 'Taken'"),
    "role": ("(org_id, name) values (:org, 'member')", "(org_id, name)", "name = 'Taken'"),
    "membership": ("(org_id, user_id, role_id) values (:org, :member, :owner_role)", "(org_id, user_id)", "role_id = :member_role"),
    "support_ticket": ("(org_id, subject, body, idempotency_key) values (:org, 's', 'b', gen_random_uuid())", "(org_id, user_id, idempotency_key)",
                       "status = 'closed'"),
}


@pytest.mark.parametrize("table", UPSERTS)
@pytest.mark.parametrize("who", ["owner", "member", "both"])
def test_an_upsert_neither_reads_nor_changes_a_row_of_another_organization_R35(world: World, table: str, who: str) -> None:
    values, target, change = UPSERTS[table]
    person = world.both if who == "both" else world.acme.people[who]
    with planted(world) as db:
        ids = bindings(world.globex, db)
        before = db.all(f"select t::text from app.{table} t where org_id = %s order by 1", world.globex.id)
        become(db, person)
        for clause in ("do nothing", f"do update set {change}", f"do update set {change} where {table}.org_id is not null", f"do update set {change} returning *"):
            statement = fill(f"insert into app.{table} {values} on conflict {target} {clause}", ids)
            if table == "support_ticket" and who == "both":
                assert db.run(statement) == 1  # a member of globex opens tickets there; the key is new
                continue
            error = db.error(statement)
            assert error.sqlstate == "42501", (statement, error)
            # The guard of roles is asked before the policy.
            refusals = ("row-level security policy", "permission denied for table membership", "changing roles needs roles.manage")
            assert any(refusal in str(error) for refusal in refusals), error
        db.run("reset role")
        after = db.all(f"select t::text from app.{table} t where org_id = %s order by 1", world.globex.id)
        assert set(before) <= set(after)


def test_an_upsert_on_ones_own_row_works_R35(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        slug = db.one("select slug from app.team where org_id = %s limit 1", world.acme.id)
        assert db.run("insert into app.team (org_id, slug, name) values (%s, %s, 'x') on conflict (org_id, slug) do update set name = 'Renamed'",
                      world.acme.id, slug) == 1
        assert db.one("select name from app.team where org_id = %s and slug = %s", world.acme.id, slug) == "Renamed"


def test_a_slug_that_another_organization_has_is_free_R51(world: World) -> None:
    with world.as_(world.globex.people["owner"], keep=False) as db:
        db.rpc("create_bot", org_id=world.globex.id, slug="only-here", name="x")
    with world.as_(world.acme.people["owner"]) as db:
        assert db.rpc("create_knowledge_base", org_id=world.acme.id, slug="globex", name="x")["id"]
        taken = db.rpc_error("create_bot", org_id=world.acme.id, slug="helpdesk", name="x")
        assert (taken.sqlstate, taken.diag.message_detail) == ("PT409", None)


REFERENCES = {
    "bot_runner": "insert into app.bot_runner (org_id, bot_id) values ('{own}', '{id}')",
    "bot_binding": "insert into app.bot_binding (org_id, bot_id, tool) values ('{own}', '{id}', 'my_orders')",
    "bot_binding base": "insert into app.bot_binding (org_id, bot_id, knowledge_base_id) values ('{own}', '{bot}', '{id}')",
    "document": "insert into app.document (org_id, knowledge_base_id, title, uri, sha256) values ('{own}', '{id}', 't', 'u', repeat('0', 64))",
    "chunk": "insert into app.chunk (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content, start_char, end_char, embedding)"
             " values ('{own}', '{id}', '{knowledge_base}', 'organization', '{me}', 9, 'x', 0, 1, array_fill(1, array[384])::extensions.vector)",
    "membership": "update app.membership set role_id = '{id}' where org_id = '{own}' and user_id = '{member}'",
}


@pytest.mark.parametrize("what", REFERENCES)
def test_a_reference_to_another_organizations_row_fails_like_one_to_nothing_R52(world: World, what: str) -> None:
    with planted(world) as db:
        foreign = bindings(world.globex, db)
        target = {"bot_binding base": "knowledge_base", "document": "knowledge_base", "chunk": "document", "membership": "member_role"}.get(what, "bot")
        absent = db.one("select gen_random_uuid()")
        become(db, world.acme.people["owner"])

        def attempt(id_: object) -> tuple[str | None, str, str]:
            error = db.error(REFERENCES[what].format(own=world.acme.id, id=id_, bot=world.acme.ids["bot"], me=world.acme.people["owner"].user_id,
                                                     knowledge_base=world.acme.ids["knowledge_base"], member=world.acme.people["member"].user_id))
            return error.sqlstate, str(error.diag.message_primary), str(error.diag.message_detail).replace(str(id_), "ASKED")

        assert attempt(foreign[target]) == attempt(absent)
        # A chunk needs a document one is loading oneself, a document or a binding a base one sees, and the policy is asked before the foreign key;
        # a membership copies what its role carries, and a role that is not there carries nothing.
        refusals = {"chunk": "42501", "document": "42501", "bot_binding base": "42501", "membership": "23502"}
        assert attempt(absent)[0] == refusals.get(what, "23503")


def test_what_cascades_stays_in_the_organization_R34(world: World) -> None:
    """Making a document private carries its chunks along by foreign key: of this document, in this organization, and nobody else's."""
    def private(db: Request) -> dict[str, int]:
        return dict(db.all("select org_id::text, count(*) from app.chunk where visibility = 'private' group by 1"))

    with planted(world) as db:
        before = private(db)
        become(db, world.acme.people["owner"])
        assert db.run("update app.document set visibility = 'private' where id = %s", world.acme.ids["document"]) == 1
        db.run("reset role")
        after = private(db)
    assert after == before | {str(world.acme.id): before[str(world.acme.id)] + 3}
    with world.as_(world.acme.people["builder"]) as db:  # somebody else's document cannot be taken private by a colleague
        assert "row-level security" in str(db.error("update app.document set visibility = 'private' where id = %s", world.acme.ids["document"]))


def test_deleting_everything_deletes_nothing_elsewhere_R34(world: World) -> None:
    tables = [t for t in MOVABLE if t != "audit_event"]
    with planted(world) as db:
        def theirs() -> list[int]:
            return [db.one(f"select count(*) from app.{t} where org_id = %s", world.globex.id) for t in tables]

        before = theirs()
        become(db, world.acme.people["owner"])
        for table in ("document", "bot_binding", "bot_runner"):
            assert db.run(f"delete from app.{table}") > 0
        db.run("reset role")
        assert theirs() == before and all(before)
