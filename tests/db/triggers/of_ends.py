"""Triggers of what comes with the end of a membership: documents left behind, runs, tokens, the record; and of who is asked before."""

from __future__ import annotations

from tests.db.triggers.case import Fires

_GONE = "delete from app.membership where org_id = :org and user_id = {}"
_LEFT = ("app.document",)
_OLD = "update app.document set owner_left_at = '2020-01-01' where org_id = :org and id = :private_document"
_BACK = "insert into app.membership (org_id, user_id, role_id, permissions) select :org, :owner, id, permissions from app.role where org_id = :org and name = 'member'"
_BY = {"who": "owner", "role": "none"}
_AWAY = ("delete from app.membership where org_id = :org and user_id = :owner", "delete from app.deny_rule", "update app.document set owner_id = :owner where org_id = :org",
         "update app.document set visibility = 'private', owner_left_at = '2020-01-01' where org_id = :org and id <> :document",
         "update app.document set visibility = 'organization', state = 'ready', acl_synced_at = null, owner_left_at = '2020-01-01' where org_id = :org and id = :document",
         "update app.document set owner_id = :admin where org_id = :org and id = :unbound_document")
_RETURNS = "authz.tg_owner_returns on app.membership"
_RULED = "(select array_agg(distinct document_id::text || user_id) from app.deny_rule where org_id = :org) = (select array_agg(distinct id::text || owner_id) from app.document where org_id = :org {})"
_DEPARTURE = "insert into app.departure (org_id, user_id, how, ended_by, ended_in) values ({}, {}, '{}', :admin, {})"
_THIS = "pg_current_xact_id()"
_TWO = ("app.departure", "app.run")
_REMOVED = "(select count(*) from app.departure where org_id = :org and user_id = :customer and how = 'removed' and ended_in = pg_current_xact_id()) = {}"

_GUARD = "authz.tg_departure_guard on app.departure"
_ROLES = ("app.role", "app.role_permission", "app.membership", "app.organization")
_ORDER = "insert into app.departure (org_id, user_id, ended_in) values (:org, {}, pg_current_xact_id())"
_STRICT = "update app.organization set require_mfa = (id = {})"
_ASKED = "PT401 confirm your second factor"


def departure(says: str, *planted: str, who: str = "admin", whom: str = ":customer", refused: str = "", role: str = "", factor: bool = False,
              image: tuple[str, ...] = ()) -> Fires:
    return Fires(_GUARD, says, _ORDER.format(whom), who=who, refused=refused, role=role, factor=factor, opened=("app.departure", *_ROLES), image=image, planted=planted)


_HOLDS = "insert into app.role_permission (org_id, role_id, permission) values ({}, {}, '{}')"

_ENDED = "insert into app.departure (org_id, id, user_id, ended_by, how) values (:org, :ticket, :customer, :admin, 'deprovisioned')"
_ENDS = ("app.run", "app.api_token", "app.membership", "app.departure")
_QUIET = tuple(f"alter table {t} disable trigger user" for t in ("app.run", "app.api_token", "app.membership"))
_TOKEN = ("insert into app.api_token (org_id, user_id, session_id, name, prefix, token_sha256, permissions, with_second_factor, expires_at, revoked_at)"
          " values (:org, {}, gen_random_uuid(), 'Probe', 'rft_00000000', repeat('0', 64), '{{bots.run}}', false, now() + interval '1 day', {})")
_TOKENS = ("delete from app.api_token", _TOKEN.format(":customer", "null"), _TOKEN.format(":customer", "'2020-01-01'"), _TOKEN.format(":admin", "null"))
_RUNS = ("update app.run set status = 'running', finished_at = null, user_id = case when id = :silent_run then :admin else :customer end where org_id = :org and id <> :run",)
_CANCELLED = "(select array_agg(id order by id) from app.run where org_id = :org and error_code = 'membership_ended') = array[:running_run]"

_EVENT = ("insert into app.audit_event (org_id, actor_id, actor_kind, action) values (:org, :customer, 'user', 'bot.insert')")
_ACTIVE = ("app.member_activity", "app.membership")
_DAYS = "update app.member_activity set last_active_on = current_date - {} where org_id = {} and user_id = {}"
_ALL_DAYS = ("delete from app.member_activity", "insert into app.member_activity (org_id, user_id, last_active_on) select org_id, user_id, current_date - 9 from app.membership")

CASES: list[Fires] = [
    Fires("authz.tg_owner_leaves on app.membership", "marks what who goes leaves there, from now on", _GONE.format(":owner"),
          "not exists (select from app.document where org_id = :org and (owner_left_at is not distinct from now()) <> (owner_id = :owner and id <> :private_document))",
          image=_LEFT, opened=_LEFT, planted=(_OLD, "update app.document set owner_left_at = null where id <> :private_document")),
    Fires(_RETURNS, "what they left is read again by those who deleted the rule alone", _BACK,
          _RULED.format("and id <> :document and owner_id = :owner"), image=("app.document", "app.deny_rule"), opened=("app.document", "app.deny_rule"), planted=_AWAY, **_BY),
    Fires(_RETURNS, "marks what was left unmarked, and leaves the rest as it is", _BACK,
          "not exists (select from app.document where org_id = :org and (owner_left_at is not distinct from now()) <> (id = :left_document))",
          image=("app.document", "app.deny_rule"), opened=("app.document", "app.deny_rule"),
          planted=(*_AWAY, "update app.document set owner_left_at = null where org_id = :org and id in (:left_document, :unbound_document)"), **_BY),
    Fires(_RETURNS, "what could not be marked is not ruled", _BACK, "not exists (select from app.deny_rule)", opened=("app.document", "app.deny_rule"), planted=(
        *_AWAY, "update app.document set owner_left_at = null", "create policy closed on app.document as restrictive for update using (false)"), **_BY),
    Fires(_RETURNS, "looks in its organization alone", _BACK, "not exists (select from app.deny_rule)", opened=("app.document", "app.deny_rule"),
          planted=(*_AWAY, "alter table app.deny_rule disable trigger all", "update app.document set org_id = :globex"), **_BY),

    Fires("authz.tg_membership_departure on app.membership", "cancels the runs of who goes that are running there", _GONE.format(":customer"), _CANCELLED, who="admin", role="none",
          image=_TWO, late=True, opened=_TWO, planted=_RUNS),
    Fires("authz.tg_membership_departure on app.membership", "and writes down who was removed", _GONE.format(":customer"), _REMOVED.format(1), who="admin", role="none", opened=_TWO,
          planted=(_DEPARTURE.format(":globex", ":customer", "deprovisioned", _THIS), _DEPARTURE.format(":org", ":member", "deprovisioned", _THIS),
                   _DEPARTURE.format(":org", ":customer", "deprovisioned", "'3'"))),
    Fires("authz.tg_membership_departure on app.membership", "but not twice", _GONE.format(":customer"), _REMOVED.format(0), who="admin", role="none", opened=_TWO,
          planted=(_DEPARTURE.format(":org", ":customer", "deprovisioned", _THIS),)),

    Fires(_GUARD, "an operator records one", "insert into app.departure (org_id, user_id, ended_by) values (:org, :customer, :admin)", opened=("app.departure", *_ROLES)),
    departure("who may deprovision does"),
    departure("who may not does not", who="builder", refused="42501 ending memberships members.deprovision"),
    departure("an app does not", who="oauth client of owner", refused="42501"),
    departure("where the organization is strict one confirms", _STRICT.format(":org"), refused=_ASKED),
    departure("and goes on", _STRICT.format(":org"), factor=True),
    departure("that another is strict is nothing to it", _STRICT.format(":globex")),
    departure("nobody takes a role of which they lack a permission", _HOLDS.format(":org", ":member_role", "organization.manage"), refused="42501 whose permissions you hold yourself"),
    departure("what others hold there and elsewhere is nothing to it", _HOLDS.format(":globex", ":member_role", "organization.manage"), image=("app.role_permission",)),
    departure("nor what the own role holds elsewhere", _HOLDS.format(":org", ":member_role", "organization.manage"), _HOLDS.format(":globex", ":admin_role", "organization.manage"),
              image=("app.role_permission",), refused="42501 whose permissions you hold yourself"),
    departure("one answers with one's own role in this organization", "update app.membership set role_id = :member_role where org_id = :globex", image=("app.membership",)),
    # Which of two rows is looked at first nothing says: here there is one, elsewhere, and the right is given by hand.
    departure("and with none where one has none", "delete from app.membership where org_id = :org and user_id = :admin",
              "create or replace function authz.orgs_with(permission text) returns setof uuid language sql stable rows 10 set search_path = pg_catalog, pg_temp"
              " as $$ select :org::uuid $$", image=("app.membership",), refused="42501 whose permissions you hold yourself"),
    Fires(_GUARD, "also where the other one is looked at first", _ORDER.format(":customer").replace(":org", ":globex"), refused="PT409 an owner is not deprovisioned", who="admin",
          opened=("app.departure", *_ROLES), image=("app.membership", "app.role", "app.role_permission"),
          planted=("update app.membership set role_id = :owner_role where org_id = :globex and user_id = :customer", "delete from app.role_permission where role_id = :owner_role")),
    departure("and for the one that is held there", "update app.membership set role_id = :owner_role where org_id = :globex", "update app.membership set created_at = now() where org_id = :org",
              image=("app.membership", "app.role")),
    departure("the role is the one in this organization", "update app.role set name = 'former' where org_id = :globex and name = 'owner'",
              "update app.role set built_in = true, name = 'owner' where org_id = :globex and id = :member_role",
              "update app.role set created_at = now() where org_id = :org", image=("app.role",)),
    departure("one that is in another organization alone is none here", "update app.role set name = 'former' where org_id = :globex and name = 'member'",
              "update app.role set org_id = :globex where org_id = :org and id = :member_role", refused="PT404 no such member"),
    departure("a token that was not made for it is told that a person does it", who="api token of owner", refused="42501 an app acting for you cannot do this"),
    departure("an owner stays", "update app.membership set role_id = :owner_role where org_id = :org and user_id = :admin", who="owner", whom=":admin",
              refused="PT409 an owner is not deprovisioned"),
    departure("who is only called so goes", "update app.membership set role_id = :owner_role where org_id = :org and user_id = :admin",
              "update app.role set built_in = false where org_id = :org and id = :owner_role", who="owner", whom=":admin"),

    Fires("authz.tg_deprovision on app.departure", "cancels their runs that are running there", _ENDED, _CANCELLED, image=_ENDS, late=True, opened=_ENDS, planted=(*_RUNS, *_QUIET)),
    Fires("authz.tg_deprovision on app.departure", "ends their tokens, and each once", _ENDED,
          "(select array_agg(user_id = :customer) from app.api_token where org_id = :org and revoked_at = now()) = '{t}'", image=_ENDS, late=True, opened=_ENDS, planted=(*_TOKENS, *_QUIET)),
    Fires("authz.tg_deprovision on app.departure", "says on its own record what went", _ENDED,
          "(select array_agg(runs_cancelled || ' ' || tokens_revoked) from app.departure where tokens_revoked is not null) = '{1 1}'"
          " and not exists (select from app.membership where org_id = :org and user_id = :customer)", image=_ENDS, late=True, opened=_ENDS,
          planted=(*_RUNS, *_TOKENS, *_QUIET, "update app.departure set tokens_revoked = null")),

    Fires("authz.tg_deprovision on app.departure", "and on no other", _ENDED, "(select array_agg(org_id) from app.departure where tokens_revoked is not null) = array[:org]",
          opened=_ENDS, planted=(*_QUIET, "update app.departure set tokens_revoked = null", _ENDED.replace(":org", ":globex"))),

    Fires("authz.tg_activity on app.audit_event", "says that who acted was active today", _EVENT,
          "(select array_agg(user_id) from app.member_activity where org_id = :org and last_active_on = current_date) = array[:customer]",
          image=_ACTIVE, late=True, opened=_ACTIVE, planted=_ALL_DAYS),
    *(Fires("authz.tg_activity on app.audit_event", f"also where {says} today", _EVENT,
            "(select last_active_on from app.member_activity where org_id = :org and user_id = :customer) = current_date", opened=_ACTIVE, planted=(*_ALL_DAYS, other))
      for says, other in (("somebody else was active", _DAYS.format(0, ":org", ":admin")),
                          ("they were active in another organization", "insert into app.member_activity (org_id, user_id, last_active_on) values (:globex, :customer, current_date)"))),
    Fires("authz.tg_activity on app.audit_event", "begins with the first act of a member, there", _EVENT,
          "(select array_agg(user_id) from app.member_activity where org_id = :org) = array[:customer]", image=_ACTIVE, late=True, opened=_ACTIVE,
          planted=("delete from app.member_activity",)),

    Fires("authz.tg_in_scope on app.data_source", "a token that was not made for it writes nothing", "update app.data_source set name = name", who="api token of owner",
          refused="42501 this API token was not made for that", opened=("app.data_source",)),
    Fires("authz.tg_in_scope on app.knowledge_base", "one that was writes", "update app.knowledge_base set name = name", who="api token of owner", opened=("app.knowledge_base",)),
    Fires("authz.tg_in_scope on app.data_source", "an operator is not asked", "update app.data_source set name = name", who="api token of owner", role="none"),
    Fires("authz.tg_in_person on app.membership", "an app changes no member", "update app.membership set status = status where user_id = :customer", who="oauth client of owner",
          refused="42501", opened=("app.membership",)),
    Fires("authz.tg_in_person on app.membership", "what is at work for a deprovisioning does", "update app.membership set status = status where user_id = :customer", who="oauth client of owner",
          role="ringfence_owner", opened=("app.membership", "app.departure"), planted=(
              "insert into app.departure (org_id, user_id, how, ended_by, ended_in) values (:org, :customer, 'deprovisioned', :owner, pg_current_xact_id())",)),
]
