"""A name never stands in the way of an id: no slug is a uuid, and a bot named by ids is that bot (R51)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.db.matrix import become, planted
from tests.db.session import second_factor
from tests.db.world import World

NAMED: dict[str, dict[str, Any]] = {
    "create_organization": {"name": "N"}, "update_organization": {"org_id": ":org"}, "create_bot": {"org_id": ":org", "name": "N"},
    "create_knowledge_base": {"org_id": ":org", "name": "N"}, "create_team": {"org_id": ":org", "name": "N"},
}
UNCHECKED = [f"alter table app.{table} drop constraint if exists {table}_slug_no_id_check" for table in ("organization", "bot")]


@pytest.mark.parametrize("function", NAMED)
def test_a_slug_is_never_a_uuid_R51(world: World, function: str) -> None:
    arguments = {name: world.acme.id if value == ":org" else value for name, value in NAMED[function].items()}
    with world.as_(world.acme.people["owner"], **second_factor()) as db:
        assert db.rpc_error(function, **arguments, slug=str(uuid4())).sqlstate == "23514"
        # As long, as many dashes, and no uuid.
        db.rpc(function, **arguments, slug="x" + str(uuid4())[1:])
        db.rpc(function, **arguments, slug=f"x-{uuid4()}")


def test_the_slug_of_a_bot_or_base_is_not_changed_to_a_uuid_either_R51(world: World) -> None:
    with world.as_(world.acme.people["owner"]) as db:
        for table, name in (("bot", "bot"), ("knowledge_base", "knowledge_base")):
            change = f"update app.{table} set slug = %s where id = %s"
            assert db.error(change, str(uuid4()), world.acme.ids[name]).sqlstate == "23514"
            assert db.run(change, "renamed", world.acme.ids[name]) == 1


def test_a_bot_named_by_ids_is_that_bot_whatever_others_are_called_R51(world: World) -> None:
    """Also where slugs were ids already: two ids before an id and a slug, and that before two slugs."""
    org, bot, customer = world.acme.id, world.acme.ids["bot"], world.acme.people["customer"]

    def other(db: Any, org_id: UUID, slug: str) -> UUID:
        made = UUID(db.rpc("create_bot", org_id=org_id, slug=slug, name="Other")["id"])
        db.rpc("share_bot", org_id=org_id, bot_id=made)
        return made

    with planted(world, *UNCHECKED) as db:
        become(db, world.acme.people["owner"])
        colleagues = other(db, org, str(bot))
        become(db, world.nobody)
        strangers = UUID(db.rpc("create_organization", slug=str(org), name="Acme")["id"])
        namesake = other(db, strangers, "helpdesk")
        become(db, world.nobody)
        second = UUID(db.rpc("create_organization", slug="acme", name="Acme")["id"])
        other(db, second, "helpdesk")
        for one in (strangers, second):
            token = db.rpc("create_invitation", org_id=one, email="customer@acme.test", role="member")["token"]
            become(db, customer)
            db.rpc("accept_invitation", token=token)
            become(db, world.nobody)
        become(db, customer)

        def answers(name: str) -> UUID:
            return UUID(db.rpc("start_run", bot=name, question="Who?")["bot"]["id"])

        assert answers(f"{org}/{bot}") == bot
        assert answers(f"{org}/helpdesk") == bot
        assert answers(f"{strangers}/helpdesk") == namesake
        assert answers(f"{org}/{colleagues}") == colleagues
        assert db.rpc_error("start_run", bot="acme/helpdesk", question="Who?").sqlstate == "PT409"
