"""Files: objects in folders of both tenants and of users, in every bucket and in one that no policy knows."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from tests.rls import culprit
from tests.rls.acting import Persona, text
from tests.rls.catalog import Table, quoted
from tests.rls.context import Context
from tests.rls.finding import Finding, NotCovered

OTHER = "ringfence-other"
PUBLIC = re.compile(r"avatar|public|logo|asset|banner|cover", re.I)
"""Buckets that only policies name: these are public by what they are for."""


@dataclass(frozen=True)
class Object:
    bucket: str
    name: str
    owner: str


def check(context: Context) -> Iterator[Finding | NotCovered]:
    """Yield what strangers do to files."""
    objects, buckets = context.catalog.find("storage.objects"), context.catalog.find("storage.buckets")
    if not isinstance(objects, Table) or not isinstance(buckets, Table) or not objects.policies and objects.rls:
        return
    if not any(context.catalog.may_touch(role, objects, p) for role in context.catalog.api_roles for p in ("SELECT", "INSERT", "UPDATE", "DELETE")):
        return
    acting = context.personas.acting
    named = {name for policy in objects.policies for name in re.findall(r"bucket_id\)?(?:::text)? = '([^']+)'", policy.text)}
    named |= {n for policy in objects.policies for part in re.findall(r"bucket_id\)?(?:::text)? = ANY \(+ARRAY\[([^\]]*)\]", policy.text) for n in re.findall(r"'([^']+)'", part)}
    known = {bucket.id: bucket.public for bucket in context.catalog.buckets}
    with acting.undone():
        for name in sorted(named - set(known)) + [OTHER]:
            acting.do(f"insert into storage.buckets (id, name) values ({text(name)}, {text(name)})")
        made = list(_made(context, objects, [*known, *sorted(named - set(known)), OTHER]))
        if not made:
            yield NotCovered(objects.label, "any", "no object could be made in storage.objects")
            return
        told: set[str] = set()
        for persona in _people(context):
            for found in _tried(context, objects, persona, made, {b for b, public in known.items() if public} | {n for n in named - set(known) if PUBLIC.search(n)}):
                if found.id not in told:
                    told.add(found.id)
                    yield found


def _people(context: Context) -> list[Persona]:
    people = context.personas
    return [people.everyone[k] for k in ("owner_a", "member_a", "anon", "outsider", "no_claims", "removed", *context.world.inactive) if k in people.everyone]


def _made(context: Context, objects: Table, buckets: list[str]) -> Iterator[Object]:
    """Objects of A and B, by tenant and by user, as applications lay them out."""
    world = context.world
    has = {column.name for column in objects.columns}
    for bucket in buckets:
        for side in ("a", "b"):
            tenant, user = world.tenants.get(side.upper()), world.users[f"member_{side}"]
            paths = ([f"{tenant}/rf.txt", f"{tenant}/{user}/rf.txt", f"orgs/{tenant}/rf.txt"] if tenant else []) + [f"{user}/rf.txt"]
            for path in paths:
                values: dict[str, str | None] = {"bucket_id": bucket, "name": path, "id": str(uuid.uuid4()), "owner": user, "owner_id": user}
                values = {k: v for k, v in values.items() if k in has}
                outcome = context.personas.acting.do(f"insert into storage.objects ({', '.join(map(quoted, values))}) values ({', '.join(map(text, values.values()))})")
                if outcome.ok:
                    yield Object(bucket, path, side.upper())


def _tried(context: Context, objects: Table, persona: Persona, made: list[Object], public: set[str]) -> Iterator[Finding]:
    catalog, acting = context.catalog, context.personas.acting
    inside = "A" in persona.tenants
    mine = lambda one: inside and one.owner == "A" and one.bucket != OTHER or persona.user_id and one.name.startswith(persona.user_id) and one.bucket != OTHER  # noqa: E731
    known = {(one.bucket, one.name): one for one in made}
    if catalog.may_touch(persona.role, objects, "SELECT"):
        statement = "select bucket_id, name from storage.objects limit 5000"
        outcome = acting.run(persona, statement)
        context.count("storage cells")
        seen = [known[row] for row in outcome.rows if row in known]
        yield from _judged(context, objects, persona, "select", [o for o in seen if not mine(o) and o.bucket not in public], statement)
    for command, privilege in (("update", "UPDATE"), ("delete", "DELETE")):
        if not catalog.may_touch(persona.role, objects, privilege):
            continue
        statement = f"update storage.objects set {'updated_at = now()' if objects.column('updated_at') else 'owner = owner'}" if command == "update" else "delete from storage.objects"
        ids = acting.run(None, "select ctid::text, bucket_id, name from storage.objects where name like '%rf.txt'")
        setting = "set local storage.allow_delete_query = 'true'"
        outcome, left = acting.look(persona, statement, before=setting, after="select ctid::text from storage.objects")
        context.count("storage cells")
        if outcome.ok and left is not None:
            still = {row[0] for row in left.rows}
            gone = [known[b, n] for place, b, n in ids.rows if place not in still and (b, n) in known]  # type: ignore[index]
            yield from _judged(context, objects, persona, command, [o for o in gone if not mine(o)], statement)
    if catalog.may_touch(persona.role, objects, "INSERT"):
        allowed: list[Object] = []
        for one in made:
            name = one.name.replace("rf.txt", "rf2.txt")
            values = {"bucket_id": one.bucket, "name": name} | {c: persona.user_id for c in ("owner", "owner_id") if objects.column(c) and persona.user_id}
            statement = f"insert into storage.objects ({', '.join(map(quoted, values))}) values ({', '.join(map(text, values.values()))})"
            context.count("storage cells")
            if not mine(one) and acting.run(persona, statement).ok:
                allowed.append(one)
                last = statement
        if allowed:
            yield from _judged(context, objects, persona, "insert", allowed, last)


def _judged(context: Context, objects: Table, persona: Persona, command: str, wrong: list[Object], statement: str) -> Iterator[Finding]:
    """Say whether the folder or the bucket was not asked for, and by which policy."""
    if not wrong:
        return
    foreign = [o for o in wrong if o.owner == "B" or "A" not in persona.tenants]
    named = [o for o in foreign if o.bucket != OTHER]
    held = context.catalog.acting_as(persona.role)
    policies = objects.policies_for(command, held, permissive=True)
    if not objects.rls:
        name, why = "rls-disabled", "row security is disabled on storage.objects"
    elif named:
        candidates = [p for p in policies if any(f"'{named[0].bucket}'" in p.text for p in [p]) or "bucket_id" not in p.text] or policies
        loose = [p for p in candidates if not re.search(r"foldername|split_part|owner|path_tokens|LIKE|starts_with|~", p.text, re.I)] or candidates
        name, why = f"storage-{command}-without-folder", f"policy {', '.join(p.name for p in loose[:2])} does not bind the folder to the caller's tenant or user"
    else:
        loose = [p for p in policies if "bucket_id" not in p.text] or policies
        name, why = f"storage-{command}-without-bucket", f"policy {', '.join(p.name for p in loose[:2])} does not ask for the bucket, so it holds in every bucket, those made later included"
    who = "member of another organization" if "A" in persona.tenants else persona.name
    first = (named or wrong)[0]
    yield Finding(name, objects.label, command, who, f"{who} may {command} objects of {'another tenant' if named else 'a bucket no policy names'}: {why}", f"{first.bucket}/{first.name}",
                  culprit.script(context, persona, statement), proven=True)
