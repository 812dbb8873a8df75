"""Files: policies of storage.objects and storage.buckets, and buckets that are public although their policies are not."""

from __future__ import annotations

from collections.abc import Iterator

from tests.rls.analysis import tree
from tests.rls.analysis.model import Model, act, persona
from tests.rls.analysis.alternatives import Atom, alternatives
from tests.rls.catalog import Table
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

PATH = {"name", "path_tokens"}
OWNER = {"owner", "owner_id"}


def check(context: Context) -> Iterator[Finding | NotCovered]:
    model = Model.of(context)
    objects, buckets = context.catalog.find("storage.objects"), context.catalog.find("storage.buckets")
    if isinstance(objects, Table):
        if not objects.rls and model.reachers(objects, "SELECT", "INSERT", "UPDATE", "DELETE"):
            yield _found("storage-rls-disabled", objects, "select", "authenticated", "row security is off on storage.objects: every file is everybody's", "relrowsecurity = false")
        yield from _objects(model, objects)
        yield from _public_buckets(model, objects)
    if isinstance(buckets, Table):
        for policy in buckets.policies:
            roles = [r for r in model.roles if {*policy.roles} & context.catalog.acting_as(r)]
            for command in ("insert", "update", "delete"):
                if roles and policy.permissive and policy.covers(command) and model.reaches(roles[-1], buckets, command.upper()):
                    yield _found("storage-buckets-writable", buckets, command, roles[-1], f"policy {policy.name} lets clients {command} storage.buckets, so anybody makes a bucket public", policy.text)
                    break


def _objects(model: Model, table: Table) -> Iterator[Finding]:
    segments = _segments(model, table)
    public = {b.id for b in model.catalog.buckets if b.public}
    for policy in table.policies:
        roles = [r for r in model.roles if {*policy.roles} & model.catalog.acting_as(r)]
        if not policy.permissive or not roles:
            continue
        seen: set[str] = set()
        for command in ("select", "insert", "update", "delete"):
            if not policy.covers(command):
                continue
            for clause, text in model.clauses(policy, command):
                node = tree.expression(text)
                for alternative in (alternatives(node) if node is not None else [()] if text is None else []) or ():
                    for name, what in _flaws(model, table, alternative, command, clause, public, segments):
                        if name not in seen:
                            seen.add(name)
                            yield _found(name, table, command, "anon" if "anon" in roles else roles[-1], f"storage.objects policy {policy.name} ({command}): {what}", text or "true")


def _flaws(model: Model, table: Table, alternative: tuple[Atom, ...], command: str, clause: str, public: set[str], segments: dict[str, set[int]]) -> Iterator[tuple[str, str]]:
    facts = [model.predicate(table).fact(atom) for atom in alternative]
    named = [f for f in facts if "bucket_id" in f.columns]
    buckets = {c for atom, f in zip(alternative, facts, strict=True) if "bucket_id" in f.columns for c in tree.constants(atom.node)}
    if any(f.kind in ("service", "identity") for f in facts) and not any(f.kind == "bound" for f in facts) or any(f.kind == "captured" for f in facts):
        return
    path = [(atom, f) for atom, f in zip(alternative, facts, strict=True) if f.kind == "bound" and f.columns & PATH]
    owner = [f for f in facts if f.kind == "bound" and f.columns & OWNER]
    if not named and not (owner and command == "select"):
        yield "storage-without-bucket", "no bucket_id: made for one bucket, it holds for all of them"
    if not path and command == "select" and buckets and buckets <= public:
        return
    captured = [inner for atom in alternative if (inner := _other_name(model, atom))]
    if not path and captured:
        yield "storage-captured-name", f"captured column: `name` inside the sub-select is {captured[0]}, not the file's path, so the folder is chosen by whoever writes that table"
    elif not path and not owner:
        yield "storage-without-folder", "no tenant folder check: every file of the bucket, of all tenants (the path is not compared with the caller's tenants)"
    elif not path and owner and clause == "check" and command in ("insert", "update"):
        yield "storage-owner-only", "asks who uploads and not into which folder: a file of one's own in another tenant's folder"
    for atom, _ in path:
        if _anywhere(atom):
            yield "storage-path-anywhere", "looks for the tenant anywhere in the path instead of in the first folder: whoever names a file so passes"
        for bucket in buckets:
            usual = segments.get(bucket, set())
            for number in _numbers(atom):
                if number != 1 and (not usual - {number} or 1 in usual):
                    yield "storage-wrong-folder", f"compares folder {number} of the path, which the uploader chooses, instead of the first one"


def _segments(model: Model, table: Table) -> dict[str, set[int]]:
    """Return which folders of the path the policies of each bucket compare."""
    found: dict[str, set[int]] = {}
    for policy in table.policies:
        for text in (policy.using, policy.check):
            node = tree.expression(text)
            for alternative in (alternatives(node) if node is not None else None) or ():
                buckets = {c for atom in alternative if any(n[-1] == "bucket_id" for n in tree.columns(atom.node)) for c in tree.constants(atom.node)}
                for bucket in buckets:
                    found.setdefault(bucket, set()).update(n for atom in alternative for n in _numbers(atom))
    return found


def _numbers(atom: Atom) -> set[int]:
    """Return the numbers by which an atom picks a part of the path."""
    found = set()
    for key, one in tree.walk({"top": atom.node}):
        if key == "a_indirection":
            of_path = any(name[-1] in ("foldername", "string_to_array") for name, _ in tree.calls(one.get("arg"))) or any(n[-1] == "path_tokens" for n in tree.columns(one.get("arg")))
            for index in one.get("indirection", []) if of_path else []:
                number = index.get("a_indices", {}).get("uidx", {}).get("a_const", {}).get("ival")
                if number is not None:
                    found.add(int(number.get("ival", 0)))
        if key == "func_call" and tree.strings(one.get("funcname"))[-1:] == ("split_part",) and len(one.get("args", [])) == 3:
            number = tree.strip(one["args"][2]).get("a_const", {}).get("ival")
            if number is not None:
                found.add(int(number.get("ival", 0)))
    return found


def _anywhere(atom: Atom) -> bool:
    """Return whether the path is searched with a pattern that begins with a wildcard, or for a part at any place."""
    for key, one in tree.walk({"top": atom.node}):
        if key == "a_expr" and (one.get("kind") in ("AEXPR_LIKE", "AEXPR_ILIKE") or tree.strings(one.get("name"))[-1:] in (("~~",), ("~~*",), ("~",), ("~*",))):
            pattern = one.get("rexpr", {})
            first = next(iter(tree.constants(pattern)), None)
            if first is None or first.startswith(("%", "_", ".*")) or tree.strings(one.get("name"))[-1:] in (("~",), ("~*",)) and not first.startswith("^"):
                return True
        if key == "func_call" and tree.strings(one.get("funcname"))[-1:] in (("strpos",), ("position",)):
            return True
        if key == "a_expr" and one.get("kind") == "AEXPR_OP_ANY" and any(n[-1] in ("foldername", "string_to_array") for n, _ in tree.calls(one.get("rexpr"))) and not _numbers(Atom(one.get("rexpr", {}))):
            return True
    return False


def _other_name(model: Model, atom: Atom) -> str | None:
    """Return which table's `name` stands where the file's path was meant, if one does."""
    for name, arguments in tree.calls(atom.node):
        if name[-1] in ("foldername", "filename", "string_to_array", "split_part", "extension"):
            for column in tree.columns(arguments):
                if column[-1] == "name" and len(column) > 1 and column[-2] != "objects":
                    return ".".join(column)
    return None


def _public_buckets(model: Model, table: Table) -> Iterator[Finding]:
    for bucket in model.catalog.buckets:
        if not bucket.public:
            continue
        for policy in table.policies:
            node = tree.expression(policy.using)
            for alternative in (alternatives(node) if node is not None and policy.permissive and policy.covers("select") else None) or ():
                about = any(bucket.id in tree.constants(atom.node) and any(n[-1] == "bucket_id" for n in tree.columns(atom.node)) for atom in alternative)
                if about and any(model.predicate(table).fact(atom).kind == "bound" for atom in alternative):
                    yield Finding("storage-bucket-public", f"bucket {bucket.id}", "state", "anonymous",
                                  f"bucket {bucket.id} in storage.buckets is public although policy {policy.name} on storage.objects lets only some people read it: public buckets are served without asking a policy",
                                  f"storage.buckets.public = true; {policy.name}: {policy.using}", f"begin;\nselect id, public from storage.buckets where id = '{bucket.id}';\nrollback;")
                    break


def _found(name: str, table: Table, command: str, role: str, what: str, evidence: str) -> Finding:
    statement = f"select bucket_id, name from {table.sql};" if command == "select" else f"-- {command} on {table.sql} in another tenant's folder or another bucket"
    return Finding(name, table.label, command, persona(role), what, evidence, act(role, statement))



