-- What a data source holds, as the person asking may know it: for people, and for the model that writes SQL for them.

create function authz.describe_source(org_id uuid, data_source_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
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
        select jsonb_agg(jsonb_build_object('name', m.name, 'version', m.version, 'description', m.description, 'sql', m.sql, 'sha256', m.sha256, 'tests', to_jsonb(m.tests)) order by m.name)
        from (select distinct on (v.name) v.* from app.metric v where v.org_id = d.org_id and v.data_source_id = d.id order by v.name, v.version desc) m
        where not m.retired), '[]'),
      -- The latest only: they are an example to a model, not a library.
      'examples', coalesce((
        select jsonb_agg(jsonb_build_object('question', q.question, 'sql', q.sql) order by q.created_at desc, q.id)
        from (select a.* from app.accepted_query a where a.org_id = d.org_id and a.data_source_id = d.id order by a.created_at desc, a.id limit 8) q), '[]'))
    from app.data_source d
    where d.org_id = describe_source.org_id and d.id = describe_source.data_source_id);
end
$$;
comment on function authz.describe_source(uuid, uuid) is 'A data source that the person asking may ask now, with its relations, their columns and what SQL reads them from; null for any other.';
revoke all on function authz.describe_source(uuid, uuid) from public;
grant execute on function authz.describe_source(uuid, uuid) to authenticated, ringfence_owner;
alter function authz.describe_source(uuid, uuid) owner to ringfence_owner;

create function authz.job_context() returns jsonb
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select authz.describe_source(s.org_id, s.data_source_id) from app.job_scope s where s.xact_id = pg_current_xact_id_if_assigned());
end
$$;
comment on function authz.job_context() is 'The data source of the job begun in this transaction, as authz.describe_source() tells it.';
revoke all on function authz.job_context() from public;
grant execute on function authz.job_context() to ringfence_worker;
alter function authz.job_context() owner to ringfence_owner;
