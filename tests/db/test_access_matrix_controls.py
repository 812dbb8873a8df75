"""The access matrix can fail: one protection is broken at a time, inside a transaction, and the named forms must notice (R19, R49)."""

from __future__ import annotations

import pytest

from tests.db.registry import TABLES
from tests.db.matrix import FORMS, INSERTING, MOVING, UPSERTING, become, expected, observed, personas, planted, statements
from tests.db.world import World

# A matrix that cannot fail proves nothing: each protection is broken once, and the form that must notice is named. `floor` says
# whether the restrictive floor had to be broken too: with the floor in place, one broken policy shows nothing to other organizations.
OUTSIDER, COLLEAGUE = "owner of the other organization", "auditor"
NO_FLOOR = "drop policy {table}_floor on app.{table}"
BROKEN = [
    ("conversation", ["alter table app.{table} disable row level security"], "nobody",
     {"select", "select the other's", *(form for form in FORMS if form.startswith(("insert", "merge insert")))}),
    ("chunk", ["alter policy chunk_select_reader on app.chunk using (true)"], COLLEAGUE, {"select"}),
    ("chunk", ["alter policy chunk_select_reader on app.chunk using (true)", NO_FLOOR], "no claims", {"select", "select the other's"}),
    ("message", ["alter policy message_select_self on app.message using (org_id = any (array(select authz.org_ids())))"], "owner", {"select"}),
    ("customer_order", ["create policy more on app.customer_order for select to authenticated using (org_id = any (array(select authz.org_ids())))"],
     "customer", {"select"}),
    # The RETURNING form would not have noticed: the select policy refuses the row it must return (trap 1).
    ("team", ["alter policy team_insert_manager on app.team with check (true)", NO_FLOOR], OUTSIDER,
     {"insert into acme", "insert on conflict into acme", "merge insert into acme", "merge upsert into acme"}),
    # Nor any form that reads a column (trap 2).
    ("bot", ["alter policy bot_update_editor on app.bot using (true) with check (true)", NO_FLOOR], OUTSIDER, {"update"}),
    ("document", ["alter policy document_delete_editor on app.document using (true)", NO_FLOOR], OUTSIDER, {"delete"}),
    ("bot", ["grant update (org_id) on app.bot to authenticated"], "member of both", set(MOVING)),
    # With the guard trigger out of the way: it refuses this too.
    ("membership", ["grant insert (org_id, user_id, role_id) on app.membership to authenticated",
                    "alter policy membership_insert_nobody on app.membership with check (user_id = (select authz.uid()))", NO_FLOOR,
                    "alter table app.membership disable trigger user"],
     "nobody", {f"{form} into {slug}" for form in (*INSERTING, *UPSERTING) for slug in ("acme", "globex")}),
    ("support_ticket", ["grant delete on app.support_ticket to authenticated"], "owner", {"delete", "delete where", "delete returning", "merge delete"}),
    ("audit_event", ["grant insert on app.audit_event to authenticated"], "owner",
     {f"{form} into {slug}" for form in INSERTING for slug in ("acme", "globex")}),
]


@pytest.mark.parametrize(("table", "changes", "name", "caught"), BROKEN)
def test_the_matrix_notices_a_broken_protection_R49(world: World, table: str, changes: list[str], name: str, caught: set[str]) -> None:
    persona = personas(world)[name]
    with world.operator() as db:
        forms, decided = statements(world, table, persona, db), expected(world, table, persona, db)
    with planted(world, *(change.format(table=table) for change in changes)) as db:
        become(db, persona.person, **persona.claims)
        found = observed(db, forms)
    assert {form for form in FORMS if found[form] != decided[form]} == caught


def test_the_floor_alone_keeps_organizations_apart_when_every_other_policy_is_broken_R19(world: World) -> None:
    """The permissive policies of every table let everything through: nobody outside sees or writes anything all the same."""
    with world.operator() as db:
        broken = [f"alter policy {name} on {table} " + " ".join(
            part for part, used in (("using (true)", uses), ("with check (true)", checks)) if used)
            for name, table, uses, checks in db.all(
                "select quote_ident(polname), polrelid::regclass, polqual is not null, polwithcheck is not null from pg_policy"
                " where polpermissive and polroles = array['authenticated'::regrole::oid] and polrelid in"
                " (select attrelid from pg_attribute where attname = 'org_id') and polrelid::regclass::text like 'app.%%'")]
        assert len(broken) > 50
        persona = personas(world)[OUTSIDER]
        asked = {t: {k: v for k, v in statements(world, t, persona, db).items() if k.endswith(("acme", "where"))}
                 for t, d in TABLES.items() if d.org == "org_id"}
    with planted(world, *broken) as db:
        become(db, persona.person)
        for table, forms in asked.items():
            assert db.one(f"select count(*) from app.{table} where org_id = %s", world.acme.id) == 0
            assert db.one(f"select count(*) from app.{table}") > 0
            found = observed(db, forms)
            denials = {"refused by policy", "not granted", 0} | ({"beyond own role"} if table == "membership" else set())
            assert set(found.values()) <= denials, (table, found)
