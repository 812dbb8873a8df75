-- Uploading tables into a data source: begin, append, commit. Until it is committed nobody asks it.

create function api.create_uploaded_table(org_id uuid, source text, name text, columns jsonb) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(create_uploaded_table.org_id, create_uploaded_table.source);
  v_id uuid;
begin
  perform authz.require(authz.are_columns(create_uploaded_table.columns),
    'columns: 1..200 of {name, type, meaning}; names of a-z 0-9 _; types text, bigint, numeric, double precision, boolean, date, timestamptz');
  perform authz.require(create_uploaded_table.name ~ '^[a-z_][a-z0-9_]{0,62}$', 'name: 1..63 of a-z 0-9 _');
  perform authz.require(not create_uploaded_table.name = any (v_source.relations), 'name: the source has a relation of that name');
  perform authz.lock_name(v_source.org_id, 'upload ' || v_source.id);
  if (select count(*) from app.uploaded_table t where t.org_id = v_source.org_id and t.data_source_id = v_source.id)
    >= (select l.tables_per_source from authz.upload_limits() l)
  then
    raise sqlstate 'PT429' using message = 'a data source holds at most 50 tables: delete some';
  end if;
  insert into app.uploaded_table (org_id, data_source_id, name, columns)
  values (v_source.org_id, v_source.id, create_uploaded_table.name, create_uploaded_table.columns) returning id into v_id;
  return jsonb_build_object('table_id', v_id);
end
$$;
comment on function api.create_uploaded_table(uuid, text, text, jsonb) is $c$Begin to upload a table into a data source. Append its rows, then commit it. Needs level editor on the source.

@audience app
@param org_id   the organization
@param source   slug or id
@param name     what SQL will call it; 1..63 of a-z 0-9 _
@param columns  array of 1..200 {name, type, meaning}; types text, bigint, numeric, double precision, boolean, date, timestamptz
@returns        {table_id}
@errors         22004, 22023, 42501, PT404, PT409, PT429
@effect         write$c$;
revoke all on function api.create_uploaded_table(uuid, text, text, jsonb) from public;
grant execute on function api.create_uploaded_table(uuid, text, text, jsonb) to authenticated;

create function authz.loading_table(org_id uuid, table_id uuid) returns app.uploaded_table
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table app.uploaded_table;
begin
  perform authz.require_org(loading_table.org_id);
  select t.* into v_table from app.uploaded_table t
  where t.org_id = loading_table.org_id and t.id = loading_table.table_id and t.created_by = authz.uid() and t.state = 'loading' for update;
  if not found then
    raise sqlstate 'PT404' using message = 'no such table that you are loading';
  end if;
  return v_table;
end
$$;
comment on function authz.loading_table(uuid, uuid) is 'The table of that id that the signed-in person is loading, held until the transaction ends; PT404 for any other.';
revoke all on function authz.loading_table(uuid, uuid) from public;
grant execute on function authz.loading_table(uuid, uuid) to authenticated;

create function api.append_uploaded_rows(org_id uuid, table_id uuid, rows jsonb) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_table app.uploaded_table := authz.loading_table(append_uploaded_rows.org_id, append_uploaded_rows.table_id);
  v_names text[] := array(select c.value ->> 'name' from jsonb_array_elements(v_table.columns) with ordinality c (value, place) order by c.place);
begin
  perform authz.require(jsonb_typeof(append_uploaded_rows.rows) = 'array', 'rows: an array of arrays');
  perform authz.require(jsonb_array_length(append_uploaded_rows.rows) between 1 and (select l.rows_per_call from authz.upload_limits() l), 'rows: 1..5000');
  perform authz.require(not exists (
    select from jsonb_array_elements(append_uploaded_rows.rows) r
    where case when jsonb_typeof(r.value) = 'array' then jsonb_array_length(r.value) <> cardinality(v_names) else true end),
    'rows: each an array with one value for each column');
  insert into app.uploaded_row (org_id, table_id, position, data)
  select v_table.org_id, v_table.id, v_table.row_count + r.place, coalesce((
    select jsonb_object_agg(v_names[v.place], v.value) filter (where v.value <> 'null')
    from jsonb_array_elements(r.value) with ordinality v (value, place)), '{}')
  from jsonb_array_elements(append_uploaded_rows.rows) with ordinality r (value, place);
  return (select jsonb_build_object('row_count', t.row_count) from app.uploaded_table t where t.org_id = v_table.org_id and t.id = v_table.id);
end
$$;
comment on function api.append_uploaded_rows(uuid, uuid, jsonb) is $c$Add rows to a table that you are loading; all of them or none.

@audience app
@param org_id    the organization
@param table_id  the table
@param rows      array of 1..5000 arrays, each with one value for each column: number, string, boolean or null
@returns         {row_count}, so far
@errors          22004, 22023, 23514, PT404, PT429
@effect          write$c$;
revoke all on function api.append_uploaded_rows(uuid, uuid, jsonb) from public;
grant execute on function api.append_uploaded_rows(uuid, uuid, jsonb) to authenticated;

create function api.commit_uploaded_table(org_id uuid, table_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table app.uploaded_table := authz.loading_table(commit_uploaded_table.org_id, commit_uploaded_table.table_id);
begin
  perform authz.lock_name(v_table.org_id, 'upload ' || v_table.data_source_id);
  -- Another upload of the same name takes the place of the one before, at once.
  delete from app.uploaded_table t
  where t.org_id = v_table.org_id and t.data_source_id = v_table.data_source_id and t.name = v_table.name and t.state = 'ready';
  update app.uploaded_table t set state = 'ready' where t.org_id = v_table.org_id and t.id = v_table.id;
  return jsonb_build_object('table_id', v_table.id, 'name', v_table.name, 'row_count', v_table.row_count);
end
$$;
comment on function api.commit_uploaded_table(uuid, uuid) is $c$Say that a table you are loading is complete: from now on it is asked, in place of one of the same name.

@audience app
@param org_id    the organization
@param table_id  the table
@returns         {table_id, name, row_count}
@errors          22004, PT404
@effect          write$c$;
revoke all on function api.commit_uploaded_table(uuid, uuid) from public;
grant execute on function api.commit_uploaded_table(uuid, uuid) to authenticated;

create function api.delete_uploaded_table(org_id uuid, table_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(delete_uploaded_table.org_id);
  delete from app.uploaded_table t where t.org_id = delete_uploaded_table.org_id and t.id = delete_uploaded_table.table_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such table, or not yours to delete';
  end if;
  return jsonb_build_object('table_id', delete_uploaded_table.table_id);
end
$$;
comment on function api.delete_uploaded_table(uuid, uuid) is $c$Delete an uploaded table with its rows; results that came from it stay. Needs level editor on its source.

@audience app
@param org_id    the organization
@param table_id  the table
@returns         {table_id}
@errors          22004, PT404
@effect          destructive$c$;
revoke all on function api.delete_uploaded_table(uuid, uuid) from public;
grant execute on function api.delete_uploaded_table(uuid, uuid) to authenticated;

create function api.list_uploaded_tables(org_id uuid, source text)
returns table (table_id uuid, name text, columns jsonb, state text, row_count integer, byte_count bigint, created_by uuid, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(list_uploaded_tables.org_id, list_uploaded_tables.source);
begin
  return query
    select t.id, t.name, t.columns, t.state, t.row_count, t.byte_count, t.created_by, t.created_at
    from app.uploaded_table t where t.org_id = v_source.org_id and t.data_source_id = v_source.id order by t.name, t.created_at, t.id;
end
$$;
comment on function api.list_uploaded_tables(uuid, text) is $c$List the uploaded tables of a data source that you may ask; its editors see those being loaded too.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       array of {table_id, name, columns, state, row_count, byte_count, created_by, created_at}; by name
@errors        22004, PT404, PT409
@effect        read$c$;
revoke all on function api.list_uploaded_tables(uuid, text) from public;
grant execute on function api.list_uploaded_tables(uuid, text) to authenticated;
