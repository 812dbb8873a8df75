"""What no grant gives back: the class of a document, a rule that denies it, a narrowed knowledge base, access that ran out (F14, F15, F17, F26, F30)."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.db.registry.recipe import embedding
from tests.db.session import Request
from tests.db.test_document_access import READERS, as_, audience, make, stage, within  # noqa: F401  # fixtures
from tests.db.world import World


@pytest.mark.parametrize(("classification", "clears"), [
    (0, READERS), (1, READERS), (2, {"owner", "admin", "member"}), (3, {"owner", "admin"}),
])
def test_no_grant_stands_for_clearance_F26(stage: Request, world: World, classification: int, clears: set[str]) -> None:
    """Shared with everyone as owners: who lacks the permission for its class still has nothing. Members get the one for confidential."""
    org = world.acme.id
    stage.run("insert into app.role_permission select r.org_id, r.id, 'documents.read_confidential' from app.role r where r.org_id = %s and r.name = 'member'", org)
    document = make(stage, world, "admin", classification=classification)
    as_(stage, world.acme.people["admin"]).rpc("share_document", org_id=org, document_id=document, level="owner")
    assert audience(stage, world, document) == clears | ({"customer"} & READERS if classification == 2 else set())


def test_nobody_classifies_out_of_their_own_sight_or_down_without_owning_it_F26(stage: Request, world: World) -> None:
    people, org = world.acme.people, world.acme.id
    db = as_(stage, people["builder"])
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.connection.transaction():
        make(stage, world, "builder", classification=3)
    document = make(stage, world, "admin", "vault_knowledge_base", classification=1)
    db = as_(stage, people["agent"])  # editor of the vault
    assert within(db, lambda: db.rpc("update_document", org_id=org, document_id=document, title="Edited"))
    assert not within(db, lambda: db.rpc("update_document", org_id=org, document_id=document, classification=0))
    assert not within(db, lambda: db.rpc("update_document", org_id=org, document_id=document, visibility="private"))
    assert not within(db, lambda: db.rpc("update_document", org_id=org, document_id=document, trust="trusted"))
    db = as_(stage, people["admin"])
    assert within(db, lambda: db.rpc("update_document", org_id=org, document_id=document, classification=0, trust="trusted"))


@pytest.mark.parametrize("subject", ["person", "team", "role", "everyone"])
@pytest.mark.parametrize("kind", ["document", "knowledge_base"])
def test_what_a_rule_denies_no_grant_gives_back_F15(stage: Request, world: World, kind: str, subject: str) -> None:
    people, org, ids = world.acme.people, world.acme.id, world.acme.ids
    document = make(stage, world, "builder", "other_base")
    as_(stage, people["builder"]).rpc("share_document", org_id=org, document_id=document, user_id=people["customer"].user_id, level="owner")
    stage.rpc("share_knowledge_base", org_id=org, knowledge_base_id=ids["other_base"], user_id=people["customer"].user_id, level="owner")
    assert audience(stage, world, document) == READERS
    stage.run("reset role")
    role = stage.one("select id from app.role where org_id = %s and name = 'member'", org)
    as_(stage, people["owner"])
    about = {"person": ("user_id", people["customer"].user_id), "team": ("team_id", ids["team"]), "role": ("role_id", role), "everyone": ("user_id", None)}[subject]
    stage.run(f"insert into app.deny_rule (org_id, {about[0]}, {kind}_id, reason) values (%s, %s, %s, 'Probe')", org, about[1],
              document if kind == "document" else ids["other_base"])
    hit = {"person": {"customer"}, "team": {"customer", "builder"}, "role": {"customer", "member"}, "everyone": READERS}[subject]
    assert audience(stage, world, document) == READERS - hit
    assert as_(stage, people["owner"]).one("select count(*) from app.deny_rule where reason = 'Probe'") == 1  # the rule itself is never out of sight
    stage.run("delete from app.deny_rule where reason = 'Probe'")
    assert audience(stage, world, document) == READERS


def test_narrowing_a_knowledge_base_narrows_its_documents_at_once_F14_F17(stage: Request, world: World) -> None:
    """Also those its manager cannot see: the key carries it, not the manager's rights."""
    people, org, base = world.acme.people, world.acme.id, world.acme.ids["knowledge_base"]
    secret = make(stage, world, "admin", classification=3)
    plain = make(stage, world, "builder", name="plain")
    private = make(stage, world, "builder", name="private", visibility="private")
    assert audience(stage, world, plain) == READERS
    as_(stage, people["owner"]).rpc("set_knowledge_base_visibility", org_id=org, knowledge_base_id=base, visibility="restricted")
    assert audience(stage, world, plain) == {"owner", "builder"}  # who made the base, and who made the document
    assert audience(stage, world, secret) == {"owner", "admin"}
    assert audience(stage, world, private) == {"builder"}
    stage.run("reset role")
    assert {v for (v,) in stage.all("select visibility from app.chunk where knowledge_base_id = %s", base)} == {"knowledge_base", "private"}
    assert as_(stage, people["owner"]).rpc_error("begin_document", org_id=org, knowledge_base_id=base, title="t", uri="u", sha256="0" * 64,
                                                 visibility="organization").sqlstate == "22023"
    stage.rpc("set_knowledge_base_visibility", org_id=org, knowledge_base_id=base, visibility="organization")
    assert (audience(stage, world, plain), audience(stage, world, private)) == (READERS, {"builder"})


def test_access_that_was_not_checked_for_too_long_is_no_access_F30(stage: Request, world: World) -> None:
    people, org = world.acme.people, world.acme.id
    document = make(stage, world, "builder", visibility="private", source="drive")
    grants = [{"user_id": str(people["customer"].user_id)}, {"team_id": str(world.acme.ids["team"]), "level": "editor"}]

    def sync(ago: str, given: list[dict[str, str]]) -> dict[str, Any]:
        now = as_(stage, people["builder"]).one(f"select now() - interval '{ago}'")
        return dict(stage.rpc("sync_document_access", org_id=org, document_id=document, synced_at=now, grants=given))

    assert sync("8 days", grants)["grants"] == 2
    assert audience(stage, world, document) == {"builder"}  # stale from the start; who brought it in can check again
    assert sync("1 hour", [*grants, {"user_id": str(people["member"].user_id)}])["grants"] == 3
    assert audience(stage, world, document) == {"builder", "customer", "member"}
    assert sync("30 minutes", grants[:1])["grants"] == 1  # as at the source, no less and no more
    assert audience(stage, world, document) == {"builder", "customer"}
    # The organization's setting is one number, and counts for what is there already.
    stage.run("reset role")
    stage.run("update app.document set acl_synced_at = now() - interval '3 hours' where id = %s", document)
    assert audience(stage, world, document) == {"builder", "customer"}
    as_(stage, people["owner"]).rpc("set_access_max_age", org_id=org, hours=2)
    assert audience(stage, world, document) == {"builder"}
    as_(stage, people["owner"]).rpc("set_access_max_age", org_id=org, hours=4)
    assert audience(stage, world, document) == {"builder", "customer"}


def test_when_access_was_checked_is_not_made_up_F30(stage: Request, world: World) -> None:
    people, org = world.acme.people, world.acme.id
    document = make(stage, world, "builder", visibility="private")
    as_(stage, people["builder"]).rpc("sync_document_access", org_id=org, document_id=document, synced_at="2026-01-02",
                                      grants=[{"user_id": str(people["customer"].user_id), "level": "editor"}])
    for when in ("2099-01-01", "2026-01-01", "infinity"):
        assert stage.rpc_error("sync_document_access", org_id=org, document_id=document, synced_at=when, grants=[]).sqlstate == "22023"
    assert "permission denied" in str(stage.error("update app.document set acl_expires_at = 'infinity' where id = %s", document))
    assert "permission denied" in str(stage.error("update app.chunk set acl_expires_at = 'infinity' where document_id = %s", document))
    assert stage.rpc_error("sync_document_access", org_id=org, document_id=document, synced_at="2026-01-03",
                           grants=[{"user_id": str(world.nobody.user_id)}]).sqlstate == "PT404"
    for bad in ([{}], [{"user_id": "x"}], [1], [{"user_id": str(people["member"].user_id), "level": "god"}]):
        assert stage.rpc_error("sync_document_access", org_id=org, document_id=document, synced_at="2026-01-03", grants=bad).sqlstate == "22023"


def test_what_was_allowed_when_loading_began_must_still_be_at_its_end_F17(stage: Request, world: World) -> None:
    people, org = world.acme.people, world.acme.id
    db = as_(stage, people["builder"])
    begun = db.rpc("begin_document", org_id=org, knowledge_base_id=world.acme.ids["knowledge_base"], title="t", uri="test:late", sha256="5" * 64)["document_id"]
    db.rpc("add_chunks", org_id=org, document_id=begun, chunks=[{"position": 0, "content": "x", "start_char": 0, "end_char": 1, "embedding": embedding(0)}])
    with db.connection.transaction(force_rollback=True):
        assert db.rpc("finish_document", org_id=org, document_id=begun)["chunks"] == 1
    stage.run("reset role")
    stage.run("update app.membership m set role_id = r.id from app.role r where r.org_id = m.org_id and r.name = 'member' and m.org_id = %s and m.user_id = %s",
              org, people["builder"].user_id)
    assert as_(stage, people["builder"]).rpc_error("finish_document", org_id=org, document_id=begun).sqlstate == "42501"
