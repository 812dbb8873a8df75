"""What agents bring: caches and queues that belong to nobody, approvals, tables of settings, and who wrote a row."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.membership import asks_role
from tests.rls.analysis.model import Model, act, persona
from tests.rls.analysis.predicate import binds, quiet
from tests.rls.catalog import Function, Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

CACHE = re.compile(r"cache|memo(ized)?$|embedding|completion", re.I)
CACHED = re.compile(r"^(prompt|response|answer|completion|embedding|output|result|request|reply|messages?)(_\w+)?$", re.I)
QUEUE = re.compile(r"queue|jobs?$|tasks?$|outbox|inbox|event|trace|log", re.I)
PLATFORM = re.compile(r"secret|setting|config|credential|env(ironment)?s?$|vault|internal", re.I)
REQUESTER = re.compile(r"^(requested_by|requester(_id)?|proposed_by|submitted_by|asked_by|initiated_by)$", re.I)
DECIDER = re.compile(r"^(approved_by|decided_by|reviewed_by|approver(_id)?|reviewer(_id)?|confirmed_by|resolved_by)$", re.I)


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    for table in model.tables:
        if table.rls and not model.belongs(table):
            yield from _nobodys(model, table)
        if table.rls and model.belongs(table):
            yield from _author(model, table)
        requester, decider = (next((c.name for c in table.columns if p.search(c.name)), None) for p in (REQUESTER, DECIDER))
        if requester and decider:
            yield from _approvals(model, table, requester, decider)


def _nobodys(model: Model, table: Table) -> Iterator[Finding]:
    """A table without tenant and owner that clients write, or that holds what people asked or the platform's settings."""
    for role in reversed(model.roles):
        open_to = [c for c in ("insert", "update", "delete", "select") if model.reaches(role, table, c.upper()) and any(
            not binds(one) and not quiet(one) for p in model.applying(table, c, role, True) for _, text in model.clauses(p, c) for one in model.predicate(table).alternatives(text) or ())]
        writes = [c for c in open_to if c != "select"]
        cache = CACHE.search(table.name) or sum(bool(CACHED.search(c.name)) for c in table.columns) >= 2
        setting = PLATFORM.search(table.name) and not model.catalog.schemas[table.schema].exposed or any(re.fullmatch(r"value|secret", c.name) for c in table.columns) and PLATFORM.search(table.name)
        if cache and open_to:
            yield _found("tenant-less-cache", table, open_to[-1] if "select" in open_to else open_to[0], role, "shared cache (LLM answers, embeddings) without a tenant: who asks the same gets what another tenant was answered")
        elif QUEUE.search(table.name) and open_to:
            yield _found("queue-without-owner", table, "select" if "select" in open_to else open_to[0], role, "queue or log without a tenant or an owner, open to clients: payloads of all tenants")
        elif setting and "select" in open_to:
            yield _found("platform-settings-readable", table, "select", role, "settings or secrets of the platform are readable by clients")
        elif writes:
            yield _found("shared-table-writable", table, writes[0], role, "belongs to no tenant and no user, and clients may write it: what one tenant writes all others see")
        if open_to:
            return


def _author(model: Model, table: Table) -> Iterator[Finding]:
    """A column that says who wrote the row, filled in by auth.uid(), which the writer may fill in otherwise."""
    for column in table.columns:
        node = tree.expression(column.default)
        if node is None or "uid" not in model.reading.sources(node):
            continue
        for role in model.roles:
            if column.name not in model.catalog.columns_with(role, table, "INSERT") or not model.reaches(role, table, "INSERT"):
                continue
            floors = [one for p in model.applying(table, "insert", role, False) for one in [model.predicate(table).alternatives(p.check or p.using)] if one]
            if any(all(binds(a, frozenset({column.name})) for a in one) for one in floors) or _set_by_trigger(model, table, column.name):
                continue
            for policy in model.applying(table, "insert", role, True):
                (_, text), = model.clauses(policy, "insert")
                loose = [a for a in model.predicate(table).alternatives(text) or () if binds(a) and not binds(a, frozenset({column.name}))]
                if loose:
                    yield Finding("author-not-bound", table.label, "insert", "member",
                                  f"policy {policy.name} on {table.label} (insert): the author column {column.name} is not bound to the caller (default {column.default}, but clients may give another), so a member writes in another person's name",
                                  f"WITH CHECK ({text})", act(role, f"-- insert into {table.sql} with {column.name} of a colleague", sub="<a member>"))


def _set_by_trigger(model: Model, table: Table, column: str) -> bool:
    return any(t.timing == "before" and "insert" in t.events and t.enabled != "D" and (f := model.catalog.functions.get(t.function)) is not None and re.search(rf"new\.{re.escape(column)}\b", f.source, re.I)
               for t in table.triggers)


def _approvals(model: Model, table: Table, requester: str, decider: str) -> Iterator[Finding]:
    """Requests that the person who asked can approve."""
    if any(k.kind == "c" and {requester, decider} <= {*k.columns} for k in table.constraints) or any(
            (f := model.catalog.functions.get(t.function)) is not None and t.timing == "before" and requester in f.source and decider in f.source for t in table.triggers):
        return
    for function in model.catalog.own_functions():
        callers = model.callers(function)
        if callers and not function.is_trigger and _decides(model, function, table, decider) and not _compares(model, function, requester):
            yield Finding("approval-by-requester", function.label, "execute", "member",
                          f"approval function {function.label} sets {decider} of {table.label} and never asks that {requester} is somebody else: who asked, approves", " ".join(function.source.split())[:500],
                          act(callers[-1], f"select {function.sql}(<the id of one's own request>);", sub="<who asked>"))
    for role in model.roles:
        columns = model.catalog.columns_with(role, table, "UPDATE")
        for policy in model.applying(table, "update", role, True):
            if not columns or not model.reaches(role, table, "UPDATE"):
                continue
            text = " ".join(t for t in (policy.using, policy.check) if t)
            facts = [f for t in (policy.using, policy.check) for a in model.predicate(table).alternatives(t) or () for f in a]
            node = tree.expression(policy.using)
            apart = any(f.kind == "deny-list" and requester in f.columns for f in facts)
            status = next((c.name for c in table.columns if re.fullmatch(r"status|state|decision|approved", c.name)), None)
            if decider in columns or status in columns:
                if not apart and not (node is not None and asks_role(model, policy.using) and requester in text):
                    yield _found("approval-writable", table, "update", role, f"policy {policy.name}: the decision ({', '.join(sorted(columns & {decider, status or decider}))}) is a column members may write, the person who asked included")
            elif status is not None and any(requester in f.columns and f.kind == "bound" for f in facts) and status not in text:
                yield _found("request-changes-after-approval", table, "update", role, f"policy {policy.name}: what was asked ({', '.join(sorted(columns))}) may be changed after the decision, as {status} is not looked at")


def _decides(model: Model, function: Function, table: Table, decider: str) -> bool:
    return any(key == "update_stmt" and one["relation"]["relname"] == table.name and any(t["res_target"].get("name") == decider for t in one.get("target_list", []))
               for key, one in tree.walk(model.reading.body(function).nodes))


def _compares(model: Model, function: Function, requester: str) -> bool:
    """Return whether a body compares who asked with something."""
    return any(key == "a_expr" and any(n[-1] == requester for n in tree.columns([one.get("lexpr"), one.get("rexpr")])) for f in model.reading.closure([function])
               for key, one in tree.walk(model.reading.body(f).nodes))


def _found(name: str, table: Table, command: str, role: str, what: str) -> Finding:
    return Finding(name, table.label, command, persona(role) if name != "approval-writable" else "member", f"table {table.label}: {what}", f"policies: {', '.join(p.name for p in table.policies)}",
                   act(role, f"select * from {table.sql};" if command == "select" else f"-- {command} on {table.sql}"))
