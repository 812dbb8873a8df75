-- A knowledge base: a named set of documents. Who may read a document is decided on the document, never by the base.
create table app.knowledge_base (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  slug text not null constraint knowledge_base_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  name text not null constraint knowledge_base_name_check check (char_length(name) between 1 and 120),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint knowledge_base_org_id_slug_key unique (org_id, slug)
);
comment on table app.knowledge_base is 'A named set of documents of one organization.';
comment on column app.knowledge_base.org_id is 'The organization.';
comment on column app.knowledge_base.id is 'Random identifier.';
comment on column app.knowledge_base.slug is 'Short name within the organization; 2..40 of a-z 0-9 -.';
comment on column app.knowledge_base.name is 'Display name; 1..120 characters.';
comment on column app.knowledge_base.created_by is 'Who made it.';
comment on column app.knowledge_base.created_at is 'When it was made.';

alter table app.knowledge_base enable row level security;
alter table app.knowledge_base force row level security;
create policy knowledge_base_select_reader on app.knowledge_base for select to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read'))));
create policy knowledge_base_insert_manager on app.knowledge_base for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('documents.manage'))) and created_by = (select authz.uid()));
create policy knowledge_base_update_manager on app.knowledge_base for update to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.manage'))))
  with check (org_id = any (array(select authz.orgs_with('documents.manage'))));
create policy knowledge_base_delete_nobody on app.knowledge_base for delete to authenticated using (false);
create policy knowledge_base_floor on app.knowledge_base as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
comment on policy knowledge_base_select_reader on app.knowledge_base is 'documents.read sees the knowledge bases.';
comment on policy knowledge_base_insert_manager on app.knowledge_base is 'documents.manage makes them, in their own name.';
comment on policy knowledge_base_update_manager on app.knowledge_base is 'documents.manage renames them.';
comment on policy knowledge_base_delete_nobody on app.knowledge_base is 'Its documents go one by one: a cascade would pass by the policy on other people''s private ones.';
comment on policy knowledge_base_floor on app.knowledge_base is 'Whatever else is allowed, never outside one''s own organizations.';
grant select on app.knowledge_base to authenticated;
grant insert (org_id, slug, name) on app.knowledge_base to authenticated;
grant update (slug, name) on app.knowledge_base to authenticated;
create trigger _900_audit after insert or update or delete on app.knowledge_base
  for each row execute function authz.tg_audit();
