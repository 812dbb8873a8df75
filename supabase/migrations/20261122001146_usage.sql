-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE TABLE "app"."usage_entry" (
  "org_id"   uuid   NOT NULL,
  "id"       uuid   NOT NULL DEFAULT gen_random_uuid(),
  "on_day"   date   NOT NULL DEFAULT CURRENT_DATE,
  "actor_id" uuid,
  "measure"  text   NOT NULL,
  "amount"   bigint NOT NULL,
  CONSTRAINT "usage_entry_measure_check"
    CHECK
    ((measure = ANY (ARRAY['members'::text, 'teams'::text, 'bots'::text, 'knowledge_bases'::text, 'documents'::text, 'passages'::text, 'characters'::text, 'runs'::text,
    'model_calls'::text, 'input_tokens'::text, 'output_tokens'::text]))),
  CONSTRAINT "usage_entry_pkey" PRIMARY KEY (org_id, id)
);

ALTER TABLE "app"."usage_entry"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."usage_entry"
  FORCE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION api.organization_usage (
  org_id uuid,
  days   integer DEFAULT 30
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(organization_usage.org_id);
  perform authz.require(organization_usage.days between 1 and 3660, 'days: 1..3660');
  if (organization_usage.org_id = any (array(select authz.orgs_with('usage.read')))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization, or its usage is not yours to read';
  end if;
  return (
    select jsonb_object_agg(m.measure, coalesce((
      select sum(u.amount) from app.usage_entry u
      where u.org_id = organization_usage.org_id and u.measure = m.measure and (not m.flows or u.on_day > current_date - organization_usage.days)), 0))
    from (values ('members', false), ('teams', false), ('bots', false), ('knowledge_bases', false), ('documents', false), ('passages', false),
      ('characters', false), ('runs', true), ('model_calls', true), ('input_tokens', true), ('output_tokens', true)) m (measure, flows));
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_usage()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_sign integer := case tg_op when 'DELETE' then -1 else 1 end;
begin
  if tg_table_name = 'chunk' then
    insert into app.usage_entry (org_id, actor_id, measure, amount)
      select t.org_id, authz.uid(), m.measure, v_sign * m.amount
      from (select s.org_id, count(*) as passages, sum(char_length(s.content)) as characters from touched s group by s.org_id) t
      cross join lateral (values ('passages', t.passages), ('characters', t.characters)) m (measure, amount);
  elsif tg_table_name = 'run_step' then
    insert into app.usage_entry (org_id, actor_id, measure, amount)
      select t.org_id, authz.uid(), m.measure, m.amount
      from (select s.org_id, count(*) as calls, sum(s.input_tokens) as input, sum(s.output_tokens) as output
        from touched s where s.kind = 'model' group by s.org_id) t
      cross join lateral (values ('model_calls', t.calls), ('input_tokens', t.input), ('output_tokens', t.output)) m (measure, amount)
      where m.amount > 0;
  else
    insert into app.usage_entry (org_id, actor_id, measure, amount)
      select t.org_id, authz.uid(), tg_argv[0], v_sign * count(*) from touched t group by t.org_id;
  end if;
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_usage"() OWNER TO "ringfence_owner";

ALTER TABLE "app"."usage_entry"
  ADD CONSTRAINT "usage_entry_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

CREATE INDEX usage_entry_org_id_measure_on_day_idx ON app.usage_entry USING btree (org_id, measure, on_day) INCLUDE (amount);

CREATE TRIGGER _950_usage AFTER INSERT ON app.bot REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'bots'
);

CREATE TRIGGER _960_usage AFTER DELETE ON app.bot REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'bots'
);

CREATE TRIGGER _950_usage
  AFTER INSERT ON app.chunk REFERENCING NEW TABLE AS touched
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_usage();

CREATE TRIGGER _960_usage
  AFTER DELETE ON app.chunk REFERENCING OLD TABLE AS touched
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_usage();

CREATE TRIGGER _950_usage AFTER INSERT ON app.document REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'documents'
);

CREATE TRIGGER _960_usage AFTER DELETE ON app.document REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'documents'
);

CREATE TRIGGER _950_usage AFTER INSERT ON app.knowledge_base REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'knowledge_bases'
);

CREATE TRIGGER _960_usage AFTER DELETE ON app.knowledge_base REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'knowledge_bases'
);

CREATE TRIGGER _950_usage AFTER INSERT ON app.membership REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'members'
);

CREATE TRIGGER _960_usage AFTER DELETE ON app.membership REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'members'
);

CREATE TRIGGER _950_usage AFTER INSERT ON app.run REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'runs'
);

CREATE TRIGGER _950_usage
  AFTER INSERT ON app.run_step REFERENCING NEW TABLE AS touched
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_usage();

CREATE TRIGGER _950_usage AFTER INSERT ON app.team REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'teams'
);

CREATE TRIGGER _960_usage AFTER DELETE ON app.team REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION authz.tg_usage (
  'teams'
);

CREATE POLICY "usage_entry_delete_nobody" ON "app"."usage_entry"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "usage_entry_floor" ON "app"."usage_entry"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "usage_entry_insert_nobody" ON "app"."usage_entry"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "usage_entry_insert_owner" ON "app"."usage_entry"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK ((NOT (actor_id IS DISTINCT FROM ( SELECT authz.uid() AS uid))));

CREATE POLICY "usage_entry_select_reader" ON "app"."usage_entry"
  FOR SELECT
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('usage.read'::text) AS orgs_with))));

CREATE POLICY "usage_entry_update_nobody" ON "app"."usage_entry"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

COMMENT ON COLUMN "app"."usage_entry"."actor_id" IS 'Who did it; null for an operator.';

COMMENT ON COLUMN "app"."usage_entry"."amount" IS 'How much.';

COMMENT ON COLUMN "app"."usage_entry"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."usage_entry"."measure" IS 'What is counted.';

COMMENT ON COLUMN "app"."usage_entry"."on_day" IS 'The day, in UTC on a Supabase server.';

COMMENT ON COLUMN "app"."usage_entry"."org_id" IS 'The organization.';

COMMENT ON FUNCTION "api"."organization_usage"(uuid, integer) IS 'Tell how much an organization has, and how much it ran in the last days; true totals, whatever of it you may see.

@audience app
@param org_id  the organization; needs usage.read
@param days    how many days back runs, model calls and tokens are counted, today included; 1..3660
@returns       {members, teams, bots, knowledge_bases, documents, passages, characters, runs, model_calls, input_tokens, output_tokens}
@errors        22004, 22023, PT404
@effect        read';

COMMENT ON FUNCTION "authz"."tg_usage"() IS 'Trigger, once a statement: note how much was added or taken away; of other tables than chunk and run_step the argument says what is counted.';

COMMENT ON POLICY "usage_entry_delete_nobody" ON "app"."usage_entry" IS 'Append-only.';

COMMENT ON POLICY "usage_entry_floor" ON "app"."usage_entry" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "usage_entry_insert_nobody" ON "app"."usage_entry" IS 'Only the trigger writes here.';

COMMENT ON POLICY "usage_entry_insert_owner" ON "app"."usage_entry" IS 'Even the trigger cannot write in another person''s name.';

COMMENT ON POLICY "usage_entry_select_reader" ON "app"."usage_entry" IS 'usage.read sees the amounts.';

COMMENT ON POLICY "usage_entry_update_nobody" ON "app"."usage_entry" IS 'Append-only.';

COMMENT ON TABLE "app"."usage_entry" IS 'How much of what was added (or taken away, below zero), and when.';

REVOKE ALL ON FUNCTION "api"."organization_usage"(uuid, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."organization_usage"(uuid, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."organization_usage"(uuid, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."organization_usage"(uuid, integer) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_usage"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_usage"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_usage"() TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."usage_entry" TO "authenticated";

GRANT INSERT ("actor_id") ON TABLE "app"."usage_entry" TO "ringfence_owner";

GRANT INSERT ("amount") ON TABLE "app"."usage_entry" TO "ringfence_owner";

GRANT INSERT ("measure") ON TABLE "app"."usage_entry" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."usage_entry" TO "ringfence_owner";

-- By hand: what was there before the ledger.
insert into app.usage_entry (org_id, measure, amount)
select org_id, measure, amount from (
  select org_id, 'members' as measure, count(*) as amount from app.membership group by org_id
  union all select org_id, 'teams', count(*) from app.team group by org_id
  union all select org_id, 'bots', count(*) from app.bot group by org_id
  union all select org_id, 'knowledge_bases', count(*) from app.knowledge_base group by org_id
  union all select org_id, 'documents', count(*) from app.document group by org_id
  union all select org_id, 'passages', count(*) from app.chunk group by org_id
  union all select org_id, 'characters', sum(char_length(content)) from app.chunk group by org_id
) earlier;
insert into app.usage_entry (org_id, on_day, measure, amount)
select org_id, on_day, measure, amount from (
  select org_id, started_at::date as on_day, 'runs' as measure, count(*) as amount from app.run group by 1, 2
  union all select org_id, created_at::date, 'model_calls', count(*) from app.run_step where kind = 'model' group by 1, 2
  union all select org_id, created_at::date, 'input_tokens', sum(input_tokens) from app.run_step where kind = 'model' group by 1, 2
  union all select org_id, created_at::date, 'output_tokens', sum(output_tokens) from app.run_step where kind = 'model' group by 1, 2
) earlier where amount > 0;

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
