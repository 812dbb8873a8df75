"""Sensitive acts need a second factor used a moment ago, and the tables themselves ask for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.db.session import Person, Request, second_factor
from tests.db.world import World

SENTENCE = "confirm your second factor and try again: verify a code of your authenticator app, or enrol one first"
LASTS_S = 15 * 60


def now(seconds: float = 0) -> int:
    return int(time.time() + seconds)


def enrol(world: World, person: Person, status: str = "verified") -> None:
    with world.operator(keep=True) as db:
        db.run("insert into auth.mfa_factors (id, user_id, factor_type, status, created_at, updated_at)"
               " values (gen_random_uuid(), %s, 'totp', %s, now(), now())", person.user_id, status)


@pytest.mark.parametrize("method", ["totp", "mfa/phone", "mfa/webauthn"])
@pytest.mark.parametrize("ago_s", [0, LASTS_S - 30, -30])
def test_a_second_factor_used_a_moment_ago_is_taken_F07(world: World, method: str, ago_s: int) -> None:
    with world.as_(world.nobody, **second_factor(ago_s, method)) as db:
        assert db.one("select authz.has_recent_second_factor()") is True
        db.one("select authz.require_step_up()::text")


# Made when the test runs: a time that was now when the tests were collected is long ago when a slow machine comes to them.
LESS: dict[str, Callable[[], dict[str, Any]]] = {
    "nothing": dict,
    "aal1": lambda: {"aal": "aal1", "amr": second_factor()["amr"]},
    "no amr": lambda: {"aal": "aal2"},
    "a list for an aal": lambda: {"aal": ["aal2"], "amr": second_factor()["amr"]},
    "too long ago": lambda: second_factor(LASTS_S + 30),
    "in an hour": lambda: second_factor(-3600),
    "a password": lambda: second_factor(method="password"),
    "a text for an amr": lambda: {"aal": "aal2", "amr": "totp"},
    "a text for an entry": lambda: {"aal": "aal2", "amr": ["totp"]},
    "an entry for an amr": lambda: {"aal": "aal2", "amr": {"method": "totp", "timestamp": now()}},
    "no time": lambda: {"aal": "aal2", "amr": [{"method": "totp"}]},
    "a time of null": lambda: {"aal": "aal2", "amr": [{"method": "totp", "timestamp": None}]},
    "a text for a time": lambda: {"aal": "aal2", "amr": [{"method": "totp", "timestamp": str(now())}]},
    "a list for a method": lambda: {"aal": "aal2", "amr": [{"method": ["totp"], "timestamp": now()}]},
    "a list for an entry": lambda: {"aal": "aal2", "amr": [[{"method": "totp", "timestamp": now()}]]},
    "a password now and a factor too long ago": lambda: {
        "aal": "aal2", "amr": [{"method": "password", "timestamp": now()}, {"method": "totp", "timestamp": now(-LASTS_S - 30)}]},
    "said in the metadata": lambda: {"aal": "aal2", "amr": [], "user_metadata": second_factor(), "app_metadata": second_factor()},
}


@pytest.mark.parametrize("what", LESS)
def test_anything_less_is_refused_with_the_sentence_that_says_what_to_do_F07(world: World, what: str) -> None:
    with world.as_(world.nobody, **LESS[what]()) as db:
        error = db.error("select authz.require_step_up()")
    assert (error.sqlstate, error.diag.message_primary) == ("PT401", SENTENCE)


def test_how_long_it_lasts_is_said_in_one_place(own_world: World) -> None:
    claims = second_factor(LASTS_S + 30)
    with own_world.operator(keep=True) as db:
        db.run("create or replace function authz.step_up_lasts() returns interval language sql immutable return interval '1 hour'")
    with own_world.as_(own_world.nobody, **claims) as db:
        assert db.one("select authz.has_recent_second_factor()") is True


def changes(db: Request, world: World) -> dict[str, str | None]:
    """What happens to each change of members: the SQLSTATE, or None when it is done."""
    org, people = world.acme.id, world.acme.people
    tries: dict[str, dict[str, Any]] = {
        "create_invitation": {"email": "new@acme.test", "role": "member"},
        "change_member": {"user_id": people["customer"].user_id, "role": "agent"},
        "remove_member": {"user_id": people["analyst"].user_id},
    }
    seen: dict[str, str | None] = {}
    for name, arguments in tries.items():
        try:
            with db.connection.transaction():
                db.rpc(name, org_id=org, **arguments)
            seen[name] = None
        except Exception as error:  # noqa: BLE001  every refusal is looked at
            seen[name] = getattr(error, "sqlstate", repr(error))
    return seen


DONE = dict.fromkeys(("create_invitation", "change_member", "remove_member"))
STEP_UP = dict.fromkeys(DONE, "PT401")


def test_who_has_a_second_factor_uses_it_to_change_members_F07(own_world: World) -> None:
    owner = own_world.acme.people["owner"]
    with own_world.as_(owner) as db:
        assert changes(db, own_world) == DONE
    enrol(own_world, owner, "unverified")
    with own_world.as_(owner) as db:
        assert changes(db, own_world) == DONE
    enrol(own_world, owner)
    for claims in ({}, second_factor(LASTS_S + 60)):
        with own_world.as_(owner, **claims) as db:
            assert changes(db, own_world) == STEP_UP
    with own_world.as_(owner, **second_factor()) as db:
        assert changes(db, own_world) == DONE


def test_an_organization_that_requires_it_has_everybody_confirm_it_again_F07(strict_world: World) -> None:
    owner = strict_world.acme.people["owner"]
    with strict_world.as_(owner, **second_factor(LASTS_S + 60)) as db:
        assert changes(db, strict_world) == STEP_UP
    with strict_world.as_(owner, **second_factor()) as db:
        assert changes(db, strict_world) == DONE


def test_writing_past_the_functions_meets_the_same_demand_F07(strict_world: World) -> None:
    owner, org = strict_world.acme.people["owner"], strict_world.acme.id
    role = "(select id from app.role where org_id = %s and name = 'member')"
    statements = [
        (f"update app.membership set role_id = {role} where user_id = %s", org, strict_world.acme.people["agent"].user_id),
        ("delete from app.membership where user_id = %s", strict_world.acme.people["agent"].user_id),
        ("update app.organization set require_mfa = false where id = %s", org),
        ("insert into app.legal_hold (org_id, reason) values (%s, 'a case')", org),
        ("update app.retention_rule set days = 9 where org_id = %s and class = 'conversations'", org),
        ("delete from app.retention_rule where org_id = %s and class = 'conversations'", org),
        ("insert into app.retention_rule (org_id, class, days) values (%s, 'usage', 9)", org),
        ("insert into app.erasure (org_id, user_id) values (%s, %s)", org, strict_world.removed.user_id),
        ("update app.secret set key_id = 'other' where id = %s", strict_world.acme.ids["secret"]),
        ("delete from app.secret where id = %s", strict_world.acme.ids["secret"]),
    ]
    for query, *arguments in statements:
        with strict_world.as_(owner, **second_factor(LASTS_S + 60)) as db:
            assert db.error(query, *arguments).sqlstate == "PT401", query
        with strict_world.as_(owner, **second_factor()) as db:
            assert db.run(query, *arguments) == 1, query


def test_leaving_and_renaming_ask_for_nothing_more(strict_world: World) -> None:
    member, owner = strict_world.acme.people["admin"], strict_world.acme.people["owner"]
    with strict_world.as_(member, **second_factor(LASTS_S + 60)) as db:
        assert db.rpc("remove_member", org_id=strict_world.acme.id, user_id=member.user_id)["role"] is None
    with strict_world.as_(owner, **second_factor(LASTS_S + 60)) as db:
        assert db.run("update app.organization set name = 'Renamed' where id = %s", strict_world.acme.id) == 1


def test_a_second_factor_gives_no_permission(strict_world: World) -> None:
    with strict_world.as_(strict_world.acme.people["member"], **second_factor()) as db:
        assert set(changes(db, strict_world).values()) == {"42501", "PT404"}


def test_an_app_with_the_persons_own_strength_changes_no_member_and_no_policy_R44(strict_world: World) -> None:
    owner, org = strict_world.acme.people["owner"], strict_world.acme.id
    with strict_world.as_(owner, **second_factor(), client_id="app") as db:
        assert changes(db, strict_world) == dict.fromkeys(DONE, "42501")
        error = db.rpc_error("set_mfa_policy", org_id=org, required=False)
        assert (error.sqlstate, error.diag.message_primary) == ("42501", "an app acting for you cannot do this: sign in yourself")
        leave = db.rpc_error("remove_member", org_id=org, user_id=owner.user_id)
        assert leave.sqlstate in ("42501", "PT409")
    with strict_world.as_(owner, **second_factor()) as db:
        assert changes(db, strict_world) == DONE
