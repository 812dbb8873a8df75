"""A sign-up as a stranger would make it: metadata that asks for a role and a tenant, an address in somebody's domain. Triggers must not believe it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

from tests.rls import vocabulary
from tests.rls.acting import text
from tests.rls.catalog import Table, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered
from tests.rls.personas import USUAL_KEYS
from tests.rls.tenancy import MEMBERSHIP, PROFILE


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield what the triggers on the table of users give away."""
    catalog, tenancy = context.catalog, context.tenancy
    users = catalog.tables.get(tenancy.users or 0)
    if users is None or not users.triggers or users.column("raw_user_meta_data") is None and users.column("email") is None:
        return
    functions = [catalog.functions[t.function] for t in users.triggers if t.function in catalog.functions and t.enabled != "D"]
    names = ", ".join(f.label for f in functions if not f.managed) or "a trigger"
    plain, _ = _made(context, users, {}, "canary.test")
    member = tenancy.membership
    roles = member.roles if member else ()
    tenant = context.world.tenants.get("B")
    asked = {key: tenant for key in (*USUAL_KEYS, *tenancy.user_claims, "invited_to", "invite_org_id") if tenant} | {
        "role": roles[0] if roles else "admin", "is_admin": True, "is_staff": True, "is_superuser": True, "plan": "enterprise", "user_role": roles[0] if roles else "admin"}
    for values, domain, name, what in (
        (asked, "canary.test", "sign-up-trusts-metadata", "what the person writes into raw_user_meta_data at sign-up"),
        ({}, _domain(context), "sign-up-trusts-domain", "the domain of an address that nobody has confirmed"),
    ):
        if not domain:
            continue
        got, script = _made(context, users, values, domain)
        context.count("sign-ups")
        worse = [place for place, value in got.items() if value != plain.get(place) and _matters(value, place, values, tenant)]
        if worse:
            yield Finding(name, functions[0].label if functions else users.label, "insert", "anonymous", f"{names} believes {what}: it sets {', '.join(worse[:3])}",
                          "; ".join(f"{place} = {got[place]}" for place in worse[:3]), script, proven=True)


def _domain(context: Context) -> str:
    """The domain of an address an organization of ours uses."""
    mails = [v for row in context.world.rows if row.tenant == "B" for n, v in row.values.items() if v and ("domain" in n or "email" in n)]
    return mails[0].rpartition("@")[2] if mails else ""


def _matters(value: str | None, place: str, asked: dict[str, object], tenant: str | None) -> bool:
    column = place.rpartition(".")[2]
    powerful = vocabulary.ROLE.search(column) or vocabulary.PRIVILEGE.search(column)
    belongs = value == tenant and vocabulary.TENANT.search(column)
    return value is not None and bool(belongs or powerful and value in {str(v) if not isinstance(v, bool) else "t" for v in asked.values()})


def _made(context: Context, users: Table, metadata: dict[str, object], domain: str) -> tuple[dict[str, str | None], str]:
    """Insert a user as the auth server does, and return what triggers wrote about them by `table.column`, with the script."""
    me = str(uuid.uuid4())
    values: dict[str, str] = {context.tenancy.users_key: me, "email": f"rf{me[:8]}@{domain}", "raw_user_meta_data": json.dumps(metadata), "aud": "authenticated", "role": "authenticated"}
    given = {n: v for n, v in values.items() if users.column(n)}
    statement = f"insert into {users.sql} ({', '.join(map(quoted, given))}) values ({', '.join(map(text, given.values()))})"
    found: dict[str, str | None] = {}
    tables = [t for t in context.catalog.own_tables() if context.tenancy.of(t).kind in (MEMBERSHIP, PROFILE) or context.tenancy.of(t).user_columns][:40]
    queries = " union all ".join(
        f"select {text(t.label)} as place, to_jsonb(t)::text as body from {t.sql} t where " + " or ".join(f"{quoted(c)}::text = {text(me)}" for c in context.tenancy.of(t).user_columns)
        for t in tables if context.tenancy.of(t).user_columns)
    if queries:
        _, after = context.personas.acting.look(None, statement, after=queries)
        for place, body in after.rows if after is not None else ():
            for name, value in json.loads(body or "{}").items():
                found[f"{place}.{name}"] = "t" if value is True else None if value is None else str(value)
    return found, f"begin;\n{context.world.script}-- act\n{statement};\n{queries};\nrollback;\n"
