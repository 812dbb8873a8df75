"""Policies of which one alternative leaves rows open: `true`, signed in instead of member, an OR that forgets the tenant, a captured column."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis.model import Hole, Model, act, persona
from tests.rls.catalog import PUBLIC
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.tenancy import MEMBERSHIP, PROFILE

WHAT = {
    "captured": ("policy-captured-column", "captured column: a name in the sub-select means the sub-select's own column (x = x), so the row of the table is not compared at all"),
    "tautology": ("policy-claim-tautology", "tautology: the column is compared with something that falls back to the column itself, so a missing claim lets every row pass"),
    "half-key": ("policy-half-key", "the parent is found by less than its key (a part of a composite key, or a column that is no key): a row of one's own with the same value there opens the row"),
    "uncorrelated": ("policy-uncorrelated-exists", "an EXISTS that names neither the row nor the caller (uncorrelated): one fitting row anywhere the caller may look opens all"),
    "request": ("policy-request-fact", "the method or path of the request decides, and every client chooses them"),
    "membership": ("policy-membership-any-tenant", "membership in any tenant is enough (uncorrelated EXISTS): the check is not correlated with the tenant of the row"),
    "tenant-null": ("policy-null-tenant", "a branch `tenant is null` opens every row without a tenant to everybody"),
    "anonymous": ("policy-inverted-auth", "inverted check: a caller without a user id passes (auth.uid() is null)"),
    "null-pass": ("policy-null-passes", "three-valued logic: where the check gives NULL (a missing claim) the row passes"),
    "deny-list": ("policy-deny-list", "the check is negative (<>, not in): whoever is not listed passes, strangers included"),
    "signed-in": ("policy-signed-in-only", "being signed in is enough: auth.uid() is not null or role authenticated, but no membership of the row's tenant"),
    "unasking": ("policy-helper-without-caller", "the helper runs as its owner and never asks who the caller is: that the row's parent exists is enough"),
    "email": ("policy-email-domain", "the domain of the e-mail claim decides: it holds whatever address was typed at sign-up, confirmed or not"),
    "aal": ("policy-aal-permissive", "a condition on the session alone (aal2, client_id, is_anonymous) opens the rows: it stands in a permissive policy, where it adds access instead of demanding a stronger session (restrictive was meant)"),
    "row": ("policy-branch-without-tenant", "a branch looks only at the row itself and not at who asks, so the tenant filter is ORed away"),
    "time": ("policy-time-based", "a branch depends on the time only, not on who asks"),
    "user-only": ("policy-tenant-unchecked", "the new row's tenant is not checked: only the user column is tied to the caller"),
}
TRUE = {
    ("select", "using"): ("select-using-true", "USING (true): every row of every tenant is readable"),
    ("insert", "check"): ("insert-check-true", "INSERT WITH CHECK (true): rows can be written into any tenant"),
    ("update", "using"): ("update-using-true", "UPDATE USING (true): rows of every tenant can be overwritten, blindly"),
    ("update", "check"): ("update-check-true", "UPDATE WITH CHECK (true): a row can be moved into another tenant"),
    ("delete", "using"): ("delete-using-true", "DELETE USING (true): rows of every tenant can be deleted, blindly"),
}
SELF = {
    "insert": ("self-service-membership", "self-service membership: WITH CHECK ties only the user column to the caller, so anybody adds themselves to any tenant"),
    "update": ("self-promotion", "self-promotion: a member may update their own membership row, its tenant or role included"),
}


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for table in model.tables:
        if not table.rls or not model.belongs(table):
            continue
        for command, privilege in (("select", "SELECT"), ("insert", "INSERT"), ("update", "UPDATE"), ("delete", "DELETE")):
            for role in model.roles:
                if model.reaches(role, table, privilege):
                    for hole in model.holes(table, command, role):
                        if (found := _finding(model, hole)) is not None:
                            yield found
        for policy in table.policies:
            for text in (policy.using, policy.check):
                if text is not None and model.predicate(table).alternatives(text) is None:
                    yield NotCovered(table.label, policy.command, f"the condition of policy {policy.name} could not be read")


def _finding(model: Model, hole: Hole) -> Finding | None:
    reason = hole.reason
    of = model.tenancy.of(hole.table)
    if _public_profile(model, hole):
        return None
    if reason == "user-only" and hole.command == "update" and not _moves(model, hole):
        return None
    if of.kind == MEMBERSHIP and reason == "user-only" and hole.command in SELF:
        name, what = SELF[hole.command]
    elif reason == "true":
        name, what = TRUE[hole.command, hole.clause]
        if hole.policy.command == "all" and {*hole.policy.roles} == {PUBLIC}:
            name, what = "policy-without-to", f"a policy meant for a trusted role has no TO clause, so it holds for everybody, FOR ALL: {what}"
    else:
        name, what = WHAT[reason]
    widened = f"; permissive policies are ORed, so it cancels the tenant filter of {', '.join(p.name for p in hole.others)}" if hole.others else ""
    to = "no TO clause (PUBLIC)" if PUBLIC in hole.policy.roles else f"TO {', '.join(hole.policy.roles)}"
    return Finding(
        name, hole.table.label, hole.command, persona(hole.role), f"policy {hole.policy.name} on {hole.table.label} ({hole.command}): {what}{widened}",
        f"{hole.policy.command} {to} {'WITH CHECK' if hole.clause == 'check' else 'USING'} ({hole.expression})", act(hole.role, *_statement(hole)),
    )


def _public_profile(model: Model, hole: Hole) -> bool:
    """Return whether profiles are public by design: said for strangers too, alone on its command, and with nothing personal to read."""
    of = model.tenancy.of(hole.table)
    anonymous = model.catalog.anon_role
    meant = PUBLIC in hole.policy.roles or anonymous in hole.policy.roles
    readable = model.catalog.columns_with(hole.role, hole.table, "SELECT")
    return (of.kind == PROFILE and hole.command == "select" and hole.reason == "true" and meant and not hole.others
            and not readable & {*of.personal_columns} - {"full_name", "display_name", "last_name"})


def _moves(model: Model, hole: Hole) -> bool:
    """Return whether the role may write a column that says whose the row is."""
    target = model.target(hole.table)
    columns = model.catalog.columns_with(hole.role, hole.table, "UPDATE")
    known = model.tenancy.membership
    of_member = {known.role_column, known.status_column, *known.ends, *(name for name, _ in known.flags)} if known and known.table == hole.table.oid else set()
    return bool(columns & {*target.tenant, *of_member})


def _statement(hole: Hole) -> list[str]:
    """Return statements that show the hole, for somebody who belongs to no tenant of the rows."""
    name = hole.table.sql
    column = next(iter(hole.table.columns)).name
    return {
        "select": [f"select * from {name}; -- rows of tenants the caller is not in"],
        "insert": [f"insert into {name} select * from {name} where false; -- and with a row that names another tenant: accepted"],
        "update": [f'update {name} set "{column}" = "{column}"; -- without WHERE, so that no SELECT policy applies'],
        "delete": [f"delete from {name};"],
    }[hole.command]
