-- Data sources: what questions may be asked of. A source holds relations of ours, seen as the person who asks sees them, or tables that were
-- uploaded into it. Making one gives nobody a row: what a person gets is still decided row by row when they ask.
create table app.data_source (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  slug text not null constraint data_source_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  constraint data_source_slug_no_id_check check (slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
  name text not null constraint data_source_name_check check (char_length(name) between 1 and 120),
  description text not null default '' constraint data_source_description_check check (char_length(description) <= 2000),
  relations text[] not null default '{}' constraint data_source_relations_check
    check (relations <@ array['orders', 'tickets', 'conversations', 'usage'] and array_position(relations, null) is null and cardinality(relations) <= 4),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id)
);
-- Not unique: a name that is taken would tell of a source one cannot see (R51). Of those one sees, api.create_data_source() allows one.
create index data_source_org_id_slug_idx on app.data_source (org_id, slug);
comment on table app.data_source is 'Something that questions may be asked of, in SQL or in words.';
comment on column app.data_source.org_id is 'The organization.';
comment on column app.data_source.id is 'Random identifier.';
comment on column app.data_source.slug is 'Short name within the organization; 2..40 of a-z 0-9 -, and no uuid.';
comment on column app.data_source.name is 'Display name; 1..120 characters.';
comment on column app.data_source.description is 'What it is good for; at most 2000 characters. Models read it.';
comment on column app.data_source.relations is 'Which of our own relations belong to it: orders, tickets, conversations, usage.';
comment on column app.data_source.created_by is 'Who made it.';
comment on column app.data_source.created_at is 'When it was made.';

alter table app.data_source enable row level security;
alter table app.data_source force row level security;
create policy data_source_select_viewer on app.data_source for select to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or id = any (array(select authz.granted_data_sources('viewer'))));
create policy data_source_insert_manager on app.data_source for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('analytics.manage'))) and created_by = (select authz.uid()));
create policy data_source_update_editor on app.data_source for update to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or id = any (array(select authz.granted_data_sources('editor'))))
  with check (org_id = any (array(select authz.orgs_with('analytics.manage'))) or id = any (array(select authz.granted_data_sources('editor'))));
create policy data_source_delete_owner on app.data_source for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('analytics.manage'))) or id = any (array(select authz.granted_data_sources('owner'))));
create policy data_source_floor on app.data_source as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy data_source_denied_floor on app.data_source as restrictive for all to authenticated
  using (not (id = any (array(select authz.denied('data_source')))))
  with check (not (id = any (array(select authz.denied('data_source')))));
create policy data_source_select_asked_owner on app.data_source for select to ringfence_owner
  using (id = any (array(select authz.granted_data_sources('viewer'))));
comment on policy data_source_select_viewer on app.data_source is 'analytics.manage sees every source; others those shared with them.';
comment on policy data_source_insert_manager on app.data_source is 'analytics.manage makes sources, in their own name.';
comment on policy data_source_update_editor on app.data_source is 'analytics.manage and its editors say what it is called and good for.';
comment on policy data_source_delete_owner on app.data_source is 'analytics.manage and its owners delete it, with its jobs and results.';
comment on policy data_source_floor on app.data_source is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy data_source_denied_floor on app.data_source is 'Whatever else is allowed, never a source that a rule takes from the person (F15).';
comment on policy data_source_select_asked_owner on app.data_source is 'A job sees the sources that its requester may ask now.';
grant select, delete on app.data_source to authenticated;
grant insert (org_id, slug, name, description, relations) on app.data_source to authenticated;
grant update (name, description) on app.data_source to authenticated;
grant select on app.data_source to ringfence_owner;
create trigger _060_in_scope before insert or update or delete on app.data_source
  for each statement execute function authz.tg_in_scope('analytics.manage');
create trigger _900_audit after insert or update or delete on app.data_source
  for each row execute function authz.tg_audit();
