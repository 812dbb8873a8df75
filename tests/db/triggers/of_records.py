"""Triggers that decide, record, link and erase."""

from __future__ import annotations

from tests.db.triggers.case import Fires

_APPROVALS = ("app.approval", "app.membership", "app.organization")
_DECIDED = "update app.approval set state = '{}' where org_id = :org and id = :approval"
_APPROVED = "update app.approval set state = 'approved', decided_by = :owner, decided_at = now() where org_id = :org and id = :approval"
_DENIED = "update app.approval set state = 'denied', arguments = null, decided_by = :owner, decided_at = now() where org_id = :org and id = :approval"
_SERVICE = ("update app.membership m set service_owner_id = o.user_id, service_owner_role_id = o.role_id, service_owner_status = 'active' from app.membership o"
            " where m.org_id = {} and m.user_id = :{} and o.org_id = :org and o.user_id = :auditor")
_ANOTHER = "update app.organization set approve_by_another = (id = {})"


def decision(says: str, act: str, *planted: str, who: str = "owner", refused: str = "", role: str = "", factor: bool = True, image: tuple[str, ...] = ()) -> Fires:
    return Fires("authz.tg_approval_decision on app.approval", says, act, who=who, refused=refused, role=role, factor=factor, opened=_APPROVALS, image=image, planted=planted)


_OTHER_RUNS = ("update app.run set bot_id = :hidden_bot, on_behalf_of = :auditor where not (org_id = :org and id = :running_run)",
               "update app.run set on_behalf_of = :builder where org_id = :org and id = :running_run")
"""Those come first, also globex's image of the run."""
_RUN = ("app.run",)
_OWN_BOTS = ("update app.run set bot_id = case when org_id = :globex then :document when id = :run then :hidden_bot else :bot end",)
_BOTS = ("(select array_agg(bot_id order by org_id = :globex, run_id = :run) from app.audit_event where at >= now() and bot_id is not null) = array[:bot, :hidden_bot, :document]")
"""Two runs of acme and one of globex, whose id one of acme's has too."""
_ALSO = ", {}, {}"
_EVENT = "(select array_agg({}) from app.audit_event where object_id = {}::text and at >= now() and action = '{}') = array[{}]"
_STEP = ("insert into app.run_step (org_id, id, run_id, user_id, position, kind, name, outcome, arguments_sha256)"
         " values (:org, :ticket, :running_run, :customer, 900, '{}', 'get_order', '{}', repeat('a', 64))")
_RULE = "insert into app.deny_rule (org_id, id, user_id, tool, reason, created_by) values ({}, '{}0000000-0000-4000-8000-000000000000', :customer, '{}', 'x', :owner)"
_CALL = ("insert into app.model_call (org_id, user_id, run_id, purpose, provider, model, redacted, reserved_tokens, reserved_cost, key_sha256, refused_by, ended_at)"
         " values ({}, :customer, {}, 'answer', 'offline', 'none', false, 1, 1, repeat('0', 64), {}, now() + interval '{} minutes')")
_WAITS = ("insert into app.approval (org_id, id, run_id, user_id, tool, arguments, arguments_sha256, reason, state, requested_at, expires_at, decided_by, decided_at)"
          " values ({}, '{}0000000-0000-4000-8000-000000000000', {}, :customer, 'get_order', {}, repeat('{}', 64), 'tainted', '{}', now() + interval '{} minutes', 'infinity', {})")
_ALL = ("app.run", "app.deny_rule", "app.model_call", "app.approval")
_WAITING = ("delete from app.approval", _WAITS.format(":org", 1, ":running_run", "'{}'", "a", "pending", 1, "null, null"), _WAITS.format(":org", 2, ":run", "'{}'", "a", "pending", 2, "null, null"),
            _WAITS.format(":org", 3, ":running_run", "'{}'", "b", "pending", 3, "null, null"), _WAITS.format(":org", 4, ":running_run", "null", "a", "denied", 4, ":owner, now()"),
            _WAITS.format(":globex", 5, ":running_run", "'{}'", "a", "pending", 5, "null, null"))


def step(says: str, kind: str, outcome: str, found: str, *planted: str) -> Fires:
    return Fires("authz.tg_audit_step on app.run_step", says, _STEP.format(kind, outcome), _EVENT.format("rule", ":ticket", f"{kind}.call", found), opened=_ALL, planted=planted)


_ERASED = ("app.conversation", "app.analytics_job", "app.support_ticket", "app.document", "app.invitation", "app.api_token", "app.erasure", "app.legal_hold")
_ERASE = "insert into app.erasure (org_id, id, user_id, requested_by) values (:org, :order, :customer, :customer)"
_THEIRS = ("update app.document set owner_id = :customer, visibility = 'private' where org_id = :org and id = :private_document",
           "update app.document set owner_id = :customer, visibility = 'organization', state = 'ready' where org_id = :org and id = :document",
           "update app.invitation set accepted_at = now(), accepted_by = case when id = :invitation then :customer else :admin end where org_id = :org",
           "delete from app.api_token",
           *("insert into app.api_token (org_id, user_id, session_id, name, prefix, token_sha256, permissions, with_second_factor, expires_at, revoked_at) values"
             f" (:org, {whose}, gen_random_uuid(), '{name}', 'rft_00000000', repeat('0', 64), '{{bots.run}}', false, now() + interval '1 day', {revoked})"
             for whose, name, revoked in ((":customer", "Probe", "null"), (":customer", "erased", "'2020-01-01'"), (":admin", "Probe", "null"))),
           "alter table app.document disable trigger user", "alter table app.invitation disable trigger user", "alter table app.api_token disable trigger user")
_KEPT = "(select array_agg(distinct user_id) from app.{} where org_id = :org) is not distinct from array[{}]::uuid[]"

_HELD = (
    "create sequence public.tried", "grant usage, select on sequence public.tried to ringfence_owner", "grant usage on schema public to ringfence_owner",
    "create function public.try() returns trigger language plpgsql as $$ begin perform nextval('public.tried'); return new; end $$",
    "create trigger _000_tried before insert on app.audit_lane for each row execute function public.try()", "alter table app.audit_lane enable always trigger _000_tried",
    "create policy held on app.audit_lane as restrictive for select to ringfence_owner using ((select is_called from public.tried))",
)
"""As if others held every place until somebody tried to make one."""

CASES: list[Fires] = [
    decision("an app decides nothing", _DECIDED.format("denied"), who="oauth client of owner", refused="42501 an app acting for you"),
    decision("nor a service account", _DECIDED.format("denied"), _SERVICE.format(":org", "admin"), who="admin", refused="42501 approvals are decided by people"),
    decision("what is one in another organization decides", _DECIDED.format("denied"), _SERVICE.format(":globex", "admin"), who="admin", image=("app.membership",)),
    decision("and whoever is none", _DECIDED.format("denied"), _SERVICE.format(":org", "builder"), who="admin"),
    decision("approving takes the second factor", _DECIDED.format("approved"), factor=False, refused="PT401 confirm your second factor"),
    decision("one approves what others asked for", _DECIDED.format("approved"), _ANOTHER.format(":org")),
    decision("not what one asked for, where another shall", _DECIDED.format("approved"), _ANOTHER.format(":org"), who="customer", refused="42501 this organization wants somebody else"),
    decision("else that too", _DECIDED.format("approved"), _ANOTHER.format(":globex"), who="customer"),
    decision("an operator is not asked", _DENIED, who=""),
    decision("nor the owner of the definers", _DENIED, who="oauth client of owner", role="ringfence_owner"),

    Fires("authz.tg_approval_request on app.approval", "is about the run it names", "insert into app.approval (org_id, id, run_id, tool, arguments) values"
          " (:org, :ticket, :running_run, 'create_ticket', '{}')", "(select on_behalf_of from app.approval where org_id = :org and id = :ticket) = :builder", who="customer", role="none",
          image=_RUN, planted=_OTHER_RUNS),
    Fires("authz.tg_approval_request on app.approval", "whichever that is", "insert into app.approval (org_id, id, run_id, tool, arguments) values"
          " (:org, :ticket, :run, 'create_ticket', '{}')", "(select on_behalf_of from app.approval where org_id = :org and id = :ticket) = :auditor", who="customer", role="none",
          planted=_OTHER_RUNS),
    Fires("authz.tg_approval_request on app.approval", "and is one's own", "insert into app.approval (org_id, run_id, user_id, tool, arguments) values"
          " (:org, :running_run, :customer, 'create_ticket', '{}')", who="owner", role="none", refused="23502"),

    Fires("authz.tg_audit on app.team", "names what changed and nothing else", "update app.team set name = 'Renamed' where id = :team",
          _EVENT.format("changed::text", ":team", "team.update", "'{name}'")),
    *(Fires(f"authz.tg_audit_{trigger}", "names the bot of its own run", act, _BOTS, opened=_RUN, image=_RUN, planted=_OWN_BOTS) for trigger, act in (
        ("approval on app.approval", _WAITS.format(":org", 1, ":running_run", "'{}'", "a", "pending", 1, "null, null") + _ALSO.format(
            *(_WAITS.format(*w, "'{}'", "a", "pending", 1, "null, null").partition(" values ")[2] for w in ((":org", 2, ":run"), (":globex", 3, ":running_run"))))),
        ("model_call on app.model_call", _CALL.format(":org", ":running_run", "null", 0) + _ALSO.format(
            *(_CALL.format(*c, "null", 0).partition(" values ")[2] for c in ((":org", ":run"), (":globex", ":running_run"))))),
        ("step on app.run_step", _STEP.format("tool", "ok") + _ALSO.format(
            *(_STEP.format("tool", "ok").partition(" values ")[2].replace(*s).replace(":ticket", ":order") for s in ((":running_run", ":run"), (":org", ":globex"))))))),
    step("a refused call names the rule about its tool", "tool", "denied", "'deny_rule:20000000-0000-4000-8000-000000000000'", "delete from app.deny_rule", _RULE.format(":org", 2, "get_order"),
         _RULE.format(":org", 1, "my_orders"), _RULE.format(":globex", 0, "get_order"), _CALL.format(":org", ":running_run", "'budget'", 1)),
    step("without one it has another reason", "tool", "denied", "'binding_or_permission'", "delete from app.deny_rule", _CALL.format(":org", ":running_run", "'budget'", 1)),
    step("a refused call of a model names why", "model", "denied", "'data_policy:region'", "delete from app.model_call", _CALL.format(":org", ":running_run", "'region'", 1),
         _CALL.format(":org", ":run", "'budget'", 2), _CALL.format(":globex", ":running_run", "'budget'", 3), _CALL.format(":org", ":running_run", "null", 4)),
    step("one that was answered names nothing", "model", "ok", "null::text", "delete from app.approval", _CALL.format(":org", ":running_run", "'region'", 1)),
    step("one that waits names what it waits for", "tool", "needs_approval", "'approval:10000000-0000-4000-8000-000000000000'", *_WAITING),
    step("what was done without waiting names nothing", "tool", "ok", "null::text", *_WAITING),

    Fires("authz.tg_audit_link on app.audit_event", "links at a place of its organization, after what is there", "insert into app.audit_event (org_id, id, actor_kind, action)"
          " values (:org, :ticket, 'operator', 'bot.insert')", "(select array[lane, sequence] from app.audit_link where event_id = :ticket) = '{5,1}'",
          opened=("app.audit_lane", "app.audit_link"), planted=(
              "delete from app.audit_lane where org_id = :org", "insert into app.audit_lane (org_id, lane) values (:org, 5)",
              "delete from app.audit_link", "insert into app.audit_link (org_id, lane, sequence, event_id, event_sha256, prev_hash, hash)"
              " select o, l, 7, gen_random_uuid(), repeat('0', 64), repeat('0', 64), repeat('0', 64) from (values (:org, 4), (:globex, 5)) t (o, l)",
              "set constraints all immediate")),

    Fires("authz.tg_audit_link on app.audit_event", "waits at one place of its organization when others have them all", "insert into app.audit_event (org_id, id, actor_kind, action)"
          " values (:org, :ticket, 'operator', 'bot.insert')", "(select lane from app.audit_link where event_id = :ticket and org_id = :org) = mod(pg_backend_pid(), 16)",
          opened=("app.audit_lane", "app.audit_link"), planted=(
              "insert into app.audit_lane (org_id, lane) select o, n from unnest(array[:org, :globex]) o, generate_series(0, 15) n on conflict do nothing",
              *_HELD, "set constraints all immediate")),

    Fires("authz.tg_job_end on app.analytics_job", "an operator says how a job ended", "update app.analytics_job set status = 'failed' where org_id = :org and id = :queued_job"),
    Fires("authz.tg_job_scope_over on app.job_scope", "ends its own scope and no other",
          "insert into app.job_scope (org_id, job_id, data_source_id, claims) values (:org, :held_job, :data_source, '{}')",
          "(select array_agg(xact_id::text order by xact_id) from app.job_scope) = '{3,4}'", opened=("app.job_scope",), planted=("set constraints all immediate",)),
    *(Fires("authz.tg_bot_archive on app.bot", says, "update app.bot set archived_at = now() where org_id = :org and id = :hidden_bot", who=who, refused=refused, opened=("app.bot",))
      for says, who, refused in (("who neither owns it nor manages bots archives none", "member", "42501 archiving a bot"), ("who manages bots does", "builder", ""), ("an operator does", "", ""))),
    *(Fires("authz.tg_api_token on app.api_token", says, "insert into app.api_token (org_id, session_id, name, prefix, token_sha256, permissions, expires_at)"
            f" select :org, id, 'Probe', 'rft_00000000', repeat('0', 64), '{{bots.run}}', now() + interval '1 day' from probe", who="member", refused=refused, factor=strict,
            opened=("app.api_token", "app.organization"), planted=(
                "create temporary table probe as select id from auth.sessions where user_id = :member and created_at > now()", "grant select on probe to authenticated",
                "delete from app.api_token", *planted))
      for says, strict, planted, refused in (
          ("a token is made with one factor where one is enough", False, ("update app.organization set require_mfa = (id = :globex)",), ""),
          ("not where it is not", True, ("update app.organization set require_mfa = (id = :org)",), "PT401 confirm your second factor"),
          ("with two there too", True, ("update app.organization set require_mfa = (id = :org)", "update auth.sessions set aal = 'aal2' where user_id = :member"), ""))),

    Fires("authz.tg_erase on app.erasure", "takes what is theirs in this organization", _ERASE,
          " and ".join(_KEPT.format(table, kept) for table, kept in (("conversation", ":owner"), ("support_ticket", ":owner"), ("analytics_job", ":owner")))
          + " and not exists (select from app.document where org_id = :org and (id = :private_document or owner_id = :customer))"
          " and exists (select from app.document where org_id = :org and id = :shared_document)"
          " and exists (select from app.document where org_id = :org and id = :document and owner_left_at is not null) and (select count(*) from app.document where org_id = :org"
          " and owner_left_at = now()) = 1", image=_ERASED, late=True, opened=_ERASED, planted=(
              *_THEIRS, "update app.conversation set user_id = :owner where id <> :conversation", "update app.analytics_job set user_id = :owner where id <> :queued_job",
              "insert into app.support_ticket (org_id, user_id, subject, body) values (:org, :owner, 'x', 'x')")),
    Fires("authz.tg_erase on app.erasure", "and says how much that was", _ERASE,
          "(select anonymised = '{\"document\": 1, \"api_token\": 1, \"invitation\": 1}' from app.erasure where org_id = :org and id = :order)"
          " and (select array_agg(name order by name, revoked_at) from app.api_token where org_id = :org) = '{Probe,erased,erased}'"
          " and (select count(*) from app.erasure where anonymised <> '{}') = 1 and (select count(*) from app.api_token where revoked_at = now()) = 1",
          image=_ERASED, late=True, opened=_ERASED, planted=_THEIRS),
    Fires("authz.tg_erase on app.erasure", "names nothing that was not there, and nothing that went before", _ERASE,
          "(select anonymised = '{}' and deleted = '{}' from app.erasure where org_id = :org and id = :order)", opened=_ERASED, planted=(
              "alter table app.api_token disable trigger user", "delete from app.conversation", "delete from app.analytics_job", "delete from app.support_ticket", "delete from app.api_token", "update app.document set owner_id = :owner",
              "update app.invitation set accepted_at = now(), accepted_by = :customer, email = 'erased@erased.invalid'")),
    Fires("authz.tg_erase on app.erasure", "writes on its own record", _ERASE, "(select array_agg(org_id) from app.erasure where anonymised <> '{}') = array[:org]", opened=_ERASED, planted=(
        *_THEIRS, _ERASE.replace(":org", ":globex"))),
]
