"""Conditions and checks in function bodies that something else says as well, always: left out, nothing changes. Reviewed one by one.

A condition that only usually is covered by another does not belong here: it has a test in which the other is taken away
(tests/db/test_helpers_alone.py, test_function_checks.py, test_lines.py).
"""

from __future__ import annotations

import re

_IN_PERSON = ("The statement trigger _050_in_person of the table that is written says the same, word for word, before any row is looked at; the function says it "
              "before it looks at its arguments")
_OWN_ROWS = ("The policies by which the owner of the definers sees this table show the rows of the person asking; those of whom a deprovisioning ends only while it is at "
             "work, which it never is when a token is made, and of no session of the person asking. Mutants of these policies are killed")
_ONE_ROW = "An id names one row: it is random and nobody may choose one. The organization stands beside it for the index of the key"
_NO_OLD = "In a trigger for INSERT the record OLD is null: the comparison with it that stands beside is never true"
_NO_NEW = "In a trigger for DELETE the record NEW is null: the comparison with it that stands beside is never true"

_LEFT_OUT: list[tuple[str, tuple[str, ...], tuple[str, ...], str]] = [
    # what is left out, of which functions, which of it, and why nothing changes
    ("check-removed", ("api.choose_no_organization", "api.revoke_api_token", "api.transfer_ownership"), ("perform authz.require_person();",), _IN_PERSON),
    ("check-removed", ("authz.purge", "authz.set_suspended"), ("perform authz.require_person();",), "authz.require_step_up(), which they call next, begins with the same check"),
    ("check-removed", ("api.leave_organization",), ("perform authz.require_org(leave_organization.org_id);",),
     "api.remove_member, which it calls next, begins with the same check of the same value"),
    ("condition-removed", ("authz.access_token_hook",), ("t.user_id = v_person", "c.user_id = v_person", "m.user_id = (select authz.uid())"), _OWN_ROWS),
    ("condition-removed", ("authz.access_token_hook", "authz.join_by_group"), ("r.org_id = m.org_id",), _ONE_ROW),
    ("condition-removed", ("authz.names_me",), ("not a.attisdropped",),
     "Of a column that was dropped the catalog keeps neither the type nor the name: the two conditions on these that stand beside are never true of one"),
    ("condition-removed", ("authz.api_token_id", "authz.api_token_is_over", "authz.in_scope"), ("t.user_id = (select authz.uid())",), _OWN_ROWS),
    ("condition-removed", ("authz.compared_chunks",), ("c.org_id = compared_chunks.org_id",),
     "The documents asked for are of one organization, and a passage's key carries that of its document"),
    ("condition-removed", ("authz.describe_source",), ("a.attnum > 0", "not a.attisdropped"),
     "What is described is a view (relkind = 'v' stands beside, and is killed): PostgreSQL gives a view no system columns, and no statement drops a column of one"),
    ("condition-removed", ("authz.tg_membership_guard",), ("tg_op <> 'INSERT'", "tg_op <> 'INSERT'#1"), _NO_OLD),
    ("condition-removed", ("authz.tg_sso_group_guard",), ("tg_op <> 'INSERT'",), _NO_OLD),
    ("condition-removed", ("authz.tg_document_guard",), ("tg_op = 'UPDATE'",), _NO_OLD),
    ("condition-removed", ("authz.tg_membership_guard",), ("tg_op <> 'DELETE'",), _NO_NEW),
    ("condition-removed", ("authz.tg_sso_group_guard",), ("tg_op <> 'DELETE'", "tg_op <> 'DELETE'#1"), _NO_NEW),
    ("condition-removed", ("authz.tg_in_person",), ("not authz.acts_in_person()",),
     "authz.require_person(), called then, refuses where authz.acts_in_person() is not true and nowhere else, and that is never null"),
    ("condition-removed", ("authz.tg_document_forget",), ("m.citations @> v_cited",),
     "What is counted of a message is its citations of that document; a message that does not contain one counts nothing. It is there for the index"),
    ("condition-removed", ("authz.note_denial",), ("note_denial.bot is not null",),
     "split_part() of nothing is nothing, and nothing is in a list with it: no organization is found, and none had been"),
    ("condition-removed", ("authz.organization_tables",), ("c.relkind in ('r', 'p')",),
     "It joins the primary key: nothing else in a schema of ours can have one. Materialized views have no constraints, and what PostgreSQL keeps of long values stands in pg_toast"),
    ("condition-removed", ("authz.organization_tables",), ("not a.attisdropped",), "A column that was dropped is called ........pg.dropped.N........ from then on, and never org_id"),
    ("condition-removed", ("authz.purge",), ("o.id in (select authz.owned_org_ids())",),
     "The row is locked for update: the policy organization_update_owner, the only one by which the owner of the definers may, says the same, word for word"),
    ("permission-removed", ("authz.rehearse_job",), ("authz.orgs_with('analytics.run')",),
     "What is counted there is given to nobody: it is asked so that the session has its plan before a job comes"),
    ("condition-removed", ("authz.run_tools",), ("b.tool is not null",), "authz.is_tool(), asked beside it, says of nothing that it is no tool: no function has no name"),
    ("condition-removed", ("authz.runnable_bot",), ("f.form is not null",),
     "What was written names such a bot in no form: min() passes over it, and outside nothing is never the best form there is"),
]

RULES: list[tuple[str, str]] = [
    (rf"{kind} {re.escape(function)}\([^:]*\): {re.escape(what)}", why)
    for kind, functions, parts, why in _LEFT_OUT for function in functions for what in parts
]
"""A pattern over whole mutant ids, and the reason."""
