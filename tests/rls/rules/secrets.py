"""Secrets in text that every role can read: function bodies, comments, defaults, views, constraints, triggers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

KNOWN = re.compile(
    r"\b(sk|rk|pk)[-_](live|test|proj|ant|or)[-_][A-Za-z0-9_-]{12,}|\bsk-[A-Za-z0-9]{20,}|\bsb_secret_[A-Za-z0-9_]{10,}|\bwhsec_[A-Za-z0-9]{12,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[A-Z0-9]{16}\b|"
    r"\bxox[abpr]-[A-Za-z0-9-]{10,}|\bAIza[A-Za-z0-9_-]{30,}|\bSG\.[A-Za-z0-9_-]{16,}|\bhf_[A-Za-z0-9]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|"
    r"\b\w+://[^\s:/'@]+:[^\s@'/]{3,}@[^\s']+")
NAMED = re.compile(r"\b\w*(secret|passwo?r?d|api_?key|access_?token|private_?key|service_?key|bearer)\w*['\"]?\s*(?::=|=>|=|,|:|\bis\b|\bdefault\b)?\s*(?:text\s*)?(?::=|=|default)?\s*E?'([^'\s]{12,})'", re.I)
HEADER = re.compile(r"\b(bearer|basic)\s+([A-Za-z0-9_\-.=+/]{16,})", re.I)

TEXTS = """
select n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')', 'function text (pg_proc.prosrc)', p.prosrc
from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid >= 16384 and coalesce(p.prosrc, '') <> ''
union all
select coalesce((case d.classoid when 'pg_class'::regclass then (select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = d.objoid)
  when 'pg_proc'::regclass then (select n.nspname || '.' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace where p.oid = d.objoid)
  when 'pg_namespace'::regclass then (select 'schema ' || n.nspname from pg_namespace n where n.oid = d.objoid)
  when 'pg_policy'::regclass then (select p.polrelid::regclass::text from pg_policy p where p.oid = d.objoid) end), d.classoid::regclass::text || ' ' || d.objoid), 'comment', d.description
from pg_description d where d.objoid >= 16384
union all
select n.nspname || '.' || c.relname, 'default of column ' || a.attname, pg_get_expr(f.adbin, f.adrelid)
from pg_attrdef f join pg_class c on c.oid = f.adrelid join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = f.adrelid and a.attnum = f.adnum
union all
select n.nspname || '.' || c.relname, 'view definition', pg_get_viewdef(c.oid) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('v', 'm') and c.oid >= 16384
union all
select k.conrelid::regclass::text, 'constraint ' || k.conname, pg_get_constraintdef(k.oid) from pg_constraint k where k.contype = 'c' and k.conrelid <> 0 and k.oid >= 16384
union all
select t.tgrelid::regclass::text, 'trigger ' || t.tgname, pg_get_triggerdef(t.oid) from pg_trigger t where not t.tgisinternal
union all
select p.polrelid::regclass::text, 'policy ' || p.polname, coalesce(pg_get_expr(p.polqual, p.polrelid), '') || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') from pg_policy p
union all
select 'server ' || s.srvname, 'server option', array_to_string(s.srvoptions, ' ') from pg_foreign_server s where s.srvoptions is not null
"""


def check(context: Context) -> Iterator[Finding | NotCovered]:
    seen: set[tuple[str, str]] = set()
    for name, where, text in context.conn.execute(TEXTS).fetchall():
        schema = str(name).partition(".")[0]
        known = context.catalog.schemas.get(schema)
        if known is not None and known.managed or (name, where) in seen or not text:
            continue
        if (found := secret_in(text)) is not None:
            seen.add((name, where))
            label = _label(context, str(name))
            yield Finding("secret-in-catalog", label, "state", "any", f"secret in the {where} of {label}: catalog text is readable by every role, and PostgREST prints comments",
                          f"{found[:6]}… ({len(found)} characters)",
                          "begin;\nset local role authenticated;\nselect oid::regprocedure, prosrc from pg_proc where oid >= 16384;\nselect objoid, description from pg_description where objoid >= 16384;\nrollback;")


def secret_in(text: str) -> str | None:
    """Return what looks like a secret in a text, or None."""
    if (found := KNOWN.search(text)) is not None:
        return found.group()
    for pattern in (NAMED, HEADER):
        for match in pattern.finditer(text):
            value = match.group(2)
            varied = sum(bool(re.search(kind, value)) for kind in (r"\d", r"[a-z]", r"[A-Z]", r"[-_+/=]")) >= 2 and re.search(r"\d", value)
            if varied and "%" not in value and not value.startswith(("request.", "app.", "http", "[", "{", "(")):
                return value
    return None


def _label(context: Context, name: str) -> str:
    """Return the label other findings use for a function."""
    same = [f.label for f in context.catalog.functions.values() if name.startswith(f"{f.schema}.{f.name}") and (name == f"{f.schema}.{f.name}" or name[len(f"{f.schema}.{f.name}")] == "(")]
    return same[0] if len(same) == 1 else name
