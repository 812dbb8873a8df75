"""Who gets what from each function of schema api when it is called with the ids of acme: reviewed, one line a function.

Everybody of the access matrix makes the call of the function's recipe, with a second factor just used. The rule is written per permission,
as in the registry: `can(x)`, `in_scope(x)`, `:me`, and `may(...)`, which is what the registry decides about one row.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.db.registry import TABLES


@dataclass(frozen=True)
class Right:
    """For whom of acme it works, and what the others get."""

    works: str
    refused: str = "PT404"
    """What a member gets for whom it does not: an SQLSTATE, or `none` for no rows; `by sight` is 42501 for who may read the row and PT404 for
    who may not."""
    elsewhere: str = ""
    """What somebody gets to whom acme does not exist; as `refused` when empty."""
    personal: bool = False
    """42501 for whatever is not a person: an OAuth client, an API token, somebody anonymous."""
    sight: str = "true"
    """For `by sight`: who may read the row."""
    other: tuple[tuple[str, str], ...] = ()
    """Personas whose own place in the call makes it another one: they are the one it is about."""


def may(command: str, table: str, id_: str) -> str:
    """The decision of the registry for this row and command."""
    rule = getattr(TABLES[table], command) or "false"
    scope = TABLES[table].write_scope if command != "read" else ""
    return f"exists (select from app.{table} t where t.id = :{id_} and ({rule}))" + (f" and in_scope({scope})" if scope else "")


def _seen(command: str, table: str, id_: str, refused: str = "by sight") -> Right:
    return Right(may(command, table, id_), refused, "PT404", sight=may("read", table, id_))


_MEMBER = Right("true")
_LISTED = Right("true", "none")
_ANYBODY = Right("true", elsewhere="ok")
_OWN = Right(":me = :customer")
_MEMBERS = Right("can(members.manage)", personal=True)
_TEAM = "42501"
# To nobody at all everybody is somebody else's self.
_NOBODY = ("no claims", "22023")
_SELF = (("member", "22023"), _NOBODY)

RIGHTS: dict[str, Right] = {
    "list_audit_events": Right("in_scope(audit.read)", "none"),
    "list_audit_links": Right("can(audit.read)"),
    "audit_anchor": Right("can(audit.read)"),
    "check_audit": Right("can(audit.read) and can(runs.read)"),
    "export_audit_events": Right("can(audit.read)"),
    "audit_narrative": Right("can(runs.read) or :me = :customer"),
    "record_denial": _MEMBER,
    "list_deletion_receipts": Right("can(audit.read)", "none"),
    "explain_access": Right("can(members.manage)", "42501", other=(("customer", "ok"),)),
    "put_secret": Right("can(organization.manage)", "42501", personal=True),
    "read_sealed_secret": Right("can(bots.run)"),
    "list_secrets": Right("can(bots.run)", "none"),
    "delete_secret": Right("can(organization.manage)", personal=True),
    "set_retention": Right("can(organization.manage)", personal=True),
    "list_retention": Right("can(organization.manage) or can(audit.read)", "none"),
    "list_personal_data": _ANYBODY,
    "export_me": Right("true", personal=True),
    "erase_me": Right("true", personal=True, other=(("owner", "PT409"),)),
    "erase_member": Right("can(members.manage)", "42501", personal=True, other=(("auditor", "42501"),)),
    "set_legal_hold": Right("can(organization.manage)", "42501", personal=True),
    # What holds is made by the recipe's caller a moment before.
    "release_legal_hold": Right("can(organization.manage)", personal=True),
    "list_legal_holds": Right("can(organization.manage) or can(audit.read)", "none"),
    "create_bot": Right("can(bots.manage)", "42501"),
    "update_bot": _seen("update", "bot", "desk_bot"),
    "archive_bot": Right(f"({may('delete', 'bot_runner', 'desk_bot_share')})", "by sight", "PT404", sight=may("read", "bot", "desk_bot")),
    "restore_bot": _seen("update", "bot", "desk_bot"),
    "get_bot": _seen("read", "bot", "bot"),
    "list_bots": Right("true", "none", other=tuple((who, "ok") for who in (
        "member of both, narrowed to globex", "owner of the other organization", "member of the other organization"))),
    "list_organization_bots": _LISTED,
    "list_bot_versions": _LISTED,
    "share_bot": Right("can(bots.manage)", "42501"),
    "unshare_bot": Right(may("delete", "bot_runner", "desk_bot_share"), other=(("api token of owner", "42501"),)),
    "list_bot_shares": Right(f"{may('read', 'bot', 'desk_bot')}", "none"),
    "bind_bot": Right("can(bots.manage)", "by sight", "PT404", sight=may("read", "knowledge_base", "knowledge_base")),
    "unbind_bot": Right(may("delete", "bot_binding", "desk_bot_binding"), "by sight", "PT404", sight=may("read", "bot_binding", "desk_bot_binding")),
    "list_bot_bindings": _LISTED,
    "list_bot_tools": _MEMBER,
    "use_tool": _MEMBER,
    "create_deny_rule": Right("can(rules.manage)", "42501", personal=True),
    "delete_deny_rule": Right("can(rules.manage)", personal=True),
    "list_deny_rules": Right("can(rules.manage)", "none"),
    "list_documents": Right("can(documents.read)", "none"),
    "begin_document": Right("can(documents.manage)", "by sight", "PT404", sight=may("read", "knowledge_base", "knowledge_base")),
    "add_chunks": Right(":me = :owner"),
    "add_file_part": Right(":me = :owner"),
    "finish_document": Right(":me = :owner"),
    "list_left_documents": Right("can(documents.manage)", "none"),
    "adopt_document": Right("can(documents.manage)"),
    "get_document": _seen("read", "document", "document"),
    "read_file_part": _seen("read", "document", "vault_document"),
    "preview_document": _seen("read", "document", "document"),
    "delete_document": _seen("delete", "document", "document", "PT404"),
    "update_document": _seen("update", "document", "document", "PT404"),
    "share_document": Right(":me = :admin", "by sight", "PT404", sight=may("read", "document", "shared_document")),
    "unshare_document": Right(":me = :admin or :me = :analyst"),
    "list_document_grants": Right(":me = :admin or :me = :analyst", "none"),
    "sync_document_access": Right(":me = :admin"),
    "set_access_max_age": Right("can(organization.manage)", personal=True),
    "search_documents": _OWN,
    "check_api_token": Right("can(tokens.create) and can(documents.read)", "42501", personal=True),
    "create_api_token": Right(":me = :customer", "by sight", "42501", True, "not can(tokens.create)"),
    "list_api_tokens": Right(":me = :owner or can(members.manage)", "none"),
    "revoke_api_token": Right(":me = :owner or can(members.manage)", personal=True),
    "touch_api_token": _ANYBODY,
    "list_service_accounts": Right("false", "none"),
    "choose_organization": Right("true", personal=True, other=(("member of both, narrowed to globex", "ok"), ("owner with a malformed organization claim", "ok"))),
    "choose_no_organization": Right("true", elsewhere="ok", personal=True),
    "create_invitation": Right("can(members.manage)", "42501", "PT404", True),
    "list_invitations": Right("can(members.manage)", "none"),
    "revoke_invitation": _MEMBERS,
    "accept_invitation": Right("false", personal=True),
    "create_knowledge_base": Right("can(documents.manage) and can(resources.publish)", "42501"),
    "set_knowledge_base_visibility": Right(":me = :owner", "by sight", "PT404", sight="can(documents.manage)"),
    "list_knowledge_bases": Right("can(documents.read)", "none"),
    "share_knowledge_base": Right(":me = :admin", "by sight", "PT404", sight=may("read", "knowledge_base", "vault_knowledge_base")),
    "unshare_knowledge_base": Right(":me = :admin or :me = :agent"),
    "list_knowledge_base_grants": Right(":me = :admin or :me = :agent", "none"),
    "delete_knowledge_base": _seen("delete", "knowledge_base", "other_base", "PT404"),
    "tool_catalog": _ANYBODY,
    "whoami": _ANYBODY,
    "create_organization": Right("true", elsewhere="ok", personal=True),
    "list_members": _LISTED,
    "change_member": _MEMBERS,
    "remove_member": Right("can(members.manage)", personal=True, other=(("member", "ok"),)),
    "leave_organization": Right("true", personal=True, other=(("owner", "PT409"),)),
    "suspend_member": Right("can(members.manage)", personal=True, other=_SELF),
    "resume_member": Right("can(members.manage)", personal=True, other=_SELF),
    "transfer_ownership": Right("can(organization.manage)", personal=True, other=(("admin", "22023"), _NOBODY)),
    "organization_settings": _MEMBER,
    "update_organization": Right("can(organization.manage)", personal=True),
    "suspend_organization": Right("can(organization.manage)", personal=True),
    "resume_organization": Right("can(organization.manage)", personal=True),
    "set_mfa_policy": Right("can(organization.manage)", personal=True),
    "list_permissions": _LISTED,
    "list_roles": _LISTED,
    "create_role": Right("can(roles.manage)", "42501", personal=True, other=(_NOBODY,)),
    "update_role": Right("can(roles.manage)", "42501", "PT404", True, other=(_NOBODY,)),
    "delete_role": Right("can(roles.manage)", "42501", "PT404", True),
    "start_run": Right(":me = :customer"),
    "call_tool": _OWN,
    "list_approvals": Right("can(approvals.decide) or can(bots.run) and :me = :customer", "none"),
    "decide_approval": Right("can(approvals.decide) or :me = :customer", personal=True),
    "resume_run": _OWN,
    "set_approval_policy": Right("can(organization.manage)", personal=True),
    "begin_model_call": _OWN,
    "end_model_call": _OWN,
    "list_model_calls": Right("can(runs.read) or :me = :customer", "none"),
    "list_providers": Right("true", elsewhere="ok", other=(("no claims", "none"),)),
    "set_data_policy": Right("can(organization.manage)", personal=True),
    "set_budget": Right("can(organization.manage)", personal=True),
    "list_budgets": Right("can(usage.read)", "none"),
    "finish_run": _OWN,
    "list_runs": Right("can(runs.read) or can(bots.run) and :me = :customer", "none"),
    "list_run_steps": Right("can(runs.read) or :me = :customer", "none"),
    "list_conversations": Right(":me = :customer", "none"),
    "list_messages": _OWN,
    "place_order": Right("can(orders.place)", "42501"),
    "my_orders": Right("in_scope(orders.read) and (:me = :owner or :me = :customer)", "none"),
    "get_order": Right("can(orders.read) or :me = :customer"),
    "create_ticket": Right("can(tickets.create) and (can(orders.read) or :me = :customer)", "by sight", "PT404", sight="can(orders.read)"),
    "list_teams": _LISTED,
    "create_team": Right("can(teams.manage)", _TEAM),
    "rename_team": Right("can(teams.manage) or :me = :builder", _TEAM, "PT404"),
    "delete_team": Right("can(teams.manage)", _TEAM, "PT404"),
    "list_team_members": Right("can(members.read) or :me = :customer", "none"),
    "add_team_member": Right("can(teams.manage) or :me = :builder", _TEAM, "PT404"),
    "remove_team_member": Right("can(teams.manage) or :me = :builder or :me = :customer", _TEAM, "PT404", True),
    "set_team_manager": Right("can(teams.manage)", _TEAM, "PT404"),
    "organization_usage": Right("can(usage.read)"),
    "list_sso_groups": Right("can(organization.manage) or can(members.manage)", "none"),
    "set_sso_group": Right("can(organization.manage)", "by sight", "PT404", True, "can(members.manage)"),
    "delete_sso_group": Right("can(organization.manage)", personal=True),
    "list_sso_organizations": Right("false", "none"),
    "join_by_sso": Right("false", personal=True, other=(("analyst", "PT409"),)),
    "deprovision_member": Right("can(members.deprovision)", "42501", personal=True),
    "export_organization": Right("can(organization.manage)", personal=True),
    # Pages go to whoever began the export: the owner of the world did.
    "export_rows": Right("can(organization.manage) and :me = :owner", personal=True),
    "purge_organization": Right("can(organization.manage)", personal=True),
    "create_data_source": Right("can(analytics.manage)", "42501"),
    "delete_data_source": Right(may("delete", "data_source", "books_source"), "by sight", "PT404", sight=may("read", "data_source", "books_source")),
    "list_data_sources": Right("can(analytics.run)", "none"),
    "describe_data_source": Right("can(analytics.run)"),
    "share_data_source": Right(may("delete", "data_source", "books_source"), "by sight", "PT404", sight=may("read", "data_source", "books_source")),
    "unshare_data_source": Right(may("delete", "data_source_grant", "books_share"), "PT404"),
    "list_data_source_shares": Right(may("read", "data_source", "books_source")),
    "submit_analytics_job": Right("can(analytics.run)"),
    "get_analytics_job": _OWN,
    "list_analytics_jobs": Right(":me = :customer or :me = :owner and can(analytics.run)", "none"),
    "cancel_analytics_job": _OWN,
    "read_analytics_result": Right("can(analytics.run) and (:me = :customer or :me = :analyst)"),
    "share_analytics_result": _OWN,
    "unshare_analytics_result": _OWN,
    "ask_data": _OWN,
    "create_metric": Right(may("update", "data_source", "books_source"), "by sight", "PT404", sight=may("read", "data_source", "books_source")),
    "set_column_meaning": Right(may("update", "data_source", "books_source"), "by sight", "PT404", sight=may("read", "data_source", "books_source")),
    "accept_analytics_query": Right(":me = :owner and can(analytics.run)"),
    "withdraw_accepted_query": Right(may("delete", "accepted_query", "books_query"), other=(("api token of owner", "42501"),)),
    "list_accepted_queries": Right(may("read", "data_source", "data_source")),
    "create_uploaded_table": Right("can(analytics.run) and :me = :owner", "by sight", "PT404", sight=may("read", "data_source", "data_source")),
    "append_uploaded_rows": Right("can(analytics.run) and :me = :owner"),
    "commit_uploaded_table": Right("can(analytics.run) and :me = :owner"),
    "delete_uploaded_table": Right(may("delete", "uploaded_table", "uploaded_table"), other=(("api token of owner", "42501"),)),
    "list_uploaded_tables": Right(may("read", "data_source", "data_source")),
}
