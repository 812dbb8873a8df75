-- Uploaded tables: rows of other systems, kept as JSON under row security. Nothing is created at run time; SQL reads them through a
-- subquery that names and casts their columns (authz.describe_source()).
create function authz.upload_limits() returns table (rows_per_table integer, bytes_per_table bigint, tables_per_source integer, rows_per_call integer, columns integer)
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  select 200000, 67108864::bigint, 50, 5000, 200
$$;
comment on function authz.upload_limits() is 'How much may be uploaded. The one place that says so.';
revoke all on function authz.upload_limits() from public;
grant execute on function authz.upload_limits() to authenticated;

create function authz.are_columns(columns jsonb) returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_typeof(are_columns.columns) = 'array' and jsonb_array_length(are_columns.columns) between 1 and 200
    and (select bool_and(coalesce(jsonb_typeof(c.value) = 'object' and (c.value ->> 'name') ~ '^[a-z_][a-z0-9_]{0,62}$'
        and (c.value ->> 'type') = any (array['text', 'bigint', 'numeric', 'double precision', 'boolean', 'date', 'timestamptz'])
        and jsonb_typeof(coalesce(c.value -> 'meaning', '""')) = 'string' and char_length(coalesce(c.value ->> 'meaning', '')) <= 500
        and c.value - array['name', 'type', 'meaning'] = '{}', false))
      and count(distinct c.value ->> 'name') = count(*)
      from jsonb_array_elements(case when jsonb_typeof(are_columns.columns) = 'array' then are_columns.columns else '[]' end) c)
$$;
comment on function authz.are_columns(jsonb) is 'Whether it is a list of 1..200 {name, type, meaning} with names and types that SQL can be made of.';
revoke all on function authz.are_columns(jsonb) from public;
grant execute on function authz.are_columns(jsonb) to authenticated, ringfence_owner;

create table app.uploaded_table (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  data_source_id uuid not null,
  name text not null constraint uploaded_table_name_check check (name ~ '^[a-z_][a-z0-9_]{0,62}$'),
  columns jsonb not null constraint uploaded_table_columns_check check (authz.are_columns(columns)),
  state text not null default 'loading' constraint uploaded_table_state_check check (state in ('loading', 'ready')),
  row_count integer not null default 0,
  byte_count bigint not null default 0,
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint uploaded_table_data_source_id_fkey foreign key (org_id, data_source_id) references app.data_source (org_id, id) on delete cascade
);
create index uploaded_table_org_id_data_source_id_idx on app.uploaded_table (org_id, data_source_id);
comment on table app.uploaded_table is 'A table that somebody uploaded into a data source.';
comment on column app.uploaded_table.org_id is 'The organization.';
comment on column app.uploaded_table.id is 'Random identifier.';
comment on column app.uploaded_table.data_source_id is 'The data source.';
comment on column app.uploaded_table.name is 'What SQL calls it; 1..63 of a-z 0-9 _.';
comment on column app.uploaded_table.columns is 'A list of {name, type, meaning}; types text, bigint, numeric, double precision, boolean, date, timestamptz.';
comment on column app.uploaded_table.state is 'loading, then ready: only then it is asked, and nothing is added any more.';
comment on column app.uploaded_table.row_count is 'How many rows it has, counted as they come.';
comment on column app.uploaded_table.byte_count is 'How many bytes they take as JSON text.';
comment on column app.uploaded_table.created_by is 'Who uploaded it.';
comment on column app.uploaded_table.created_at is 'When that began.';

create table app.uploaded_row (
  org_id uuid not null references app.organization (id) on delete cascade,
  table_id uuid not null,
  position integer not null,
  data jsonb not null constraint uploaded_row_data_check check (jsonb_typeof(data) = 'object'),
  primary key (org_id, table_id, position),
  constraint uploaded_row_table_id_fkey foreign key (org_id, table_id) references app.uploaded_table (org_id, id) on delete cascade
);
comment on table app.uploaded_row is 'A row of an uploaded table.';
comment on column app.uploaded_row.org_id is 'The organization.';
comment on column app.uploaded_row.table_id is 'The table.';
comment on column app.uploaded_row.position is 'Its place, from 1.';
comment on column app.uploaded_row.data is 'Values by column; each is of its type, and a column without a value is left out.';

alter table app.uploaded_table enable row level security;
alter table app.uploaded_table force row level security;
create policy uploaded_table_select_viewer on app.uploaded_table for select to authenticated
  using (data_source_id = any (array(select authz.granted_data_sources('editor')))
    or state = 'ready' and data_source_id = any (array(select authz.granted_data_sources('viewer'))));
create policy uploaded_table_insert_editor on app.uploaded_table for insert to authenticated
  with check (created_by = (select authz.uid()) and state = 'loading' and data_source_id = any (array(select authz.granted_data_sources('editor'))));
create policy uploaded_table_update_loader on app.uploaded_table for update to authenticated
  using (created_by = (select authz.uid()) and state = 'loading' and data_source_id = any (array(select authz.granted_data_sources('editor'))))
  with check (created_by = (select authz.uid()) and data_source_id = any (array(select authz.granted_data_sources('editor'))));
create policy uploaded_table_delete_editor on app.uploaded_table for delete to authenticated
  using (data_source_id = any (array(select authz.granted_data_sources('editor'))));
create policy uploaded_table_floor on app.uploaded_table as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy uploaded_table_select_described_owner on app.uploaded_table for select to ringfence_owner
  using (state = 'ready' and org_id = any (array(select authz.org_ids())));
comment on policy uploaded_table_select_viewer on app.uploaded_table is 'Who may ask the source sees what is ready in it; its editors also what is being loaded.';
comment on policy uploaded_table_insert_editor on app.uploaded_table is 'The source''s editors upload, in their own name. analytics.manage alone does not: what is uploaded is data.';
comment on policy uploaded_table_update_loader on app.uploaded_table is 'Who is loading it counts its rows and says when it is complete.';
comment on policy uploaded_table_delete_editor on app.uploaded_table is 'The source''s editors delete it with its rows.';
comment on policy uploaded_table_floor on app.uploaded_table is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy uploaded_table_select_described_owner on app.uploaded_table is 'authz.describe_source() and authz.job_tables() tell those of a source that the person asking may ask.';
grant select, delete on app.uploaded_table to authenticated;
grant select on app.uploaded_table to ringfence_owner;
grant insert (org_id, data_source_id, name, columns) on app.uploaded_table to authenticated;
grant update (state, row_count, byte_count) on app.uploaded_table to authenticated;
create trigger _060_in_scope before insert or update or delete on app.uploaded_table
  for each statement execute function authz.tg_in_scope('analytics.manage');
create trigger _900_audit after insert or delete on app.uploaded_table
  for each row execute function authz.tg_audit();
create trigger _905_audit after update on app.uploaded_table
  for each row when (old.state is distinct from new.state) execute function authz.tg_audit();

alter table app.uploaded_row enable row level security;
alter table app.uploaded_row force row level security;
create policy uploaded_row_select_viewer on app.uploaded_row for select to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.run'))) and table_id = any (array(select t.id from app.uploaded_table t)));
create policy uploaded_row_insert_loader on app.uploaded_row for insert to authenticated
  with check (table_id = any (array(select t.id from app.uploaded_table t where t.state = 'loading' and t.created_by = (select authz.uid()))));
create policy uploaded_row_update_nobody on app.uploaded_row for update to authenticated using (false) with check (false);
create policy uploaded_row_delete_nobody on app.uploaded_row for delete to authenticated using (false);
create policy uploaded_row_floor on app.uploaded_row as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy uploaded_row_select_analyst on app.uploaded_row for select to ringfence_analyst
  using (table_id = any (array(select authz.job_tables())));
comment on policy uploaded_row_select_viewer on app.uploaded_row is 'Who sees the table sees its rows.';
comment on policy uploaded_row_insert_loader on app.uploaded_row is 'Who is loading the table adds them, until it is ready.';
comment on policy uploaded_row_update_nobody on app.uploaded_row is 'What was uploaded stays as it was; another upload replaces it.';
comment on policy uploaded_row_delete_nobody on app.uploaded_row is 'Rows go with their table.';
comment on policy uploaded_row_floor on app.uploaded_row is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy uploaded_row_select_analyst on app.uploaded_row is 'In a job the rows of the tables in its source.';
grant select on app.uploaded_row to authenticated;
grant select (org_id, table_id, position, data) on app.uploaded_row to ringfence_analyst;
grant insert (org_id, table_id, position, data) on app.uploaded_row to authenticated;
create trigger _060_in_scope before insert on app.uploaded_row
  for each statement execute function authz.tg_in_scope('analytics.manage');

create function authz.tg_uploaded_rows() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_wrong record;
  v_limits record;
begin
  -- SQL that reads a table casts its values: one that is not of its type would make every question about the table fail.
  select n.position, c.value ->> 'name' as name, c.value ->> 'type' as type into v_wrong
  from added n join app.uploaded_table t on t.org_id = n.org_id and t.id = n.table_id
  cross join jsonb_array_elements(t.columns) c
  where not pg_input_is_valid(n.data ->> (c.value ->> 'name'), c.value ->> 'type')
  limit 1;
  if found then
    raise sqlstate '22023' using message = format('row %s, column %s: not a %s', v_wrong.position, v_wrong.name, v_wrong.type);
  end if;
  update app.uploaded_table t set row_count = t.row_count + n.rows, byte_count = t.byte_count + n.bytes
  from (select a.org_id, a.table_id, count(*) as rows, sum(octet_length(a.data::text)) as bytes from added a group by 1, 2) n
  where t.org_id = n.org_id and t.id = n.table_id;
  select * into v_limits from authz.upload_limits();
  if exists (select from added n join app.uploaded_table t on t.org_id = n.org_id and t.id = n.table_id
    where t.row_count > v_limits.rows_per_table or t.byte_count > v_limits.bytes_per_table)
  then
    raise sqlstate 'PT429' using message = format('a table holds at most %s rows and %s bytes', v_limits.rows_per_table, v_limits.bytes_per_table);
  end if;
  return null;
end
$$;
comment on function authz.tg_uploaded_rows() is 'Trigger, once a statement: every value is of the type of its column (22023), and the table stays within its limits (PT429).';
revoke all on function authz.tg_uploaded_rows() from public;
create trigger _500_rows after insert on app.uploaded_row referencing new table as added
  for each statement execute function authz.tg_uploaded_rows();
