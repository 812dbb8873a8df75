"""What each insert policy asks, condition by condition, and what the role that owns the definer functions may see and change.

The access matrix tries rows that people can send. Most of what a policy asks of a new row people cannot send at all: column grants,
defaults and triggers come first. Here the row is put to the policy alone: a good one passes, and one that differs in a single column
does not. Reviewed like the registry; `:name` stands for an id of acme, `:foreign` for somebody of globex.
"""

from __future__ import annotations

from dataclasses import dataclass

_FREE = {"org_id": ":org"}
_LOADING = {"created_by": ":owner", "document_id": ":loading_document"} | _FREE
_NOT_LOADING = {"created_by": ":member", "document_id": ":document"}


@dataclass(frozen=True)
class Insert:
    """A row for one table that the policies let pass for the caller, and columns that each alone make them refuse it."""

    table: str
    caller: str
    good: dict[str, str]
    bad: dict[str, str]
    role: str = "authenticated"
    lacking: str = ""
    """A member without the permission: refused the same row in their own name."""

    @property
    def id(self) -> str:
        return f"{self.table} by {self.caller} as {self.role}"

    @property
    def renamed(self) -> dict[str, str]:
        """The good row in the name of the member who lacks the permission."""
        return {column: f":{self.lacking}" if value == f":{self.caller}" else value for column, value in self.good.items()}


INSERTS = [
    Insert("approval", "customer", _FREE | {"user_id": ":customer", "run_id": ":running_run"}, {"user_id": ":owner", "run_id": ":run"}),
    Insert("api_token", "customer", _FREE | {"user_id": ":customer"}, {"user_id": ":owner", "org_id": ":globex"}, lacking="auditor"),
    Insert("bot", "builder", _FREE | {"created_by": ":builder"}, {"created_by": ":owner", "org_id": ":globex"}, lacking="customer"),
    Insert("bot_binding", "agent", _FREE | {"bot_id": ":desk_bot", "knowledge_base_id": ":vault_knowledge_base"}, {"bot_id": ":hidden_bot"}, lacking="customer"),
    Insert("bot_binding", "analyst", _FREE | {"bot_id": ":desk_bot", "knowledge_base_id": ":knowledge_base"}, {"knowledge_base_id": ":vault_knowledge_base"}),
    Insert("bot_runner", "analyst", _FREE | {"bot_id": ":desk_bot", "user_id": ":member"}, {"bot_id": ":bot", "user_id": "null"}, lacking="customer"),
    Insert("chunk", "owner", _FREE | {"document_id": ":loading_document", "classification": "1", "knowledge_base_id": ":knowledge_base"},
           {"document_id": ":document", "org_id": ":globex"}, lacking="customer"),
    Insert("conversation", "customer", _FREE | {"user_id": ":customer", "bot_id": ":bot"}, {"user_id": ":owner", "bot_id": ":hidden_bot"}),
    Insert("customer_order", "customer", _FREE | {"user_id": ":customer"}, {"user_id": ":owner", "org_id": ":globex"}, lacking="auditor"),
    Insert("deletion_receipt", "owner", _FREE | {"deleted_by": ":owner", "document_id": ":document"}, {"deleted_by": ":admin", "document_id": ":vault_document"}),
    Insert("deny_rule", "owner", _FREE | {"created_by": ":owner"}, {"created_by": ":admin", "org_id": ":globex"}, lacking="builder"),
    Insert("document", "builder", _FREE | {"owner_id": ":builder", "knowledge_base_id": ":knowledge_base", "visibility": "'organization'", "classification": "1"},
           {"owner_id": ":owner", "knowledge_base_id": ":vault_knowledge_base", "org_id": ":globex"}, lacking="customer"),
    Insert("document_grant", "owner", _FREE | {"created_by": ":owner", "document_id": ":private_document", "user_id": ":member"},
           {"created_by": ":admin", "document_id": ":vault_document"}),
    Insert("document_grant", "analyst", _FREE | {"created_by": ":analyst", "document_id": ":owned_by_analyst", "user_id": ":member"},
           {"document_id": ":document", "user_id": "null"}),
    Insert("document_part", "owner", _FREE | {"document_id": ":loading_document", "classification": "1", "knowledge_base_id": ":knowledge_base"},
           {"document_id": ":document", "org_id": ":globex"}, lacking="customer"),
    Insert("invitation", "owner", _FREE | {"created_by": ":owner"}, {"created_by": ":admin", "org_id": ":globex"}, lacking="builder"),
    Insert("kb_grant", "admin", _FREE | {"created_by": ":admin", "knowledge_base_id": ":vault_knowledge_base", "user_id": ":member"}, {"created_by": ":owner"}),
    Insert("kb_grant", "owner", _FREE | {"created_by": ":owner", "knowledge_base_id": ":knowledge_base", "user_id": ":member"},
           {"created_by": ":admin", "knowledge_base_id": ":vault_knowledge_base"}),
    Insert("kb_grant", "analyst", _FREE | {"created_by": ":analyst", "knowledge_base_id": ":owned_by_analyst_base", "user_id": ":member"},
           {"knowledge_base_id": ":knowledge_base", "user_id": "null"}),
    Insert("knowledge_base", "builder", _FREE | {"created_by": ":builder", "visibility": "'organization'"}, {"created_by": ":owner", "org_id": ":globex"}, lacking="customer"),
    Insert("message", "customer", _FREE | {"user_id": ":customer"}, {"user_id": ":owner"}),
    Insert("role", "admin", _FREE | {"built_in": "false"}, {"built_in": "true", "org_id": ":globex"}, lacking="builder"),
    Insert("run", "customer", _FREE | {"user_id": ":customer", "bot_id": ":bot"}, {"user_id": ":owner", "bot_id": ":hidden_bot", "org_id": ":globex"}),
    Insert("run_step", "customer", _FREE | {"user_id": ":customer", "run_id": ":running_run"}, {"user_id": ":owner", "run_id": ":run"}),
    Insert("support_ticket", "customer", _FREE | {"user_id": ":customer", "order_id": ":order"}, {"user_id": ":owner", "order_id": ":owner_order", "org_id": ":globex"}, lacking="auditor"),
    Insert("team", "admin", _FREE | {"created_by": ":admin"}, {"created_by": ":owner", "org_id": ":globex"}, lacking="builder"),
    Insert("team_member", "builder", _FREE | {"team_id": ":team", "manager": "false"}, {"team_id": ":drafters_team", "manager": "true"}, lacking="customer"),
    Insert("erasure", "owner", _FREE | {"user_id": ":owner", "requested_by": ":owner"}, {"user_id": ":admin", "requested_by": ":admin", "org_id": ":globex"}),
    Insert("erasure", "admin", _FREE | {"user_id": "gen_random_uuid()", "requested_by": ":admin"}, {"requested_by": ":owner", "org_id": ":globex"}, lacking="builder"),
    Insert("secret", "owner", _FREE | {"created_by": ":owner", "user_id": "null"}, {"created_by": ":admin", "user_id": ":admin", "org_id": ":globex"}, lacking="admin"),
    Insert("retention_rule", "owner", _FREE | {"set_by": ":owner"}, {"set_by": ":admin", "org_id": ":globex"}, lacking="admin"),
    Insert("legal_hold", "owner", _FREE | {"created_by": ":owner"}, {"created_by": ":admin", "released_at": "now()", "org_id": ":globex"}, lacking="admin"),
    Insert("departure", "owner", _FREE | {"ended_by": ":owner"}, {"ended_by": ":admin", "org_id": ":globex"}, lacking="builder"),
    Insert("data_source", "analyst", _FREE | {"created_by": ":analyst"}, {"created_by": ":owner", "org_id": ":globex"}, lacking="customer"),
    Insert("data_source_grant", "analyst", _FREE | {"data_source_id": ":books_source", "user_id": ":member"}, {"user_id": "null"}, lacking="customer"),
    Insert("metric", "analyst", _FREE | {"created_by": ":analyst", "data_source_id": ":books_source"}, {"created_by": ":owner"}, lacking="customer"),
    Insert("accepted_query", "agent", _FREE | {"created_by": ":agent", "data_source_id": ":books_source"}, {"created_by": ":owner", "data_source_id": ":data_source"},
           lacking="customer"),
    Insert("column_meaning", "agent", _FREE | {"data_source_id": ":books_source"}, {"data_source_id": ":data_source"}, lacking="customer"),
    Insert("uploaded_table", "agent", _FREE | {"created_by": ":agent", "data_source_id": ":books_source", "state": "'loading'"},
           {"created_by": ":owner", "data_source_id": ":data_source", "state": "'ready'"}, lacking="customer"),
    Insert("uploaded_row", "owner", _FREE | {"table_id": ":loading_table"}, {"table_id": ":uploaded_table"}, lacking="customer"),
    Insert("analytics_result_grant", "customer", _FREE | {"created_by": ":customer", "job_id": ":analytics_job", "user_id": ":member"},
           {"created_by": ":owner", "job_id": ":queued_job", "user_id": "null"}, lacking="auditor"),
    Insert("analytics_job", "customer", _FREE | {"user_id": ":customer", "data_source_id": ":data_source"},
           {"user_id": ":owner", "data_source_id": ":books_source", "bot_id": ":hidden_bot", "org_id": ":globex"}, lacking="auditor"),
    Insert("organization_export", "owner", _FREE | {"requested_by": ":owner"}, {"requested_by": ":admin", "org_id": ":globex"}, lacking="admin"),
    Insert("budget", "owner", _FREE, {"org_id": ":globex"}, lacking="admin"),
    Insert("sso_group", "owner", _FREE | {"created_by": ":owner"}, {"created_by": ":admin", "org_id": ":globex"}, lacking="admin"),

    Insert("departure", "owner", _FREE | {"ended_by": ":owner", "how": "'removed'"}, {"ended_by": ":admin", "how": "'deprovisioned'"}, "ringfence_owner"),
    Insert("sso_member", "customer", _FREE | {"user_id": ":customer"}, {"user_id": ":owner"}, "ringfence_owner"),
    Insert("audit_event", "customer", _FREE | {"actor_id": ":customer"}, {"actor_id": ":owner"}, "ringfence_owner"),
    Insert("bot_version", "builder", _FREE | {"created_by": ":builder"}, {"created_by": ":owner"}, "ringfence_owner"),
    Insert("deny_rule", "owner", _LOADING, _NOT_LOADING, "ringfence_owner"),
    Insert("document_grant", "owner", _LOADING, _NOT_LOADING, "ringfence_owner"),
    Insert("kb_grant", "admin", _FREE | {"created_by": ":admin", "user_id": ":admin", "level": "'owner'", "knowledge_base_id": ":vault_knowledge_base"},
           {"created_by": ":owner", "user_id": ":owner", "level": "'editor'", "knowledge_base_id": ":knowledge_base"}, "ringfence_owner"),
    Insert("member_activity", "customer", _FREE | {"user_id": ":customer"}, {"user_id": ":owner"}, "ringfence_owner"),
    Insert("membership", "customer", _FREE | {"user_id": ":customer"}, {"user_id": ":owner"}, "ringfence_owner"),
    Insert("organization", "customer", {"created_by": ":customer"}, {"created_by": ":owner"}, "ringfence_owner"),
    Insert("role", "owner", _FREE, {"org_id": ":globex"}, "ringfence_owner"),
    Insert("role_permission", "owner", _FREE, {"org_id": ":globex"}, "ringfence_owner"),
    Insert("session_choice", "customer", _FREE | {"user_id": ":customer", "session_id": ":session"}, {"user_id": ":owner", "session_id": ":org"}, "ringfence_owner"),
    Insert("model_call", "customer", _FREE | {"user_id": ":customer"}, {"user_id": ":owner", "org_id": ":globex"}, "ringfence_owner"),
    Insert("usage_entry", "customer", _FREE | {"actor_id": ":customer"}, {"actor_id": ":owner"}, "ringfence_owner"),
]

IN_A_JOB = {("app.analytics_result", "ringfence_owner"), ("app.job_lease", "ringfence_owner"), ("app.job_scope", "ringfence_owner")}
"""Written by the functions of the queue, in sessions of a worker alone: tests/db/test_jobs.py and test_job_policies.py."""

UPDATES: list[tuple[str, ...]] = [
    # Of a member of both, in whose other organization they hold less.
    *((table, "both", "org_id", ":globex") for table in ("api_token", "bot_runner", "invitation", "knowledge_base", "membership", "role", "support_ticket", "team",
                                                         "team_member", "sso_group", "budget", "legal_hold", "retention_rule", "secret")),
    ("bot", "both", "org_id", ":globex"), ("organization", "both", "id", ":globex"),
    ("api_token", "customer", "user_id", ":owner"),
    ("approval", "customer", "state", "'cancelled'"), ("approval", "customer", "decided_by", ":owner"), ("approval", "customer", "user_id", ":owner"),
    ("api_token", "admin", "org_id", ":globex"),
    ("bot", "agent", "id", "gen_random_uuid()"), ("bot", "builder", "org_id", ":globex"),
    ("bot_runner", "analyst", "bot_id", ":bot"), ("bot_runner", "analyst", "user_id", "null"), ("bot_runner", "builder", "org_id", ":globex"),
    ("document", "builder", "visibility", "'private'"), ("document", "owner", "org_id", ":globex"),
    ("invitation", "owner", "org_id", ":globex"), ("knowledge_base", "owner", "org_id", ":globex"), ("membership", "owner", "org_id", ":globex"),
    ("organization", "owner", "id", ":globex"), ("role", "owner", "built_in", "true"), ("role", "owner", "org_id", ":globex"),
    ("budget", "owner", "org_id", ":globex"),
    ("legal_hold", "owner", "org_id", ":globex"), ("retention_rule", "owner", "org_id", ":globex"), ("secret", "owner", "org_id", ":globex"), ("legal_hold", "owner", "released_by", ":admin"),
    ("run", "customer", "user_id", ":owner"), ("support_ticket", "owner", "org_id", ":globex"),
    ("data_source", "analyst", "org_id", ":globex"), ("data_source", "agent", "id", "gen_random_uuid()"), ("analytics_job", "customer", "user_id", ":owner"),
    ("column_meaning", "agent", "data_source_id", ":data_source"),
    ("uploaded_table", "owner", "data_source_id", "gen_random_uuid()"), ("uploaded_table", "owner", "created_by", ":agent"),
    ("team", "builder", "id", "gen_random_uuid()"), ("team", "owner", "org_id", ":globex"), ("team_member", "owner", "org_id", ":globex"),
]
"""A table, who may update rows of it, and a column with a value that would take such a row out of what they may update: refused by
the check of the policy, whatever was granted."""

OWNER_UPDATES: list[tuple[str, str, str, str]] = [
    ("api_token", "api token of owner", "session_id", "gen_random_uuid()"), ("api_token", "api token of owner", "user_id", ":admin"),
    ("approval", "customer", "state", "'denied'"),
    ("deletion_receipt", "admin", "deleted_by", ":owner"), ("deletion_receipt", "admin", "org_id", ":globex"), ("invitation", "guest", "email", "'x@example.test'"),
    ("member_activity", "customer", "user_id", ":owner"), ("message", "customer", "citations", "'[]'"), ("message", "customer", "org_id", ":globex"),
    ("organization", "owner", "id", ":globex"), ("role", "owner", "org_id", ":globex"),
    ("budget", "owner", "org_id", ":globex"), ("model_call", "customer", "user_id", ":owner"), ("model_call", "customer", "org_id", ":globex"),
]
"""As the owner of the definers, for a persona."""

_IN = "t.org_id = any (:orgs)"
_CONCERNS = ("(t.user_id = :me or t.team_id in (select m.team_id from app.team_member m where m.user_id = :me and m.org_id = any (:orgs)){role}"
             " or num_nonnulls({all}) = 0)")
_ROLE = " or t.role_id in (select m.role_id from app.membership m where m.user_id = :me and m.org_id = any (:orgs))"
_INVITING = "exists (select from app.invitation i where i.org_id = {org} and i.email = :email and i.accepted_at is null and i.revoked_at is null)"
_FOUNDED = "exists (select from app.organization o where o.id = t.org_id and o.created_by = :me)"

_ASKED = ("t.org_id = any (:asking) and exists (select from app.data_source_grant g where g.org_id = t.org_id and g.data_source_id = {}"
          f" and {_CONCERNS.format(role=_ROLE, all='t.user_id, t.team_id, t.role_id').replace('t.', 'g.')})")
"""Of a data source that the person may ask."""

OWNER_SEES: dict[str, str] = {
    # The end of a run ends what waits for it, whoever ends it.
    "approval": f"t.user_id = :me or {_IN}",
    "api_token": "t.user_id = :me",
    "bot_runner": f"{_IN} and {_CONCERNS.format(role=_ROLE, all='t.user_id, t.team_id, t.role_id')}",
    "data_source": _ASKED.format("t.id"),
    "data_source_grant": f"{_IN} and {_CONCERNS.format(role=_ROLE, all='t.user_id, t.team_id, t.role_id')}",
    "metric": _IN,
    "accepted_query": _IN,
    "column_meaning": _IN,
    "uploaded_table": f"{_IN} and t.state = 'ready'",
    # In sessions of a worker or analyst alone.
    **dict.fromkeys(("analytics_job", "analytics_result", "job_lease", "job_scope"), "false"),
    "analytics_result_grant": f"{_IN} and {_CONCERNS.format(role='', all='t.user_id, t.team_id')}",
    "deletion_receipt": f"{_IN} and t.deleted_by = :me",
    # A document that replaces another takes over what was denied of it.
    "deny_rule": f"{_IN} and (t.document_id is not null or {_CONCERNS.format(role=_ROLE, all='t.user_id, t.team_id, t.role_id')})",
    "document": f"{_IN} and t.state = 'loading'",
    "document_grant": _IN,
    "invitation": "t.email = :email",
    "kb_grant": f"{_IN} and {_CONCERNS.format(role='', all='t.user_id, t.team_id')}",
    "knowledge_base": f"{_IN} and t.created_by = :me",
    "member_activity": "t.user_id = :me",
    "membership": "t.user_id = :me",
    "message": f"{_IN} and t.citations <> '[]'",
    "organization": f"t.id = any (:joined) or t.created_by = :me or {_INVITING.format(org='t.id')}",
    "permission": ":me is not null",
    "provider": ":me is not null",
    "budget": _IN,
    "model_call": f"{_IN} and t.user_id = :me",
    "role": f"t.org_id = any (:joined) or {_FOUNDED} or {_INVITING.format(org='t.org_id')}",
    "role_permission": f"t.org_id = any (:joined) or {_FOUNDED} or {_INVITING.format(org='t.org_id')}",
    "session_choice": "t.user_id = :me",
    "team_member": "t.user_id = :me",
    "departure": "t.ended_by = :me or t.user_id = :me",
    # Who ends a membership cancels what runs for that person.
    "run": f"t.user_id = :me or {_IN}",
    "sso_member": "t.user_id = :me",
    # What an erasure sees it sees in its own transaction alone; a purge asks for holds.
    "erasure": "false",
    "legal_hold": "t.org_id = any (:owned)",
    # What is over is seen in sessions of the jobs' log-in alone.
    "conversation": "false",
    "usage_entry": "false",
    "retention_rule": "false",
    "secret": "false",
    "support_ticket": "false",
    # Only while the function that searches has said in which organization.
    "chunk": "false",
    # Only while a trigger runs (test_audit_chain.py).
    "audit_lane": "false",
    "audit_link": "false",
}
"""Rows `t` of every table the owner of the definer functions may read at all, asked for by a person: `:orgs` are their organizations that
this session sees, `:joined` all they belong to, `:email` their confirmed address."""

OWNER_CHANGES: dict[tuple[str, str], str] = {
    ("membership", "update"): "t.user_id = :me",
    ("membership", "delete"): "t.user_id = :me",
    ("api_token", "update"): "t.user_id = :me and t.session_id = :session",
    ("deletion_receipt", "update"): f"{_IN} and t.deleted_by = :me",
    ("document", "delete"): f"{_IN} and t.state = 'loading'",
    ("invitation", "update"): "t.email = :email",
    ("member_activity", "update"): "t.user_id = :me",
    ("message", "update"): f"{_IN} and t.citations <> '[]'",
    ("organization", "update"): "t.id = any (:owned)",
    ("budget", "update"): _IN,
    ("approval", "update"): f"t.state in ('pending', 'approved') and (t.user_id = :me or {_IN})",
    ("model_call", "update"): f"{_IN} and t.user_id = :me and t.ended_at is null",
    ("role", "update"): _FOUNDED,
    ("session_choice", "delete"): "t.user_id = :me",
}
"""The rows it may update or delete; no others of any table."""
