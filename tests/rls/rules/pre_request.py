"""A function that can only be meant as PostgREST's `db-pre-request`, and is not set as such."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.rls.catalog import Catalog, Function
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

_REFUSES = re.compile(r"\braise\b(?!\s+(?:notice|warning|info|log|debug))", re.IGNORECASE)
_WHO = re.compile(r"auth\s*\.\s*(?:uid|jwt|role|email)|request\.(?:jwt|headers|method|path)", re.IGNORECASE)


def check(context: Context) -> Iterator[Finding | NotCovered]:
    catalog = context.catalog
    if "pgrst.db_pre_request" in catalog.settings or not any(name.startswith("pgrst.") for name in catalog.settings):
        return  # set, or PostgREST has its settings in a file that the database does not know
    for function in catalog.own_functions():
        if _guards_requests(catalog, function) and not _used(context, function):
            yield Finding(
                "pre-request-not-set", function.label, "state", "any",
                f"{function.label} refuses requests, may be called by every API role, is in no exposed schema and is called by nothing: "
                "it was meant as PostgREST's db-pre-request, which is not set, so nothing is refused",
                "no pgrst.db_pre_request among the settings of the database and its roles",
                "begin;\nselect setrole::regrole, setconfig from pg_db_role_setting;\nrollback;",
            )


def _guards_requests(catalog: Catalog, function: Function) -> bool:
    return (
        function.kind == "f" and function.returns == "void" and not function.arguments
        and not catalog.schemas[function.schema].exposed
        and all(catalog.may_execute(role, function) for role in catalog.api_roles)
        and _REFUSES.search(function.source) is not None and _WHO.search(function.source) is not None
    )


def _used(context: Context, function: Function) -> bool:
    """Whether another function, a policy, a view or a default names it."""
    catalog = context.catalog
    name = re.compile(rf"\b{re.escape(function.name)}\s*\(")
    texts = [one.source for one in catalog.own_functions() if one.oid != function.oid]
    texts += [text for table in catalog.own_tables() for policy in table.policies for text in (policy.using, policy.check) if text]
    (views,) = context.conn.execute("select coalesce(string_agg(pg_get_viewdef(c.oid), ' '), '') from pg_class c where c.relkind in ('v', 'm')"
                                    " and c.relnamespace <> all (array['pg_catalog', 'information_schema']::regnamespace[])").fetchone() or ("",)
    return any(name.search(text) for text in (*texts, views))
