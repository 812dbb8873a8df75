"""Reading the records: the audit trail and the receipts of deletions. Their tables are decided beside what they record."""

from __future__ import annotations

from tests.db.registry.recipe import Recipe

_END = {"before_at": "2100-01-01T00:00:00Z", "before_id": "ffffffff-ffff-4fff-bfff-ffffffffffff", "max_rows": 1000}
_ALL = {"since": "2020-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}

RECIPES: dict[str, Recipe] = {
    "list_audit_events": ("auditor", {"org_id": ":org", "did": "membership.insert", "by_actor": None, "on_object": None, "in_run": None, **_ALL, **_END}),
    "list_deletion_receipts": ("auditor", {"org_id": ":org", "of_document": None, **_ALL, **_END}),
}
