-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP INDEX "app"."audit_event_org_id_at_idx";

CREATE OR REPLACE FUNCTION api.list_audit_events (
  org_id    uuid,
  did       text                     DEFAULT NULL::text,
  by_actor  uuid                     DEFAULT NULL::uuid,
  on_object text                     DEFAULT NULL::text,
  in_run    uuid                     DEFAULT NULL::uuid,
  since     timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  until     timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  before_at timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  before_id uuid                     DEFAULT NULL::uuid,
  max_rows  integer                  DEFAULT 100
)
  RETURNS TABLE (
    id           uuid,
    at           timestamp with time zone,
    actor_id     uuid,
    actor_kind   text,
    actor_role   text,
    on_behalf_of uuid,
    api_token_id uuid,
    client_id    text,
    action       text,
    object_id    text,
    run_id       uuid,
    bot_id       uuid,
    changed      text[]
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_custom_plan'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_audit_events.org_id);
  perform authz.require(coalesce(char_length(did), 1) between 1 and 80, 'did: 1..80 characters');
  perform authz.require(coalesce(char_length(on_object), 1) between 1 and 200, 'on_object: 1..200 characters');
  perform authz.require(num_nulls(before_at, before_id) in (0, 2), 'before_at, before_id: both of the last event seen, or neither');
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  return query
    select e.id, e.at, e.actor_id, e.actor_kind, e.actor_role, e.on_behalf_of, e.api_token_id, e.client_id,
      e.action, e.object_id, e.run_id, e.bot_id, e.changed
    from app.audit_event e
    where e.org_id = list_audit_events.org_id
      and (did is null or e.action = did)
      and (by_actor is null or e.actor_id = by_actor)
      and (on_object is null or e.object_id = on_object)
      and (in_run is null or e.run_id = in_run)
      and (since is null or e.at >= since)
      and (until is null or e.at < until)
      and (before_at is null or (e.at, e.id) < (before_at, before_id))
    order by e.at desc, e.id desc
    limit max_rows;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_deletion_receipts (
  org_id      uuid,
  of_document uuid                     DEFAULT NULL::uuid,
  since       timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  until       timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  before_at   timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  before_id   uuid                     DEFAULT NULL::uuid,
  max_rows    integer                  DEFAULT 100
)
  RETURNS TABLE (
    id                 uuid,
    document_id        uuid,
    knowledge_base_id  uuid,
    sha256             text,
    chunks             integer,
    parts              integer,
    citations_redacted integer,
    deleted_by         uuid,
    deleted_at         timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_custom_plan'
  AS $function$
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
$function$;

CREATE INDEX audit_event_org_id_at_id_idx ON app.audit_event USING btree (org_id, at DESC, id DESC);

CREATE INDEX deletion_receipt_org_id_deleted_at_id_idx ON app.deletion_receipt USING btree (org_id, deleted_at DESC, id DESC);

COMMENT ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp with time zone, timestamp with time zone, timestamp
  with time zone, uuid, integer) IS 'List what was done in an organization: your own acts; with audit.read, everybody''s.

@audience app
@param org_id     the organization
@param did        only this act, table.command (document.delete); 1..80 characters
@param by_actor   only what this person did
@param on_object  only what was done to this, by its identifier; 1..200 characters
@param in_run     only what was part of this run
@param since      only at this time or later
@param until      only before this time
@param before_at  go on after the last event seen: its at, as it was given
@param before_id  and its id
@param max_rows   number of events; 1..1000
@returns          array of {id, at, actor_id, actor_kind, actor_role, on_behalf_of, api_token_id, client_id, action, object_id, run_id, bot_id, changed}; newest first
@errors           22004, 22023
@effect           read';

COMMENT ON FUNCTION "api"."list_deletion_receipts"(uuid, uuid, timestamp with time zone, timestamp with time zone, timestamp
  with time zone, uuid, integer) IS 'List the receipts of deleted documents: of your own deletions; with audit.read, of all. They hold numbers and digests, no title or text.

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
@effect             read';

REVOKE ALL
  ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer)
  FROM PUBLIC;

GRANT EXECUTE
  ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer)
  TO "authenticated";

REVOKE ALL
  ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer)
  FROM "postgres";

GRANT EXECUTE
  ON FUNCTION "api"."list_audit_events"(uuid, text, uuid, text, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer)
  TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_deletion_receipts"(uuid, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_deletion_receipts"(uuid, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_deletion_receipts"(uuid, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_deletion_receipts"(uuid, uuid, timestamp WITH time zone, timestamp WITH time zone, timestamp WITH time zone, uuid, integer) TO "postgres";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
