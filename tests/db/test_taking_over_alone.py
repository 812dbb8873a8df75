"""What taking over a document that was left asks and takes away, one condition at a time, where no policy says which documents and rules these are (F15, F17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.db.matrix import become, planted
from tests.db.planting import REPLICA
from tests.db.session import Request
from tests.db.test_triggers_alone import opened
from tests.db.world import World

_IT = "where org_id = '{org}' and id = '{document}'"
TAKEN: dict[str, tuple[str, bool]] = {
    "left": ("", True), "not left": (f"update app.document set owner_left_at = null {_IT}", False),
    "what all read": (f"update app.document set visibility = 'organization' {_IT}", False), "still loading": (f"update app.document set state = 'loading' {_IT}", False),
    "of elsewhere": (f"update app.document set org_id = '{{globex}}' {_IT}", False),
    "another one left": (f"update app.document set id = '{{other}}' {_IT}", False),
}
RULES: dict[str, tuple[str, bool]] = {
    # in which organization, about which document, against whom, by whom; and whether it goes when the document is taken over
    "the own": ("org document me me", True), "elsewhere": ("globex document me me", False), "about another one": ("org other me me", False),
    "against somebody else": ("org document member me", False), "by somebody else": ("org document me member", False),
}


@pytest.fixture
def left(world: World) -> Iterator[tuple[Request, dict[str, Any]]]:
    """The private document that somebody left behind in acme, and no rule; no trigger is at work."""
    people, ids = world.acme.people, world.acme.ids
    with planted(world, REPLICA, "delete from app.deny_rule") as db:
        for table in ("app.document", "app.deny_rule"):
            opened(db, table)
        yield db, {"org": world.acme.id, "globex": world.globex.id, "document": ids["left_document"], "other": ids["ticket"], "me": people["admin"].user_id,
                   "member": people["member"].user_id}


def take_over(world: World, db: Request, ids: dict[str, Any]) -> Any:
    become(db, world.acme.people["admin"])
    found = db.one("select authz.take_over_document(%s, %s)", ids["org"], ids["document"])
    db.run("select set_config('role', 'none', true)")
    return found


def mine(db: Request, ids: dict[str, Any]) -> list[tuple[Any, ...]]:
    return db.all("select org_id, id from app.document where owner_id = %s and owner_left_at is null order by 1, 2", ids["me"])


@pytest.mark.parametrize("what", TAKEN)
def test_a_private_document_that_is_ready_and_was_left_is_taken_over_F17(world: World, left: tuple[Request, dict[str, Any]], what: str) -> None:
    db, ids = left
    change, taken = TAKEN[what]
    before = mine(db, ids)
    db.run(change.format(**ids) or "select")
    assert take_over(world, db, ids) is taken
    assert set(mine(db, ids)) - set(before) == ({(ids["org"], ids["document"])} if taken else set())


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("which", RULES)
def test_with_it_goes_the_rule_that_kept_it_from_oneself_and_no_other_F15_F17(world: World, left: tuple[Request, dict[str, Any]], which: str, taken: bool) -> None:
    db, ids = left
    said, goes = RULES[which]
    org, document, user, by = (ids[name] for name in said.split(" "))
    db.run("insert into app.deny_rule (org_id, document_id, user_id, created_by, reason) values (%s, %s, %s, %s, 'Probe')", org, document, user, by)
    if not taken:
        db.run(f"update app.document set state = 'loading' {_IT}".format(**ids))
    assert take_over(world, db, ids) is taken
    assert db.one("select count(*) from app.deny_rule") == (0 if taken and goes else 1)
