"""Triggers of members, of what they are given and of what ends with their membership."""

from __future__ import annotations

from tests.db.triggers.case import Fires

_ROLES = ("app.role", "app.role_permission")
_SEATS = ("app.membership", *_ROLES)
_OWN = "you can give or take only roles whose permissions you hold yourself"
_MORE_THERE = "insert into app.role_permission (org_id, role_id, permission) values (:globex, :member_role, 'organization.manage')"
"""In globex's image of the roles, the members' carries more than an admin holds."""


def permitted(who: str, permission: str) -> str:
    """Somebody holds a permission that their role does not carry."""
    return f"update app.membership set permissions = permissions | authz.permission_bit('{permission}') where org_id = :org and user_id = :{who}"


_GROUP = "insert into app.sso_group (org_id, connection_id, name, role_id) values (:org, :sso_connection, 'Probe', {})"
_GIVES = "update app.sso_group set role_id = {} where org_id = :org and id = :sso_group"
_500 = ("insert into app.sso_group (org_id, connection_id, name, role_id, created_by)"
        " select {}, :sso_connection, 'Group ' || n, :member_role, :owner from generate_series(1, {}) n")


def group(says: str, act: str, *planted: str, who: str = "builder", refused: str = "") -> Fires:
    return Fires("authz.tg_sso_group_guard on app.sso_group", says, act, who=who, refused=refused, opened=("app.sso_group", *_ROLES), image=("app.role", "app.role_permission"),
                 planted=(permitted("builder", "organization.manage"), "update app.role set built_in = true where org_id = :globex",
                          _MORE_THERE.replace("organization.manage", "members.manage"), *planted))


_ROLE = "insert into app.role (org_id, name) values (:org, 'probe_role')"
_100 = "insert into app.role (org_id, name) select {}, 'own-' || n from generate_series(1, {}) n"
_MADE_OWN = "update app.role set built_in = false where org_id = :org and id in (:member_role, :admin_role)"


def role(says: str, act: str, *planted: str, on: str = "app.role", who: str = "admin", refused: str = "") -> Fires:
    return Fires(f"authz.tg_role_guard on {on}", says, act, who=who, refused=refused, opened=_ROLES, image=_ROLES,
                 planted=(_MADE_OWN, _MORE_THERE, *planted))


_SEAT = "insert into app.membership (org_id, user_id, role_id, permissions{}) select :org, :guest, id, permissions{} from app.role where org_id = :org and id = :member_role"
_GONE = "delete from app.membership where org_id = :org and user_id = {}"
_STATUS = "update app.membership set status = 'suspended' where org_id = :org and user_id = {}"
_LAST = "PT409 an organization keeps at least one owner"
_SERVICE = ("update app.membership m set service_owner_id = o.user_id, service_owner_role_id = o.role_id, service_owner_status = 'active' from app.membership o"
            " where m.org_id = :org and m.user_id = {} and o.org_id = :org and o.user_id = :auditor")
_SECOND = "update app.membership set role_id = :owner_role where org_id = :org and user_id = :admin"


def seat(says: str, act: str, *planted: str, who: str = "", refused: str = "", then: str = "true", role_: str = "") -> Fires:
    return Fires("authz.tg_membership_guard on app.membership", says, act, then, who=who, role=role_, refused=refused, opened=_SEATS, image=_SEATS, planted=(
        _MORE_THERE, "update app.membership set role_id = :owner_role where org_id = :globex and user_id = :builder", *planted))


def step_up(says: str, act: str, *planted: str, on: str = "app.membership", who: str = "owner", refused: str = "", role_: str = "", factor: bool = False) -> Fires:
    return Fires(f"authz.tg_step_up on {on}", says, act, who=who, refused=refused, role=role_, opened=("app.organization", on), planted=planted, factor=factor)


_STRICT = "update app.organization set require_mfa = (id = {})"
_ASKED = "PT401 confirm your second factor"

_LEAVES = "delete from app.team_member where org_id = :org and team_id = :team and user_id = :customer"
_RULE = "insert into app.deny_rule (org_id, team_id, tool, reason, created_by) values ({}, {}, 'get_order', 'Probe', :owner)"

_TOKEN = ("insert into app.api_token (org_id, user_id, session_id, name, prefix, token_sha256, permissions, with_second_factor, expires_at, revoked_at)"
          " values (:org, {}, gen_random_uuid(), 'Probe', 'rft_00000000', repeat('0', 64), '{{bots.run}}', false, now() + interval '1 day', {})")
_NO_TOKENS = ("alter table app.api_token disable trigger user", "delete from app.api_token")
_TOKENS = (*_NO_TOKENS, _TOKEN.format(":customer", "null"), _TOKEN.format(":customer", "'2020-01-01'"), _TOKEN.format(":admin", "null"))
_ONE_REVOKED = "(select array_agg(user_id = :customer) from app.api_token where org_id = :org and revoked_at = now()) = '{t}'"

_INVITED = ("insert into app.invitation (org_id, email, role_id, token_sha256, created_by, expires_at, created_at, accepted_at, accepted_by, revoked_at)"
            " values (:org, '{}', :member_role, repeat('0', 64), :owner, {}, '2020-01-01', {}, {})")


def invited(email: str, expires: str = "now() + interval '1 day'", accepted: str = "null, null", revoked: str = "null") -> str:
    return _INVITED.format(email, expires, accepted, revoked)


_MINE = ("alter table app.invitation disable trigger user", "delete from app.invitation", invited("one@x.test", accepted="now(), :customer"), invited("one@x.test"),
         invited("one@x.test", revoked="'2020-01-01'"), invited("two@x.test"), invited("three@x.test", accepted="now(), :admin"), invited("three@x.test"))
_INVITATION = ("insert into app.invitation (org_id, email, role_id, token_sha256, created_by, expires_at)"
               " values (:org, 'probe@x.test', :member_role, repeat('1', 64), :admin, now() + interval '1 hour')")
_499 = "insert into app.invitation (org_id, email, role_id, token_sha256, created_by, expires_at, created_at, accepted_at, accepted_by, revoked_at) select {}, n || '@x.test', :member_role,"
_ALL = " repeat('0', 64), :owner, {}, '2020-01-01', {}, {} from generate_series(1, {}) n"


def many(org: str = ":org", expires: str = "now() + interval '1 day'", accepted: str = "null, null", revoked: str = "null", count: int = 500) -> str:
    return _499.format(org) + _ALL.format(expires, accepted, revoked, count)


def invitation(says: str, *planted: str, who: str = "admin", refused: str = "") -> Fires:
    return Fires("authz.tg_invitation_guard on app.invitation", says, _INVITATION, who=who, refused=refused, opened=("app.invitation", *_SEATS), image=_SEATS,
                 planted=("delete from app.invitation", _MORE_THERE, *planted))


CASES: list[Fires] = [
    group("who may not manage the organization lets no group give a role", _GIVES.format(":member_role"), who="member", refused="42501 letting groups give them organization.manage"),
    group("one gives a role of which one holds everything", _GROUP.format(":member_role")),
    group("and no other", _GROUP.format(":admin_role"), refused=f"42501 {_OWN}"),
    group("one changes the role from one to another of which one holds everything", _GIVES.format(":builder_role")),
    group("not to another", _GIVES.format(":admin_role"), refused=f"42501 {_OWN}"),
    group("nor from another", _GIVES.format(":member_role"), "update app.sso_group set role_id = :admin_role where org_id = :org and id = :sso_group", refused=f"42501 {_OWN}"),
    group("one deletes what gives such a role", "delete from app.sso_group where id = :sso_group"),
    group("and nothing that gives another", "delete from app.sso_group where id = :sso_group", "update app.sso_group set role_id = :admin_role where id = :sso_group", refused=f"42501 {_OWN}"),
    group("nobody becomes an owner by it", _GROUP.format(":owner_role"), who="owner", refused="42501 nobody becomes an owner by a group"),
    group("but a role that is only called so", _GROUP.format(":owner_role"), "update app.role set built_in = false where org_id = :org and id = :owner_role", who="owner"),
    group("gives whatever else an owner holds", _GROUP.format(":admin_role"), who="owner"),
    group("there are five hundred at most", _GROUP.format(":member_role"), _500.format(":org", 500), refused="PT429 at most 500 groups"),
    group("of which one may be changed", _GIVES.format(":member_role"), _500.format(":org", 500)),
    group("those of another organization do not count", _GROUP.format(":member_role"), "delete from app.sso_group", _500.format(":globex", 500)),

    role("who may not manage roles makes none", _ROLE, who="member", refused="42501 changing roles needs roles.manage"),
    role("what the role of another organization carries or is, is nothing to it", "update app.role set name = 'renamed' where org_id = :org and id = :member_role"),
    role("a hundred of another organization do not count", _ROLE, _100.format(":globex", 100)),
    role("a hundred are the most", _ROLE, _100.format(":org", 100), refused="PT429 at most 100 roles"),
    role("of which one may be changed", "update app.role set name = 'renamed' where org_id = :org and id = :member_role", _100.format(":org", 100)),
    role("and given a permission", "insert into app.role_permission (org_id, role_id, permission) values (:org, :member_role, 'bots.manage')", _100.format(":org", 100),
         on="app.role_permission"),
    Fires("authz.tg_role_permissions on app.role", "counts its own permissions", "update app.role set name = name where org_id = :org and id = :member_role",
          "(select permissions & authz.permission_bit('organization.manage') from app.role where org_id = :org and id = :member_role) = 0", image=_ROLES, opened=_ROLES,
          planted=("delete from app.membership where role_id = :member_role", _MORE_THERE)),
    Fires("authz.tg_role_recount on app.role_permission", "has that role alone count anew", "delete from app.role_permission where org_id = :org and role_id = :auditor_role",
          "(select array_agg(permissions order by permissions) from app.role where org_id = :org and id in (:auditor_role, :analyst_role)) = '{0,7}'", image=_ROLES, opened=_ROLES,
          planted=("update app.role set permissions = 7", "delete from app.membership where role_id = :auditor_role")),

    seat("only one's own address is looked up", _SEAT.format(", email", ", 'kept@x.test'"), who="owner", role_="none",
         then="(select email from app.membership where user_id = :guest) = 'kept@x.test'"),
    seat("and only when one joins", "update app.membership set email = 'kept@x.test' where org_id = :org and user_id = :owner", who="owner", role_="none",
         then="(select email from app.membership where org_id = :org and user_id = :owner) = 'kept@x.test'"),
    seat("who may not manage members takes none in", _SEAT.format("", ""), who="member", refused="42501 giving and taking roles needs members.manage"),
    seat("and sends none away", _GONE.format(":customer"), who="member", refused="42501 giving and taking roles needs members.manage"),
    seat("and does not change themselves", _STATUS.format(":member"), who="member", refused="42501 giving and taking roles needs members.manage"),
    seat("but leaves", _GONE.format(":member"), who="member"),
    seat("what the role carries in another organization is nothing to it", _SEAT.format("", ""), who="admin"),
    seat("the last owner stays", _GONE.format(":owner"), refused=_LAST),
    seat("the last who acts", _GONE.format(":owner"), _SECOND, _STATUS.format(":admin"), refused=_LAST),
    seat("the last person", _GONE.format(":owner"), _SECOND, _SERVICE.format(":admin"), refused=_LAST),
    seat("beside another an owner goes", _GONE.format(":owner"), _SECOND),
    seat("one who was suspended goes", _GONE.format(":owner"), _STATUS.format(":owner")),
    seat("a service account goes", _GONE.format(":owner"), _SERVICE.format(":owner")),
    seat("who is only called so goes", _GONE.format(":owner"), "update app.role set built_in = false where org_id = :org and id = :owner_role"),
    seat("with the whole organization an owner goes", _GONE.format(":owner"), "insert into authz.purge_receipt (organization_id, purged_in) values (:org, pg_current_xact_id())",
         "drop policy purge_receipt_select_owner on authz.purge_receipt", "create policy opened on authz.purge_receipt using (true)"),
    Fires("authz.tg_membership_permissions on app.membership", "copies those of the role in its organization", "update app.membership set status = status where org_id = :org and user_id = :member",
          "(select permissions from app.membership where org_id = :org and user_id = :member) <> 0", image=("app.role",), opened=("app.role",), planted=(
              "update app.role set permissions = 0 where org_id = :globex", "update app.membership set permissions = 0 where org_id = :org and user_id = :member")),

    step_up("an operator is not asked", _STATUS.format(":customer"), _STRICT.format(":org"), who=""),
    step_up("nor is the owner of the definers", _STATUS.format(":customer"), _STRICT.format(":org"), role_="ringfence_owner"),
    step_up("nor anybody because another organization is strict", _STATUS.format(":customer"), _STRICT.format(":globex")),
    step_up("where their own is, they are", _STATUS.format(":customer"), _STRICT.format(":org"), refused=_ASKED),
    step_up("who used it goes on", _STATUS.format(":customer"), _STRICT.format(":org"), factor=True),
    step_up("nor who leaves", _GONE.format(":owner"), _STRICT.format(":org")),
    step_up("who changes themselves is asked", _STATUS.format(":owner"), _STRICT.format(":org"), refused=_ASKED),
    step_up("who sends somebody away is asked", _GONE.format(":customer"), _STRICT.format(":org"), refused=_ASKED),
    step_up("who takes away a rule about themselves is asked", "delete from app.deny_rule where user_id = :owner", _STRICT.format(":org"),
            _RULE.format(":org", "null").replace("team_id", "user_id").replace("null", ":owner"), on="app.deny_rule", refused=_ASKED),

    *(Fires("authz.tg_ruled_team on app.team_member", says, _LEAVES, who="builder", refused=refused, opened=("app.team_member", "app.deny_rule"), planted=planted)
      for says, planted, refused in (
          ("nobody is kept in a team without a rule", (), ""), ("nor by a rule about another team", (_RULE.format(":org", ":drafters_team"),), ""),
          ("nor by one of another organization", (_RULE.format(":globex", ":team"), "drop policy opened on app.deny_rule",
                                                       "create policy opened on app.deny_rule to authenticated using (true)"), ""),
          ("a rule about the team keeps them", (_RULE.format(":org", ":team"),), "42501 a rule names this team"))),

    Fires("authz.tg_revoke_tokens on app.membership", "ends the tokens of who goes", _GONE.format(":customer"), _ONE_REVOKED, image=("app.api_token",), late=True, planted=_TOKENS),
    Fires("authz.tg_revoke_invitations on app.membership", "ends what was sent to the address of who goes", _GONE.format(":customer"),
          "(select array_agg(email = 'one@x.test' and accepted_at is null) from app.invitation where org_id = :org and revoked_at = now()) = '{t}'", planted=_MINE),
    Fires("authz.tg_revoke_invitations on app.membership", "looks in its organization alone", _GONE.format(":customer"), "not exists (select from app.invitation where revoked_at = now())",
          planted=("alter table app.invitation disable trigger user", "delete from app.invitation", invited("one@x.test", accepted="now(), :customer"),
                   "update app.invitation set org_id = :globex", invited("one@x.test"))),
    Fires("authz.tg_revoke_invitations on app.membership", "and ends nothing elsewhere", _GONE.format(":customer"),
          "not exists (select from app.invitation where org_id = :globex and revoked_at = now())",
          planted=("alter table app.invitation disable trigger user", "delete from app.invitation", invited("one@x.test"), "update app.invitation set org_id = :globex",
                   invited("one@x.test", accepted="now(), :customer"))),

    invitation("an operator sends one", who=""),
    invitation("who may not manage members sends none", who="member", refused="42501 giving and taking roles needs members.manage"),
    invitation("five hundred are the most", many(), refused="PT429 at most 500 open invitations"),
    invitation("those that are over, accepted, revoked or of another organization do not count", many(count=499), many(expires="'2020-01-02'"), many(accepted="now(), :customer"),
               many(revoked="now()"), many(org=":globex")),
]
