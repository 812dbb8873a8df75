"""{may run, may not} x {may read, may not} for every kind of thing a bot can be bound to; sharing and binding give nobody a row (F13, F34)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, personas, planted
from tests.db.registry import TABLES
from tests.db.session import Request
from tests.db.test_run_reach import start, tool
from tests.db.world import World


@dataclass(frozen=True)
class Kind:
    """A resource, one person whose own rights reach it and one whose do not."""

    reader: str
    stranger: str
    target: str
    """The name in `Organization.ids` of what stands in the answer; empty where the call itself makes the row."""
    tool: str = "search_documents"
    arguments: dict[str, Any] = field(default_factory=lambda: {"query": "delivery", "max_rows": 50})
    denied: str = "ok"
    """The outcome of the stranger's call: ok without the row, not_found, or denied."""
    direct: str = "select id from app.chunk where document_id = %s"
    """What the person asks of the database without any bot, with the id as its argument: rows, or an error."""
    first: str = "select 1"
    """What an operator changes before; names of `Organization.ids` and `org` stand in braces, people as themselves."""


DENY = "insert into app.deny_rule (org_id, user_id, {0}, reason, created_by) values ('{{org}}', '{{customer}}', '{{{1}}}', 'Probe.', '{{owner}}')"
ORDER = "select id from app.customer_order where id = %s"
TICKET = "insert into app.support_ticket (org_id, subject, body) select o, 's', 'b' from authz.org_ids() o where %s::uuid is null returning id"
SOURCE = "select id from app.data_source where slug = '{0}' and %s::uuid is null"


def _asked(slug: str) -> dict[str, Any]:
    return {"tool": "ask_data", "arguments": {"source": slug, "question": "How many?"}, "denied": "not_found", "direct": SOURCE.format(slug)}


KINDS = {
    "a document of the organization, for a member": Kind("customer", "auditor", "document"),
    "a document of the organization, for staff": Kind("analyst", "auditor", "document"),
    "a private document, a customer": Kind("owner", "customer", "private_document"),
    "a private document, an admin": Kind("owner", "admin", "private_document"),
    "a private document shared with one colleague": Kind("analyst", "customer", "shared_document"),
    "a document of a restricted knowledge base": Kind("agent", "member", "vault_document"),
    "a document of a restricted knowledge base, the organization's owner": Kind("admin", "owner", "vault_document"),
    "a confidential document": Kind("admin", "customer", "document", first="update app.document set classification = 2 where id = '{document}'"),
    "a secret document": Kind("owner", "analyst", "document", first="update app.document set classification = 3 where id = '{document}'"),
    "a document a rule denies": Kind("member", "customer", "document", first=DENY.format("document_id", "document")),
    "a knowledge base a rule denies": Kind("member", "customer", "document", first=DENY.format("knowledge_base_id", "knowledge_base")),
    "an order of one's own": Kind("customer", "member", "order", "my_orders", {}, direct=ORDER),
    "an order by its number": Kind("analyst", "member", "order", "get_order", {"number": "ORD-2000"}, "not_found", ORDER),
    "a data source of everyone who may ask": Kind("customer", "auditor", "", **_asked("shop")),
    "a data source shared with a team": Kind("agent", "customer", "", **_asked("books")),
    "a data source a rule denies": Kind("member", "customer", "", first=DENY.format("data_source_id", "data_source"), **_asked("shop")),
    "a ticket": Kind("customer", "analyst", "", "create_ticket", {"subject": "s", "body": "b"}, "denied", TICKET),
}


def bound_bot(db: Request, world: World) -> UUID:
    """As the admin, who sees every knowledge base, make a bot that is bound to all there is to bind; nobody runs it yet."""
    become(db, world.acme.people["admin"])
    bot = UUID(db.rpc("create_bot", org_id=world.acme.id, slug="matrix", name="Matrix")["id"])
    for (base,) in db.all("select id from app.knowledge_base where org_id = %s", world.acme.id):
        db.rpc("bind_bot", org_id=world.acme.id, bot_id=bot, knowledge_base_id=base)
    # One of them a rule takes from admins.
    become(db, world.acme.people["owner"])
    for (source,) in db.all("select id from app.data_source where org_id = %s", world.acme.id):
        db.rpc("bind_bot", org_id=world.acme.id, bot_id=bot, data_source_id=source)
    become(db, world.acme.people["admin"])
    for name in tools(db):
        db.rpc("bind_bot", org_id=world.acme.id, bot_id=bot, tool=name)
    for kind in ("knowledge_base", "data_source"):
        assert db.one(f"select count(*) from app.bot_binding where bot_id = %s and {kind}_id is not null", bot) == world.rows(kind, f"org_id = '{world.acme.id}'")
    db.rpc("unshare_bot", org_id=world.acme.id, bot_id=bot, user_id=world.acme.people["admin"].user_id)  # who made it was its runner
    return bot


def tools(db: Request) -> list[str]:
    return [n for (n,) in db.all("select proname from pg_proc where pronamespace = 'api'::regnamespace and authz.is_tool(proname) order by 1")]


def reads(db: Request, kind: Kind, target: Any) -> bool:
    """Whether the person reaches it by themselves, undone afterwards."""
    try:
        with db.connection.transaction(force_rollback=True):
            return len(db.all(kind.direct, target)) > 0
    except Exception as error:  # noqa: BLE001  a refusal is an answer
        assert getattr(error, "sqlstate", None) == "42501", error
        return False


@pytest.mark.parametrize("may_run", [True, False], ids=["may run", "may not run"])
@pytest.mark.parametrize("may_read", [True, False], ids=["may read", "may not read"])
@pytest.mark.parametrize("name", KINDS)
def test_a_run_needs_both_the_right_to_run_and_the_right_to_read_F13_F34(world: World, name: str, may_read: bool, may_run: bool) -> None:
    kind = KINDS[name]
    person, target = world.acme.people[kind.reader if may_read else kind.stranger], world.acme.ids.get(kind.target)
    everybody = {role: one.user_id for role, one in world.acme.people.items()}
    with planted(world, kind.first.format(org=world.acme.id, **world.acme.ids | everybody)) as db:
        bot = bound_bot(db, world)
        if may_run:
            db.rpc("share_bot", org_id=world.acme.id, bot_id=bot, user_id=person.user_id)
        become(db, person)
        assert reads(db, kind, target) == may_read
        if not may_run:
            error = db.rpc_error("start_run", bot="acme/matrix", question="Probe?")
            assert (error.sqlstate, error.diag.message_primary) == ("PT404", "no such bot, or not yours to run")
            return
        run = start(db, "acme/matrix")
        answer = tool(db, run, kind.tool, **kind.arguments)
        assert answer["outcome"] == ("ok" if may_read else kind.denied), answer
        ids = {str(value) for row in answer["rows"] for value in row.values()}
        assert (str(target) in ids if target else bool(ids)) == may_read
        # What was refused is in the record as what it was, and nothing more.
        ((outcome, state, rows, sources),) = db.all("select outcome, sqlstate, row_count, sources::text from app.run_step where run_id = %s", run)
        assert (outcome, rows) == (answer["outcome"], answer["row_count"])
        assert state == {"ok": None, "denied": "42501", "not_found": "PT404"}[outcome]
        assert not target or (str(target) in sources) == may_read


def test_every_kind_of_thing_a_bot_can_be_bound_to_stands_in_the_matrix_F13_F24(world: World) -> None:
    """A new column of app.bot_binding or a new tool without its row here fails."""
    with world.operator() as db:
        targets = {c for (c,) in db.all("select attname from pg_attribute where attrelid = 'app.bot_binding'::regclass and attnum > 0 and not attisdropped"
                                        " and not attnotnull")}
        assert targets == {"knowledge_base_id", "data_source_id", "tool"}
        assert set(tools(db)) == {kind.tool for kind in KINDS.values()}


# What the acts below are about, or write as their own record.
RECORD = {"bot", "bot_version", "bot_runner", "bot_binding", "audit_event", "run", "run_step", "conversation", "message", "usage_entry",
          "member_activity", "audit_link", "audit_lane"}
ACTS: dict[str, tuple[str, Callable[[Request, World, dict[str, Any]], Any]]] = {
    "share with everyone": ("owner", lambda db, w, bot: db.rpc("share_bot", **bot)),
    "share with everyone as owners": ("owner", lambda db, w, bot: db.rpc("share_bot", **bot, level="owner")),
    "share with a role": ("owner", lambda db, w, bot: db.rpc("share_bot", **bot, role="auditor", level="editor")),
    "share with a person": ("owner", lambda db, w, bot: db.rpc("share_bot", **bot, user_id=w.acme.people["auditor"].user_id, level="owner")),
    "share with a team": ("owner", lambda db, w, bot: db.rpc("share_bot", **bot, team_id=w.acme.ids["team"], level="owner")),
    "bind a knowledge base": ("owner", lambda db, w, bot: db.rpc("bind_bot", **bot, knowledge_base_id=w.acme.ids["other_base"])),
    "bind a data source": ("owner", lambda db, w, bot: db.rpc("bind_bot", **bot, data_source_id=w.acme.ids["books_source"])),
    "bind a tool": ("owner", lambda db, w, bot: db.rpc("bind_bot", **bot, tool="get_order")),
    "publish a version": ("owner", lambda db, w, bot: db.rpc("update_bot", **bot, expected_version=1, instructions="Show everything to everybody.")),
    "archive": ("owner", lambda db, w, bot: db.rpc("archive_bot", **bot)),
    "run as the owner": ("owner", lambda db, w, bot: tool(db, start(db), "search_documents", query="delivery", max_rows=50)),
    "run as a customer": ("customer", lambda db, w, bot: tool(db, start(db), "search_documents", query="delivery", max_rows=50)),
}


def direct_reach(db: Request, world: World) -> dict[str, dict[str, tuple[int, str]]]:
    """By person and table, how many rows they read and a digest of all of them; the last row is what is really there."""
    tables = [t for t in TABLES if t not in RECORD]
    query = " union all ".join(f"select '{t}', count(*), md5(string_agg(t::text, '|' order by t::text)) from app.{t} t" for t in tables)
    found = {}
    db.run("reset role")
    for name, persona in personas(world).items():
        if persona.role == "authenticated":
            become(db, persona.person, **persona.claims)
            found[name] = {table: (count, digest) for table, count, digest in db.all(query)}
    db.run("reset role")
    return found | {"": {table: (count, digest) for table, count, digest in db.all(query)}}


@pytest.mark.parametrize("act", ACTS)
def test_sharing_binding_changing_and_running_a_bot_changes_no_row_anybody_reads_F13(world: World, act: str) -> None:
    """Not one row of one table for one person, and not one row there is: no document's access either."""
    who, do = ACTS[act]
    with planted(world) as db:
        before = direct_reach(db, world)
        become(db, world.acme.people[who])
        do(db, world, {"org_id": world.acme.id, "bot_id": world.acme.ids["hidden_bot"]})
        assert direct_reach(db, world) == before
    assert before["auditor"]["chunk"][0] == 0 < before["customer"]["chunk"][0] < before["owner"]["chunk"][0] < before[""]["chunk"][0]


def test_the_comparison_sees_one_row_more_for_one_person_F13(world: World) -> None:
    with planted(world) as db:
        before = direct_reach(db, world)
        db.run("update app.document set visibility = 'organization' where id = %s", world.acme.ids["private_document"])
        after = direct_reach(db, world)
    assert {name for name in before if before[name] != after[name]} >= {"admin", "customer", ""}
    assert before["auditor"] == after["auditor"]
