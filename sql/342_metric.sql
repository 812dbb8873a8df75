-- What things mean: governed metrics, by version, and what columns stand for (F55). People and models read both.
create table app.metric (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  data_source_id uuid not null,
  name text not null constraint metric_name_check check (name ~ '^[a-z][a-z0-9_]{1,59}$'),
  version integer not null constraint metric_version_check check (version >= 1),
  description text not null constraint metric_description_check check (char_length(description) between 1 and 500),
  sql text not null constraint metric_sql_check check (char_length(sql) between 1 and 4000),
  sha256 text not null default repeat('0', 64) constraint metric_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
  retired boolean not null default false,
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  tests text[] not null default '{}' constraint metric_tests_check
    check (cardinality(tests) <= 10 and array_position(tests, null) is null and '' <> all (tests) and char_length(array_to_string(tests, '')) <= 10000),
  primary key (org_id, id),
  constraint metric_data_source_id_fkey foreign key (org_id, data_source_id) references app.data_source (org_id, id) on delete cascade,
  constraint metric_version_key unique (org_id, data_source_id, name, version)
);
comment on table app.metric is 'How something is counted, in SQL over the relations of a source. A change is a new version; none is edited.';
comment on column app.metric.org_id is 'The organization.';
comment on column app.metric.id is 'Random identifier.';
comment on column app.metric.data_source_id is 'The data source.';
comment on column app.metric.name is 'Name within the source; 2..60 of a-z 0-9 _.';
comment on column app.metric.version is 'From 1; the latest holds.';
comment on column app.metric.description is 'What it says; 1..500 characters.';
comment on column app.metric.sql is 'An expression or a SELECT over the relations of the source; 1..4000 characters. It is text for whoever writes SQL and never runs by itself.';
comment on column app.metric.sha256 is 'SHA-256 of the SQL.';
comment on column app.metric.retired is 'Whether from this version on it is no longer to be used.';
comment on column app.metric.created_by is 'Who answers for this version.';
comment on column app.metric.created_at is 'Since when.';
comment on column app.metric.tests is 'SELECTs over the relations of the source that give no row as long as the metric counts what it says; at most 10, 1..10000 characters in all. Text as well: who tests a metric asks them of the source, as themselves.';

alter table app.metric enable row level security;
alter table app.metric force row level security;
create policy metric_select_viewer on app.metric for select to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('viewer'))));
create policy metric_insert_editor on app.metric for insert to authenticated
  with check (created_by = (select authz.uid())
    and (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('editor')))));
create policy metric_update_nobody on app.metric for update to authenticated using (false) with check (false);
create policy metric_delete_nobody on app.metric for delete to authenticated using (false);
create policy metric_floor on app.metric as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy metric_denied_floor on app.metric as restrictive for all to authenticated
  using (not (data_source_id = any (array(select authz.denied('data_source')))))
  with check (not (data_source_id = any (array(select authz.denied('data_source')))));
create policy metric_select_described_owner on app.metric for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids())));
comment on policy metric_select_viewer on app.metric is 'Who sees the source sees how things are counted in it.';
comment on policy metric_insert_editor on app.metric is 'analytics.manage and the source''s editors, in their own name.';
comment on policy metric_update_nobody on app.metric is 'A change is a new version.';
comment on policy metric_delete_nobody on app.metric is 'What an old answer was counted by stays to be read; a version can retire it.';
comment on policy metric_floor on app.metric is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy metric_denied_floor on app.metric is 'Whatever else is allowed, never of a source that a rule takes from the person (F15).';
comment on policy metric_select_described_owner on app.metric is 'authz.describe_source() tells those of a source that the person asking may ask.';
grant select on app.metric to authenticated, ringfence_owner;
grant insert (org_id, data_source_id, name, version, description, sql, retired, tests) on app.metric to authenticated;
create trigger _060_in_scope before insert on app.metric
  for each statement execute function authz.tg_in_scope('analytics.manage');

create function authz.tg_metric() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  new.sha256 := encode(sha256(convert_to(new.sql, 'UTF8')), 'hex');
  return new;
end
$$;
comment on function authz.tg_metric() is 'Trigger: the hash of a metric is computed, whatever is written.';
revoke all on function authz.tg_metric() from public;
create trigger _100_hash before insert on app.metric
  for each row execute function authz.tg_metric();
create trigger _900_audit after insert on app.metric
  for each row execute function authz.tg_audit();

create table app.column_meaning (
  org_id uuid not null references app.organization (id) on delete cascade,
  data_source_id uuid not null,
  relation text not null constraint column_meaning_relation_check check (relation ~ '^[a-z_][a-z0-9_]{0,62}$'),
  column_name text not null constraint column_meaning_column_name_check check (column_name ~ '^[a-z_][a-z0-9_]{0,62}$'),
  meaning text not null constraint column_meaning_meaning_check check (char_length(meaning) between 1 and 500),
  updated_at timestamptz not null default now(),
  primary key (org_id, data_source_id, relation, column_name),
  constraint column_meaning_data_source_id_fkey foreign key (org_id, data_source_id) references app.data_source (org_id, id) on delete cascade
);
comment on table app.column_meaning is 'What a column of a source means to this organization; it stands before what we say of it.';
comment on column app.column_meaning.org_id is 'The organization.';
comment on column app.column_meaning.data_source_id is 'The data source.';
comment on column app.column_meaning.relation is 'The relation.';
comment on column app.column_meaning.column_name is 'The column.';
comment on column app.column_meaning.meaning is 'What it means; 1..500 characters.';
comment on column app.column_meaning.updated_at is 'When it was last said.';

alter table app.column_meaning enable row level security;
alter table app.column_meaning force row level security;
create policy column_meaning_select_viewer on app.column_meaning for select to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('viewer'))));
create policy column_meaning_insert_editor on app.column_meaning for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('editor'))));
create policy column_meaning_update_editor on app.column_meaning for update to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('editor'))))
  with check (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('editor'))));
create policy column_meaning_delete_editor on app.column_meaning for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or data_source_id = any (array(select authz.granted_data_sources('editor'))));
create policy column_meaning_floor on app.column_meaning as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy column_meaning_denied_floor on app.column_meaning as restrictive for all to authenticated
  using (not (data_source_id = any (array(select authz.denied('data_source')))))
  with check (not (data_source_id = any (array(select authz.denied('data_source')))));
create policy column_meaning_select_described_owner on app.column_meaning for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids())));
comment on policy column_meaning_select_viewer on app.column_meaning is 'Who sees the source sees what its columns mean.';
comment on policy column_meaning_insert_editor on app.column_meaning is 'analytics.manage and the source''s editors say what columns mean.';
comment on policy column_meaning_update_editor on app.column_meaning is 'As that.';
comment on policy column_meaning_delete_editor on app.column_meaning is 'As that.';
comment on policy column_meaning_floor on app.column_meaning is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy column_meaning_denied_floor on app.column_meaning is 'Whatever else is allowed, never of a source that a rule takes from the person (F15).';
comment on policy column_meaning_select_described_owner on app.column_meaning is 'As that.';
grant select, delete on app.column_meaning to authenticated;
grant select on app.column_meaning to ringfence_owner;
grant insert (org_id, data_source_id, relation, column_name, meaning) on app.column_meaning to authenticated;
grant update (meaning) on app.column_meaning to authenticated;
create trigger _060_in_scope before insert or update or delete on app.column_meaning
  for each statement execute function authz.tg_in_scope('analytics.manage');
create trigger _900_audit after insert or update or delete on app.column_meaning
  for each row execute function authz.tg_audit();
