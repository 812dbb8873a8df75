"""The trail for a SIEM: every event as OCSF says it, each at least once (F66)."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema
import pytest
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.session import Request
from tests.db.test_audit_acts import signs_in
from tests.db.world import World

CLASSES = {3001: "account_change", 3002: "authentication", 3004: "entity_management", 6003: "api_activity"}


@cache
def validator(class_uid: int) -> Any:
    """The schema of the project itself, version 1.8.0."""
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.8.0")).get_class_schema(CLASSES[class_uid])
    return jsonschema.Draft202012Validator(schema)


def pages(db: Request, world: World, size: int, since: str = "") -> tuple[list[dict[str, Any]], str]:
    found: list[dict[str, Any]] = []
    while True:
        page = db.rpc("export_audit_events", org_id=world.acme.id, since=since, max_rows=size)
        if page["cursor"] == since:
            return found, since
        found, since = found + page["events"], page["cursor"]


def test_every_event_is_valid_ocsf_and_says_what_the_trail_does_F66(world: World) -> None:
    with planted(world) as db:
        signs_in(db, world.both, "password")
        become(db, world.acme.people["customer"])
        db.rpc("record_denial", function_name="create_role", code="42501", named_org=world.acme.id)
        db.run("reset role")
        db.run("update app.bot set name = 'Renamed' where id = %s", world.acme.ids["bot"])  # an operator
        db.run("set constraints all immediate")
        become(db, world.acme.people["auditor"])
        found, _ = pages(db, world, 300)
        trail = {str(e["id"]): e for e in db.rpc("list_audit_events", org_id=world.acme.id, max_rows=1000)}
    assert len(found) == len(trail) > 50 and {e["metadata"]["uid"] for e in found} == set(trail)
    for event in found:
        validator(event["class_uid"]).validate(event)
        row = trail[event["metadata"]["uid"]]
        assert (event["metadata"]["event_code"], event["status_code"], event["metadata"]["tenant_uid"]) == (row["action"], row["outcome"], str(world.acme.id))
        assert event["actor"].get("user", {}).get("uid") == (str(row["actor_id"]) if row["actor_id"] else None)
        assert abs(event["time"] - row["at"].timestamp() * 1000) <= 1 and event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
    kinds = {e["metadata"]["event_code"]: (e["class_uid"], e["activity_id"], e["status_id"]) for e in found}
    assert kinds["session.start"] == (3002, 1, 1) and kinds["membership.insert"] == (3001, 1, 1) and kinds["membership.delete"] == (3001, 6, 1)
    assert kinds["tool.call"] == (6003, 99, 1) and kinds["document.insert"] == (6003, 1, 1) and kinds["access.deny"] == (6003, 99, 2)
    assert kinds["deny_rule.insert"] == (3004, 1, 1)
    assert world.acme.canary not in json.dumps(found)


def test_the_schema_would_refuse_an_event_of_another_shape_F66(world: World) -> None:
    with world.as_(world.acme.people["auditor"]) as db:
        (event,) = db.rpc("export_audit_events", org_id=world.acme.id, max_rows=1)["events"]
    for broken in ({k: v for k, v in event.items() if k != "metadata"}, event | {"activity_id": "one"}, event | {"class_uid": 1}):
        assert list(validator(event["class_uid"]).iter_errors(broken))


@pytest.mark.parametrize("size", [1, 7, 300])
def test_pages_of_any_size_give_every_event_once_and_each_chain_in_order_F66(own_world: World, size: int) -> None:
    """Events of several chains, as many transactions at once leave them."""
    world = own_world
    with world.operator(keep=True) as db:
        db.run(REPLICA)
        db.run("update app.audit_link set lane = 2 + sequence %% 3, sequence = (sequence - sequence %% 3) / 3 + 1 where sequence > 40")
    with world.as_(world.acme.people["auditor"]) as db:
        found, cursor = pages(db, world, size)
        assert db.one("select count(distinct lane) from app.audit_link where org_id = %s", world.acme.id) == 4
        assert len({e["metadata"]["uid"] for e in found}) == len(found) == db.one("select count(*) from app.audit_event where org_id = %s", world.acme.id)
        for lane in range(16):
            told = [e["metadata"]["sequence"] for e in found if e["unmapped"]["lane"] == lane]
            assert told == sorted(told)
        assert db.rpc("export_audit_events", org_id=world.acme.id, since=cursor) == {"events": [], "cursor": cursor}
    with world.as_(world.acme.people["owner"], keep=True) as db:
        db.rpc("create_ticket", org_id=world.acme.id, subject="Late", body="Where?")
    with world.as_(world.acme.people["auditor"]) as db:
        assert [e["metadata"]["event_code"] for e in pages(db, world, size, cursor)[0]] == ["support_ticket.insert"]


def test_a_deleted_event_does_not_stop_the_export_F66(world: World) -> None:
    with planted(world, REPLICA) as db:
        db.run("delete from app.audit_event where id in (select event_id from app.audit_link where org_id = %s and sequence between 5 and 8)", world.acme.id)
        become(db, world.acme.people["auditor"])
        assert len(pages(db, world, 2)[0]) == db.one("select count(*) from app.audit_event where org_id = %s", world.acme.id)


@pytest.mark.parametrize("since", ["x", "1.", ".1", "-1", "1,2", " 1", "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1", "9" * 19, None])
def test_what_is_no_cursor_is_an_error_and_not_the_beginning_F66(world: World, since: str | None) -> None:
    with world.as_(world.acme.people["auditor"]) as db:
        assert db.rpc_error("export_audit_events", org_id=world.acme.id, since=since).sqlstate == "22023"
        assert db.rpc("export_audit_events", org_id=world.acme.id, since="1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1")["events"]
