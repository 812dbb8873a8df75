"""From loading to being read, and what becomes of those who had a part in it: nobody gets by the way what was denied or withdrawn (F14, F15, F17)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.db.matrix import become, planted
from tests.db.registry.document import add_with_file
from tests.db.registry.recipe import embedding
from tests.db.session import Request
from tests.db.world import World


@pytest.fixture
def stage(world: World) -> Iterator[Request]:
    with planted(world) as db:
        yield db


def as_(db: Request, world: World, who: str) -> Request:
    db.run("reset role")
    become(db, world.acme.people[who])
    return db


def begin(db: Request, world: World, base: str, name: str, **more: Any) -> dict[str, Any]:
    """Begin the next version of what `add_with_file(db, world.acme, base, name, ...)` loads: all is there but its end."""
    content = b"The walrus."
    document = UUID(db.rpc("begin_document", org_id=world.acme.id, knowledge_base_id=world.acme.ids[base], title="Next", uri=f"test:{name}-{world.acme.canary}",
                           sha256=hashlib.sha256(content).hexdigest(), **more)["document_id"])
    named = {"org_id": world.acme.id, "document_id": document}
    db.rpc("add_chunks", **named, chunks=[{"position": 0, "content": content.decode(), "start_char": 0, "end_char": len(content), "embedding": embedding(0)}])
    db.rpc("add_file_part", **named, position=0, content=base64.b64encode(content).decode())
    return named


def sees(db: Request, world: World, base: str, named: dict[str, Any]) -> set[bool]:
    """What each door answers: the one answer, the listing, and whether reading it is no error."""
    listed = db.rpc("list_documents", org_id=world.acme.id, knowledge_base_id=world.acme.ids[base])
    found = {db.one("select authz.can_read_document(%s, %s)", *named.values()), any(d["id"] == named["document_id"] for d in listed)}
    for door, more in (("get_document", {}), ("preview_document", {}), ("read_file_part", {"position": 0})):
        try:
            with db.connection.transaction():
                found.add(bool(db.rpc(door, **named, **more)))
        except Exception as error:
            assert getattr(error, "sqlstate", "") == "PT404", error
            found.add(False)
    return found


def test_what_is_still_loading_only_its_loader_sees_at_every_door_F15(stage: Request, world: World) -> None:
    """A rule that denies the version before comes to the next one when it is finished: until then nobody reads it."""
    org, people = world.acme.id, world.acme.people
    old = add_with_file(as_(stage, world, "builder"), world.acme, "knowledge_base", "ruled", 1)
    as_(stage, world, "owner").run("insert into app.deny_rule (org_id, user_id, document_id, reason) values (%s, %s, %s, 'Probe')", org, people["customer"].user_id, old)
    named = begin(as_(stage, world, "builder"), world, "knowledge_base", "ruled")
    assert sees(stage, world, "knowledge_base", named) == {True}
    for who in ("customer", "member", "admin", "owner"):
        assert sees(as_(stage, world, who), world, "knowledge_base", named) == {False}, who
        assert stage.rpc_error("delete_document", **named).sqlstate == "PT404"
    as_(stage, world, "builder").rpc("finish_document", **named)
    for who, reads in (("customer", False), ("member", True), ("admin", True)):
        assert sees(as_(stage, world, who), world, "knowledge_base", named) == {reads}, who


@pytest.mark.parametrize("withdrawn", [False, True])
def test_who_lost_a_restricted_knowledge_base_publishes_nothing_in_it_F14_F17(stage: Request, world: World, withdrawn: bool) -> None:
    org, vault, agent = world.acme.id, world.acme.ids["vault_knowledge_base"], world.acme.people["agent"].user_id
    private = add_with_file(as_(stage, world, "agent"), world.acme, "vault_knowledge_base", "poison", 1, visibility="private")
    loading = begin(stage, world, "vault_knowledge_base", "late")
    if withdrawn:
        as_(stage, world, "admin").rpc("unshare_knowledge_base", org_id=org, knowledge_base_id=vault, user_id=agent)
    as_(stage, world, "agent")
    update = {"org_id": org, "document_id": private, "title": "Official policy"}
    if withdrawn:
        assert stage.rpc_error("update_document", **update, visibility="knowledge_base").sqlstate == "42501"
        assert stage.error("update app.document set visibility = 'knowledge_base' where id = %s", private).sqlstate == "42501"
        assert stage.rpc_error("finish_document", **loading).sqlstate == "42501"
        assert stage.rpc("update_document", **update)["visibility"] == "private"  # their own they may still rename
    else:
        assert stage.rpc("update_document", **update, visibility="knowledge_base")["visibility"] == "knowledge_base"
        assert stage.rpc("finish_document", **loading)["chunks"] == 1
    assert as_(stage, world, "admin").one("select authz.can_read_document(%s, %s)", org, private) is not withdrawn


def test_documents_manage_publishes_only_in_a_base_it_can_read_F14(stage: Request, world: World) -> None:
    """The builder had the restricted base, loses it, and still has documents.manage."""
    org, vault, builder = world.acme.id, world.acme.ids["vault_knowledge_base"], world.acme.people["builder"].user_id
    as_(stage, world, "admin").rpc("share_knowledge_base", org_id=org, knowledge_base_id=vault, user_id=builder)
    private = [add_with_file(as_(stage, world, "builder"), world.acme, "vault_knowledge_base", name, 1, visibility="private") for name in ("one", "two")]
    assert stage.rpc("update_document", org_id=org, document_id=private[0], visibility="knowledge_base")["visibility"] == "knowledge_base"
    as_(stage, world, "admin").rpc("unshare_knowledge_base", org_id=org, knowledge_base_id=vault, user_id=builder)
    assert as_(stage, world, "builder").rpc_error("update_document", org_id=org, document_id=private[1], visibility="knowledge_base").sqlstate == "42501"


@pytest.mark.parametrize("shared_with_themselves", [False, True])
def test_who_loaded_an_earlier_version_has_no_right_to_the_next_F14_F17(stage: Request, world: World, shared_with_themselves: bool) -> None:
    """An editor of the restricted base loads a document and loses the base; its next version is for those who have it, and those it was shared with."""
    org, people, vault = world.acme.id, world.acme.people, world.acme.ids["vault_knowledge_base"]
    old = add_with_file(as_(stage, world, "agent"), world.acme, "vault_knowledge_base", "shared", 1)
    stage.rpc("share_document", org_id=org, document_id=old, user_id=people["member"].user_id)
    if shared_with_themselves:
        stage.rpc("share_document", org_id=org, document_id=old, user_id=people["agent"].user_id, level="owner")
    as_(stage, world, "admin").rpc("unshare_knowledge_base", org_id=org, knowledge_base_id=vault, user_id=people["agent"].user_id)
    named = begin(as_(stage, world, "admin"), world, "vault_knowledge_base", "shared")
    assert stage.rpc("finish_document", **named)["replaced"] == str(old)
    as_(stage, world, "agent")
    for act, more in (("get_document", {}), ("preview_document", {}), ("delete_document", {}), ("share_document", {"user_id": people["customer"].user_id})):
        assert stage.rpc_error(act, **named, **more).sqlstate == "PT404", act
    for who in ("admin", "member"):
        assert as_(stage, world, who).rpc("preview_document", **named)["text"] == "The walrus.", who


@pytest.mark.parametrize("removed", [False, True])
def test_who_made_a_knowledge_base_and_was_removed_does_not_own_it_when_they_are_back_F17(stage: Request, world: World, removed: bool) -> None:
    """Its grant of level owner goes with the membership, as any other."""
    org, builder = world.acme.id, world.acme.people["builder"].user_id
    base = as_(stage, world, "builder").rpc("create_knowledge_base", org_id=org, slug="vault-two", name="V", visibility="restricted")["id"]
    assert [(g["user_id"], g["level"]) for g in stage.rpc("list_knowledge_base_grants", org_id=org, knowledge_base_id=base)] == [(builder, "owner")]
    stage.run("reset role")
    if removed:
        (role,) = stage.all("select role_id from app.membership where org_id = %s and user_id = %s", org, builder)
        stage.run("delete from app.membership where org_id = %s and user_id = %s", org, builder)
        stage.run("insert into app.membership (org_id, user_id, role_id) values (%s, %s, %s)", org, builder, role[0])
    as_(stage, world, "builder")
    listed = [k["id"] for k in stage.rpc("list_knowledge_bases", org_id=org)]
    share = {"org_id": org, "knowledge_base_id": base, "user_id": world.acme.people["member"].user_id, "level": "owner"}
    if removed:
        assert UUID(base) not in listed
        assert stage.rpc_error("share_knowledge_base", **share).sqlstate == "PT404"
        assert stage.rpc_error("begin_document", org_id=org, knowledge_base_id=base, title="t", uri="u", sha256="0" * 64).sqlstate == "PT404"
    else:
        assert UUID(base) in listed
        assert stage.rpc("share_knowledge_base", **share)["id"]


@pytest.mark.parametrize(("classification", "who", "allowed"), [(0, "agent", False), (1, "agent", True), (2, "agent", True), (0, "admin", True)])
def test_a_new_version_is_less_confidential_only_by_its_owners_F26(stage: Request, world: World, classification: int, who: str, allowed: bool) -> None:
    """The agent is an editor of the vault, with the permission to read confidential documents."""
    org = world.acme.id
    stage.run("insert into app.role_permission select r.org_id, r.id, 'documents.read_confidential' from app.role r where r.org_id = %s and r.name = 'agent'", org)
    old = add_with_file(as_(stage, world, "admin"), world.acme, "vault_knowledge_base", "classed", 1, classification=1)
    named = begin(as_(stage, world, who), world, "vault_knowledge_base", "classed", classification=classification)
    if allowed:
        assert stage.rpc("finish_document", **named)["replaced"] == str(old)
    else:
        assert stage.rpc_error("finish_document", **named).sqlstate == "42501"
        assert stage.one("select authz.can_read_document(%s, %s)", org, old)  # still there


def test_access_that_runs_out_runs_out_for_the_new_version_too_F30(stage: Request, world: World) -> None:
    org = world.acme.id
    for name, synced in (("drive", True), ("upload", False)):
        old = add_with_file(as_(stage, world, "builder"), world.acme, "knowledge_base", name, 1)
        if synced:
            stage.rpc("sync_document_access", org_id=org, document_id=old, synced_at="2026-01-02", grants=[])
        named = begin(stage, world, "knowledge_base", name)
        stage.rpc("finish_document", **named)
        stage.run("reset role")
        assert stage.one("select acl_synced_at = '2026-01-02'::timestamptz and acl_expires_at < now() from app.document where id = %s", named["document_id"]) is synced
        assert {e for (e,) in stage.all("select acl_expires_at < now() from app.chunk where document_id = %s", named["document_id"])} == {synced}
        assert as_(stage, world, "member").one("select authz.can_read_document(%s, %s)", *named.values()) is not synced


def test_a_refused_upload_is_told_what_is_missing_and_no_table_F14(stage: Request, world: World) -> None:
    given = {"org_id": world.acme.id, "knowledge_base_id": world.acme.ids["knowledge_base"], "title": "t", "uri": "test:refused", "sha256": "1" * 64}
    refused = as_(stage, world, "member").rpc_error("begin_document", **given)
    assert refused.sqlstate == "42501" and "takes level editor" in str(refused) and "row-level" not in str(refused)
    own = as_(stage, world, "admin").rpc("share_knowledge_base", org_id=given["org_id"], knowledge_base_id=given["knowledge_base_id"],
                                          user_id=world.acme.people["member"].user_id, level="editor")
    assert own["id"]
    as_(stage, world, "member")
    assert "calls a document trusted" in str(stage.rpc_error("begin_document", **given, trust="trusted"))  # sentences of ours stay
    assert stage.rpc("begin_document", **given)["state"] == "loading"
