"""Breaks that do not touch the same objects, put together, so that one run of the engine judges several of them.

A finding names an object; in a batch every object is of one break at most, so what is said of it is said of that break. A break that
changes what others rest on (helpers, memberships, roles, settings) stays alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.rls.corpus.entries import Entry

LARGEST = 10
# What many policies rest on: whoever changes these is judged alone.
SHARED = frozenset({
    "public.memberships", "public.organizations", "private.my_org_ids", "private.has_org_role", "private.is_strong_session",
    "private.colleague_ids", "private.check_request", "auth.users", "public.accounts", "public.accounts_memberships",
    "public.has_role_on_account", "public.has_permission", "app_private.tenant_id", "app_private.is_tenant_admin", "public.tenant_users",
    "internal.my_company", "internal.is_manager", "public.staff", "util.can", "util.visible_workspaces", "authz.practices", "core.assignment",
    "public.org_people", "public.orgs",
})
_NAME = re.compile(r"\b([a-z_]+\.[a-z_0-9]+)\b")
_CHANGED = re.compile(
    r"(?:create (?:or replace )?function|alter function|on table|alter table|create table|policy [^;]*? on|trigger [^;]*? on|update|insert into|"
    r"delete from|grant [^;]*? on(?: table| function)?) (?:only )?(?:if exists )?([a-z_]+\.[a-z_0-9]+)", re.DOTALL)
# Read by the breaks of all: naming them is not touching them.
_COMMON = {"auth.uid", "auth.jwt", "auth.role", "storage.foldername"}
_CONTEXT = {"pg_catalog", "information_schema", "m", "o", "c", "t", "d", "a", "i", "u", "e", "l", "p", "r", "s", "new", "old", "x", "y", "z", "v_document"}
_WIDE = re.compile(
    r"alter default privileges|alter role|grant \w+ to \w+( with|;)|all tables|all sequences|publication|{database}|current_database|row_security"
    r"|drop column|extension|create schema|schema (public|private|vault)\b")


@dataclass
class Batch:
    """Entries of one schema that are broken at once."""

    entries: list[Entry] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        more = len(self.entries) - 1
        return self.entries[0].id + (f" and {more} more" if more else "")

    @property
    def patch(self) -> str:
        return ";\n".join(entry.patch for entry in self.entries)


def footprint(entry: Entry, shared: frozenset[str] = SHARED) -> set[str] | None:
    """Return the objects a break names, without those it only reads as everybody does; nothing when it must stay alone."""
    text = re.sub(r"--[^\n]*", "", entry.patch).lower()
    if entry.patched_by != "postgres" or entry.undo or _WIDE.search(text) or any(" " in culprit for culprit in entry.culprits):
        return None
    changed = set(_CHANGED.findall(text))
    if changed & shared:
        return None
    named = {name for name in _NAME.findall(text) if name.partition(".")[0] not in _CONTEXT and len(name.partition(".")[0]) > 2}
    return (named - shared - _COMMON) | {culprit.partition("(")[0] for culprit in entry.culprits}


def batches(entries: Iterable[Entry], shared: frozenset[str] = SHARED) -> list[Batch]:
    """Put entries into as few batches as the first fit gives. `shared`: names of helpers and tables that many policies rest on."""
    made: list[Batch] = []
    for entry in entries:
        touched = footprint(entry, shared)
        fits = None
        if touched is not None:
            fits = next((b for b in made if b.touched and b.entries[0].schema == entry.schema
                         and not b.touched & touched and len(b.entries) < LARGEST), None)
        if fits is None:
            made.append(Batch([entry], touched or set()))
        else:
            fits.entries.append(entry)
            fits.touched |= touched or set()
    return made
