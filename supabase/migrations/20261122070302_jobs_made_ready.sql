-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP POLICY "analytics_job_insert_self" ON "app"."analytics_job";

DROP POLICY "analytics_job_select_queue_owner" ON "app"."analytics_job";

DROP POLICY "analytics_job_update_queue_owner" ON "app"."analytics_job";

DROP POLICY "analytics_result_insert_job_owner" ON "app"."analytics_result";

DROP POLICY "analytics_result_select_requester" ON "app"."analytics_result";

DROP POLICY "analytics_result_select_shared" ON "app"."analytics_result";

DROP POLICY "bot_select_job_owner" ON "app"."bot";

DROP POLICY "bot_binding_select_job_owner" ON "app"."bot_binding";

DROP POLICY "column_meaning_delete_editor" ON "app"."column_meaning";

DROP POLICY "column_meaning_insert_editor" ON "app"."column_meaning";

DROP POLICY "column_meaning_select_asked_owner" ON "app"."column_meaning";

DROP POLICY "column_meaning_select_viewer" ON "app"."column_meaning";

DROP POLICY "column_meaning_update_editor" ON "app"."column_meaning";

DROP POLICY "conversation_analyst_floor" ON "app"."conversation";

DROP POLICY "customer_order_analyst_floor" ON "app"."customer_order";

DROP POLICY "data_source_delete_owner" ON "app"."data_source";

DROP POLICY "data_source_select_asked_owner" ON "app"."data_source";

DROP POLICY "data_source_select_viewer" ON "app"."data_source";

DROP POLICY "data_source_update_editor" ON "app"."data_source";

DROP POLICY "data_source_grant_delete_owner" ON "app"."data_source_grant";

DROP POLICY "data_source_grant_insert_owner" ON "app"."data_source_grant";

DROP POLICY "data_source_grant_select_concerned" ON "app"."data_source_grant";

DROP POLICY "job_lease_delete_owner" ON "app"."job_lease";

DROP POLICY "job_lease_insert_owner" ON "app"."job_lease";

DROP POLICY "job_lease_select_owner" ON "app"."job_lease";

DROP POLICY "job_lease_update_owner" ON "app"."job_lease";

DROP POLICY "job_scope_delete_owner" ON "app"."job_scope";

DROP POLICY "job_scope_insert_owner" ON "app"."job_scope";

DROP POLICY "job_scope_select_owner" ON "app"."job_scope";

DROP POLICY "metric_insert_editor" ON "app"."metric";

DROP POLICY "metric_select_asked_owner" ON "app"."metric";

DROP POLICY "metric_select_viewer" ON "app"."metric";

DROP POLICY "support_ticket_analyst_floor" ON "app"."support_ticket";

DROP POLICY "uploaded_row_select_analyst" ON "app"."uploaded_row";

DROP POLICY "uploaded_table_delete_editor" ON "app"."uploaded_table";

DROP POLICY "uploaded_table_insert_editor" ON "app"."uploaded_table";

DROP POLICY "uploaded_table_select_asked_owner" ON "app"."uploaded_table";

DROP POLICY "uploaded_table_select_viewer" ON "app"."uploaded_table";

DROP POLICY "uploaded_table_update_loader" ON "app"."uploaded_table";

DROP POLICY "usage_entry_analyst_floor" ON "app"."usage_entry";

ALTER TABLE "app"."analytics_job"
  DROP CONSTRAINT "analytics_job_finished_check";

ALTER TABLE "app"."job_scope"
  DROP CONSTRAINT "job_scope_org_id_fkey";

DROP FUNCTION "authz"."begun_jobs"();

DROP FUNCTION "authz"."describe_source"(uuid, uuid);

DROP FUNCTION "authz"."granted_data_sources"(text);

DROP FUNCTION "authz"."job_claims"();

DROP FUNCTION "authz"."job_context"();

DROP FUNCTION "authz"."job_orgs"(text);

DROP FUNCTION "authz"."job_tables"();

DROP FUNCTION "authz"."release_job"(uuid, uuid);

DROP FUNCTION "authz"."runs_the_queue"();

DROP FUNCTION "authz"."shared_results"();

DROP FUNCTION "authz"."works_the_queue"();

ALTER TABLE "app"."metric"
  ALTER COLUMN "sha256" SET DEFAULT repeat('0'::text, 64);

CREATE OR REPLACE FUNCTION authz.begun_jobs()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select s.job_id from app.job_scope s where s.xact_id = pg_current_xact_id_if_assigned();
end
$function$;

CREATE OR REPLACE FUNCTION authz.describe_source (
  org_id         uuid,
  data_source_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return (
    select jsonb_build_object('source', d.slug, 'id', d.id, 'name', d.name, 'description', d.description, 'relations', coalesce((
      select jsonb_agg(jsonb_build_object('name', c.relname, 'target', 'source.' || c.relname, 'description', obj_description(c.oid, 'pg_class'), 'columns', (
        select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, null), 'meaning', coalesce((
            select m.meaning from app.column_meaning m
            where m.org_id = d.org_id and m.data_source_id = d.id and m.relation = c.relname and m.column_name = a.attname), col_description(c.oid, a.attnum)))
          order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)) order by c.relname)
      from pg_class c where c.relnamespace = 'source'::regnamespace and c.relkind = 'v' and c.relname = any (d.relations)), '[]') || coalesce((
      select jsonb_agg(jsonb_build_object('name', t.name, 'description', format('Uploaded table of %s rows.', t.row_count),
        -- Identifiers are quoted, types from a closed list; the id is ours.
        'target', (select format('select %s from source.uploaded u where u.table_id = %L', string_agg(
            format('(u.data ->> %L)::%s as %I', c.value ->> 'name', c.value ->> 'type', c.value ->> 'name'), ', ' order by c.place), t.id)
          from jsonb_array_elements(t.columns) with ordinality c (value, place)),
        'columns', (select jsonb_agg(jsonb_build_object('name', c.value ->> 'name', 'type', c.value ->> 'type', 'meaning', coalesce((
            select m.meaning from app.column_meaning m
            where m.org_id = d.org_id and m.data_source_id = d.id and m.relation = t.name and m.column_name = c.value ->> 'name'), c.value ->> 'meaning', ''))
          order by c.place) from jsonb_array_elements(t.columns) with ordinality c (value, place))) order by t.name)
      from app.uploaded_table t where t.org_id = d.org_id and t.data_source_id = d.id), '[]'),
      'metrics', coalesce((
        select jsonb_agg(jsonb_build_object('name', m.name, 'version', m.version, 'description', m.description, 'sql', m.sql, 'sha256', m.sha256) order by m.name)
        from (select distinct on (v.name) v.* from app.metric v where v.org_id = d.org_id and v.data_source_id = d.id order by v.name, v.version desc) m
        where not m.retired), '[]'))
    from app.data_source d
    where d.org_id = describe_source.org_id and d.id = describe_source.data_source_id);
end
$function$;

ALTER FUNCTION "authz"."describe_source"(uuid, uuid) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.granted_data_sources (
  level text
)
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select g.data_source_id from app.data_source_grant g
    where g.org_id = any (array(select authz.orgs_with('analytics.run'))) and g.level = any (authz.levels_from(granted_data_sources.level))
      -- What one may do to a source as its editor or owner, an API token may with analytics.manage only (F08).
      and (granted_data_sources.level = 'viewer' or (select authz.in_scope(array['analytics.manage'])))
      and not (g.data_source_id = any (array(select authz.denied('data_source'))));
end
$function$;

ALTER FUNCTION "authz"."granted_data_sources"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.job_claims()
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return (
    select s.claims from app.job_scope s where s.xact_id = pg_current_xact_id_if_assigned());
end
$function$;

ALTER FUNCTION "authz"."job_claims"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.job_context()
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return (
    select authz.describe_source(s.org_id, s.data_source_id) from app.job_scope s where s.xact_id = pg_current_xact_id_if_assigned());
end
$function$;

ALTER FUNCTION "authz"."job_context"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.job_orgs (
  relation text
)
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select s.org_id from app.job_scope s join app.data_source d on d.org_id = s.org_id and d.id = s.data_source_id
    where s.xact_id = pg_current_xact_id_if_assigned() and job_orgs.relation = any (d.relations) and s.org_id = any (array(select authz.org_ids()));
end
$function$;

ALTER FUNCTION "authz"."job_orgs"(text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.job_tables()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select t.id from app.job_scope s join app.uploaded_table t on t.org_id = s.org_id and t.data_source_id = s.data_source_id
    where s.xact_id = pg_current_xact_id_if_assigned() and s.data_source_id = any (array(select authz.granted_data_sources('viewer')));
end
$function$;

ALTER FUNCTION "authz"."job_tables"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.recover_jobs()
  RETURNS integer
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_lost record;
  v_count integer := 0;
begin
  for v_lost in
    select l.org_id, l.job_id from app.job_lease l where l.expires_at <= clock_timestamp() order by l.expires_at limit 100 for update skip locked
  loop
    delete from app.job_lease l where l.org_id = v_lost.org_id and l.job_id = v_lost.job_id;
    update app.analytics_job j set
      status = case when j.attempts >= l.max_attempts then 'failed' else 'queued' end,
      error_code = case when j.attempts >= l.max_attempts then 'worker_lost' end,
      error_message = case when j.attempts >= l.max_attempts then 'every worker that began it was lost before it ended' end
    from authz.job_limits() l
    where j.org_id = v_lost.org_id and j.id = v_lost.job_id and j.status = 'running';
    v_count := v_count + 1;
  end loop;
  -- Whoever looks for work also takes out what has expired, a little at a time.
  delete from app.analytics_result r
  where (r.org_id, r.job_id) in (select o.org_id, o.job_id from app.analytics_result o where o.expires_at <= now() order by o.expires_at limit 100);
  return v_count;
end
$function$;

CREATE OR REPLACE FUNCTION authz.rehearse_job()
  RETURNS void
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_nobody jsonb := jsonb_build_object('sub', gen_random_uuid(), 'org_id', gen_random_uuid(), 'role', 'authenticated', 'job_id', gen_random_uuid());
begin
  if exists (select authz.begun_jobs()) then
    raise sqlstate '55000' using message = 'this transaction has begun a job: one transaction, one job';
  end if;
  insert into app.job_scope (org_id, job_id, data_source_id, claims)
  values ((v_nobody ->> 'org_id')::uuid, (v_nobody ->> 'job_id')::uuid, gen_random_uuid(), v_nobody);
  -- Made ready now, so that a session that is new when a job comes has its plans.
  perform authz.person_is_well(), (select count(*) from authz.org_ids()), (select count(*) from authz.granted_data_sources('viewer'));
end
$function$;

ALTER FUNCTION "authz"."rehearse_job"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.release_job (
  job_id uuid,
  lease  uuid,
  counts boolean DEFAULT true
)
  RETURNS boolean
  LANGUAGE sql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- A worker that was told to stop is no attempt of the job's.
  update app.analytics_job j set attempts = j.attempts - 1
  from app.job_lease l where not release_job.counts and l.job_id = release_job.job_id and l.lease = release_job.lease and j.org_id = l.org_id and j.id = l.job_id;
  update app.job_lease l set expires_at = clock_timestamp() where l.job_id = release_job.job_id and l.lease = release_job.lease;
  select authz.recover_jobs() > 0
$function$;

ALTER FUNCTION "authz"."release_job"(uuid, uuid, boolean) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.runs_the_queue()
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return session_user = 'ringfence_worker';
end
$function$;

CREATE OR REPLACE FUNCTION authz.shared_results()
  RETURNS SETOF uuid
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return query
    select g.job_id from app.analytics_result_grant g where g.org_id = any (array(select authz.orgs_with('analytics.run')));
end
$function$;

ALTER FUNCTION "authz"."shared_results"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.works_the_queue()
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return session_user in ('ringfence_worker', 'ringfence_analyst');
end
$function$;

ALTER TABLE "app"."analytics_job"
  ADD CONSTRAINT "analytics_job_finished_check" CHECK (((finished_at IS NULL) OR (status <> ALL (ARRAY['queued'::text, 'running'::text]))));

ALTER TABLE "app"."job_scope"
  ADD CONSTRAINT "job_scope_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

CREATE INDEX analytics_result_expires_at_idx ON app.analytics_result USING btree (expires_at);

CREATE POLICY "analytics_job_insert_self" ON "app"."analytics_job"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((user_id = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.run'::text) AS orgs_with))) AND (data_source_id = ANY (ARRAY( SELECT
    authz.granted_data_sources('viewer'::text) AS granted_data_sources))) AND ((bot_id IS NULL) OR (bot_id = ANY (ARRAY( SELECT authz.runnable_bots() AS runnable_bots))))));

CREATE POLICY "analytics_job_select_queue_owner" ON "app"."analytics_job"
  FOR SELECT
  TO "ringfence_owner"
  USING (( SELECT authz.works_the_queue() AS works_the_queue));

CREATE POLICY "analytics_job_update_queue_owner" ON "app"."analytics_job"
  FOR UPDATE
  TO "ringfence_owner"
  USING ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (status = ANY (ARRAY['queued'::text, 'running'::text]))))
  WITH CHECK (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "analytics_result_delete_over_owner" ON "app"."analytics_result"
  FOR DELETE
  TO "ringfence_owner"
  USING ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (expires_at <= now())));

CREATE POLICY "analytics_result_insert_job_owner" ON "app"."analytics_result"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) AND (job_id = ANY (ARRAY( SELECT authz.begun_jobs() AS begun_jobs)))));

CREATE POLICY "analytics_result_select_over_owner" ON "app"."analytics_result"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (expires_at <= now())));

CREATE POLICY "analytics_result_select_requester" ON "app"."analytics_result"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.run'::text) AS orgs_with))) AND (expires_at > now()) AND (user_id = ( SELECT authz.uid() AS uid)) AND (data_source_id
    = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS granted_data_sources)))));

CREATE POLICY "analytics_result_select_shared" ON "app"."analytics_result"
  FOR SELECT
  TO "authenticated"
  USING (((expires_at > now()) AND (job_id = ANY (ARRAY( SELECT authz.shared_results() AS shared_results)))));

CREATE POLICY "bot_select_job_owner" ON "app"."bot"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT authz.works_the_queue() AS works_the_queue) AND (id = ANY (ARRAY( SELECT authz.shared_bots('viewer'::text) AS shared_bots)))));

CREATE POLICY "bot_binding_select_job_owner" ON "app"."bot_binding"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT authz.works_the_queue() AS works_the_queue) AND (bot_id = ANY (ARRAY( SELECT authz.shared_bots('viewer'::text) AS shared_bots)))));

CREATE POLICY "column_meaning_delete_editor" ON "app"."column_meaning"
  FOR DELETE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "column_meaning_insert_editor" ON "app"."column_meaning"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "column_meaning_select_described_owner" ON "app"."column_meaning"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "column_meaning_select_viewer" ON "app"."column_meaning"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS
    granted_data_sources)))));

CREATE POLICY "column_meaning_update_editor" ON "app"."column_meaning"
  FOR UPDATE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))))
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "conversation_analyst_floor" ON "app"."conversation"
  AS RESTRICTIVE
  FOR SELECT
  TO "ringfence_analyst"
  USING (((org_id = ANY (ARRAY( SELECT authz.job_orgs('conversations'::text) AS job_orgs))) AND ( SELECT authz.in_scope(ARRAY['bots.run'::text]) AS in_scope)));

CREATE POLICY "customer_order_analyst_floor" ON "app"."customer_order"
  AS RESTRICTIVE
  FOR SELECT
  TO "ringfence_analyst"
  USING (((org_id = ANY (ARRAY( SELECT authz.job_orgs('orders'::text) AS job_orgs))) AND ( SELECT authz.in_scope(ARRAY['orders.place'::text, 'orders.read'::text]) AS in_scope)));

CREATE POLICY "data_source_delete_owner" ON "app"."data_source"
  FOR DELETE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.granted_data_sources('owner'::text) AS
    granted_data_sources)))));

CREATE POLICY "data_source_select_asked_owner" ON "app"."data_source"
  FOR SELECT
  TO "ringfence_owner"
  USING ((id = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS granted_data_sources))));

CREATE POLICY "data_source_select_viewer" ON "app"."data_source"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS
    granted_data_sources)))));

CREATE POLICY "data_source_update_editor" ON "app"."data_source"
  FOR UPDATE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))))
  WITH
    CHECK
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "data_source_grant_delete_owner" ON "app"."data_source_grant"
  FOR DELETE
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('owner'::text) AS
    granted_data_sources)))));

CREATE POLICY "data_source_grant_insert_owner" ON "app"."data_source_grant"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    ((((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('owner'::text) AS
    granted_data_sources)))) AND ((num_nonnulls(user_id, team_id) = 1) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('resources.publish'::text) AS orgs_with))))));

CREATE POLICY "data_source_grant_select_concerned" ON "app"."data_source_grant"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('owner'::text) AS
    granted_data_sources))) OR
    ((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.run'::text) AS orgs_with))) AND ((user_id = ( SELECT authz.uid() AS uid)) OR (team_id = ANY (ARRAY( SELECT
    authz.team_ids() AS team_ids))) OR (role_id = ANY (ARRAY( SELECT authz.role_ids() AS role_ids))) OR (num_nonnulls(user_id, team_id, role_id) = 0)))));

CREATE POLICY "job_lease_delete_owner" ON "app"."job_lease"
  FOR DELETE
  TO "ringfence_owner"
  USING (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "job_lease_insert_owner" ON "app"."job_lease"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "job_lease_select_owner" ON "app"."job_lease"
  FOR SELECT
  TO "ringfence_owner"
  USING (( SELECT authz.works_the_queue() AS works_the_queue));

CREATE POLICY "job_lease_update_owner" ON "app"."job_lease"
  FOR UPDATE
  TO "ringfence_owner"
  USING (( SELECT authz.runs_the_queue() AS runs_the_queue))
  WITH CHECK (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "job_scope_delete_owner" ON "app"."job_scope"
  FOR DELETE
  TO "ringfence_owner"
  USING ((( SELECT authz.works_the_queue() AS works_the_queue) AND (xact_id = ( SELECT pg_current_xact_id_if_assigned() AS pg_current_xact_id_if_assigned)) AND (began_at = now())));

CREATE POLICY "job_scope_insert_owner" ON "app"."job_scope"
  FOR INSERT
  TO "ringfence_owner"
  WITH
    CHECK
    ((( SELECT authz.works_the_queue() AS works_the_queue) AND (xact_id = ( SELECT pg_current_xact_id_if_assigned() AS pg_current_xact_id_if_assigned)) AND (began_at = now())));

CREATE POLICY "job_scope_select_owner" ON "app"."job_scope"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT authz.works_the_queue() AS works_the_queue) AND (xact_id = ( SELECT pg_current_xact_id_if_assigned() AS pg_current_xact_id_if_assigned)) AND (began_at = now())));

CREATE POLICY "metric_insert_editor" ON "app"."metric"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((created_by = ( SELECT authz.uid() AS uid)) AND ((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY(
    SELECT authz.granted_data_sources('editor'::text) AS granted_data_sources))))));

CREATE POLICY "metric_select_described_owner" ON "app"."metric"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "metric_select_viewer" ON "app"."metric"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('analytics.manage'::text) AS orgs_with))) OR (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('viewer'::text) AS
    granted_data_sources)))));

CREATE POLICY "support_ticket_analyst_floor" ON "app"."support_ticket"
  AS RESTRICTIVE
  FOR SELECT
  TO "ringfence_analyst"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.job_orgs('tickets'::text) AS job_orgs))) AND ( SELECT authz.in_scope(ARRAY['tickets.create'::text, 'tickets.read'::text,
    'tickets.manage'::text]) AS in_scope)));

CREATE POLICY "uploaded_row_select_analyst" ON "app"."uploaded_row"
  FOR SELECT
  TO "ringfence_analyst"
  USING ((table_id = ANY (ARRAY( SELECT authz.job_tables() AS job_tables))));

CREATE POLICY "uploaded_table_delete_editor" ON "app"."uploaded_table"
  FOR DELETE
  TO "authenticated"
  USING ((data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS granted_data_sources))));

CREATE POLICY "uploaded_table_insert_editor" ON "app"."uploaded_table"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((created_by = ( SELECT authz.uid() AS uid)) AND (state = 'loading'::text) AND (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))));

CREATE POLICY "uploaded_table_select_described_owner" ON "app"."uploaded_table"
  FOR SELECT
  TO "ringfence_owner"
  USING (((state = 'ready'::text) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))));

CREATE POLICY "uploaded_table_select_viewer" ON "app"."uploaded_table"
  FOR SELECT
  TO "authenticated"
  USING
    (((data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS granted_data_sources))) OR ((state = 'ready'::text) AND (data_source_id = ANY (ARRAY(
    SELECT authz.granted_data_sources('viewer'::text) AS granted_data_sources))))));

CREATE POLICY "uploaded_table_update_loader" ON "app"."uploaded_table"
  FOR UPDATE
  TO "authenticated"
  USING
    (((created_by = ( SELECT authz.uid() AS uid)) AND (state = 'loading'::text) AND (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS
    granted_data_sources)))))
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (data_source_id = ANY (ARRAY( SELECT authz.granted_data_sources('editor'::text) AS granted_data_sources)))));

CREATE POLICY "usage_entry_analyst_floor" ON "app"."usage_entry"
  AS RESTRICTIVE
  FOR SELECT
  TO "ringfence_analyst"
  USING ((org_id = ANY (ARRAY( SELECT authz.job_orgs('usage'::text) AS job_orgs))));

COMMENT ON FUNCTION "authz"."begun_jobs"() IS 'The job begun in this transaction. For policies of the owner role.';

COMMENT ON FUNCTION "authz"."describe_source"(uuid, uuid) IS 'A data source that the person asking may ask now, with its relations, their columns and what SQL reads them from; null for any other.';

COMMENT ON FUNCTION "authz"."granted_data_sources"(text) IS 'The data sources shared with the signed-in person, or with the requester of the job, at this level or above and taken from them by no rule. Without analytics.run, none.';

COMMENT ON FUNCTION "authz"."job_claims"() IS 'What the job begun in this transaction says of its requester, as claims; null outside one. For authz.claims() alone.';

COMMENT ON FUNCTION "authz"."job_context"() IS 'The data source of the job begun in this transaction, as authz.describe_source() tells it.';

COMMENT ON FUNCTION "authz"."job_orgs"(text) IS 'The organization of the job begun in this transaction, while its requester belongs to it and may ask a source that holds this relation; none outside a job.';

COMMENT ON FUNCTION "authz"."job_tables"() IS 'The uploaded tables of the source of the job begun in this transaction, while its requester may ask it; none outside a job.';

COMMENT ON FUNCTION "authz"."recover_jobs"() IS 'Put jobs whose worker let its lease run out back into the queue, or end them when that happened too often, and delete results that have expired; how many jobs.';

COMMENT ON FUNCTION "authz"."rehearse_job"() IS 'Begin a job of nobody, in an organization that does not exist: what comes after it in the transaction sees nothing, and makes the session ready for a job. To be rolled back.';

COMMENT ON FUNCTION "authz"."release_job"(uuid, uuid, boolean) IS 'Let go of a job that was not ended: another worker takes it, or it fails when that happened too often and counts.';

COMMENT ON FUNCTION "authz"."runs_the_queue"() IS 'Whether this session logged in as ringfence_worker, which begins and ends jobs; ringfence_analyst only reads inside one. For policies of the owner role.';

COMMENT ON FUNCTION "authz"."shared_results"() IS 'The jobs whose result is shared with the signed-in person: with them, a team of theirs, or everyone. Without analytics.run, none.';

COMMENT ON FUNCTION "authz"."works_the_queue"() IS 'Whether this session logged in as ringfence_worker or ringfence_analyst, which no SQL can change. For policies of the owner role.';

COMMENT ON POLICY "analytics_job_insert_self" ON "app"."analytics_job" IS 'analytics.run, in one''s own name, of a source shared with one, in a run of a bot one may run.';

COMMENT ON POLICY "analytics_job_select_queue_owner" ON "app"."analytics_job" IS 'The functions of the queue see every job, in the sessions of the two log-ins for background work alone.';

COMMENT ON POLICY "analytics_job_update_queue_owner" ON "app"."analytics_job" IS 'In the worker''s they begin and end jobs; one that has ended stays as it is.';

COMMENT ON POLICY "analytics_result_delete_over_owner" ON "app"."analytics_result" IS 'They delete it.';

COMMENT ON POLICY "analytics_result_insert_job_owner" ON "app"."analytics_result" IS 'Only for the job that this transaction has begun.';

COMMENT ON POLICY "analytics_result_select_over_owner" ON "app"."analytics_result" IS 'Workers find what nobody reads any more.';

COMMENT ON POLICY "analytics_result_select_requester" ON "app"."analytics_result" IS 'Who asked reads it, while they may still ask that source and it is not too old.';

COMMENT ON POLICY "analytics_result_select_shared" ON "app"."analytics_result" IS 'With whom it is shared reads it, while it is not too old; not the source it came from.';

COMMENT ON POLICY "bot_select_job_owner" ON "app"."bot" IS 'A job looks whether its requester may still run the bot that asked.';

COMMENT ON POLICY "bot_binding_select_job_owner" ON "app"."bot_binding" IS 'As that: whether the bot is still bound to the source.';

COMMENT ON POLICY "column_meaning_delete_editor" ON "app"."column_meaning" IS 'As that.';

COMMENT ON POLICY "column_meaning_insert_editor" ON "app"."column_meaning" IS 'analytics.manage and the source''s editors say what columns mean.';

COMMENT ON POLICY "column_meaning_select_described_owner" ON "app"."column_meaning" IS 'As that.';

COMMENT ON POLICY "column_meaning_select_viewer" ON "app"."column_meaning" IS 'Who sees the source sees what its columns mean.';

COMMENT ON POLICY "column_meaning_update_editor" ON "app"."column_meaning" IS 'As that.';

COMMENT ON POLICY "conversation_analyst_floor" ON "app"."conversation" IS 'Whatever else is allowed, only in a job of that organization whose source holds conversations.';

COMMENT ON POLICY "customer_order_analyst_floor" ON "app"."customer_order" IS 'Whatever else is allowed, only in a job of that organization whose source holds orders.';

COMMENT ON POLICY "data_source_delete_owner" ON "app"."data_source" IS 'analytics.manage and its owners delete it, with its jobs and results.';

COMMENT ON POLICY "data_source_select_asked_owner" ON "app"."data_source" IS 'A job sees the sources that its requester may ask now.';

COMMENT ON POLICY "data_source_select_viewer" ON "app"."data_source" IS 'analytics.manage sees every source; others those shared with them.';

COMMENT ON POLICY "data_source_update_editor" ON "app"."data_source" IS 'analytics.manage and its editors say what it is called and good for.';

COMMENT ON POLICY "data_source_grant_delete_owner" ON "app"."data_source_grant" IS 'analytics.manage and the source''s owners withdraw sharing.';

COMMENT ON POLICY "data_source_grant_insert_owner" ON "app"."data_source_grant" IS 'analytics.manage and the source''s owners share it with people and teams; with a role or everyone only who holds resources.publish.';

COMMENT ON POLICY "data_source_grant_select_concerned" ON "app"."data_source_grant" IS 'analytics.manage and the source''s owners see with whom it is shared; others the rows that let them ask it.';

COMMENT ON POLICY "job_lease_delete_owner" ON "app"."job_lease" IS 'A worker lets go of a job.';

COMMENT ON POLICY "job_lease_insert_owner" ON "app"."job_lease" IS 'A worker takes a job.';

COMMENT ON POLICY "job_lease_select_owner" ON "app"."job_lease" IS 'The functions of the queue compare leases, in the sessions of the two log-ins for background work alone.';

COMMENT ON POLICY "job_lease_update_owner" ON "app"."job_lease" IS 'A worker holds on to a job.';

COMMENT ON POLICY "job_scope_delete_owner" ON "app"."job_scope" IS 'As that: who may no longer gets no scope, and none outlives its transaction.';

COMMENT ON POLICY "job_scope_insert_owner" ON "app"."job_scope" IS 'As that: a job is begun in this transaction.';

COMMENT ON POLICY "job_scope_select_owner" ON "app"."job_scope" IS 'The row of this very transaction and no other, in the sessions of the two log-ins for background work alone.';

COMMENT ON POLICY "metric_insert_editor" ON "app"."metric" IS 'analytics.manage and the source''s editors, in their own name.';

COMMENT ON POLICY "metric_select_described_owner" ON "app"."metric" IS 'authz.describe_source() tells those of a source that the person asking may ask.';

COMMENT ON POLICY "metric_select_viewer" ON "app"."metric" IS 'Who sees the source sees how things are counted in it.';

COMMENT ON POLICY "support_ticket_analyst_floor" ON "app"."support_ticket" IS 'Whatever else is allowed, only in a job of that organization whose source holds tickets.';

COMMENT ON POLICY "uploaded_row_select_analyst" ON "app"."uploaded_row" IS 'In a job the rows of the tables in its source.';

COMMENT ON POLICY "uploaded_table_delete_editor" ON "app"."uploaded_table" IS 'The source''s editors delete it with its rows.';

COMMENT ON POLICY "uploaded_table_insert_editor" ON "app"."uploaded_table" IS 'The source''s editors upload, in their own name. analytics.manage alone does not: what is uploaded is data.';

COMMENT ON POLICY "uploaded_table_select_described_owner" ON "app"."uploaded_table" IS 'authz.describe_source() and authz.job_tables() tell those of a source that the person asking may ask.';

COMMENT ON POLICY "uploaded_table_select_viewer" ON "app"."uploaded_table" IS 'Who may ask the source sees what is ready in it; its editors also what is being loaded.';

COMMENT ON POLICY "uploaded_table_update_loader" ON "app"."uploaded_table" IS 'Who is loading it counts its rows and says when it is complete.';

COMMENT ON POLICY "usage_entry_analyst_floor" ON "app"."usage_entry" IS 'Whatever else is allowed, only in a job of that organization whose source holds usage.';

REVOKE ALL ON FUNCTION "authz"."begun_jobs"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."begun_jobs"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."begun_jobs"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."begun_jobs"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."describe_source"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."describe_source"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."describe_source"(uuid, uuid) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."describe_source"(uuid, uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."granted_data_sources"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."granted_data_sources"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."granted_data_sources"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."granted_data_sources"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."job_claims"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."job_claims"() TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."job_claims"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_claims"() TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_claims"() TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."job_context"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."job_context"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_context"() TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_context"() TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."job_orgs"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."job_orgs"(text) TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."job_orgs"(text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_orgs"(text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."job_tables"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."job_tables"() TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."job_tables"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."job_tables"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."rehearse_job"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."rehearse_job"() TO "ringfence_analyst";

REVOKE ALL ON FUNCTION "authz"."rehearse_job"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."rehearse_job"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."release_job"(uuid, uuid, boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."release_job"(uuid, uuid, boolean) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."release_job"(uuid, uuid, boolean) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."release_job"(uuid, uuid, boolean) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."runs_the_queue"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."runs_the_queue"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."runs_the_queue"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."runs_the_queue"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."shared_results"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."shared_results"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."shared_results"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."shared_results"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."works_the_queue"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."works_the_queue"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."works_the_queue"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."works_the_queue"() TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."analytics_result" FROM "ringfence_owner";

REVOKE ALL ("byte_count") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("byte_count") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("chart") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("chart") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("columns") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("columns") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("data_source_id") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("data_source_id") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("expires_at") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("expires_at"), SELECT ("expires_at") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("job_id") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("job_id"), SELECT ("job_id") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("org_id"), SELECT ("org_id") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("row_count") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("row_count") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("rows") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("rows") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("sha256") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("sha256") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("truncated") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("truncated") ON TABLE "app"."analytics_result" TO "ringfence_owner";

REVOKE ALL ("user_id") ON TABLE "app"."analytics_result" FROM "ringfence_owner";

GRANT INSERT ("user_id") ON TABLE "app"."analytics_result" TO "ringfence_owner";

GRANT DELETE ON TABLE "app"."analytics_result" TO "ringfence_owner";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
