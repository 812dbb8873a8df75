-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

ALTER TABLE "app"."permission"
  DROP CONSTRAINT "permission_place_check";

ALTER TABLE "app"."permission"
  DROP CONSTRAINT "permission_place_key";

ALTER TABLE "app"."permission"
  DROP COLUMN "place";

CREATE OR REPLACE FUNCTION authz.compared_chunks (
  org_id    uuid,
  terms     tsquery,
  embedding extensions.vector,
  documents authz.search_document[]
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  ROWS 100
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_nestloop TO 'off'
  SET enable_sort TO 'off'
  SET work_mem TO '16MB'
  AS $function$
#variable_conflict use_column
declare
  v_documents uuid[] := array(select d.id from unnest(documents) d);
begin
  return query
    -- One pass serves both lists. The vector stays behind in it.
    with readable as materialized (
      select c.id, case when c.terms @@ compared_chunks.terms then ts_rank(c.terms, compared_chunks.terms, 1) end as rank,
        c.embedding operator(extensions.<=>) compared_chunks.embedding as distance,
        c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char, c.heading
      from app.chunk c
      where c.org_id = compared_chunks.org_id and c.document_id = any (v_documents)
      order by c.document_id
    ), dense as (
      select r.* from readable r where r.distance is not null order by r.distance, r.id limit 50
    ), lexical as (
      select r.* from readable r where r.rank is not null order by r.rank desc, r.id limit 50
    ), listed as (
      select row_number() over (order by r.distance, r.id) as place, r.* from dense r
      union all
      select row_number() over (order by r.rank desc, r.id), r.* from lexical r
    )
    select l.id, l.place, l.distance, l.document_id, l.knowledge_base_id, d.title, d.uri, l.content, l.start_char, l.end_char, l.heading
    from listed l join unnest(documents) d on d.id = l.document_id;
end
$function$;

CREATE OR REPLACE FUNCTION authz.matching_chunks (
  embedding extensions.vector,
  documents authz.search_document[]
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 50
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET plan_cache_mode TO 'force_generic_plan'
  AS $function$
#variable_conflict use_column
declare
  v_terms tsquery := authz.search_terms();
begin
  return query
    select m.id, row_number() over (order by m.rank desc, m.id), m.distance,
      m.document_id, m.knowledge_base_id, d.title, d.uri, m.content, m.start_char, m.end_char, m.heading
    from (
      select c.id, ts_rank(c.terms, v_terms, 1) as rank, c.embedding operator(extensions.<=>) matching_chunks.embedding as distance,
        c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char, c.heading
      from app.chunk c
      -- "is true": looked up in a table of the documents made once, whatever number of passages the planner expects.
      where (c.document_id in (select d.id from unnest(documents) d)) is true
      order by 2 desc, c.id limit 50
    ) m
    join unnest(documents) d on d.id = m.document_id;
end
$function$;

CREATE OR REPLACE FUNCTION authz.nearest_chunks (
  org_id    uuid,
  embedding extensions.vector,
  documents authz.search_document[]
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  ROWS 50
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_sort TO 'off'
  AS $function$
#variable_conflict use_column
begin
  -- The index knows no organizations: it is read on until enough of what it gives passes the policy. Not by "set" clauses of the
  -- function, which nobody but a superuser could create before the extension is loaded. 300: where a question's ten nearest are of
  -- many topics, 100 finds nine of ten and 200 no more than 0.96 (`make bench`).
  perform set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '300', true),
    set_config('hnsw.max_scan_tuples', '20000', true);
  return query
    select n.id, row_number() over (order by n.distance, n.id), n.distance,
      n.document_id, n.knowledge_base_id, d.title, d.uri, n.content, n.start_char, n.end_char, n.heading
    from (
      select c.id, c.embedding operator(extensions.<=>) nearest_chunks.embedding as distance,
        c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char, c.heading
      from app.chunk c
      -- "is true": looked up in a table of the documents made once, beside the order that the index gives.
      where c.org_id = nearest_chunks.org_id and (c.document_id in (select d.id from unnest(documents) d)) is true
      order by 2, c.id limit 50
    ) n
    join unnest(documents) d on d.id = n.document_id;
end
$function$;

CREATE OR REPLACE FUNCTION authz.orgs_with (
  permission text
)
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  AS $function$
declare
  v_claims jsonb := authz.claims();
  v_me uuid := authz.uid();
  v_token uuid;
  v_only uuid;
  v_since timestamptz;
  v_allowed text[];
  v_bit bigint := authz.permission_bit(orgs_with.permission);
  v_personal boolean := authz.is_personal(orgs_with.permission);
begin
  -- Somebody anonymous belongs nowhere (R43).
  if v_me is null or v_claims -> 'is_anonymous' = 'true' then
    return;
  end if;
  select t.id, case when t.revoked_at is null and t.expires_at > now() then t.org_id end, t.created_at, t.permissions
  into v_token, v_only, v_since, v_allowed
  from app.api_token t where t.session_id = (select authz.session_id()) and t.user_id = v_me;
  -- What acts for a person gets less than the person: an OAuth client nothing personal, an API token what it was made for (F08, R44).
  if v_personal and v_claims ? 'client_id' or v_token is not null and (orgs_with.permission = any (v_allowed)) is not true then
    return;
  end if;
  return query
    select m.org_id from app.membership m
    where m.user_id = v_me and m.status = 'active'
      -- A token made for one organization sees that one only; a claim can narrow, never widen. Malformed narrows to nothing.
      and (not v_claims ? 'org_id' or m.org_id::text = v_claims ->> 'org_id')
      -- A suspended organization does not exist; nor, to a token without a second factor, one that requires it (F06, R42): here, so
      -- everywhere. The first condition is that of organization_out_of_sight_idx, which holds few.
      and not exists (select from app.organization o
        where o.id = m.org_id and (o.suspended_at is not null or o.require_mfa)
          and (o.suspended_at is not null or not (select authz.is_aal2())))
      -- A service account goes with its owner (F03).
      and m.service_owner_status is distinct from 'suspended'
      -- The session of an API token reaches one organization, while the token lives and by the membership it was made in (F08).
      and (v_token is null or m.org_id = v_only and m.created_at <= v_since)
      and m.permissions & v_bit <> 0
      -- A service account may what its owner may too, and nothing personal: who lost a role would take it back through theirs (F03, F12).
      and (m.service_owner_id is null or not v_personal and authz.role_carries(m.org_id, m.service_owner_role_id, v_bit));
end
$function$;

CREATE OR REPLACE FUNCTION authz.permission_bit (
  permission text
)
  RETURNS bigint
  LANGUAGE plpgsql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- For good: a new one goes to the end. Not a column of the registry: the helpers of the policies would have to read it each time.
  return 1::bigint << array_position(array[
      'organization.manage', 'members.read', 'members.manage', 'documents.read', 'documents.manage', 'bots.run', 'bots.manage',
      'orders.place', 'orders.read', 'tickets.create', 'tickets.read', 'tickets.manage', 'runs.read', 'audit.read',
      'roles.manage', 'teams.manage', 'rules.manage', 'resources.publish', 'documents.read_confidential', 'documents.read_secret',
      'tokens.create', 'usage.read', 'members.deprovision'],
    permission_bit.permission) - 1;
end
$function$;

CREATE OR REPLACE FUNCTION authz.role_carries (
  org_id  uuid,
  role_id uuid,
  wanted  bigint
)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- A function of its own, called for service accounts only: as part of a statement it would cost everybody the setting up.
  return exists (select from app.role r where r.org_id = role_carries.org_id and r.id = role_carries.role_id and r.permissions & wanted <> 0);
end
$function$;

CREATE OR REPLACE FUNCTION authz.search_candidates (
  org_id    uuid,
  terms     tsquery,
  embedding extensions.vector,
  wanted    authz.search_filter
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  ROWS 100
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  AS $function$
declare
  v_documents authz.search_document[];
  v_passages bigint;
begin
  select array_agg(row(d.id, d.title, d.uri)::authz.search_document), coalesce(sum(d.passages), 0) into v_documents, v_passages
  from app.document d
  where d.org_id = search_candidates.org_id and d.state = 'ready'
    and (wanted.bases is null or d.knowledge_base_id = any (wanted.bases))
    and (wanted.tags is null or d.tags && wanted.tags)
    and (wanted.since is null or coalesce(d.modified_at, d.created_at) >= wanted.since)
    and (wanted.until is null or coalesce(d.modified_at, d.created_at) < wanted.until);
  if v_passages <= authz.exact_search_limit() then
    return query select * from authz.compared_chunks(org_id, terms, embedding, v_documents);
    return;
  end if;
  perform set_config('ringfence.search_org_id', org_id::text, true), set_config('ringfence.search_terms', terms::text, true);
  return query select * from authz.matching_chunks(embedding, v_documents);
  if embedding is not null then
    return query
      with nearest as materialized (select * from authz.nearest_chunks(org_id, embedding, v_documents))
      select * from nearest where (select count(*) from nearest) = 50
      union all
      -- The index gave up: how early depends on what other organizations have, and the number of results must not (F29).
      select * from authz.compared_chunks(org_id, null, embedding, v_documents) where (select count(*) from nearest) < 50;
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_role_permissions()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  new.permissions := coalesce((
    select bit_or(authz.permission_bit(c.permission)) from app.role_permission c where c.org_id = new.org_id and c.role_id = new.id), 0);
  return new;
end
$function$;

COMMENT ON COLUMN "app"."role"."permissions" IS 'Its rows of app.role_permission as bits (authz.permission_bit); triggers count them anew, whatever is written here.';

COMMENT ON FUNCTION "authz"."permission_bit"(text) IS 'Which bit of app.role.permissions this permission is; null for what is no permission. A test holds it equal to the registry.';

COMMENT ON FUNCTION "authz"."role_carries"(uuid, uuid, bigint) IS 'Whether a role of an organization of the signed-in person carries the permission of this bit.';

REVOKE ALL ON FUNCTION "authz"."permission_bit"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."permission_bit"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."permission_bit"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."permission_bit"(text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."permission_bit"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."role_carries"(uuid, uuid, bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."role_carries"(uuid, uuid, bigint) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."role_carries"(uuid, uuid, bigint) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."role_carries"(uuid, uuid, bigint) TO "ringfence_owner";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
