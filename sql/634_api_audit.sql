-- Reading the records: the audit trail (F61) and what deletions left (F32). Who sees which rows is said by the policies alone.
-- Planned anew at each call: the place to go on from is then a condition of the index.

create function api.list_audit_events(
  org_id uuid, did text default null, by_actor uuid default null, on_object text default null, in_run uuid default null,
  since timestamptz default null, until timestamptz default null, before_at timestamptz default null, before_id uuid default null,
  max_rows integer default 100)
returns table (
  id uuid, at timestamptz, actor_id uuid, actor_kind text, actor_role text, on_behalf_of uuid, api_token_id uuid, client_id text,
  action text, object_id text, run_id uuid, bot_id uuid, changed text[], auth_session_id uuid, bot_version integer, target text, outcome text,
  rule text, request_id text, arguments_sha256 text, object_sha256 text, documents uuid[])
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_audit_events.org_id);
  perform authz.require(coalesce(char_length(did), 1) between 1 and 80, 'did: 1..80 characters');
  perform authz.require(coalesce(char_length(on_object), 1) between 1 and 200, 'on_object: 1..200 characters');
  perform authz.require(num_nulls(before_at, before_id) in (0, 2), 'before_at, before_id: both of the last event seen, or neither');
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  return query
    select e.id, e.at, e.actor_id, e.actor_kind, e.actor_role, e.on_behalf_of, e.api_token_id, e.client_id,
      e.action, e.object_id, e.run_id, e.bot_id, e.changed, e.auth_session_id, e.bot_version, e.target, e.outcome, e.rule, e.request_id,
      e.arguments_sha256, e.object_sha256, e.documents
    from app.audit_event e
    where e.org_id = list_audit_events.org_id
      and (did is null or e.action = did)
      and (by_actor is null or e.actor_id = by_actor)
      and (on_object is null or e.object_id = on_object or on_object = any (e.documents::text[]))
      and (in_run is null or e.run_id = in_run)
      and (since is null or e.at >= since)
      and (until is null or e.at < until)
      and (before_at is null or (e.at, e.id) < (before_at, before_id))
    order by e.at desc, e.id desc
    limit max_rows;
end
$$;
comment on function api.list_audit_events(uuid, text, uuid, text, uuid, timestamptz, timestamptz, timestamptz, uuid, integer) is $c$List what was done in an organization: your own acts; with audit.read, everybody's.

@audience app
@param org_id     the organization
@param did        only this act, as document.delete, tool.call, model.call, documents.search, document.read, access.deny or session.start; 1..80 characters
@param by_actor   only what this person did
@param on_object  only what was done to this, by its identifier, or a search that found it; 1..200 characters
@param in_run     only what was part of this run
@param since      only at this time or later
@param until      only before this time
@param before_at  go on after the last event seen: its at, as it was given
@param before_id  and its id
@param max_rows   number of events; 1..1000
@returns          array of {id, at, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, action, object_id, run_id, bot_id, changed, auth_session_id, bot_version, target, outcome, rule, request_id, arguments_sha256, object_sha256, documents}; newest first
@errors           22004, 22023
@effect           read$c$;
revoke all on function api.list_audit_events(uuid, text, uuid, text, uuid, timestamptz, timestamptz, timestamptz, uuid, integer) from public;
grant execute on function api.list_audit_events(uuid, text, uuid, text, uuid, timestamptz, timestamptz, timestamptz, uuid, integer) to authenticated;

create function api.list_deletion_receipts(
  org_id uuid, of_document uuid default null, since timestamptz default null, until timestamptz default null,
  before_at timestamptz default null, before_id uuid default null, max_rows integer default 100)
returns table (
  id uuid, document_id uuid, knowledge_base_id uuid, sha256 text, chunks integer, parts integer, citations_redacted integer,
  deleted_by uuid, deleted_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_deletion_receipts.org_id);
  perform authz.require(num_nulls(before_at, before_id) in (0, 2), 'before_at, before_id: both of the last receipt seen, or neither');
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  return query
    select r.id, r.document_id, r.knowledge_base_id, r.sha256, r.chunks, r.parts, r.citations_redacted, r.deleted_by, r.deleted_at
    from app.deletion_receipt r
    where r.org_id = list_deletion_receipts.org_id
      and (of_document is null or r.document_id = of_document)
      and (since is null or r.deleted_at >= since)
      and (until is null or r.deleted_at < until)
      and (before_at is null or (r.deleted_at, r.id) < (before_at, before_id))
    order by r.deleted_at desc, r.id desc
    limit max_rows;
end
$$;
comment on function api.list_deletion_receipts(uuid, uuid, timestamptz, timestamptz, timestamptz, uuid, integer) is $c$List the receipts of deleted documents: of your own deletions; with audit.read, of all. They hold numbers and digests, no title or text.

@audience app
@param org_id       the organization
@param of_document  only of this document that was
@param since        only of deletions at this time or later
@param until        only of deletions before this time
@param before_at    go on after the last receipt seen: its deleted_at, as it was given
@param before_id    and its id
@param max_rows     number of receipts; 1..1000
@returns            array of {id, document_id, knowledge_base_id, sha256, chunks, parts, citations_redacted, deleted_by, deleted_at}; newest first
@errors             22004, 22023
@effect             read$c$;
revoke all on function api.list_deletion_receipts(uuid, uuid, timestamptz, timestamptz, timestamptz, uuid, integer) from public;
grant execute on function api.list_deletion_receipts(uuid, uuid, timestamptz, timestamptz, timestamptz, uuid, integer) to authenticated;
