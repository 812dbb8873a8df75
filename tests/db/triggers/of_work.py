"""Triggers of runs, of their steps and of what they use."""

from __future__ import annotations

from tests.db.triggers.case import Fires

_STEP = "insert into app.run_step (org_id, run_id, user_id, position, kind, name, outcome, {columns}) values {rows}"


def steps(columns: str, *rows: str, user: str = ":customer") -> str:
    """Steps of the running run, each by kind, name, outcome and the columns."""
    return _STEP.format(columns=columns, rows=", ".join(f"(:org, :running_run, {user}, {900 + n}, {row})" for n, row in enumerate(rows)))


_USAGE = ("delete from app.usage_entry",)
_USED = "(select coalesce(jsonb_object_agg(measure, amount), '{{}}') from app.usage_entry) = '{}'"
_TABLES = ("app.uploaded_table",)
_ROWS = "insert into app.uploaded_row (org_id, table_id, position, data) values (:org, :loading_table, 10, '{\"word\": \"x\", \"amount\": \"%s\"}')"
_DATES = ("update app.uploaded_table set row_count = 0, columns = jsonb_build_array(jsonb_build_object('name', 'amount', 'type', '%s')) where org_id = %s and id %s :loading_table")
_RUN = ("app.run",)
_TAINT = "exists (select from app.run where org_id = :org and id = :running_run and taint = '{}')"
_TAINTED = ("update app.run set taint = '{}'",)
_DOCUMENTS = ("app.document",)


def step_taint(says: str, row: str, taint: str, *planted: str) -> Fires:
    return Fires("authz.tg_step_taint on app.run_step", says, steps("row_count, sources", row), f"(select taint from app.run_step where position = 900) {taint}",
                 planted=("update app.document set trust = 'untrusted', classification = 1", *planted), image=_DOCUMENTS)


_PASSAGE = "'tool', 't', 'ok', 1, jsonb_build_array(jsonb_build_object('document_id', :document, 'chunk_id', :chunk))"
_LISTED = "'tool', 't', 'ok', 1, jsonb_build_array(jsonb_build_object('id', :document))"
_TRUSTED = "update app.document set trust = 'trusted'"
_SECRET = "update app.document set classification = 3"
_ACME_S = "where org_id = :org and id = :document"
_NOT_ACME_S = "where org_id <> :org or id <> :document"

_APPROVALS = ("app.approval", "app.run")
_CALL = steps("arguments_sha256", "'tool', 'create_ticket', 'ok', repeat('a', 64)")
_APPROVED = ("insert into app.approval (org_id, run_id, user_id, tool, arguments, arguments_sha256, reason, state, requested_at, expires_at, decided_by, decided_at)"
             " values (:org, {run}, {user}, '{tool}', '{{}}', repeat('{sha}', 64), 'tainted', '{state}', {at}, now() {ends}, :owner, {at})")


def approved(at: str = "now()", run: str = ":running_run", user: str = ":customer", tool: str = "create_ticket", sha: str = "a", state: str = "approved",
             ends: str = "+ interval '1 hour'") -> str:
    return _APPROVED.format(at=at, run=run, user=user, tool=tool, sha=sha, state=state, ends=ends)


_OTHERS = tuple(approved(f"now() - interval '{n} minutes'", **other) for n, other in enumerate((
    {"run": ":silent_run"}, {"user": ":owner"}, {"tool": "my_orders"}, {"sha": "b"}, {"state": "pending"}, {"ends": "- interval '1 second'"}), 2))
"""Approvals of another run, of somebody else, of another tool and call, one that is open and one that is over: all decided earlier."""
_NEEDED = ("delete from app.approval", "update app.run set taint = '{private,untrusted}' where org_id = :org")

_CONVERSATION = "update app.conversation set title = '{}' where id = :conversation"
_STARTED = "insert into app.run (org_id, user_id, bot_id, bot_version, conversation_id, question_sha256) values (:org, :customer, :bot, 1, :conversation, repeat('0', 64))"
_BEFORE = ("update app.run set conversation_id = :conversation, user_id = :customer, started_at = now(), taint = '{private}' where org_id = :org and id = :run",
           "update app.run set taint = '{secret}' where not (org_id = :org and id = :run)")
_NEW = "(select taint from app.run where org_id = :org and id not in (:run, :running_run, :silent_run) order by started_at desc limit 1) = '{private}'"

CASES: list[Fires] = [
    Fires("authz.tg_usage on app.run_step", "counts calls of a model alone, and nothing that is nothing",
          steps("input_tokens, output_tokens", "'model', 'm', 'ok', 5, 0", "'tool', 't', 'ok', 7, 7"), _USED.format('{"model_calls": 1, "input_tokens": 5}'), planted=_USAGE),
    Fires("authz.tg_usage on app.team", "what is deleted is counted off", "delete from app.team where id = :drafters_team", _USED.format('{"teams": -1}'), planted=_USAGE),
    Fires("authz.tg_usage on app.team", "what a purge deletes is counted nowhere", "delete from app.team where id = :drafters_team", _USED.format("{}"),
          planted=(*_USAGE, "insert into authz.purge_receipt (organization_id, purged_in) values (:org, pg_current_xact_id())"), opened=("authz.purge_receipt",)),

    Fires("authz.tg_uploaded_rows on app.uploaded_row", "rows are of the types of their own table, and counted there", _ROWS % 5,
          "(select array_agg(row_count order by id = :loading_table) from app.uploaded_table where org_id = :org and id in (:loading_table, :uploaded_table)) = '{0,1}'",
          planted=(_DATES % ("date", ":org", "<>"), _DATES % ("date", ":globex", "="), _DATES % ("bigint", ":org", "=")), image=_TABLES),
    Fires("authz.tg_uploaded_rows on app.uploaded_row", "a value that is none of its type is refused", _ROWS % "x", refused="22023 column amount: not a bigint"),
    Fires("authz.tg_uploaded_rows on app.uploaded_row", "how full other tables are is nothing to it", _ROWS % 5,
          planted=("update app.uploaded_table set row_count = 10000000, byte_count = 1000000000000 where not (org_id = :org and id = :loading_table)",), image=_TABLES),
    Fires("authz.tg_uploaded_rows on app.uploaded_row", "a table holds no more than it may", _ROWS % 5, refused="PT429 a table holds at most",
          planted=("update app.uploaded_table set row_count = 10000000",)),

    Fires("authz.tg_taint_run on app.run_step", "its own run holds what the step returned", steps("taint", "'tool', 't', 'ok', '{private}'"),
          _TAINT.format("{private}") + " and (select count(*) from app.run where taint <> '{}') = 1", planted=_TAINTED, image=_RUN, opened=_RUN),
    Fires("authz.tg_taint_run on app.run_step", "a run that holds it already is not written", steps("taint", "'tool', 't', 'ok', '{private}'"),
          _TAINT.format("{untrusted,private}"), planted=("update app.run set taint = '{untrusted,private}' where org_id = :org",), image=_RUN, opened=_RUN),

    step_taint("a call of a model taints nothing", "'model', 't', 'ok', 1, '[]'", "is null"),
    step_taint("a refused call taints nothing", "'tool', 't', 'denied', 1, '[]'", "is null"),
    step_taint("a call that found nothing taints nothing", "'tool', 't', 'ok', 0, '[]'", "is null"),
    step_taint("a call that found something is private", "'tool', 't', 'ok', 1, '[]'", "= '{private}'"),
    step_taint("a passage of a trusted document of its organization is trusted", _PASSAGE, "= '{private}'", f"{_TRUSTED} {_ACME_S}"),
    step_taint("that others are trusted is nothing to a passage", _PASSAGE, "= '{private,untrusted}'", f"{_TRUSTED} {_NOT_ACME_S}"),
    step_taint("a document that is not passed on is not distrusted", _LISTED, "= '{private}'"),
    step_taint("that others are secret is nothing to a document", _PASSAGE, "= '{private}'", f"{_TRUSTED} {_ACME_S}", f"{_SECRET} {_NOT_ACME_S}"),
    step_taint("a secret document is secret", _LISTED, "= '{private,secret}'", f"{_SECRET} {_ACME_S}"),

    Fires("authz.tg_step_approval on app.run_step", "uses the approval of this call and no other", _CALL,
          "(select array_agg(decided_at = now()) from app.approval where org_id = :org and state = 'used') = '{t}'",
          planted=(*_NEEDED, approved(), approved("now() + interval '1 minute'"), *_OTHERS), image=_APPROVALS, late=True, opened=_APPROVALS),
    Fires("authz.tg_step_approval on app.run_step", "without one the call is refused", _CALL, refused="42501 this call needs an approval", planted=(*_NEEDED, *_OTHERS),
          opened=_APPROVALS),
    Fires("authz.tg_step_approval on app.run_step", "looks at no approval of another organization", _CALL, "(select state from app.approval where org_id = :org) = 'used'",
          planted=(*_NEEDED, approved("now() - interval '9 minutes'").replace(":org", ":globex"), approved()), opened=_APPROVALS),

    Fires("authz.tg_run_taint on app.run", "a conversation goes on with what its own runs read", _STARTED, _NEW, who="customer", planted=(
        *_BEFORE, _CONVERSATION.format("Of things"), "update app.run set conversation_id = :conversation, user_id = :owner where org_id = :org and id = :silent_run"),
          image=("app.run", "app.conversation"), opened=("app.run", "app.conversation")),
    *(Fires("authz.tg_run_taint on app.run", f"single calls are not tainted {says}", _STARTED, _NEW, who="customer", planted=(
        *_BEFORE, _CONVERSATION.format("Tool call: x"), f"update app.run set conversation_id = :conversation, user_id = :customer, started_at = now() where {others}",
        f"update app.run set {other} where org_id = :org and id = :silent_run", "update app.run set taint = '{}' where org_id = :org and id = :running_run"),
            image=("app.conversation",), opened=("app.run", "app.conversation"))
      for says, others, other in (
          ("by somebody else's", "id = :silent_run", "user_id = :owner"), ("by what is long ago", "id = :silent_run", "started_at = now() - 2 * authz.run_lasts()"),
          ("by a run that went on", "id = :silent_run", "conversation_id = (select conversation_id from app.run where id = :running_run)"),
          ("by organizations one has left", "id = :silent_run", "org_id = :globex"))),

    Fires("authz.tg_run_approvals on app.run", "what waits in the run that ends, and that alone, is cancelled",
          "update app.run set status = 'failed', finished_at = now() where org_id = :org and id = :running_run",
          "(select array_agg(expires_at = now() + interval '1 hour' and run_id = :running_run) from app.approval where org_id = :org and state = 'cancelled') = '{t}'",
          planted=("delete from app.approval", approved(), approved(run=":silent_run"), approved(state="pending", run=":run"),
                   approved(state="denied").replace("'{}'", "null", 1)), image=_APPROVALS, late=True, opened=_APPROVALS),

    Fires("authz.tg_run_actor on app.run", "whom a run acts for is said by the membership of who runs it", _STARTED,
          "(select on_behalf_of from app.run where org_id = :org order by started_at desc limit 1) = :builder", who="customer", opened=("app.run", "app.membership"),
          image=("app.membership",), planted=(
              "update app.membership m set service_owner_id = o.user_id, service_owner_role_id = o.role_id, service_owner_status = 'active' from app.membership o"
              " where o.org_id = :org and o.user_id = case when m.org_id = :org and m.user_id = :customer then :builder else :auditor end and o.user_id <> m.user_id",)),
]
