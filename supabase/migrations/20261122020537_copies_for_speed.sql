-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "document_select_search_owner" ON "app"."document";

DROP POLICY "role_permission_select_owner" ON "app"."role_permission";

DROP TRIGGER "_900_audit" ON "app"."membership";

DROP TRIGGER "_900_audit" ON "app"."role";

DROP INDEX "app"."membership_user_id_idx";

ALTER TABLE "app"."membership"
  DROP CONSTRAINT "membership_org_id_role_id_fkey";

DROP FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, authz.search_filter);

DROP FUNCTION "authz"."is_small_search"(uuid, authz.search_filter);

DROP FUNCTION "authz"."matching_chunks"(extensions.vector, authz.search_filter);

DROP FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, authz.search_filter);

ALTER TABLE "app"."document"
  ADD COLUMN "passages" integer NOT NULL DEFAULT 0;

-- By hand: what there is already. It is counted, not changed by anybody: no guard and no audit.
alter table app.document disable trigger user;
update app.document d set passages = c.passages
from (select c.org_id, c.document_id, count(*) as passages from app.chunk c group by 1, 2) c
where c.org_id = d.org_id and c.document_id = d.id and d.state = 'ready';
alter table app.document enable trigger user;

ALTER TABLE "app"."permission"
  ADD COLUMN "place" smallint;

-- By hand, as above.
update app.permission p set place = v.place from (values
  ('organization.manage', 0), ('members.read', 1), ('members.manage', 2), ('documents.read', 3),
  ('documents.manage', 4), ('bots.run', 5), ('bots.manage', 6), ('orders.place', 7),
  ('orders.read', 8), ('tickets.create', 9), ('tickets.read', 10), ('tickets.manage', 11),
  ('runs.read', 12), ('audit.read', 13), ('roles.manage', 14), ('teams.manage', 15),
  ('rules.manage', 16), ('resources.publish', 17), ('documents.read_confidential', 18), ('documents.read_secret', 19),
  ('tokens.create', 20), ('usage.read', 21)
) v (name, place) where v.name = p.name;
alter table app.permission alter column place set not null;

ALTER TABLE "app"."role"
  ADD COLUMN "permissions" bigint NOT NULL DEFAULT 0;

alter table app.role disable trigger user;
update app.role r set permissions = c.permissions
from (
  select c.org_id, c.role_id, bit_or(1::bigint << p.place) as permissions
  from app.role_permission c join app.permission p on p.name = c.permission group by 1, 2) c
where c.org_id = r.org_id and c.role_id = r.id;
alter table app.role enable trigger user;

ALTER TABLE "app"."membership"
  ADD COLUMN "permissions" bigint;

alter table app.membership disable trigger user;
update app.membership m set permissions = r.permissions from app.role r where r.org_id = m.org_id and r.id = m.role_id;
alter table app.membership enable trigger user;
alter table app.membership alter column permissions set not null;

CREATE TYPE "authz"."search_document" AS (
  "id"    uuid,
  "title" text,
  "uri"   text
);

CREATE OR REPLACE FUNCTION authz.claims()
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_text text := current_setting('request.jwt.claims', true);
begin
  -- session_user cannot be changed by SQL: a worker or analyst session never takes its identity from a setting.
  return case
    when session_user in ('ringfence_worker', 'ringfence_analyst') or (v_text is json object) is not true
      or not pg_input_is_valid(v_text, 'jsonb') then '{}'
    else v_text::jsonb end;
end
$function$;

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

CREATE OR REPLACE FUNCTION authz.managed_team_ids()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select t.team_id from app.team_member t
    where t.user_id = (select authz.uid()) and t.manager and t.org_id in (select authz.org_ids());
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

ALTER FUNCTION "authz"."matching_chunks"(extensions.vector, authz.search_document[]) OWNER TO "ringfence_owner";

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

CREATE OR REPLACE FUNCTION authz.org_ids()
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
begin
  -- Somebody anonymous belongs nowhere (R43).
  if v_me is null or v_claims -> 'is_anonymous' = 'true' then
    return;
  end if;
  select t.id, case when t.revoked_at is null and t.expires_at > now() then t.org_id end, t.created_at into v_token, v_only, v_since
  from app.api_token t where t.session_id = (select authz.session_id()) and t.user_id = v_me;
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
      and (v_token is null or m.org_id = v_only and m.created_at <= v_since);
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
  v_bit bigint := (select 1::bigint << p.place from app.permission p where p.name = orgs_with.permission);
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
      and (m.service_owner_id is null or not v_personal and exists (
        select from app.role_permission o
        where o.org_id = m.org_id and o.role_id = m.service_owner_role_id and o.permission = orgs_with.permission));
end
$function$;

CREATE OR REPLACE FUNCTION authz.role_ids()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select m.role_id from app.membership m
    where m.user_id = (select authz.uid()) and m.org_id in (select authz.org_ids());
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

CREATE OR REPLACE FUNCTION authz.team_ids()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select t.team_id from app.team_member t
    where t.user_id = (select authz.uid()) and t.org_id in (select authz.org_ids());
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_document_guard()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_manages boolean;
  v_owns boolean;
begin
  -- Also when a foreign key carries a change of the knowledge base or of the organization here.
  if tg_op = 'INSERT' then
    new.base_visibility := coalesce((select k.visibility from app.knowledge_base k where k.org_id = new.org_id and k.id = new.knowledge_base_id),
      'organization');
  end if;
  if new.visibility <> 'private' then
    new.visibility := case new.base_visibility when 'restricted' then 'knowledge_base' else 'organization' end;
  end if;
  if new.acl_synced_at is not null and new.acl_max_age_hours is null then
    new.acl_max_age_hours := (select o.acl_max_age_hours from app.organization o where o.id = new.org_id);
  end if;
  new.acl_expires_at := coalesce(new.acl_synced_at + make_interval(hours => new.acl_max_age_hours), 'infinity');
  if tg_op = 'UPDATE' and new.state <> old.state then
    new.passages := (select count(*) from app.chunk c where c.org_id = new.org_id and c.document_id = new.id);
  end if;
  -- What a change may be; where policies do not apply (an operator, a foreign key) there is nobody to ask.
  if not row_security_active('app.document') then
    return new;
  end if;
  v_manages := new.org_id = any (array(select authz.orgs_with('documents.manage')));
  if new.trust = 'trusted' and (tg_op = 'INSERT' or old.trust <> 'trusted') and not v_manages then
    raise sqlstate '42501' using message = 'only documents.manage calls a document trusted';
  end if;
  if tg_op = 'UPDATE' then
    v_owns := v_manages or old.owner_id = authz.uid() or old.id = any (array(select authz.granted_documents('owner')))
      or old.visibility <> 'private' and old.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner')));
    if (new.visibility <> old.visibility or new.classification < old.classification or new.acl_synced_at is distinct from old.acl_synced_at)
      and not v_owns
    then
      raise sqlstate '42501' using message = 'who reads a document is for its owners to change';
    end if;
    if new.acl_synced_at is distinct from old.acl_synced_at then
      perform authz.require(new.acl_synced_at >= coalesce(old.acl_synced_at, '-infinity') and new.acl_synced_at <= clock_timestamp(),
        'synced_at: not in the future, and not before the last time');
    end if;
    perform authz.require(new.state = old.state or new.state = 'ready', 'a document that is ready is not loaded again');
    -- Loading takes its time, and a private document is there for long: what was allowed at the beginning must still be when it is published.
    if (new.visibility <> 'private' and old.visibility = 'private' or new.state <> old.state)
      and not new.knowledge_base_id = any (array(select authz.granted_knowledge_bases('editor')))
      and not (v_manages and (new.visibility <> 'organization' or new.org_id = any (array(select authz.orgs_with('resources.publish'))))
        and exists (select from app.knowledge_base k where k.org_id = new.org_id and k.id = new.knowledge_base_id))
    then
      raise sqlstate '42501' using message = 'publishing in this knowledge base takes level editor, or documents.manage and resources.publish';
    end if;
  end if;
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_membership_permissions()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  new.permissions := (select r.permissions from app.role r where r.org_id = new.org_id and r.id = new.role_id);
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_role_permissions()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  new.permissions := coalesce((
    select bit_or(1::bigint << p.place) from app.role_permission c join app.permission p on p.name = c.permission
    where c.org_id = new.org_id and c.role_id = new.id), 0);
  return new;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_role_recount()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Any update counts anew, and this is one that whoever may change the role may make. From there foreign keys carry it to the members.
  update app.role r set name = r.name
  where exists (select from changed c where c.org_id = r.org_id and c.role_id = r.id);
  return null;
end
$function$;

ALTER TABLE "app"."document"
  ADD CONSTRAINT "document_passages_check" CHECK ((passages >= 0));

ALTER TABLE "app"."permission"
  ADD CONSTRAINT "permission_place_check" CHECK (((place >= 0) AND (place <= 62)));

ALTER TABLE "app"."permission"
  ADD CONSTRAINT "permission_place_key" UNIQUE (place);

ALTER TABLE "app"."role"
  ADD CONSTRAINT "role_permissions_key" UNIQUE (org_id, id, permissions);

ALTER TABLE "app"."membership"
  ADD CONSTRAINT "membership_permissions_fkey" FOREIGN KEY (org_id, role_id, permissions) REFERENCES app.role(org_id, id, permissions) ON UPDATE CASCADE;

CREATE INDEX membership_user_id_idx ON app.membership USING btree (user_id, org_id)
  INCLUDE (role_id, permissions, status, service_owner_id, service_owner_role_id, service_owner_status, created_at);

CREATE TRIGGER _200_permissions
  BEFORE INSERT OR UPDATE ON app.membership
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_membership_permissions();

CREATE TRIGGER _900_audit
  BEFORE DELETE ON app.membership
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _905_audit
  BEFORE UPDATE ON app.membership
  FOR EACH ROW
  WHEN (((old.permissions = new.permissions) OR ((to_jsonb(old.*) - 'permissions'::text) IS DISTINCT FROM (to_jsonb(new.*) - 'permissions'::text))))
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _200_permissions
  BEFORE INSERT OR UPDATE ON app.role
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_role_permissions();

CREATE TRIGGER _900_audit
  BEFORE DELETE ON app.role
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _905_audit
  BEFORE UPDATE ON app.role
  FOR EACH ROW
  WHEN (((old.org_id <> new.org_id) OR (old.id <> new.id) OR (old.name <> new.name) OR (old.built_in <> new.built_in)))
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _600_recount_added
  AFTER INSERT ON app.role_permission REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_role_recount();

CREATE TRIGGER _610_recount_taken
  AFTER DELETE ON app.role_permission REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_role_recount();

CREATE TRIGGER _620_recount_changed
  AFTER UPDATE ON app.role_permission REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_role_recount();

CREATE POLICY "role_select_invited_owner" ON "app"."role"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id IN ( SELECT authz.inviting_org_ids() AS inviting_org_ids)));

CREATE POLICY "role_update_owner" ON "app"."role"
  FOR UPDATE
  TO "ringfence_owner"
  USING ((org_id IN ( SELECT o.id
   FROM app.organization o
  WHERE (o.created_by = ( SELECT authz.uid() AS uid)))))
  WITH CHECK ((org_id IN ( SELECT o.id
   FROM app.organization o
  WHERE (o.created_by = ( SELECT authz.uid() AS uid)))));

CREATE POLICY "role_permission_select_owner" ON "app"."role_permission"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.joined_org_ids() AS joined_org_ids)) OR (org_id IN ( SELECT o.id
   FROM app.organization o
  WHERE (o.created_by = ( SELECT authz.uid() AS uid))))));

COMMENT ON COLUMN "app"."document"."passages" IS 'How many chunks it has since it is ready: what tells a search whether to compare each one. No more than that hangs on it.';

COMMENT ON COLUMN "app"."membership"."permissions" IS 'A copy of what the role carries, held equal by the foreign key.';

COMMENT ON COLUMN "app"."permission"."place" IS 'Which bit of app.role.permissions it is, for good: a new one takes the next.';

COMMENT ON COLUMN "app"."role"."permissions" IS 'Its rows of app.role_permission as bits, by app.permission.place; triggers count them anew, whatever is written here.';

COMMENT ON FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, authz.search_document[]) IS 'The 50 nearest and the 50 best matching passages of these documents that the person may read, each one compared; equal ones by id. A null embedding or null terms leave their list out.';

COMMENT ON FUNCTION "authz"."matching_chunks"(extensions.vector, authz.search_document[]) IS 'The 50 passages of these documents that match the words of this transaction''s search best, of those the person may read in its organization; equal ones by id.';

COMMENT ON FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, authz.search_document[]) IS 'The 50 passages of these documents nearest to the embedding, of those the person may read, by an approximate index; fewer when it gave up.';

COMMENT ON FUNCTION "authz"."tg_membership_permissions"() IS 'Trigger: a member has what the role carries, whatever is written.';

COMMENT ON FUNCTION "authz"."tg_role_permissions"() IS 'Trigger: what a role carries, as bits, is counted from its rows and never written.';

COMMENT ON FUNCTION "authz"."tg_role_recount"() IS 'Trigger, once a statement: roles whose permissions changed are counted anew.';

COMMENT ON POLICY "role_select_invited_owner" ON "app"."role" IS 'Acceptance gives the new member what the role carries.';

COMMENT ON POLICY "role_update_owner" ON "app"."role" IS 'Founding gives the built-in roles their permissions, which are counted in the role.';

COMMENT ON POLICY "role_permission_select_owner" ON "app"."role_permission" IS 'What a role carries is counted in the role: in the person''s own organizations, and in one being founded.';

COMMENT ON TYPE "authz"."search_document" IS 'A document whose passages a search looks at.';

-- By hand: the columns of a type.
comment on column authz.search_document.id is 'The document.';
comment on column authz.search_document.title is 'Its title.';
comment on column authz.search_document.uri is 'Where it came from.';

REVOKE ALL ON FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, authz.search_document[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, authz.search_document[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, authz.search_document[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, authz.search_document[]) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."matching_chunks"(extensions.vector, authz.search_document[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."matching_chunks"(extensions.vector, authz.search_document[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."matching_chunks"(extensions.vector, authz.search_document[]) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."matching_chunks"(extensions.vector, authz.search_document[]) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, authz.search_document[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, authz.search_document[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, authz.search_document[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, authz.search_document[]) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_membership_permissions"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_membership_permissions"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_membership_permissions"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_role_permissions"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_role_permissions"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_role_permissions"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_role_recount"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_role_recount"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."tg_role_recount"() TO "postgres";

REVOKE ALL ("name") ON TABLE "app"."role" FROM "ringfence_owner";

GRANT INSERT ("name"), UPDATE ("name") ON TABLE "app"."role" TO "ringfence_owner";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
