"""Every privilege somebody lacks, given."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from tests.rls.mutate.mutant import Mutant, mutant

ROLES = ("authenticated", "anon", "public")
_TABLES = """
select c.oid::regclass::text, r.role, p.privilege
from pg_class c cross join unnest(%s::text[]) r (role)
cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN']) p (privilege)
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and not exists (select from aclexplode(c.relacl) a where a.privilege_type = p.privilege and a.grantee = case r.role when 'public' then 0 else r.role::regrole::oid end)
order by 1, 2, 3
"""
_COLUMNS = """
select c.oid::regclass::text, quote_ident(a.attname), p.privilege
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p (privilege)
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and not has_column_privilege('authenticated', c.oid, a.attnum, p.privilege)
order by 1, a.attnum, 3
"""
_FUNCTIONS = """
select p.oid::regprocedure::text, n.nspname || '.' || p.proname, r.role
from pg_proc p join pg_namespace n on n.oid = p.pronamespace cross join unnest(%s::text[]) r (role)
where n.nspname in ('api', 'app', 'authz')
  and not exists (select from aclexplode(p.proacl) a where a.grantee = case r.role when 'public' then 0 else r.role::regrole::oid end)
order by 1, 3
"""


def mutants(db: psycopg.Connection) -> Iterator[Mutant]:
    """Yield one mutant for each missing privilege on a table, column, function or schema."""
    db.execute("set local search_path = pg_catalog")
    for table, role, privilege in db.execute(_TABLES, [list(ROLES)]).fetchall():
        yield mutant("grant-table", f"{table}: {privilege} to {role}", f"grant {privilege} on {table} to {role}", about={table})
    for table, column, privilege in db.execute(_COLUMNS).fetchall():
        yield mutant("grant-column", f"{table}.{column}: {privilege} to authenticated", f"grant {privilege} ({column}) on {table} to authenticated", about={table})
    for signature, name, role in db.execute(_FUNCTIONS, [list(ROLES)]).fetchall():
        yield mutant("grant-function", f"{signature} to {role}", f"grant execute on function {signature} to {role}", about={name})
    for schema in ("api", "app", "authz"):
        for role in ("anon", "public", "service_role", "ringfence_analyst", "ringfence_worker"):
            if not (schema == "authz" and role.startswith("ringfence")):
                yield mutant("grant-schema", f"{schema}: USAGE to {role}", f"grant usage on schema {schema} to {role}", about=set())
        for role in ("anon", "authenticated", "public", "ringfence_owner"):
            yield mutant("grant-schema", f"{schema}: CREATE to {role}", f"grant create on schema {schema} to {role}", about=set())
