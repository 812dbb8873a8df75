"""Policies of the role that owns the definers, at the work nobody does in person: an erasure, the queue, what is over."""

from __future__ import annotations

from tests.db.alone.by_owner import TOKENS
from tests.db.alone.case import Alone

_ERASING = ("insert into app.erasure (org_id, user_id, requested_by, erased_in) values (:org, :customer, :admin, pg_current_xact_id()),"
            " (:org, :agent, :admin, '3'), (:org, :builder, :owner, pg_current_xact_id())",)
"""The admin is having the customer erased; an erasure of theirs is over, and one is somebody else's."""
_ERASED = "t.org_id = :org and t.user_id = :customer"
_ROWS = {
    "conversation": "insert into app.conversation (org_id, user_id, bot_id, title) values (:org, :owner, :bot, 't'), (:org, :customer, :bot, 't'), (:globex, :customer, :bot, 't')",
    "support_ticket": "insert into app.support_ticket (org_id, user_id, subject, body) values (:org, :owner, 's', 'b'), (:globex, :customer, 's', 'b')",
    "analytics_job": "insert into app.analytics_job (org_id, user_id, data_source_id, question) values (:org, :owner, :data_source, 'q'), (:globex, :customer, :data_source, 'q')",
}
"""In acme of somebody else, and of the customer in globex."""
_ACCEPTED = ("update app.invitation set accepted_at = now(), accepted_by = :owner",
             "insert into app.invitation (org_id, email, role_id, token_sha256, created_by, expires_at, accepted_at, accepted_by)"
             " select o, 'them@example.test', :member_role, repeat('a', 64), :owner, now() + interval '1 day', now(), :customer from unnest(array[:org, :globex]) o")
_THEIRS = ("update app.document set owner_id = :owner, owner_left_at = null", "update app.document set owner_id = :customer where id in (:document, :private_document, :loading_document)",
           "update app.document set state = 'ready', visibility = 'organization' where id = :document", "update app.document set state = 'ready', visibility = 'private' where id = :private_document",
           "update app.document set state = 'loading', visibility = 'organization' where id = :loading_document",
           "update app.document set owner_id = :customer, visibility = 'private', state = 'ready' where org_id = :globex")
_ERASURES = [
    Alone("erasure_select_owner", "admin", "t.user_id = :customer and t.requested_by = :admin", _ERASING),
    Alone("erasure_update_owner", "admin", "t.user_id = :customer and t.requested_by = :admin", _ERASING, refused=("requested_by = :owner", "erased_in = '3'"), passed=("deleted = '{}'",)),
    *(Alone(f"{table}_{command}_erasing_owner", "admin", _ERASED, (*_ERASING, planted)) for table, planted in _ROWS.items() for command in ("select", "delete")),
    Alone("api_token_select_erasing_owner", "admin", _ERASED, (*_ERASING, *TOKENS)),
    Alone("api_token_update_erasing_owner", "admin", _ERASED, (*_ERASING, *TOKENS),
          refused=("revoked_at = null", "revoked_at = now(), org_id = :globex", "revoked_at = now(), user_id = :analyst"), passed=("revoked_at = now()",)),
    Alone("invitation_select_erasing_owner", "admin", "t.org_id = :org and t.accepted_by = :customer", (*_ERASING, *_ACCEPTED)),
    Alone("invitation_update_erasing_owner", "admin", "t.org_id = :org and t.accepted_by = :customer", (*_ERASING, *_ACCEPTED),
          refused=("email = 'x@example.test'", "email = 'erased@erased.invalid', org_id = :globex", "email = 'erased@erased.invalid', accepted_by = :owner"),
          passed=("email = 'erased@erased.invalid'",)),
    Alone("document_delete_erasing_owner", "admin", "t.id in (:private_document, :loading_document)", (*_ERASING, *_THEIRS)),
    Alone("document_update_erasing_owner", "admin", "t.org_id = :org and t.owner_id = :customer", (*_ERASING, *_THEIRS),
          refused=("owner_left_at = null, visibility = 'organization'", "owner_left_at = now(), visibility = 'private'", "owner_left_at = now(), visibility = 'organization', org_id = :globex"),
          passed=("owner_left_at = now(), visibility = 'organization'",)),
]

_WORKER, _EITHER = (tuple(f"create or replace function authz.{name}() returns boolean language sql stable parallel safe set search_path = pg_catalog, pg_temp as 'select true'"
                          for name in names) for names in (("works_the_queue", "runs_the_queue"), ("works_the_queue",)))
"""As in a session of the worker, and of either log-in for background work: which it is, no SQL can change."""

_KEPT = ("delete from app.legal_hold", "delete from app.retention_rule",
         "insert into app.retention_rule (org_id, class, days, set_by) select :org, c, 30, :owner from unnest(array['conversations', 'tickets', 'usage']) c",
         "insert into app.legal_hold (org_id, user_id, reason, created_by) values (:org, :agent, 'x', :owner)",
         # What the job asks of the rules, of holds and of runs is seen whoever asks: here the policy itself must say no.
         "alter policy retention_rule_select_worker_owner on app.retention_rule using (true)", "alter policy legal_hold_select_erasing_owner on app.legal_hold using (true)",
         "alter policy run_select_upkeep_owner on app.run using (true)")
"""Acme keeps everything for 30 days, and what is the agent's is held; globex says nothing."""
_OLD = "now() - interval '100 days'"
_OVER = {
    "conversation": ("t.org_id = :org and t.title = 'over'",
                     "insert into app.conversation (org_id, user_id, bot_id, title, created_at) values"
                     f" (:org, :customer, :bot, 'over', {_OLD}), (:org, :customer, :bot, 'new', now()), (:org, :agent, :bot, 'held', {_OLD}), (:globex, :customer, :bot, 'kept', {_OLD})",
                     f"update app.conversation set created_at = {_OLD}, title = 'used' where id = :conversation"),
    "support_ticket": ("t.org_id = :org and t.subject = 'over'",
                       "insert into app.support_ticket (org_id, user_id, subject, body, status, created_at) values"
                       f" (:org, :customer, 'over', 'b', 'closed', {_OLD}), (:org, :customer, 'new', 'b', 'closed', now()), (:org, :agent, 'held', 'b', 'closed', {_OLD}),"
                       f" (:org, :customer, 'open', 'b', 'open', {_OLD}), (:globex, :customer, 'kept', 'b', 'closed', {_OLD})"),
    "usage_entry": ("t.org_id = :org and t.amount = 7001",
                    "insert into app.usage_entry (org_id, actor_id, measure, amount, on_day) values"
                    " (:org, :customer, 'runs', 7001, current_date - 100), (:org, :customer, 'runs', 7002, current_date), (:org, :agent, 'runs', 7003, current_date - 100),"
                    " (:globex, :customer, 'runs', 7004, current_date - 100)"),
}
"""By table: what is over, among what is new, held, used since, open, or of an organization that keeps everything."""
_RETENTION = [
    *(Alone(f"{table}_{command}_over_owner", "no claims", rule if worker else "false", (*_KEPT, *planted, *worker))
      for table, (rule, *planted) in _OVER.items() for command in ("select", "delete") for worker in (_WORKER, ())),
    *(Alone(f"analytics_result_{command}_over_owner", "no claims", "t.job_id = :analytics_job" if worker else "false",
            ("update app.analytics_result set expires_at = now() + interval '1 day'", "update app.analytics_result set expires_at = now() where job_id = :analytics_job", *worker))
      for command in ("select", "delete") for worker in (_WORKER, ())),
    *(Alone("retention_receipt_insert_owner", "no claims", "true" if worker else "false", worker,
            **{"passed" if worker else "refused": ("org_id = :org, class = 'usage', days = 1, deleted = '{}'",)}) for worker in (_WORKER, ())),
    *(Alone(policy, "no claims", "true" if worker else "false", worker, **more)
      for policy, more in (("retention_rule_select_worker_owner", {}), ("run_select_upkeep_owner", {}), ("secret_select_upkeep_owner", {}),
                           ("secret_update_upkeep_owner", {"passed": ("key_id = 'k7'",)})) for worker in (_WORKER, ())),
]

_BEGUN = "insert into app.job_scope (org_id, xact_id, began_at, job_id, data_source_id, claims) values (:org, {}, {}, :{}, :data_source, '{{}}')"
_SCOPES = ("delete from app.job_scope", _BEGUN.format("pg_current_xact_id()", "now()", "queued_job"), _BEGUN.format("'3'", "now()", "held_job"))
_LATE = ("delete from app.job_scope", _BEGUN.format("pg_current_xact_id()", _OLD, "queued_job"), _BEGUN.format("'3'", "now()", "held_job"))
"""A number that another transaction had before: the world was put back from a copy."""
_SCOPE = "org_id = :org, job_id = :held_job, data_source_id = :data_source, claims = '{}'"
_LEASE = "org_id = :org, job_id = :queued_job, lease = :org, worker = 'w', place = 9, expires_at = now()"
_QUEUE = [
    *(Alone(f"job_scope_{command}_owner", "no claims", rule, planted) for command in ("select", "delete")
      for rule, planted in (("t.xact_id <> '3'", (*_SCOPES, *_EITHER)), ("false", _SCOPES), ("false", (*_LATE, *_EITHER)))),
    Alone("job_scope_insert_owner", "no claims", "true", _EITHER, passed=(_SCOPE,), refused=(f"{_SCOPE}, xact_id = '3'", f"{_SCOPE}, began_at = {_OLD}")),
    Alone("job_scope_insert_owner", "no claims", "false", refused=(_SCOPE,)),
    *(Alone(f"job_lease_{command}_owner", "no claims", "true" if who else "false", who)
      for command, whose in (("select", _EITHER), ("delete", _WORKER), ("update", _WORKER)) for who in (whose, ())),
    *(Alone("job_lease_insert_owner", "no claims", "true" if who else "false", who, **{"passed" if who else "refused": (_LEASE,)}) for who in (_WORKER, ())),
    *(Alone("analytics_job_select_queue_owner", "no claims", "true" if who else "false", who) for who in (_EITHER, ())),
    *(Alone("analytics_job_update_queue_owner", "no claims", "t.status in ('queued', 'running')" if who else "false", who,
            refused=(), passed=("attempts = 1",)) for who in (_WORKER, ())),
    Alone("analytics_result_insert_job_owner", "customer", "true", (*_SCOPES, *_EITHER),
          passed=("org_id = :org, user_id = :customer, job_id = :queued_job",), refused=("org_id = :org, user_id = :owner, job_id = :queued_job", "org_id = :org, user_id = :customer, job_id = :held_job")),
    *(Alone(f"{table}_select_job_owner", "customer", f"t.org_id = :org and t.{column} = :bot" if who else "false", who)
      for table, column in (("bot", "id"), ("bot_binding", "bot_id")) for who in (_EITHER, ())),
]

_SIGNING_IN = [
    Alone("membership_update_sso_owner", "customer", "t.user_id = :customer", refused=("user_id = gen_random_uuid()",), passed=("status = 'active'",)),
    Alone("run_update_tainting_owner", "customer", "t.user_id = :customer and t.status = 'running'", ("update app.run set user_id = :owner where org_id = :globex",),
          refused=("status = 'succeeded'", "user_id = :owner"), passed=("started_at = now()",)),
]

_SESSION = "00000000-0000-4000-8000-00000000000a"
_SESSIONS = [
    Alone("ended_session_select_owner", "customer", "t.session_id = :session", (f"insert into authz.ended_session (session_id) values (:session), ('{_SESSION}')",)),
    # A token that names a session and nobody: no person, and so no session of one.
    Alone("ended_session_select_owner", "no claims", "false", (f"insert into authz.ended_session (session_id) values ('{_SESSION}')",),
          {"request.jwt.claims": f'{{"session_id": "{_SESSION}"}}'}),
]

_ASKED = "create or replace function authz.job_tables() returns setof uuid language sql stable rows 10 set search_path = pg_catalog, pg_temp as $$select {}$$"
"""The job is for one table."""
_JOBS = [
    Alone("uploaded_row_select_analyst", "no claims", "t.table_id = :books_table", (_ASKED.format(":books_table"),)),
    Alone("uploaded_row_select_analyst", "no claims", "false"),
]

CASES: list[Alone] = [*_ERASURES, *_RETENTION, *_QUEUE, *_SIGNING_IN, *_SESSIONS, *_JOBS]
