"""Every column that can name a person or hold what one wrote is in the inventory, with what an erasure does and why (F68)."""

from __future__ import annotations

import psycopg
import pytest

from tests.conftest import Database

# What names nobody and is written by nobody in particular: settings, codes, digests of machines, names of what is built in. Reviewed.
NOBODY: dict[str, set[str]] = {
    "permission": {"name", "description"}, "role_permission": {"permission"},
    "membership": {"role_id", "service_owner_role_id", "service_owner_status"},
    "invitation": {"inviter_role_id", "inviter_status"},
    "audit_link": {"event_id", "event_sha256", "hash", "prev_hash"},
    "audit_event": {"rule", "target", "actor_role", "action", "api_token_id", "run_id", "bot_id", "changed", "documents"},
    "model_call": {"key_sha256", "model", "provider", "region"}, "provider": {"attestation", "name", "region"}, "organization": {"allowed_regions", "region"},
    "api_token": {"prefix", "permissions"},
    "analytics_job": {"error_code", "error_message", "idempotency_key"}, "analytics_result": {"data_source_id"}, "analytics_result_grant": {"job_id"},
    "data_source": {"relations"}, "column_meaning": {"column_name", "relation"}, "job_lease": {"lease", "worker"}, "job_scope": {"data_source_id", "job_id"},
    "metric": {"sha256"},
    "document": {"media_type", "source", "base_visibility"},
    "chunk": {"visibility", "knowledge_base_id"}, "document_part": {"visibility", "knowledge_base_id"},
    "bot_binding": {"tool"}, "deny_rule": {"tool"},
    "conversation": {"digest_key"},
    "run": {"api_token_id", "error_code", "bot_id", "taint"}, "run_step": {"name", "provider", "sqlstate", "taint"}, "approval": {"tool"},
    "deletion_receipt": {"document_id", "knowledge_base_id", "sha256"},
    "sso_connection": {"provider", "groups_claim"},
    "organization_export": {"tables"}, "erasure": {"deleted", "anonymised"},
    "customer_order": {"order_number", "currency"}, "support_ticket": {"idempotency_key"},
    "legal_hold": {"conversation_id"}, "secret": {"name", "key_id"}, "retention_receipt": {"class", "deleted"},
}
_CANDIDATES = """
select c.relname::text, a.attname::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and a.attname not in ('id', 'org_id')
  and (a.atttypid::regtype::text in ('uuid', 'text', 'text[]', 'character varying', 'jsonb', 'json', 'bytea', 'tsvector', 'inet', 'extensions.vector', 'vector')
    or a.attname ~ '(email|name|address|phone|birth)')
  -- An id of something else: the foreign key says so, and not to a person.
  and not (a.atttypid = 'uuid'::regtype and exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any (k.conkey)
    and k.confrelid not in ('app.membership'::regclass, 'auth.users'::regclass)
    and (select f.attname from pg_attribute f where f.attrelid = k.confrelid and f.attnum = k.confkey[array_position(k.conkey, a.attnum)]) = 'id'))
  -- A word of a fixed list, and a digest of a machine's: the check says so.
  and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]
    and (pg_get_constraintdef(k.oid) ~ '= ANY \\(ARRAY\\[' or a.attname in ('sha256', 'token_sha256')))
"""


def unlisted(connection: psycopg.Connection) -> set[str]:
    """Columns that could name somebody and stand in neither list, and those in a list that there are not."""
    connection.execute("set local search_path = pg_catalog")
    found = {f"{table}.{column}" for table, column in connection.execute(_CANDIDATES)}
    listed = {f"{table}.{column}" for table, columns in connection.execute("select table_name, columns from authz.personal_columns()") for column in columns}
    nobody = {f"{table}.{column}" for table, columns in NOBODY.items() for column in columns}
    assert not listed & nobody, listed & nobody
    every = {f"{t}.{c}" for t, c in connection.execute(
        "select c.relname::text, a.attname::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 where c.relnamespace = 'app'::regnamespace")}
    return found - listed - nobody | (listed | nobody) - every


def test_no_column_that_could_name_a_person_is_out_of_the_inventory_F68(catalog: Database) -> None:
    with catalog.connect() as connection:
        assert unlisted(connection) == set(), "list each in sql/450_personal_column.sql with what an erasure does and why, or in NOBODY when it names nobody"


@pytest.mark.parametrize(("ddl", "column"), [
    ("alter table app.bot add phone text", "bot.phone"),
    ("alter table app.team add led_by uuid references auth.users (id)", "team.led_by"),
    ("create table app.visit (org_id uuid not null, id uuid not null, visitor uuid, primary key (org_id, id))", "visit.visitor"),
    ("alter table app.customer_order add delivered_to jsonb", "customer_order.delivered_to"),
    ("alter table app.run add birth_date date", "run.birth_date"),
    ("alter table app.support_ticket rename subject to headline", "support_ticket.headline"),
])
def test_a_column_made_later_is_named_until_somebody_decides_F68(catalog: Database, ddl: str, column: str) -> None:
    with catalog.connect("supabase_admin") as connection:
        connection.execute(ddl.encode())
        assert column in unlisted(connection)
        connection.rollback()


def test_the_inventory_says_one_thing_of_each_column_and_gives_a_reason_F68(catalog: Database) -> None:
    with catalog.connect() as connection:
        rows = connection.execute("select table_name, columns, on_erasure, reason from authz.personal_columns()").fetchall()
    assert {action for _, _, action, _ in rows} == {"deleted", "anonymised", "retained"}
    named = [f"{table}.{column}" for table, columns, _, _ in rows for column in columns]
    assert len(named) == len(set(named)) > 60
    assert all(len(reason) >= 7 for *_, reason in rows)
