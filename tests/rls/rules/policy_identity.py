"""Policies that do tie a row to the caller, but by something the caller can choose, or that outlives what it says."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis.model import Model, act, persona
from tests.rls.analysis.predicate import TRUSTED, Alternative
from tests.rls.catalog import Policy, Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

SOURCES = {
    "user_metadata": ("policy-user-metadata", "user_metadata of the token decides, and every user writes their own user_metadata"),
    "header": ("policy-request-header", "a request header decides, and every client chooses its headers"),
    "cookie": ("policy-request-cookie", "a cookie of the request decides, and every client chooses its cookies"),
    "setting": ("policy-session-setting", "a session setting decides (current_setting), and whoever can run set_config chooses it"),
    "legacy": ("policy-legacy-claim-setting", "the legacy setting request.jwt.claim.* decides, which PostgREST no longer writes and a session can set"),
    "app_metadata": ("policy-stale-claim", "app_metadata of the token alone decides: a removed member keeps access until the token ends (stale claim), the membership table is not asked"),
    "claim": ("policy-stale-claim", "a claim of the token alone decides: a removed member keeps access until the token ends (stale claim), the membership table is not asked"),
}
FLAWS = {
    "pattern": ("policy-pattern-match", "the tenant is matched by a pattern (like, regular expression, prefix) instead of equality, so an empty or short value matches all"),
    "ordering": ("policy-ordering-compare", "the tenant is compared by order (<, >) instead of equality"),
    "lossy": ("policy-lossy-compare", "a part or a digest of the tenant is compared instead of the tenant, and another tenant may have the same"),
    "null-matches-null": ("policy-null-matches-null", "IS NOT DISTINCT FROM lets a row without a tenant match a caller without one"),
}


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    tables = [t for t in context.catalog.tables.values() if t.rls and (not t.managed or t.label in ("storage.objects", "realtime.messages"))]
    for table in tables:
        for policy in table.policies:
            roles = [r for r in model.roles if {*policy.roles} & context.catalog.acting_as(r)]
            for command in ("select", "insert", "update", "delete"):
                reached = [r for r in roles if policy.covers(command) and model.reaches(r, table, command.upper())]
                if reached:
                    yield from _judged(model, table, policy, command, reached[-1])


def _judged(model: Model, table: Table, policy: Policy, command: str, role: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for clause, text in model.clauses(policy, command):
        for alternative in model.predicate(table).alternatives(text) or ():
            for name, what in _flaws(model, alternative, policy.permissive):
                if name not in seen:
                    seen.add(name)
                    yield Finding(
                        name, table.label, command, persona(role), f"policy {policy.name} on {table.label} ({command}): {what}",
                        f"{'USING' if clause == 'using' else 'WITH CHECK'} ({text})", act(role, f"select * from {table.sql}; -- with the value of another tenant in it"),
                    )


def _flaws(model: Model, alternative: Alternative, permissive: bool) -> Iterator[tuple[str, str]]:
    tied = [fact for fact in alternative if fact.kind == "bound"]
    if any("user_metadata" in fact.sources for fact in alternative):
        yield SOURCES["user_metadata"]
    elif permissive and (tied or any(f.kind == "identity" for f in alternative)) and not any(not fact.sources or fact.sources & TRUSTED for fact in tied):
        sources = {source for fact in tied for source in fact.sources} or {s for f in alternative for s in f.sources if s in ("header", "cookie", "setting", "legacy")}
        for source in ("header", "cookie", "setting", "legacy"):
            if source in sources:
                yield SOURCES[source]
                return
        claims = sources & {"app_metadata", "claim"}
        if tied and claims and model.membership is not None and not model.tenancy.claims_by_design:
            yield SOURCES[min(claims)]
    sound = [fact for fact in tied if not fact.flaw]
    for fact in tied:
        if fact.flaw and not sound:
            yield FLAWS[fact.flaw]
            return
