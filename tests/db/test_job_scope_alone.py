"""What is read in a job's transaction is of the job begun there, of its organization and of its source, also where no policy says so (F44, F50, F51).

Other transactions have begun jobs too, and the other organization has a source, a table and a bot of the same ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Person, Request
from tests.db.world import Organization, World



@pytest.fixture
def opened(world: World) -> Iterator[Request]:
    """A session of the superuser in which the policies of the definers' owner say nothing of scopes, sources and tables."""
    with planted(world, *(f"create policy opened on app.{t} for select to ringfence_owner using (true)" for t in ("job_scope", "data_source", "uploaded_table"))) as db:
        yield db


def begun(db: Request, person: Person, organization: Organization, source: UUID, xact: str = "pg_current_xact_id()") -> None:
    """Write that a job of this person was begun, here or in another transaction."""
    db.run(f"insert into app.job_scope (org_id, xact_id, job_id, data_source_id, claims) values (%s, {xact}, gen_random_uuid(), %s, %s)", organization.id, source,
           json.dumps(person.claims()))


def asked(db: Request, query: str, *arguments: Any, login: str = "ringfence_analyst") -> set[Any]:
    """What the session of this log-in is answered."""
    db.run(f"set local session authorization {login}")
    answer = {value for (value,) in db.all(query, *arguments)}
    db.run("set local session authorization default")
    return answer


def twin(db: Request, world: World, table: str, where: str, **changes: Any) -> None:
    """Give globex rows of acme's, of the same ids."""
    db.run(REPLICA)
    db.run(f"insert into app.{table} select (jsonb_populate_record(t, %s)).* from app.{table} t where t.org_id = '{world.acme.id}' and {where}",
           {"org_id": str(world.globex.id)} | changes)
    db.run(ORIGIN)


def test_where_no_job_was_begun_none_is_found_F44(world: World, opened: Request) -> None:
    owner, source = world.acme.people["owner"], world.acme.ids["data_source"]
    begun(opened, owner, world.acme, source, "'5'")
    finish = "select authz.finish_job('failed', 'probe', 'Probe.')"
    for here in (False, True):
        if here:
            begun(opened, owner, world.acme, source)
        assert asked(opened, "select authz.job_claims() ->> 'sub'", login="ringfence_worker") == {str(owner.user_id) if here else None}
        assert asked(opened, "select authz.job_context() ->> 'id'", login="ringfence_worker") == {str(source) if here else None}
        opened.run("set local session authorization ringfence_worker")
        if here:
            # There is no such job to end.
            assert opened.one(finish) is False
        else:
            assert opened.error(finish).sqlstate == "55000"
            opened.run("set local session authorization default")


def test_the_organization_of_a_job_is_the_one_of_this_transaction_F51(world: World, opened: Request) -> None:
    ids = world.acme.ids
    begun(opened, world.both, world.acme, ids["data_source"])
    begun(opened, world.both, world.globex, world.globex.ids["data_source"], "'5'")
    opened.run("update app.data_source set relations = '{orders}'")
    assert asked(opened, "select * from authz.job_orgs('orders')") == {world.acme.id}
    assert asked(opened, "select * from authz.job_orgs('usage')") == set()
    twin(opened, world, "data_source", f"t.id = '{ids['data_source']}'", relations=["usage"])
    assert asked(opened, "select * from authz.job_orgs('usage')") == set(), "what a source of the same id elsewhere holds"
    opened.run("update app.membership set status = 'suspended' where user_id = %s and org_id = %s", world.both.user_id, world.acme.id)
    assert asked(opened, "select * from authz.job_orgs('orders')") == set(), "of which the requester is no member now"


def test_the_uploaded_tables_of_a_job_are_those_of_its_source_F51(world: World, opened: Request) -> None:
    ids, agent = world.acme.ids, world.acme.people["agent"]
    of = {name: {i for (i,) in opened.all("select id from app.uploaded_table where org_id = %s and data_source_id = %s", world.acme.id, ids[name])}
          for name in ("data_source", "books_source")}
    assert all(of.values())
    elsewhere = "00000000-0000-4000-8000-000000000001"
    twin(opened, world, "uploaded_table", f"t.id = '{ids['uploaded_table']}'", id=elsewhere)
    tables = "select * from authz.job_tables()"
    for own, other in (("data_source", "books_source"), ("books_source", "data_source")):
        with opened.connection.transaction(force_rollback=True):
            begun(opened, agent, world.acme, ids[own])
            begun(opened, agent, world.acme, ids[other], "'5'")
            assert asked(opened, tables) == of[own]
            opened.run("delete from app.data_source_grant where data_source_id = %s", ids[own])
            assert asked(opened, tables) == set(), "the source is no longer shared with them"


_BINDS = "insert into app.bot_binding (org_id, bot_id, {column}) values ('{{{org}}}', '{{{bot}}}', {value})"
_TOOL = {"column": "tool", "value": "'ask_data'"}
_SOURCE = {"column": "data_source_id", "value": "'{source}'"}
_ELSEWHERE = {"org": "globex", "bot": "bot"}
_NO_TOOL, _NO_SOURCE = "delete from app.bot_binding where tool = 'ask_data'", "delete from app.bot_binding where data_source_id is not null"
# What is so besides, and what speaks against the job then.
OBJECTIONS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "nothing": ((), None),
    "the bot is another organization's": (("update app.bot set org_id = '{globex}', slug = 'another' where id = '{bot}'", "update app.bot_binding set org_id = '{globex}' where bot_id = '{bot}'"), "bot"),
    "the bot is shared with nobody": (("delete from app.bot_runner where bot_id = '{bot}'",), "bot"),
    "another bot asks": ((_NO_TOOL, _BINDS.format(org="acme", bot="hidden", **_TOOL)), "bot"),
    "a bot of the same id elsewhere asks": ((_NO_TOOL, _BINDS.format(**_ELSEWHERE, **_TOOL)), "bot"),
    "another bot reaches the source": ((_NO_SOURCE, _BINDS.format(org="acme", bot="hidden", **_SOURCE)), "bot"),
    "a bot of the same id elsewhere reaches the source": ((_NO_SOURCE, _BINDS.format(**_ELSEWHERE, **_SOURCE)), "bot"),
    "a rule takes asking": (("insert into app.deny_rule (org_id, tool, reason, created_by) values ('{acme}', 'ask_data', 'Probe', '{owner}')",), "bot"),
    "a rule takes asking elsewhere": (("insert into app.deny_rule (org_id, tool, reason, created_by) values ('{globex}', 'ask_data', 'Probe', '{owner}')",), None),
}


@pytest.mark.parametrize("what", OBJECTIONS)
def test_what_speaks_against_a_job_of_a_bot_is_of_that_bot_F44(world: World, what: str) -> None:
    """Asked past every policy of the tables looked at; the requester is a member of both organizations."""
    changes, objection = OBJECTIONS[what]
    ids, owner = world.acme.ids, world.acme.people["owner"]
    names = {"acme": world.acme.id, "globex": world.globex.id, "bot": ids["bot"], "hidden": ids["hidden_bot"], "source": ids["data_source"], "owner": owner.user_id}
    joins = (f"insert into app.membership (org_id, user_id, role_id, permissions) select org_id, '{owner.user_id}', role_id, permissions from app.membership"
             f" where org_id = '{world.globex.id}' and user_id = '{world.globex.people['owner'].user_id}'")
    with planted(world, REPLICA, joins, _NO_TOOL, _NO_SOURCE, _BINDS.format(org="acme", bot="bot", **_TOOL).format(**names),
                 _BINDS.format(org="acme", bot="bot", **_SOURCE).format(**names).format(**names), *(c.format(**names).format(**names) for c in changes)) as db:
        become(db, owner, role="none")
        assert db.one("select authz.job_objection(jsonb_populate_record(null::app.analytics_job, %s))",
                      {"org_id": str(world.acme.id), "data_source_id": str(ids["data_source"]), "bot_id": str(ids["bot"])}) == objection


def test_the_source_that_a_job_is_told_of_is_its_own_F53(world: World, opened: Request) -> None:
    twin(opened, world, "data_source", f"t.id = '{world.acme.ids['data_source']}'", slug="another")
    assert opened.one("select authz.job_answer(j) ->> 'source' from app.analytics_job j where j.org_id = %s and j.id = %s", world.acme.id, world.acme.ids["queued_job"]) == "shop"


@pytest.mark.parametrize(("rows", "max_rows", "max_bytes", "answer"), [
    (2, 2, 1000, [("[1]", False), ("[2]", False)]), (3, 2, 1000, [("[1]", False), ("[2]", False), (None, True)]), (0, 2, 1000, []),
    (2, 2, 5, [(None, True)]),
    # Nine rows of three bytes and 43 of four are 199; each alone is small, also as it is kept.
    (100, 1000, 200, [*((f"[{n}]", False) for n in range(1, 53)), (None, True)])],
    ids=["all", "too many", "none", "too large as they are kept, before they are text", "too large together"])
def test_a_result_ends_where_its_limits_are_F52(world: World, rows: int, max_rows: int, max_bytes: int, answer: list[tuple[str | None, bool]]) -> None:
    with planted(world, f"declare job_result cursor for select n from generate_series(1, {rows}) n") as db:
        assert db.all("select * from authz.fetch_rows(%s, %s)", max_rows, max_bytes) == answer
