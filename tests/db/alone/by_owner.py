"""Policies of the role that owns the definers, by the work it is at."""

from __future__ import annotations

from tests.db.alone.case import Alone

_ENDING = ("insert into app.departure (org_id, user_id, how, ended_by, ended_in) values"
           " (:org, :customer, 'deprovisioned', :admin, pg_current_xact_id()), (:org, :analyst, 'removed', :admin, pg_current_xact_id()),"
           " (:org, :agent, 'deprovisioned', :admin, '3'), (:org, :builder, 'deprovisioned', :owner, pg_current_xact_id())",
           "insert into app.membership (org_id, user_id, role_id, permissions) select :globex, user_id, role_id, permissions from app.membership"
           " where org_id = :org and user_id = :customer")
"""The admin is ending the membership of the customer, who belongs to globex too; three others were ended otherwise."""
_ENDED = "t.org_id = :org and t.user_id = :customer"
TOKENS = ("update app.api_token set user_id = :customer",
           "insert into app.api_token (org_id, user_id, session_id, name, prefix, token_sha256, permissions, with_second_factor, expires_at)"
           " select t.org_id, m.user_id, gen_random_uuid(), t.name, t.prefix, t.token_sha256, t.permissions, t.with_second_factor, t.expires_at"
           " from app.api_token t join app.membership m on m.org_id = t.org_id where t.id = :api_token")
"""Every token is the customer's, also of globex; in acme everybody has one besides."""

_LEFT = ("update app.document set owner_left_at = now(), visibility = 'private', state = 'ready', owner_id = :auditor where org_id = :org",
         "update app.document set classification = 2 where id = :private_document", "update app.document set classification = 3 where id = :left_document",
         "update app.document set state = 'loading' where id = :loading_document", "update app.document set owner_left_at = null where id = :shared_document",
         "update app.document set owner_id = :builder where org_id = :globex and base_visibility = 'restricted'")
_ADOPTING = {"ringfence.adopting_org_id": ":org"}
_DENIED = "insert into app.deny_rule (org_id, role_id, knowledge_base_id, reason, created_by) values (:org, :builder_role, :other_base, 'x', :owner)"
_OWNERS = ("update app.document set owner_id = :owner where org_id = :globex", "update app.document set owner_left_at = '2020-01-01' where id = :private_document",
           "update app.document set owner_left_at = now() where id = :unbound_document")
"""Documents of acme's owner: in globex too, one left behind long ago, one in this moment."""
_MY_RULES = ("alter policy document_select_leaving_owner on app.document using (true)",
             "update app.document set owner_id = :builder where id in (:document, :private_document, :loading_document)",
             "update app.document set owner_left_at = now() where id in (:private_document, :left_document)",
             "update app.document set state = 'loading' where id = :unbound_document",
             "alter table app.deny_rule drop constraint deny_rule_key",
             "insert into app.deny_rule (org_id, user_id, document_id, created_by, reason) select :org, u.id, d.id, c.id, 'x'"
             " from unnest(array[:builder, :member]) u (id), unnest(array[:builder, :owner]) c (id), unnest(array[:document, :private_document, :unbound_document]) d (id)")
_ELSEWHERE = ("insert into app.deny_rule (org_id, user_id, document_id, created_by, reason) select o.id, :customer, :document, :owner, 'x' from app.organization o",
              "update app.deny_rule set role_id = null, user_id = :member where role_id is not null")
"""Rules about the customer, in both organizations."""
_PURGING = ("insert into authz.purge_receipt (organization_id, purged_in) values (:org, pg_current_xact_id()), (:globex, '3')",)
_JOINED = ("insert into app.membership (org_id, user_id, role_id, permissions) select :globex, user_id, role_id, permissions from app.membership"
           " where org_id = :org and user_id = :me",)
"""Who asks belongs to globex too, which others founded."""
_PASSAGES = ("update app.chunk set visibility = 'private', owner_id = :member, acl_expires_at = now() - interval '1 day' where document_id = :unbound_document",
             "update app.chunk set visibility = 'organization', classification = 2 where document_id = :left_document",
             "update app.chunk set visibility = 'organization', classification = 3 where document_id = :private_document and position = 1",
             "update app.chunk set visibility = 'private', knowledge_base_id = :vault_knowledge_base where document_id = :private_document and position = 0",
             "update app.chunk set visibility = 'organization', acl_expires_at = now() - interval '1 day' where document_id = :shared_document",
             "update app.chunk set content = 'Nothing of that.' where org_id = :org and position = 0 and document_id in (:document, :unbound_document)",
             "update app.chunk set content = 'An aardvark.' where org_id = :globex")
_SEARCHING = {"ringfence.search_org_id": ":org", "ringfence.search_terms": "aardvark"}

CASES: list[Alone] = [
    Alone("membership_select_departing_owner", "admin", _ENDED, _ENDING),
    Alone("membership_delete_departing_owner", "admin", _ENDED, _ENDING),
    Alone("api_token_select_departing_owner", "admin", _ENDED, (*_ENDING, *TOKENS)),
    Alone("api_token_update_departing_owner", "admin", _ENDED, (*_ENDING, *TOKENS), refused=("org_id = :globex", "user_id = :analyst"), passed=("name = 'y'",)),

    Alone("document_select_adopter_owner", "builder", "t.id in (:document, :unbound_document)", _LEFT, _ADOPTING),
    Alone("document_select_adopter_owner", "builder", "t.id in (:document, :unbound_document, :private_document)", _LEFT, _ADOPTING, also=("documents.read_confidential",)),
    Alone("document_select_adopter_owner", "builder", "t.id in (:document, :unbound_document, :private_document, :left_document)", _LEFT, _ADOPTING, also=("documents.read_secret",)),
    Alone("document_select_adopter_owner", "builder", "t.id in (:document)", (*_LEFT, _DENIED), _ADOPTING),
    Alone("document_select_adopter_owner", "builder", "t.id in (:document, :unbound_document, :vault_document)",
          (*_LEFT, "insert into app.kb_grant (org_id, knowledge_base_id, user_id, level, created_by) values (:org, :vault_knowledge_base, :builder, 'viewer', :owner)"), _ADOPTING),
    Alone("document_select_adopter_owner", "builder", "t.id in (:document, :unbound_document) or t.id in (:vault_document, :shared_document) and t.owner_id = :me",
          (*_LEFT, "update app.document set classification = 3, owner_id = :builder where id in (:vault_document, :shared_document)"), _ADOPTING),
    Alone("document_select_adopter_owner", "builder", "t.id = :unbound_document", (*_LEFT, "update app.document set visibility = 'organization' where id = :document"), _ADOPTING),
    Alone("document_update_adopter_owner", "builder", "t.org_id = :org and t.id not in (:loading_document, :shared_document, :unbound_document)",
          (*_LEFT, "update app.document set visibility = 'organization' where id = :unbound_document"), _ADOPTING,
          refused=("owner_left_at = null", "owner_id = :builder", "owner_left_at = null, owner_id = :builder, org_id = :globex"),
          passed=("owner_left_at = null, owner_id = :builder",)),
    Alone("document_select_leaving_owner", "admin", "t.org_id = :org and t.owner_id = :owner and t.id <> :private_document", _OWNERS, {"ringfence.leaving_id": ":owner"}),
    Alone("document_select_leaving_owner", "owner", "t.owner_id = :owner", _OWNERS, {"ringfence.leaving_id": ":owner"}),
    Alone("document_update_leaving_owner", "admin", "t.org_id = :org and t.owner_id = :owner and t.owner_left_at is null", _OWNERS, {"ringfence.leaving_id": ":owner"},
          refused=("owner_left_at = now() - interval '1 day'", "owner_left_at = now(), owner_id = :auditor", "owner_left_at = now(), org_id = :globex"),
          passed=("owner_left_at = now()",)),
    Alone("document_update_leaving_owner", "owner", "t.owner_id = :owner and t.owner_left_at is null", _OWNERS, {"ringfence.leaving_id": ":owner"},
          refused=("owner_left_at = now(), owner_id = :auditor",), passed=("owner_left_at = now()", "owner_left_at = now(), org_id = :globex")),

    Alone("deny_rule_delete_returning_owner", "builder", "t.created_by = :builder and t.user_id = :builder and t.document_id = :document", _MY_RULES, _ADOPTING),
    Alone("deny_rule_insert_returning_owner", "builder", "true", _MY_RULES, {"ringfence.leaving_id": ":builder"},
          refused=("org_id = :org, reason = 'x', created_by = :owner, user_id = :builder, document_id = :private_document",
                   "org_id = :org, reason = 'x', created_by = :builder, user_id = :member, document_id = :private_document",
                   "org_id = :org, reason = 'x', created_by = :builder, user_id = :builder, document_id = :document",
                   "org_id = :org, reason = 'x', created_by = :builder, user_id = :builder, document_id = :left_document"),
          passed=("org_id = :org, reason = 'x', created_by = :builder, user_id = :builder, document_id = :private_document",)),
    *(Alone(f"{table}_insert_inherited_owner", "builder", "true", _MY_RULES, {"ringfence.leaving_id": ":builder"},
            refused=tuple(f"org_id = :org, {more}, created_by = {who}, document_id = {document}"
                          for who, document in ((":owner", ":loading_document"), (":builder", ":document"), (":builder", ":unbound_document"))),
            passed=(f"org_id = :org, {more}, created_by = :builder, document_id = :loading_document",))
      for table, more in (("deny_rule", "reason = 'x'"), ("document_grant", "user_id = :member"))),
    Alone("departure_update_owner", "admin", "t.org_id = :org and t.ended_by = :admin and t.user_id in (:customer, :analyst)", _ENDING,
          refused=("ended_by = :owner", "ended_in = '3'"), passed=("runs_cancelled = 1",)),

    Alone("organization_delete_owner", "owner", "t.id = :org", _PURGING),
    *(Alone("audit_event_select_subject_owner", who, f"t.org_id = :org and t.object_id = (:{who})::text and t.action ^@ 'membership.'", (
        "insert into app.audit_event (org_id, actor_id, actor_kind, action, object_id) select o, :owner, 'user', a, w from unnest(array[:org, :globex]) o,"
        " unnest(array['membership.update', 'membership.delete', 'legal_hold.insert']) a, unnest(array[(:customer)::text, (:auditor)::text]) w",))
      for who in ("customer", "auditor")),
    Alone("audit_event_select_purging_owner", "owner", "t.org_id = :org", _PURGING),
    Alone("audit_event_delete_purging_owner", "owner", "t.org_id = :org", _PURGING),
    Alone("purge_receipt_select_owner", "owner", "t.organization_id = :org", _PURGING),
    Alone("purge_receipt_select_owner", "no claims", "false", _PURGING),
    Alone("purge_receipt_update_owner", "owner", "t.organization_id = :org", _PURGING, refused=("purged_in = '3'",), passed=("total = 1",)),
    Alone("purge_receipt_update_owner", "no claims", "false", _PURGING),
    Alone("purge_receipt_insert_owner", "owner", "true", refused=("organization_id = :globex",), passed=("organization_id = :org",)),

    *(Alone(f"{table}_insert_owner", who, "true", _JOINED, refused=tuple(f"org_id = {o}, {more}" for o in refused), passed=tuple(f"org_id = {o}, {more}" for o in passed))
      for table, more in (("role", "name = 'probe'"), ("role_permission", "role_id = :member_role, permission = 'audit.read'"))
      for who, refused, passed in (("owner", (":globex",), (":org",)), ("admin", (":globex", ":org"), ()))),
    Alone("role_update_owner", "owner", "t.org_id = :org", _JOINED, refused=("org_id = :globex",), passed=("created_at = now()",)),
    Alone("role_update_owner", "admin", "false", _JOINED),
    *(Alone(f"{table}_select_owner", "nobody", "t.org_id = :globex", ("update app.organization set created_by = :me where id = :globex",)) for table in ("role", "role_permission")),

    *(Alone("chunk_select_search_owner", "member", f"t.document_id in ({documents}) and (t.position > 0 or t.document_id in (:vault_document, :left_document))",
            (*_PASSAGES, *more), _SEARCHING, also=also)
      for documents, more, also in (
          (":document, :unbound_document", (), ()),
          (":document, :unbound_document, :vault_document",
           ("insert into app.kb_grant (org_id, knowledge_base_id, user_id, level, created_by) values (:org, :vault_knowledge_base, :member, 'viewer', :owner)",), ()),
          (":document, :unbound_document, :left_document", (), ("documents.read_confidential",)),
          (":document, :unbound_document, :left_document, :private_document", (), ("documents.read_secret",)),
          (":unbound_document", ("insert into app.deny_rule (org_id, role_id, document_id, reason, created_by) values (:org, :member_role, :document, 'x', :owner)",), ()),
          (":document", ("insert into app.deny_rule (org_id, role_id, knowledge_base_id, reason, created_by) values (:org, :member_role, :other_base, 'x', :owner)",), ()))),
    Alone("invitation_select_departing_owner", "admin", "t.org_id = :org", _ENDING),
    Alone("invitation_update_departing_owner", "admin", "t.org_id = :org", _ENDING,
          refused=("revoked_at = null", "revoked_at = now(), org_id = :globex"), passed=("revoked_at = now()",)),
    *(Alone(f"deletion_receipt_{command}_deleter_owner", "member", "t.org_id = :org", ("update app.deletion_receipt set deleted_by = :member",), **more)
      for command, more in (("select", {}), ("update", {"refused": ("org_id = :globex", "deleted_by = :owner"), "passed": ("citations_redacted = 1",)}))),
    # Who is invited sees the organization, and of its roles what another policy lets them.
    *(Alone(f"{table}_select_owner", "guest", "false") for table in ("role", "role_permission")),
    Alone("deny_rule_select_owner", "customer", "t.org_id = :org and t.user_id = :customer", _ELSEWHERE),
    Alone("deny_rule_select_inherited_owner", "customer", "t.org_id = :org and t.document_id is not null", _ELSEWHERE),
    Alone("kb_grant_insert_creator_owner", "admin", "true", ("alter policy knowledge_base_select_creator_owner on app.knowledge_base using (true)",),
          refused=("org_id = :org, created_by = :admin, user_id = :admin, level = 'owner', knowledge_base_id = :knowledge_base",),
          passed=("org_id = :org, created_by = :admin, user_id = :admin, level = 'owner', knowledge_base_id = :vault_knowledge_base",)),
    *(Alone(f"{table}_select_invited_owner", "guest", f"t.{column} = :org") for table, column in (("organization", "id"), ("role", "org_id"), ("role_permission", "org_id"))),
    Alone("organization_update_owner", "owner", "t.id = :org", refused=("id = :globex",), passed=("suspended_at = now()",)),
    Alone("api_token_update_owner", "api token of owner", "t.session_id = :session", passed=("last_used_at = now()",)),
    Alone("api_token_update_owner", "api token of owner", "false", ("update app.api_token set user_id = :admin where session_id = :session",), passed=("last_used_at = now()",)),
    Alone("approval_update_owner", "customer", "t.state in ('pending', 'approved') and (t.user_id = :customer or t.org_id = :org)",
          refused=("state = 'cancelled', arguments = null, user_id = :owner, org_id = :globex", "state = 'denied', arguments = null"), passed=("state = 'cancelled', arguments = null",)),
    Alone("model_call_select_owner", "customer", "t.org_id = :org and t.user_id = :customer", ("update app.model_call set user_id = :customer where org_id = :globex",)),
    Alone("model_call_update_owner", "customer", "t.org_id = :org and t.user_id = :customer and t.ended_at is null", ("update app.model_call set user_id = :customer where org_id = :globex",),
          refused=("user_id = :owner", "org_id = :globex"), passed=("cost = 0",)),
    Alone("analytics_result_grant_select_self_owner", "customer", "t.org_id = :org and (t.user_id = :customer or t.user_id is null)",
          ("delete from app.analytics_result_grant", "insert into app.analytics_result_grant (org_id, job_id, user_id, created_by) values (:org, :analytics_job, :customer, :owner),"
           " (:org, :analytics_job, :builder, :owner), (:org, :queued_job, null, :owner), (:globex, :analytics_job, :customer, :owner)")),
    Alone("sso_connection_select_owner", "analyst", "t.id = :sso_connection"),
    Alone("organization_select_sso_owner", "analyst", "t.id = :org"),
    Alone("role_select_sso_owner", "analyst", "t.org_id = :org"),
    Alone("sso_group_select_owner", "analyst", "t.connection_id = :sso_connection and t.org_id = :org",
          ("update app.sso_group set connection_id = :sso_connection where org_id = :globex", "update app.sso_group set connection_id = :org where id = :analysts_group")),
]
