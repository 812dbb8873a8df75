"""Reading the records: the audit trail and the receipts of deletions. Their tables are decided beside what they record."""

from __future__ import annotations

from tests.db.registry.recipe import Recipe

_END = {"before_at": "2100-01-01T00:00:00Z", "before_id": "ffffffff-ffff-4fff-bfff-ffffffffffff", "max_rows": 1000}
_ALL = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}

RECIPES: dict[str, Recipe] = {
    "list_audit_events": ("auditor", {"org_id": ":org", "did": "membership.insert", "by_actor": None, "on_object": None, "in_run": None, **_ALL, **_END}),
    "list_audit_links": ("auditor", {"org_id": ":org", "chain": 0, "after_sequence": 0, "max_rows": 500}),
    "audit_anchor": ("auditor", {"org_id": ":org"}),
    "check_audit": ("auditor", {"org_id": ":org"}),
    "export_audit_events": ("auditor", {"org_id": ":org", "since": "3.0", "max_rows": 300}),
    "audit_narrative": ("customer", {"run_id": ":run"}),
    "record_denial": ("customer", {"function_name": "create_role", "code": "42501", "message": "permission denied for table role", "named_org": ":org",
                                   "run_id": ":run", "bot": ":org/:bot"}),
    "list_deletion_receipts": ("auditor", {"org_id": ":org", "of_document": None, **_ALL, **_END}),
}

EVENTS: dict[str, list[str]] = {"record_denial": ["access.deny"]}

# Tables whose rows come and go without an event of their own, and why none is missing.
WITHOUT_EVENT: dict[str, str] = {
    "audit_event": "it is the trail", "audit_link": "its chains", "audit_lane": "its chains",
    "permission": "the registry changes by migration only",
    "bot_version": "written by the change of its bot, which is recorded with the version",
    "chunk": "part of a document, which is recorded", "document_part": "part of a document, which is recorded",
    "conversation": "made by a run, which is recorded; what is in it is its person's alone", "message": "question or answer of a run, which is recorded",
    "deletion_receipt": "written by the deletion of a document, which is recorded", "departure": "written by the end of a membership, which is recorded",
    "provider": "the operator's registry, of no organization",
    "retention_receipt": "written by the job of retention, whose deletions it counts",
    "member_activity": "written by an event", "usage_entry": "written by acts that are recorded",
    "analytics_result": "written once, by the end of its job, which is recorded", "job_lease": "which worker holds a job: how it ends is recorded",
    "job_scope": "gone before its transaction ends", "uploaded_row": "part of an uploaded table, which is recorded",
    "session_choice": "narrows one's own session and nothing else", "sso_member": "written by joining, which is recorded",
}
"""By table of schema app."""
