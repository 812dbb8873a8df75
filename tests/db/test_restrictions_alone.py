"""Every restrictive policy put to the test alone: all permissive policies say true, no other restrictive one is left (R19, R49).

What a session may not, whatever it holds: rows that rules deny, documents above one's clearance or whose access ran out, what an API token
was not made for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg
import pytest

from tests.db.matrix import bindings, fill, personas
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request, request
from tests.db.world import World


@dataclass(frozen=True)
class Case:
    """Who asks, which rows `t` of acme the policy lets them reach, and a new row it lets pass with columns that each make it refuse."""

    policy: str
    persona: str
    rule: str
    prepared: str = ""
    good: dict[str, str] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.policy} for {self.persona}: {self.rule}"

    @property
    def table(self) -> str:
        return next(self.policy.removesuffix(end) for end in ("_denied_floor", "_classification_floor", "_expired_floor", "_loading_floor", "_scope_floor")
                    if self.policy.endswith(end))


_DENY = ("insert into app.deny_rule (org_id, role_id, document_id, reason, created_by) values (:org, :member_role, :document, 'x', :owner);"
         "insert into app.deny_rule (org_id, role_id, knowledge_base_id, reason, created_by) values (:org, :member_role, :other_base, 'x', :owner)")
_BOOKS = "insert into app.metric (org_id, data_source_id, name, version, description, sql, created_by) values (:org, :books_source, 'of_books', 1, 'x', 'select 1', :owner)"
# Whose parts of a file the world holds: of every document here.
PARTS = ("insert into app.document_part (org_id, document_id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at, position, content)"
         " select org_id, id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at, 500, 'x' from app.document")
_DOCUMENTS = {"document": "id", "chunk": "document_id", "document_part": "document_id"}
CASES = [
    *(Case(f"{table}_denied_floor", who, rule, "", {column: ":bot"}, {column: ":desk_bot"} if who == "admin" else {})
      for table, column in {"bot": "id", "bot_binding": "bot_id", "bot_runner": "bot_id", "bot_version": "bot_id"}.items()
      for who, rule in (("admin", f"t.{column} <> :desk_bot"), ("customer", "true"))),
    *(Case(f"{table}_denied_floor", who, rule.format(column), _DENY, {column: ":private_document", "knowledge_base_id": ":knowledge_base"},
           {column: ":document", "knowledge_base_id": ":other_base"} if who == "customer" else {})
      for table, column in _DOCUMENTS.items() for who, rule in (("customer", "t.{} <> :document and t.knowledge_base_id <> :other_base"), ("owner", "true"))),
    *(Case(f"{table}_denied_floor", who, rule.format(column), _BOOKS if table == "metric" else "", {column: ":data_source"}, {column: ":books_source"} if who == "admin" else {})
      for table, column in {"data_source": "id", "data_source_grant": "data_source_id", "metric": "data_source_id", "column_meaning": "data_source_id", "accepted_query": "data_source_id"}.items()
      for who, rule in (("admin", "t.{} <> :books_source"), ("customer", "true"))),
    *(Case("analytics_result_denied_floor", who, rule, "update app.analytics_result set data_source_id = :books_source where job_id = :analytics_job",
           {"data_source_id": ":data_source"}, {"data_source_id": ":books_source"} if who == "admin" else {})
      for who, rule in (("admin", "t.data_source_id <> :books_source"), ("customer", "true"))),
    Case("knowledge_base_denied_floor", "customer", "t.id <> :other_base", _DENY, {"id": ":knowledge_base"}, {"id": ":other_base"}),
    *(Case(f"{table}_classification_floor", who, rule, f"update app.{table} set classification = 2 where {column} = :document;"
           f"update app.{table} set classification = 3 where {column} = :unbound_document", {"classification": "1"}, bad)
      for table, column in _DOCUMENTS.items()
      for who, rule, bad in (("customer", "t.classification <= 1", {"classification": "2"}), ("cleared for confidential", "t.classification <= 2", {"classification": "3"}),
                             ("cleared for secret", "true", {}), ("owner", "true", {}))),
    *(Case(f"{table}_expired_floor", who, "t.acl_expires_at > now() or t.owner_id = :me",
           f"update app.{table} set acl_expires_at = now() - interval '1 hour' where {column} in (:document, :private_document, :shared_document)",
           {"acl_expires_at": "'infinity'", "owner_id": ":builder"}, {"acl_expires_at": "now()"})
      for table, column in _DOCUMENTS.items() for who in ("customer", "owner")),
    *(Case("document_loading_floor", who, "t.state = 'ready' or t.owner_id = :me", "", {"state": "'loading'", "owner_id": f":{who}"}, {"owner_id": ":builder"})
      for who in ("customer", "owner")),
    *(Case("document_part_loading_floor", who, rule, "select") for who, rule in (("customer", "t.document_id <> :loading_document"), ("owner", "true"))),
    *(Case(f"{table}_scope_floor", who, rule, f"update app.api_token set permissions = array['{permission}'] where session_id = :token_session")
      for table, permissions in {"approval": ("bots.run",), "audit_event": ("audit.read",), "conversation": ("bots.run",), "message": ("bots.run",), "run": ("bots.run", "runs.read"),
                                 "run_step": ("bots.run", "runs.read"), "model_call": ("bots.run", "runs.read"), "analytics_job": ("analytics.run",), "analytics_result_grant": ("analytics.run",), "customer_order": ("orders.place", "orders.read"),
                                 "support_ticket": ("tickets.create", "tickets.read", "tickets.manage"), "secret": ("bots.run",)}.items()
      for permission in (*permissions, "documents.read") for who, rule in (("api token of owner", str(permission in permissions).lower()), ("customer", "true"))),
]


# Conditions on the new row alone, with tests of their own: what a record may say.
ELSEWHERE = {"message_record_floor", "model_call_data_policy_floor", "run_step_record_floor"}
# For ringfence_analyst inside a job: tests/db/test_job_views.py.
OF_JOBS = {f"{table}_analyst_floor" for table in ("customer_order", "support_ticket", "conversation", "usage_entry")}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_restrictive_policy_alone_leaves_what_was_decided_R49(world: World, case: Case) -> None:
    cleared = case.persona.startswith("cleared")
    persona = personas(world)["customer" if cleared else case.persona]
    assert persona.person
    with world.operator() as db:
        ids = bindings(world.acme, db) | {"token_session": world.acme.people["owner"].token_session_id}
        if cleared:
            db.run("insert into app.role_permission (org_id, role_id, permission) values (%s, %s, %s)", world.acme.id, ids["member_role"],
                   f"documents.read_{case.persona.split()[-1]}")
        # As an operator who loads a copy: the keys between a document and its passages are not asked.
        db.run(REPLICA)
        for statement in [PARTS, *case.prepared.split(";")] if case.prepared else []:
            db.run(fill(statement, ids))
        db.run(ORIGIN)
        left_alone(db, case)
        rule = fill(case.rule.replace(":me", persona.me), ids)
        decided = set(db.all(f"select t::text from app.{case.table} t where t.org_id = %s and ({rule})", world.acme.id))
        rows = {column: fill(value, ids) for column, value in ({"org_id": ":org"} | case.good).items()}
        wrong = {column: fill(value, ids) for column, value in case.bad.items()}
        db.run("set local session authorization authenticator")
        with request(world.superuser_url, persona.person.claims(**persona.claims), connection=db.connection) as made:
            assert set(made.all(f"select t::text from app.{case.table} t where t.org_id = %s", world.acme.id)) == decided
            assert refused(made, case.table, rows) is (case.rule == "false")
            assert [column for column, value in wrong.items() if not refused(made, case.table, rows | {column: value})] == []


def left_alone(db: Request, case: Case) -> None:
    """Take everything else out of the way."""
    for name, restrictive, uses, checks in db.all(
            "select polname, not polpermissive, polqual is not null, polwithcheck is not null from pg_policy where polrelid = %s::regclass"
            " and 'authenticated'::regrole = any (polroles)", f"app.{case.table}"):
        if not restrictive:
            db.run(f"alter policy {name} on app.{case.table}" + (" using (true)" if uses else "") + (" with check (true)" if checks else ""))
        elif name != case.policy:
            db.run(f"drop policy {name} on app.{case.table}")
    db.run(f"alter table app.{case.table} disable trigger user")
    db.run(f"grant insert on app.{case.table} to authenticated")


def refused(db: Request, table: str, row: dict[str, str]) -> bool:
    """Whether the policy refuses the row. What passes it may fail later, at a key or a check."""
    try:
        with db.connection.transaction(force_rollback=True):
            db.run(f"insert into app.{table} ({', '.join(row)}) values ({', '.join(row.values())})")
    except psycopg.errors.InsufficientPrivilege as error:
        assert "row-level security policy" in str(error), str(error)
        return True
    except psycopg.errors.IntegrityError:
        pass
    return False


def test_every_restrictive_policy_but_the_floors_is_tried(world: World) -> None:
    with world.operator() as db:
        found = {name for (name,) in db.all("select polname from pg_policy where not polpermissive and polname <> split_part(polrelid::regclass::text, '.', 2) || '_floor'")}
    assert found == {case.policy for case in CASES} | ELSEWHERE | OF_JOBS
