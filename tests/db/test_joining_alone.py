"""What joining by an invitation asks, one condition at a time, where the policies of the definers' owner say nothing (F12, R45)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.db.matrix import become, planted
from tests.db.planting import ORIGIN, REPLICA
from tests.db.session import Request, second_factor
from tests.db.world import World

GONE = ("PT404", "no such invitation to you, or it is over")
MINE = "where id = '{mine}'"
_ROLE = "(select id from app.role where org_id = '{org}' and name = '{name}')"
AGENT, ADMIN = _ROLE.replace("{name}", "agent"), _ROLE.replace("{name}", "admin")
_CARRIES = "insert into app.role_permission (org_id, role_id, permission) values ('{{globex}}', {role}, '{permission}')"
_TWIN = ("insert into app.invitation select (jsonb_populate_record(i, jsonb_build_object('id', '{mine}', 'email', '{email}', 'token_sha256', repeat('0', 64)))).* from app.invitation i"
         " where i.id = '{theirs}'")
CHANGES: dict[str, tuple[str, tuple[str, str] | None]] = {
    "nothing": ("select from app.bot", None),
    "expired": (f"update app.invitation set expires_at = now() - interval '1 second', created_at = now() - interval '1 day' {MINE}", GONE),
    "revoked": (f"update app.invitation set revoked_at = now() {MINE}", GONE),
    "accepted": (f"update app.invitation set accepted_at = now(), accepted_by = '{{owner}}' {MINE}", GONE),
    "its inviter is suspended": (f"update app.invitation set inviter_status = 'suspended' {MINE}", GONE),
    "its inviter's role": (f"update app.invitation set inviter_role_id = {AGENT} {MINE}", GONE),
    "what its inviter's role carries": (f"delete from app.role_permission where role_id = {ADMIN} and permission = 'members.manage'; update app.invitation set inviter_role_id = {ADMIN} {MINE}", GONE),
    "its role carries more": (f"delete from app.role_permission where role_id = {ADMIN} and permission = 'tickets.manage'; update app.invitation set inviter_role_id = {ADMIN} {MINE}", GONE),
    "what a role of the same id carries elsewhere": (
        f"delete from app.role_permission where role_id = {ADMIN} and permission = 'members.manage'; update app.invitation set inviter_role_id = {ADMIN} {MINE}; "
        + _CARRIES.format(role=ADMIN, permission="members.manage"), GONE),
    "its role carries more, and its inviter's as much elsewhere": (
        f"delete from app.role_permission where role_id = {ADMIN} and permission = 'tickets.manage'; update app.invitation set inviter_role_id = {ADMIN} {MINE}; "
        + _CARRIES.format(role=ADMIN, permission="tickets.manage"), GONE),
    "its role carries more elsewhere": (f"update app.invitation set created_by = '{{admin}}', inviter_role_id = {ADMIN} {MINE}; " + _CARRIES.format(role=AGENT, permission="organization.manage"), None),
    "revoked, and one of the same id elsewhere is not": (f"update app.invitation set revoked_at = now() {MINE}; {_TWIN}", GONE),
    "one of the same id and address elsewhere": (_TWIN, None),
    "suspended": ("update app.organization set suspended_at = now() where id = '{org}'", GONE),
    "another is suspended": ("update app.organization set suspended_at = now() where id <> '{org}'", None),
    "a second factor": ("update app.organization set require_mfa = true where id = '{org}'",
                        ("PT401", "this organization asks for a second factor: sign in with yours, or enrol one first")),
    "already a member": ("insert into app.membership (org_id, user_id, role_id, permissions) select org_id, '{guest}', role_id, permissions from app.membership where user_id = '{member}'",
                         ("PT409", "already a member")),
    "a member elsewhere": ("insert into app.membership (org_id, user_id, role_id, permissions) select org_id, '{guest}', role_id, permissions from app.membership where org_id = '{globex}' limit 1", None),
}


@pytest.fixture
def invited(world: World) -> Iterator[tuple[Request, dict[str, Any]]]:
    """A second invitation of the guest, as an agent and by the owner; one of them that was revoked before; and one of somebody else."""
    acme, names = world.acme, {"org": world.acme.id, "globex": world.globex.id, "guest": world.acme.guest.user_id, "owner": world.acme.people["owner"].user_id,
                               "member": world.acme.people["member"].user_id, "admin": world.acme.people["admin"].user_id, "email": world.acme.guest.email, "theirs": world.globex.ids["invitation"]}
    row = ("insert into app.invitation (org_id, email, role_id, token_sha256, created_by, expires_at, revoked_at, inviter_role_id, inviter_status)"
           f" select i.org_id, '{{email}}', {AGENT.format(**names)}, encode(sha256('{{token}}'::bytea), 'hex'), i.created_by, i.expires_at, {{revoked}}, i.inviter_role_id, i.inviter_status"
           f" from app.invitation i where i.id = '{acme.ids['invitation']}'")
    with planted(world, REPLICA, "create policy opened on app.invitation for all to ringfence_owner using (true) with check (true)",
                 "create policy opened on app.organization for select to ringfence_owner using (true)", "create policy opened on app.membership for select to ringfence_owner using (true)",
                 "create policy opened on app.role_permission for select to ringfence_owner using (true)",
                 row.format(email=acme.guest.email, token="mine", revoked="null"), row.format(email=acme.guest.email, token="old", revoked="now() - interval '1 day'"),
                 row.format(email="else@acme.test", token="else", revoked="null"), ORIGIN) as db:
        yield db, names | {"mine": db.one("select id from app.invitation where token_sha256 = encode(sha256('mine'::bytea), 'hex')")}


def state(db: Request) -> dict[str, tuple[bool, Any]]:
    """Of each invitation of this test by its token: whether it is accepted, and when it was revoked."""
    return {token: db.all("select accepted_at is not null, revoked_at from app.invitation where token_sha256 = encode(sha256(%s::bytea), 'hex')", token)[0] for token in ("mine", "old", "else")}


@pytest.mark.parametrize("what", CHANGES)
def test_an_invitation_is_taken_while_everything_it_rests_on_is_so_F12(world: World, invited: tuple[Request, dict[str, Any]], what: str) -> None:
    db, names = invited
    change, refused = CHANGES[what]
    db.run(REPLICA)
    for statement in change.format(**names).split("; "):
        db.run(statement)
    db.run(ORIGIN)
    become(db, world.acme.guest)
    if refused:
        error = db.error("select authz.join_by_invitation('mine')")
        assert (error.sqlstate, error.diag.message_primary) == refused
        return
    assert db.error("select authz.join_by_invitation('no such token')").diag.message_primary == GONE[1]
    db.run("select set_config('role', 'none', true)")
    elsewhere = f"select count(accepted_at), count(revoked_at) from app.invitation where org_id = '{world.globex.id}'"
    before, theirs = state(db), db.all(elsewhere)
    become(db, world.acme.guest)
    told = db.one("select authz.join_by_invitation('mine')")
    db.run("select set_config('role', 'none', true)")
    assert (told["org_id"], told["role_id"]) == (str(world.acme.id), str(db.one(f"select {AGENT.format(**names)}")))
    assert state(db) == before | {"mine": (True, None)}
    others = db.all("select accepted_at, revoked_at is not null from app.invitation where id = %s", world.acme.ids["invitation"])
    assert others == [(None, True)], "the other invitation of the same person is over, and nobody accepted it"
    assert db.all(elsewhere) == theirs


@pytest.mark.parametrize("claims", [{"client_id": "an app"}, {"is_anonymous": True}])
def test_an_invitation_is_taken_in_person_R44(world: World, invited: tuple[Request, dict[str, Any]], claims: dict[str, Any]) -> None:
    db, _ = invited
    become(db, world.acme.guest, **second_factor() | claims)
    error = db.error("select authz.join_by_invitation('mine')")
    assert (error.sqlstate, error.diag.message_primary) == ("42501", "an app acting for you cannot do this: sign in yourself")
    become(db, world.acme.guest)
    assert isinstance(db.error("select 1 / (case when authz.join_by_invitation('mine') is null then 1 else 0 end)"), psycopg.errors.DivisionByZero)


def test_a_token_made_for_one_organization_takes_no_invitation_of_another_R44(world: World, invited: tuple[Request, dict[str, Any]]) -> None:
    db, _ = invited
    become(db, world.acme.guest, org_id=str(world.globex.id))
    assert db.error("select authz.join_by_invitation('mine')").diag.message_primary == GONE[1]
    become(db, world.acme.guest, org_id=str(world.acme.id))
    assert db.one("select authz.join_by_invitation('mine') ->> 'org_id'") == str(world.acme.id)
