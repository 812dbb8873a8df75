"""The same search by the owner of the tables: no row security, the organization a filter written by hand.

Made from the text of the functions people call, so that it stays the same query; what row security adds is put in by hand. Exists
in the benchmark's own databases only.
"""

from __future__ import annotations

import psycopg

# The functions whose statements read the passages, and the one that calls them.
PARTS = ("compared_chunks", "nearest_chunks", "matching_chunks", "search_candidates")
DOOR = "search_documents_as_owner"


def make(superuser_url: str) -> None:
    """Make `public.search_documents` for a session of the owner, and `api.search_documents_as_owner` to call it through PostgREST."""
    with psycopg.connect(superuser_url) as db:
        for schema, name in (*(("authz", part) for part in PARTS), ("api", "search_documents")):
            ((text, arguments),) = db.execute(
                "select pg_get_functiondef(p.oid), pg_get_function_identity_arguments(p.oid) from pg_proc p"
                " where p.pronamespace = %s::regnamespace and p.proname = %s", [schema, name]).fetchall()
            db.execute(_owned(text, name))
            db.execute(f"alter function public.{name}({arguments}) owner to postgres")
        result, arguments, names = db.execute(
            "select pg_get_function_result(oid), pg_get_function_arguments(oid), array_to_string(proargnames[1:pronargs], ', ')"
            " from pg_proc where oid = 'public.search_documents'::regproc").fetchone() or ("", "", "")
        db.execute(f"create function api.{DOOR}({arguments}) returns {result} language plpgsql volatile security definer"  # type: ignore[arg-type]
                   f" set search_path = pg_catalog, pg_temp as $$ #variable_conflict use_variable\n begin return query select * from public.search_documents({names}); end $$")
        db.execute(f"alter function api.{DOOR} owner to postgres")
        db.execute(f"grant execute on function api.{DOOR} to authenticated")


def _owned(text: str, name: str) -> bytes:
    """Return the definition for the owner."""
    for part in PARTS:
        text = text.replace(f"authz.{part}(", f"public.{part}(")
    text = text.replace("api.search_documents(", "public.search_documents(").replace(" SECURITY DEFINER", "")
    if name == "matching_chunks":
        # Here the organization and the words stand in the policy.
        text = _put(text, "where (c.document_id in",
                    "where c.org_id = current_setting('ringfence.search_org_id')::uuid and c.terms @@ v_terms and (c.document_id in")
    return text.encode()


def _put(text: str, old: str, new: str) -> str:
    if old not in text:
        raise SystemExit(f"the search has changed: {old!r} is no longer in it (tests/bench/by_owner.py)")
    return text.replace(old, new)
