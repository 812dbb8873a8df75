"""Policies of people: what each of their conditions keeps out."""

from __future__ import annotations

from tests.db.alone.case import Alone

_BASE_GRANT = "insert into app.kb_grant (org_id, knowledge_base_id, user_id, level, created_by) values (:org, :{base}, :member, '{level}', :owner)"
_VIEWS, _EDITS, _OWNS = (_BASE_GRANT.format(base="vault_knowledge_base", level=level) for level in ("viewer", "editor", "owner"))
_DENIED = "insert into app.deny_rule (org_id, role_id, {column}, reason, created_by) values (:org, :member_role, :{what}, 'x', :owner)"

_DOCUMENTS = ("update app.document set knowledge_base_id = :vault_knowledge_base where id = :shared_document",
              "update app.document set owner_id = :member where id in (:private_document, :left_document)")
"""The member owns one private document and left another behind; a private one of somebody else stands in the restricted base."""
_PARTS = ("insert into app.document_part (org_id, document_id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at, position, content)"
          " select org_id, id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at, 500, 'x' from app.document",
          "update app.{t} set visibility = 'private', owner_id = :owner, knowledge_base_id = :vault_knowledge_base where document_id in (:shared_document, :left_document)",
          "update app.{t} set owner_id = :member where document_id = :private_document")
_OPEN = ":document, :unbound_document, :loading_document"

_READING = [
    Alone("document_select_reader", "member", f"t.id in ({_OPEN}, :vault_document, :private_document, :left_document)", (*_DOCUMENTS, _VIEWS)),
    *(Alone(f"{table}_select_reader", "member", "t.org_id = :org and (t.visibility = 'organization' or t.owner_id = :member or t.document_id = :vault_document)",
            (*(p.format(t=table) for p in _PARTS), _VIEWS)) for table in ("chunk", "document_part")),
    *(Alone(f"{table}_select_reader", "member", "false", planted, lacking=("documents.read",))
      for table, planted in (("document", (*_DOCUMENTS, _VIEWS)), ("knowledge_base", (_VIEWS,)), *((t, (*(p.format(t=t) for p in _PARTS), _VIEWS)) for t in ("chunk", "document_part")))),
    Alone("knowledge_base_select_reader", "member", "t.org_id = :org", (_VIEWS,)),
    Alone("deletion_receipt_select_deleter", "member", "t.org_id = :org and t.deleted_by = :member", ("update app.deletion_receipt set deleted_by = :member where org_id = :org",)),
    Alone("deletion_receipt_select_deleter", "member", "false", ("update app.deletion_receipt set deleted_by = :member",), lacking=("documents.read",)),
    Alone("bot_runner_select_runner", "member", "t.org_id = :org and num_nonnulls(t.user_id, t.team_id, t.role_id) = 0"),
    Alone("bot_runner_select_runner", "member", "false", lacking=("bots.run",)),
    *(Alone("deny_rule_select_manager", "member", rule,
            ("insert into app.deny_rule (org_id, team_id, document_id, reason, created_by) values (:org, :team, :document, 'x', :owner)",), also=also)
      for rule, also in (("t.org_id = :org and t.team_id is not null", ("teams.manage",)), ("false", ()))),
]

_EDITED = ":private_document, :vault_document"
_NOT_MINE = ("owner_left_at = now() where id = :private_document", "owner_id = :owner where id = :private_document", "org_id = :globex where id = :private_document",
             "visibility = 'private' where id = :vault_document")
_EDITING = [
    *(Alone(f"document_{command}_editor", "member", f"t.id in ({_EDITED})", (*_DOCUMENTS, _EDITS), **more)
      for command, more in (("delete", {}), ("update", {
          "passed": ("title = 'x'",),
          "refused": (*_NOT_MINE, "knowledge_base_id = :other_base where id = :vault_document", "visibility = 'organization', owner_id = :owner where id = :private_document")}))),
    *(Alone(f"document_{command}_editor", "member", f"t.id in ({_EDITED}, {_OPEN})", (*_DOCUMENTS, _VIEWS), also=("documents.manage",), **more)
      for command, more in (("delete", {}), ("update", {"passed": ("title = 'x'",), "refused": (*_NOT_MINE, "knowledge_base_id = :other_base where id = :vault_document")}))),
    *(Alone(f"document_{command}_editor", "member", "false", (*_DOCUMENTS, _EDITS), lacking=("documents.read",)) for command in ("update", "delete")),

    *(Alone(f"knowledge_base_{command}_manager", "member", rule, planted, also=also, lacking=lacking, **(more if command == "update" else {}))
      for command in ("update", "delete") for rule, planted, also, lacking, more in (
          ("t.id = :vault_knowledge_base", (_OWNS,), (), (), {
              "passed": ("name = 'x'",), "refused": ("org_id = :globex", "id = gen_random_uuid()", "id = gen_random_uuid(), visibility = 'organization'")}),
          ("false", (_VIEWS,), (), (), {}),
          ("t.org_id = :org", (_VIEWS,), ("documents.manage",), (), {"passed": ("name = 'x'",)}),
          ("t.org_id = :org and t.id <> :vault_knowledge_base", (), ("documents.manage",), (), {
              "refused": ("visibility = 'restricted' where id = :empty_knowledge_base", "org_id = :globex where id = :empty_knowledge_base")}),
          ("false", (_OWNS,), ("documents.manage",), ("documents.read",), {}))),
    Alone("knowledge_base_insert_manager", "builder", "true", lacking=("resources.publish",),
          refused=("org_id = :org, slug = 'x', name = 'x', created_by = :builder, visibility = 'organization'",),
          passed=("org_id = :org, slug = 'x', name = 'x', created_by = :builder, visibility = 'restricted'",)),
]

_NEW = "org_id = :org, title = 'x', uri = 'x', owner_id = {who}, knowledge_base_id = {base}, visibility = '{visibility}'"
# What a document may be seen by has policies of its own; here it must not answer in their place.
_SEEN = ("drop policy document_loading_floor on app.document", "alter policy document_select_reader on app.document using (true)")
_ADDING = [
    *(Alone("support_ticket_insert_customer", "member", "true", lacking=lacking, **{said: ("org_id = :org, user_id = :member, subject = 'x', body = 'x'",)})
      for lacking, said in (((), "passed"), (("tickets.create",), "refused"))),
    Alone("document_insert_editor", "builder", "true", lacking=("resources.publish",),
          refused=(_NEW.format(who=":builder", base=":knowledge_base", visibility="organization"), _NEW.format(who=":builder", base=":vault_knowledge_base", visibility="private"),
                   _NEW.format(who=":owner", base=":knowledge_base", visibility="private")),
          passed=(_NEW.format(who=":builder", base=":knowledge_base", visibility="private"),)),
    Alone("document_insert_editor", "member", "true", (_EDITS,), refused=(_NEW.format(who=":member", base=":knowledge_base", visibility="private"),),
          passed=(_NEW.format(who=":member", base=":vault_knowledge_base", visibility="private"),)),
    Alone("document_insert_editor", "member", "true", (_EDITS,), lacking=("documents.read",), refused=(_NEW.format(who=":member", base=":vault_knowledge_base", visibility="private"),)),
    *(Alone(f"{table}_insert_loader", "owner", "true", (*_SEEN, "update app.document set state = 'loading', owner_id = :admin where id = :unbound_document"), lacking=lacking,
            refused=("org_id = :org, document_id = :document", "org_id = :org, document_id = :unbound_document", "org_id = :globex, document_id = :loading_document",
                     *(("org_id = :org, document_id = :loading_document",) if lacking else ())),
            passed=() if lacking else ("org_id = :org, document_id = :loading_document",))
      for table in ("chunk", "document_part") for lacking in ((), ("documents.read",))),
    Alone("run_step_insert_self", "customer", "true", refused=("org_id = :org, user_id = :customer, run_id = :run", "org_id = :org, user_id = :owner, run_id = :running_run"),
          passed=("org_id = :org, user_id = :customer, run_id = :running_run",)),
    Alone("run_step_insert_self", "owner", "true", refused=("org_id = :org, user_id = :owner, run_id = :running_run",)),
    Alone("run_step_insert_self", "customer", "true", ("update app.run set started_at = now() - interval '10 days' where id = :running_run",),
          refused=("org_id = :org, user_id = :customer, run_id = :running_run",)),
]

_SHARES = ("insert into app.bot_runner (org_id, bot_id, level) values (:org, :desk_bot, 'viewer')",)
_BASE_GRANTS = ("insert into app.kb_grant (org_id, knowledge_base_id, user_id, level, created_by) values (:org, :knowledge_base, :member, '{level}', :owner),"
                " (:org, :other_base, :member, 'owner', :owner)", _DENIED.format(column="knowledge_base_id", what="other_base"))
"""The member was given two knowledge bases, and a rule denies one of them."""
_GRANTS = (*_DOCUMENTS, _OWNS, "insert into app.document_grant (org_id, document_id, user_id, level, created_by) select :org, d.id, :agent, 'viewer', :owner"
           " from app.document d where d.org_id = :org", "insert into app.document_grant (org_id, document_id, user_id, level, created_by)"
           " values (:org, :shared_document, :member, 'viewer', :owner), (:org, :document, :member, 'viewer', :owner)", _DENIED.format(column="document_id", what="document"))
"""Everything is shared with the agent, two documents with the member, and a rule denies one of these."""
_SHARED = "org_id = :org, document_id = {document}, user_id = {whom}, level = 'viewer', created_by = {who}"
_SHARING = [
    Alone("bot_runner_update_owner", "analyst", "t.bot_id = :desk_bot and num_nonnulls(t.user_id, t.team_id) = 1", _SHARES,
          refused=("user_id = null where user_id = :analyst", "bot_id = :bot where user_id = :analyst"), passed=("level = 'viewer'",)),
    Alone("bot_runner_update_owner", "analyst", "t.bot_id = :desk_bot", _SHARES, also=("resources.publish",), passed=("level = 'viewer'",)),
    Alone("bot_runner_insert_owner", "analyst", "true", refused=("org_id = :org, bot_id = :desk_bot", "org_id = :org, bot_id = :bot, user_id = :member"),
          passed=("org_id = :org, bot_id = :desk_bot, user_id = :member",)),
    *(Alone(policy, "member", "t.knowledge_base_id = :knowledge_base and t.user_id = :member", tuple(p.format(level="viewer") for p in _BASE_GRANTS))
      for policy in ("kb_grant_select_concerned", "kb_grant_delete_owner")),
    *(Alone(policy, "member", "t.knowledge_base_id = :knowledge_base", tuple(p.format(level="owner") for p in _BASE_GRANTS))
      for policy in ("kb_grant_select_concerned", "kb_grant_delete_owner")),
    Alone("kb_grant_insert_owner", "member", "true", tuple(p.format(level="owner") for p in _BASE_GRANTS),
          refused=("org_id = :org, knowledge_base_id = :knowledge_base, created_by = :member, level = 'viewer'",
                   "org_id = :org, knowledge_base_id = :other_base, created_by = :member, level = 'viewer', user_id = :agent",
                   "org_id = :org, knowledge_base_id = :empty_knowledge_base, created_by = :member, level = 'viewer', user_id = :agent",
                   "org_id = :org, knowledge_base_id = :knowledge_base, created_by = :owner, level = 'viewer', user_id = :agent"),
          passed=("org_id = :org, knowledge_base_id = :knowledge_base, created_by = :member, level = 'viewer', user_id = :agent",)),
    *(Alone(policy, "member", "t.org_id = :org and (t.document_id in (:private_document, :vault_document, :left_document) or t.document_id = :shared_document and t.user_id = :member)", _GRANTS)
      for policy in ("document_grant_select_concerned", "document_grant_delete_owner")),
    Alone("document_grant_insert_owner", "member", "true", _GRANTS,
          refused=(_SHARED.format(document=":private_document", whom="null", who=":member"), _SHARED.format(document=":private_document", whom=":builder", who=":owner"),
                   *(_SHARED.format(document=d, whom=":builder", who=":member") for d in (":document", ":unbound_document", ":shared_document"))),
          passed=tuple(_SHARED.format(document=d, whom=":builder", who=":member") for d in (":private_document", ":vault_document"))),
    Alone("team_member_delete_manager", "builder", "t.team_id = :team and t.user_id in (:builder, :customer)",
          ("insert into app.team_member (org_id, team_id, user_id, manager) values (:org, :team, :member, true)",)),
]

_SOURCE_GRANT = "insert into app.data_source_grant (org_id, data_source_id, user_id, level) values (:org, :books_source, :member, '{level}')"
_UPLOADS = (_SOURCE_GRANT.format(level="editor"), "update app.uploaded_table set state = 'loading', data_source_id = :books_source, created_by = :owner where org_id = :org",
            "update app.uploaded_table set created_by = :member where id = :loading_table", "update app.uploaded_table set state = 'ready', created_by = :member where id = :books_table",
            "update app.uploaded_table set state = 'loading', created_by = :member where org_id = :globex")
"""The member edits one source and is loading one table of it; another is somebody else's, one is complete, and those of globex are of a source not shared with them."""
_ASKED = ("insert into app.approval (org_id, run_id, user_id, tool, arguments, arguments_sha256, reason, expires_at)"
          " select org_id, run_id, user_id, tool, arguments, arguments_sha256, reason, now() - interval '1 minute' from app.approval where id = :approval",)
"""One request of the customer's waits, one has waited too long, one was denied."""
_DATA = [
    Alone("data_source_delete_owner", "member", "t.id = :books_source", (_SOURCE_GRANT.format(level="owner"),)),
    Alone("data_source_delete_owner", "member", "t.org_id = :org", also=("analytics.manage",)),
    Alone("data_source_grant_delete_owner", "member", "t.data_source_id = :books_source", (_SOURCE_GRANT.format(level="owner"),)),
    Alone("data_source_grant_delete_owner", "member", "t.org_id = :org", also=("analytics.manage",)),
    Alone("uploaded_table_update_loader", "member", "t.id = :loading_table", _UPLOADS, passed=("row_count = 0",),
          refused=("created_by = :owner where id = :loading_table", "data_source_id = :data_source where id = :loading_table")),
]
_APPROVING = [
    Alone("approval_insert_self", "customer", "true", refused=("org_id = :org, user_id = :customer, run_id = :run", "org_id = :org, user_id = :owner, run_id = :running_run"),
          passed=("org_id = :org, user_id = :customer, run_id = :running_run",)),
    # Who reads the runs of others asks for nothing in them.
    Alone("approval_insert_self", "owner", "true", refused=("org_id = :org, user_id = :owner, run_id = :running_run",)),
    Alone("approval_update_decider", "customer", "t.id = :approval", _ASKED, passed=("state = 'approved', decided_by = :customer, decided_at = now()",),
          refused=("state = 'approved', decided_by = :owner, decided_at = now()",)),
]

_ANSWERS = "create or replace function authz.{}() returns setof uuid language sql stable rows 10 set search_path = pg_catalog, pg_temp as $$select {}$$"
_GIVEN = "create or replace function authz.granted_data_sources(level text) returns setof uuid language sql stable rows 10 set search_path = pg_catalog, pg_temp as $$select {}$$"
"""As if the permission were not asked for where one looks what is shared: the policy asks for it too."""
_METRICS = ("insert into app.metric (org_id, data_source_id, name, version, description, sql, created_by) values (:org, :books_source, 'of_books', 1, 'x', 'select 1', :owner)",)
_JOB = "org_id = :org, user_id = :member, data_source_id = :data_source"
_RUN = "org_id = :org, user_id = :member, bot_id = :bot"
_TABLES_SEEN = ("drop policy uploaded_table_floor on app.uploaded_table", "alter policy uploaded_table_select_viewer on app.uploaded_table using (true)",
                "update app.uploaded_table set state = 'loading', created_by = :owner where id = :books_table", "update app.uploaded_table set created_by = :member where id = :loading_table")
"""Tables and their sources are seen by everybody, of both organizations; the owner loads one and the member one."""
_RESULTS_SEEN = ("alter policy analytics_result_select_reader on app.analytics_result using (true)",)
_GRANT = "org_id = :org, created_by = {who}, job_id = :analytics_job, user_id = :agent"
_ANALYSING = [
    *(Alone("analytics_job_insert_self", "member", "true", (_GIVEN.format(":data_source"),), lacking=lacking, **{said: (_JOB,)})
      for lacking, said in (((), "passed"), (("analytics.run",), "refused"))),
    *(Alone("metric_select_viewer", "member", rule, _METRICS, also=also)
      for rule, also in (("t.org_id = :org and t.data_source_id = :data_source", ()), ("t.org_id = :org", ("analytics.manage",)))),
    *(Alone("analytics_result_grant_insert_requester", who, "true", _RESULTS_SEEN, **{said: (_GRANT.format(who=f":{who}"),)}) for who, said in (("customer", "passed"), ("member", "refused"))),
    *(Alone("uploaded_row_select_viewer", "member", rule, _TABLES_SEEN, lacking=lacking) for rule, lacking in (("t.org_id = :org", ()), ("false", ("analytics.run",)))),
    Alone("uploaded_row_insert_loader", "member", "true", _TABLES_SEEN, passed=("org_id = :org, table_id = :loading_table",),
          refused=("org_id = :org, table_id = :books_table", "org_id = :org, table_id = :uploaded_table")),
    *(Alone("bot_binding_insert_editor", "member", "true", also=("bots.manage",), **{said: (f"org_id = :org, bot_id = :bot, data_source_id = :{source}",)})
      for source, said in (("data_source", "passed"), ("books_source", "refused"))),
]

_KEYS = ("insert into app.secret (org_id, id, user_id, purpose, name, ciphertext, wrapped_key, key_id, created_by)"
         " select o, gen_random_uuid(), u, 'connector', 'planted', convert_to(repeat('c', 29), 'utf8'), convert_to(repeat('k', 60), 'utf8'), 'k1', :owner"
         " from unnest(array[:org, :globex]) o, unnest(array[null, :member, :agent]) u",)
"""In both organizations: a secret of the organization, one of the member and one of somebody else."""
_MINE, _OURS = "t.user_id = :member", "t.org_id = :org and t.user_id is null"
_SECRETS = [
    *(Alone("secret_select_user", "member", rule, _KEYS, also=also, lacking=lacking) for rule, also, lacking in (
        (f"{_MINE} or {_OURS}", (), ()), (_MINE, (), ("bots.run",)), (f"{_MINE} or {_OURS}", ("organization.manage",), ("bots.run",)))),
    *(Alone(f"secret_{command}_manager", "member", rule, _KEYS, also=also, **(more if command == "update" else {})) for command in ("update", "delete") for rule, also, more in (
        (_MINE, (), {"passed": ("name = 'x1'",), "refused": ("user_id = :agent", "user_id = null")}),
        (f"{_MINE} or {_OURS}", ("organization.manage",), {"passed": ("set_at = now()",), "refused": ("user_id = :agent", "user_id = null, org_id = :globex")}))),
]

_LESS = ("insert into app.membership (org_id, user_id, role_id, permissions) select :globex, :me, role_id, permissions from app.membership"
         " where org_id = :org and user_id = :customer",)
"""Who asks belongs to globex too, where they may do no more than a customer."""
_STRANGER = ("drop policy membership_floor on app.membership", "alter policy membership_select_member on app.membership using (true)",
             "insert into app.membership (org_id, user_id, role_id, permissions) select :globex, :document, role_id, permissions from app.membership"
             " where org_id = :org and user_id = :customer")
"""Somebody who belongs to globex alone, and every membership is seen."""
_ERASING = "org_id = :org, requested_by = :member, user_id = :document"
_LIVING = [
    Alone("organization_update_manager", "owner", "t.id = :org", _LESS, refused=("id = :globex",), passed=("name = 'x'",)),
    Alone("role_update_manager", "owner", "t.org_id = :org and not t.built_in", _LESS, refused=("org_id = :globex", "built_in = true"), passed=("created_at = now()",)),
    *(Alone("run_insert_self", "member", "true", (_ANSWERS.format("runnable_bots", ":bot"),), lacking=lacking, **{said: (_RUN,)})
      for lacking, said in (((), "passed"), (("bots.run",), "refused"))),
    Alone("run_update_self", "customer", "t.user_id = :customer and t.status = 'running'", refused=("user_id = :owner",), passed=("started_at = now()",)),
    Alone("knowledge_base_insert_manager", "member", "true", refused=("org_id = :org, slug = 'x', name = 'x', created_by = :member, visibility = 'restricted'",)),
    *(Alone("erasure_insert_requester", "member", "true", _STRANGER, also=("members.manage", *more), lacking=lacking, **{said: (_ERASING,)})
      for more, lacking, said in ((("members.read",), (), "passed"), ((), ("members.read",), "refused"))),
]

CASES: list[Alone] = [*_READING, *_EDITING, *_ADDING, *_SHARING, *_DATA, *_APPROVING, *_ANALYSING, *_SECRETS, *_LIVING]
