"""Function bodies with one check left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg

from tests.rls.mutate.conditions import without
from tests.rls.mutate.mutant import Mutant, mutant

_QUERY = """
select p.oid::regprocedure::text, n.nspname, p.proname, p.prosecdef, pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('api', 'app', 'authz') and p.prokind = 'f' and p.prolang in (select oid from pg_language where lanname in ('sql', 'plpgsql')) order by 1
"""
_CALLED = re.compile(r"\bperform\s+((?:authz\.(?:require_\w+|lock_\w+)|pg_advisory_xact_lock)\([^;]*\))\s*;", re.IGNORECASE)
_STOPPED = re.compile(r"(?<!end )\b(?:els)?if\b((?:(?!\bthen\b|\bif\b)[^;])+)\bthen\s+(?:--[^\n]*\s+)*(?:raise|return\s*;)", re.IGNORECASE | re.DOTALL)
_REASON = re.compile(r"\bwhen\b((?:(?!\bthen\b|\bwhen\b).)+)\bthen '", re.IGNORECASE | re.DOTALL)
_PERMITTED = re.compile(r"authz\.orgs_with\((?:[^()]|\([^()]*\))*\)")
_LIST = re.compile(r"\bin \(('[^()]*')\)|= ANY \(ARRAY\[(.*?)\]\)")


def mutants(db: psycopg.Connection) -> Iterator[Mutant]:
    """Yield the mutants of every body: a required check gone, a refusal never reached, a permission not asked for, a condition left out."""
    db.execute("set local search_path = pg_catalog")
    for signature, schema, name, definer, definition in db.execute(_QUERY).fetchall():
        about, seen = {f"{schema}.{name}"}, set()
        head, body, tail = _split(definition)
        changes = [("check-removed", what, text) for what, text in _replaced(_CALLED, body, "null;", 0)]
        changes += [("refusal-removed", what, text) for what, text in _replaced(_STOPPED, body, " false ", 1)]
        changes += [("permission-removed", what, text) for what, text in _replaced(_PERMITTED, body, "authz.org_ids()", 0)]
        if schema == "authz" or definer:
            changes += [("condition-removed", what, text) for what, text in without(body)]
        if name == "pre_request":
            changes += [("refusal-removed", what, text) for what, text in _replaced(_REASON, body, " false ", 1)]
        if name == "is_personal":
            changes += [("personal-permission", item, body.replace(item, "''", 1)) for item in re.findall(r"'[a-z]+\.[a-z]+'", body)]
        for kind, what, text in changes:
            number = sum(1 for k, w in seen if (k, w.split("#")[0]) == (kind, what))
            label = f"{what}#{number}" if number else what
            seen.add((kind, label))
            yield mutant(kind, f"{signature}: {label[:150]}", head + text + tail, about=about)


def _split(definition: str) -> tuple[str, str, str]:
    """The definition up to its body, the body, and what follows it."""
    if found := re.search(r"\n(?:AS (\$\w*\$)|BEGIN ATOMIC|RETURN )", definition):
        end = definition.rindex(found[1]) if found[1] else len(definition)
        return definition[:found.end()], definition[found.end():end], definition[end:]
    raise ValueError(definition[:200])


def _replaced(pattern: re.Pattern[str], body: str, by: str, group: int) -> Iterator[tuple[str, str]]:
    """Yield each match: what it was, and the body with it replaced."""
    for found in pattern.finditer(body):
        start, end = found.span(group)
        if found[group].strip().lower() not in ("false", "true"):
            yield " ".join(found[group].split()), body[:start] + by + body[end:]
