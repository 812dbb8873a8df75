"""Data sources and with whom they are shared, jobs and what they found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tests.db.registry.bot import APPLIES
from tests.db.registry.decision import Decision
from tests.db.registry.recipe import Recipe

if TYPE_CHECKING:
    from tests.db.session import Request
    from tests.db.world import Organization


def _shared(source: str, *levels: str) -> str:
    names = ", ".join(f"'{level}'" for level in levels or ("viewer", "editor", "owner"))
    # An API token is an editor or owner with analytics.manage only.
    scope = "in_scope(analytics.manage) and " if levels else ""
    return (f"{scope}can(analytics.run) and exists (select from app.data_source_grant g where g.org_id = t.org_id and g.data_source_id = {source}"
            f" and g.level in ({names}) and {APPLIES.format('g')})")


def _unless_denied(source: str, rule: str) -> str:
    return f"({rule}) and not exists (select from app.deny_rule d where d.org_id = t.org_id and d.data_source_id = {source} and {APPLIES.format('d')})"


def _or_manager(source: str, *levels: str) -> str:
    return _unless_denied(source, f"can(analytics.manage) or {_shared(source, *levels)}")


_OWNS = f"can(analytics.manage) or {_shared('t.data_source_id', 'owner')}"
EDIT, OWN = ("editor", "owner"), ("owner",)
_RESULT_SHARED = ("can(analytics.run) and exists (select from app.analytics_result_grant g where g.org_id = t.org_id and g.job_id = t.job_id"
                  " and (g.user_id = :me or g.user_id is null and g.team_id is null or exists (select from app.team_member m"
                  " where m.org_id = g.org_id and m.team_id = g.team_id and m.user_id = :me)))")
# What the customer's job saw.
_OWN_ROWS = ("(in_scope(orders.place) or in_scope(orders.read)) and (in_scope(tickets.create) or in_scope(tickets.read) or in_scope(tickets.manage))"
             " and in_scope(bots.run)")
# Of a table or of the table of a row.
_UPLOADED = "(" + _unless_denied("{0}.data_source_id", f"{_shared('{0}.data_source_id', *EDIT)} or {{0}}.state = 'ready' and {_shared('{0}.data_source_id')}").replace(
    "g.org_id = t.org_id", "g.org_id = {0}.org_id").replace("d.org_id = t.org_id", "d.org_id = {0}.org_id") + ")"

TABLES: dict[str, Decision] = {
    "data_source": Decision(
        write_scope="analytics.manage", read=_or_manager("t.id"), insert="can(analytics.manage)", update=_or_manager("t.id", *EDIT),
        delete=_or_manager("t.id", *OWN), change="name = 'Probe'", new={"org_id": ":org", "slug": "'probe'", "name": "'Probe'"}),
    "data_source_grant": Decision(
        write_scope="analytics.manage", read=_unless_denied("t.data_source_id", f"{_OWNS} or can(analytics.run) and {APPLIES.format('t')}"),
        insert="can(analytics.manage) and can(resources.publish)", delete=_unless_denied("t.data_source_id", _OWNS),
        new={"org_id": ":org", "data_source_id": ":data_source", "role_id": ":member_role"}),
    "analytics_job": Decision(
        "t.user_id = :me", insert="can(analytics.run)", update="t.user_id = :me and t.status in ('queued', 'running')",
        change="status = 'cancelled'", new={"org_id": ":org", "data_source_id": ":data_source", "sql": "'select 1'"},
        scope=frozenset({"analytics.run"})),
    "analytics_result": Decision(
        _unless_denied("t.data_source_id", f"t.expires_at > now() and (t.user_id = :me and {_OWN_ROWS} and {_shared('t.data_source_id')} or t.user_id <> :me and {_RESULT_SHARED})")),
    "analytics_result_grant": Decision(
        "t.created_by = :me", insert="can(analytics.run) and :me = :customer", delete="t.created_by = :me",
        new={"org_id": ":org", "job_id": ":analytics_job", "user_id": ":auditor"}, scope=frozenset({"analytics.run"})),
    "metric": Decision(
        write_scope="analytics.manage", read=_or_manager("t.data_source_id"), insert="can(analytics.manage)",
        new={"org_id": ":org", "data_source_id": ":data_source", "name": "'probe'", "version": "1", "description": "'Probe'", "sql": "'1'"}),
    "accepted_query": Decision(
        write_scope="analytics.manage", read=_or_manager("t.data_source_id"), insert="can(analytics.manage)", delete=_or_manager("t.data_source_id", *EDIT),
        new={"org_id": ":org", "data_source_id": ":data_source", "question": "'Probe?'", "sql": "'select 1'"}),
    "column_meaning": Decision(
        write_scope="analytics.manage", read=_or_manager("t.data_source_id"), insert="can(analytics.manage)", update=_or_manager("t.data_source_id", *EDIT),
        delete=_or_manager("t.data_source_id", *EDIT), change="meaning = 'Probe'",
        new={"org_id": ":org", "data_source_id": ":data_source", "relation": "'tickets'", "column_name": "'probe'", "meaning": "'Probe'"}),
    "uploaded_table": Decision(
        write_scope="analytics.manage", read=_UPLOADED.format("t"), insert="can(analytics.run) and :me = :owner",
        update=_unless_denied("t.data_source_id", f"t.created_by = :me and t.state = 'loading' and {_shared('t.data_source_id', *EDIT)}"),
        delete=_unless_denied("t.data_source_id", _shared("t.data_source_id", *EDIT)), change="row_count = 0",
        new={"org_id": ":org", "data_source_id": ":data_source", "name": "'probe'", "columns": """'[{"name": "a", "type": "bigint"}]'"""}),
    "uploaded_row": Decision(
        write_scope="analytics.manage", read=f"exists (select from app.uploaded_table u where u.org_id = t.org_id and u.id = t.table_id and {_UPLOADED.format('u')})",
        insert="can(analytics.run) and :me = :owner",
        new={"org_id": ":org", "table_id": ":loading_table", "position": "999", "data": "'{}'"}),
}

_SHOP = {"org_id": ":org", "source": "shop"}
_VAULT = {"org_id": ":org", "source": "books"}
_NOBODY = {"role": None, "user_id": None, "team_id": None}
RECIPES: dict[str, Recipe] = {
    "create_data_source": ("analyst", {"org_id": ":org", "slug": "probe", "name": "Probe", "description": "Probe.", "relations": ["orders"]}),
    "delete_data_source": ("analyst", _VAULT),
    "list_data_sources": ("customer", {"org_id": ":org"}),
    "describe_data_source": ("customer", _SHOP),
    "share_data_source": ("analyst", _VAULT | _NOBODY | {"user_id": ":member", "level": "viewer"}),
    "unshare_data_source": ("analyst", _VAULT | _NOBODY | {"team_id": ":drafters_team"}),
    "list_data_source_shares": ("analyst", _VAULT),
    "submit_analytics_job": ("customer", _SHOP | {"question": None, "sql": "select count(*) from orders", "idempotency_key": "probe"}),
    "get_analytics_job": ("customer", {"org_id": ":org", "job_id": ":analytics_job"}),
    "list_analytics_jobs": ("customer", {"org_id": ":org", "max_rows": 50}),
    "cancel_analytics_job": ("customer", {"org_id": ":org", "job_id": ":queued_job"}),
    "read_analytics_result": ("customer", {"org_id": ":org", "job_id": ":analytics_job", "after": 0, "max_rows": 10}),
    "share_analytics_result": ("customer", {"org_id": ":org", "job_id": ":analytics_job", "user_id": ":member", "team_id": None}),
    "unshare_analytics_result": ("customer", {"org_id": ":org", "job_id": ":analytics_job", "user_id": ":analyst", "team_id": None}),
    "ask_data": ("customer", {"org_id": ":org", "run_id": ":running_run", "source": "shop", "question": "How many orders?", "idempotency_key": "asked"}),
    "create_metric": ("analyst", _VAULT | {"name": "probe", "description": "Probe.", "sql": "count(*)", "retired": False, "tests": ["select 1"]}),
    "set_column_meaning": ("analyst", _VAULT | {"relation": "orders", "column_name": "status", "meaning": "Probe."}),
    "accept_analytics_query": ("owner", {"org_id": ":org", "job_id": ":accepted_job", "question": "How many orders in all?"}),
    "withdraw_accepted_query": ("analyst", {"org_id": ":org", "query_id": ":books_query"}),
    "list_accepted_queries": ("customer", _SHOP),
    "create_uploaded_table": ("owner", _SHOP | {"name": "probe", "columns": [{"name": "a", "type": "bigint"}]}),
    "append_uploaded_rows": ("owner", {"org_id": ":org", "table_id": ":loading_table", "rows": [["x", 1]]}),
    "commit_uploaded_table": ("owner", {"org_id": ":org", "table_id": ":loading_table"}),
    "delete_uploaded_table": ("owner", {"org_id": ":org", "table_id": ":uploaded_table"}),
    "list_uploaded_tables": ("customer", _SHOP),
}

_SUBJECT = [{"role", "user_id", "team_id"}]
_WITH = [{"user_id", "team_id"}]
EITHER: dict[str, list[set[str]]] = {"share_data_source": _SUBJECT, "unshare_data_source": _SUBJECT,
                                     "submit_analytics_job": [{"question", "sql"}],
                                     "share_analytics_result": _WITH, "unshare_analytics_result": _WITH}

EVENTS: dict[str, list[str]] = {
    "create_data_source": ["data_source.insert", "data_source_grant.insert"],
    # With everything that hangs on it: who made it, the team and the analyst had a grant.
    "delete_data_source": ["data_source.delete", *["data_source_grant.delete"] * 3, "accepted_query.delete", "column_meaning.delete", "deny_rule.delete", "uploaded_table.delete"],
    "share_data_source": ["data_source_grant.insert"],
    "unshare_data_source": ["data_source_grant.delete"],
    "submit_analytics_job": ["analytics_job.insert"],
    "cancel_analytics_job": ["analytics_job.update"],
    "share_analytics_result": ["analytics_result_grant.insert"],
    "unshare_analytics_result": ["analytics_result_grant.delete"],
    "ask_data": ["analytics_job.insert"],
    "create_metric": ["metric.insert"],
    "set_column_meaning": ["column_meaning.insert"],
    "accept_analytics_query": ["accepted_query.insert"],
    "withdraw_accepted_query": ["accepted_query.delete"],
    "create_uploaded_table": ["uploaded_table.insert"],
    "commit_uploaded_table": ["uploaded_table.update"],
    "delete_uploaded_table": ["uploaded_table.delete"],
}
# The rows are the record; that the table was begun and made ready is recorded.
OWN_RECORD = {"append_uploaded_rows"}


def fill(db: Request, organization: Organization) -> None:
    """One source of everything for everyone; one the agent may edit through a team and the analyst owns, which a rule takes from admins."""
    from tests.db.registry.document import speaking_as

    org, ids, people = organization.id, organization.ids, organization.people
    ids["data_source"] = UUID(db.rpc("create_data_source", org_id=org, slug="shop", name=f"Shop {organization.canary}", description=organization.canary,
                                     relations=["orders", "tickets", "conversations", "usage"])["id"])
    db.rpc("share_data_source", org_id=org, source="shop")
    ids["books_source"] = UUID(db.rpc("create_data_source", org_id=org, slug="books", name=f"Books {organization.canary}", relations=["orders"])["id"])
    ids["books_share"] = UUID(db.rpc("share_data_source", org_id=org, source="books", team_id=ids["drafters_team"], level="editor")["id"])
    db.rpc("share_data_source", org_id=org, source="books", user_id=people["analyst"].user_id, level="owner")
    db.rpc("create_deny_rule", org_id=org, reason=f"Not the {organization.canary}'s admins.", role="admin", data_source_id=ids["books_source"])
    db.rpc("bind_bot", org_id=org, bot_id=ids["bot"], data_source_id=ids["data_source"])
    db.rpc("create_metric", org_id=org, source="shop", name="order_count", description=f"Orders of the {organization.canary}.", sql="count(*)")
    db.rpc("set_column_meaning", org_id=org, source="shop", relation="orders", column_name="status", meaning=f"How far the {organization.canary} is.")
    ids["uploaded_table"] = upload(db, organization, "shop", "targets")
    ids["loading_table"] = upload(db, organization, "shop", "loading", commit=False)
    ids["accepted_job"] = UUID(db.rpc("submit_analytics_job", org_id=org, source="shop", sql=f"select '{organization.canary}', count(*) from orders")["job_id"])
    with speaking_as(db, people["analyst"]):
        db.rpc("set_column_meaning", org_id=org, source="books", relation="orders", column_name="currency", meaning=organization.canary)
        ids["books_table"] = upload(db, organization, "books", "costs")
    with speaking_as(db, people["customer"]):
        ids["queued_job"] = UUID(db.rpc("submit_analytics_job", org_id=org, source="shop", sql=f"select '{organization.canary}' as word")["job_id"])
        ids["held_job"] = UUID(db.rpc("submit_analytics_job", org_id=org, source="shop", sql=f"select 'held {organization.canary}' as word")["job_id"])
        ids["analytics_job"] = UUID(db.rpc("submit_analytics_job", org_id=org, source="shop", question=f"How many {organization.canary}?")["job_id"])


def upload(db: Request, organization: Organization, source: str, name: str, *, commit: bool = True) -> UUID:
    """Upload a table of two rows with the canary in it."""
    made = UUID(db.rpc("create_uploaded_table", org_id=organization.id, source=source, name=name, columns=[
        {"name": "word", "type": "text", "meaning": organization.canary}, {"name": "amount", "type": "bigint"}])["table_id"])
    db.rpc("append_uploaded_rows", org_id=organization.id, table_id=made, rows=[[organization.canary, 1], [organization.canary, 2]])
    if commit:
        db.rpc("commit_uploaded_table", org_id=organization.id, table_id=made)
    return made


def plant(connection: Any, organization: Organization) -> None:
    """What a worker found for the customer."""
    ids, customer = organization.ids, organization.people["customer"]
    connection.execute("update app.analytics_job set status = 'succeeded', finished_at = now(), started_at = now(), attempts = 1 where id = %s", [ids["analytics_job"]])
    connection.execute(
        "insert into app.analytics_result (org_id, job_id, user_id, data_source_id, columns, rows, row_count, byte_count, truncated, sha256, expires_at, reads)"
        " values (%s, %s, %s, %s, %s, %s, 1, 20, false, repeat('0', 64), now() + interval '1 day',"
        " authz.permission_bit('orders.place') | authz.permission_bit('tickets.create') | authz.permission_bit('bots.run'))",
        [organization.id, ids["analytics_job"], customer.user_id, ids["data_source"], json.dumps([{"name": "word", "type": "text"}]),
         json.dumps([[organization.canary]])])
    connection.execute("update app.analytics_job set status = 'succeeded', finished_at = now(), started_at = now(), attempts = 1 where id = %s", [ids["accepted_job"]])
    for name, source in (("accepted_query", "data_source"), ("books_query", "books_source")):
        (ids[name],) = connection.execute(
            "insert into app.accepted_query (org_id, data_source_id, question, sql, created_by) values (%s, %s, %s, 'select count(*) from orders', %s) returning id",
            [organization.id, ids[source], f"How many {organization.canary}?", organization.people["analyst"].user_id]).fetchone()
    connection.execute("insert into app.analytics_result_grant (org_id, job_id, user_id, created_by) values (%s, %s, %s, %s)",
                       [organization.id, ids["analytics_job"], organization.people["analyst"].user_id, customer.user_id])
    # A worker holds a job, and a restored copy could bring back the scope of a transaction that is long over.
    connection.execute("update app.analytics_job set status = 'running', attempts = 1, started_at = now() where id = %s", [ids["held_job"]])
    connection.execute("insert into app.job_lease (org_id, job_id, lease, worker, place, expires_at) values (%s, %s, gen_random_uuid(), 'planted', 1, 'infinity')",
                       [organization.id, ids["held_job"]])
    connection.execute("insert into app.job_scope (org_id, xact_id, began_at, job_id, data_source_id, claims) values (%s, %s, '-infinity', %s, %s, %s)",
                       [organization.id, "3" if organization.slug == "acme" else "4", ids["held_job"], ids["data_source"], json.dumps({"sub": str(customer.user_id)})])
