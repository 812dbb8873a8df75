-- A knowledge base: a named set of documents, for the whole organization or for those it is shared with. Documents follow it, but for
-- private ones; a document is never wider than its knowledge base unless it is shared itself.
create table app.knowledge_base (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  slug text not null constraint knowledge_base_slug_check check (slug ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  -- An id may stand wherever a slug may: nobody takes somebody else's id for a name.
  constraint knowledge_base_slug_no_id_check check (slug !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'),
  name text not null constraint knowledge_base_name_check check (char_length(name) between 1 and 120),
  visibility text not null default 'organization' constraint knowledge_base_visibility_check check (visibility in ('organization', 'restricted')),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint knowledge_base_visibility_key unique (org_id, id, visibility)
);
-- Not unique: a name that is taken would tell of a knowledge base one cannot see (R51). Of those one sees,
-- api.create_knowledge_base() allows one.
create index knowledge_base_org_id_slug_idx on app.knowledge_base (org_id, slug);
comment on table app.knowledge_base is 'A named set of documents of one organization.';
comment on column app.knowledge_base.org_id is 'The organization.';
comment on column app.knowledge_base.id is 'Random identifier.';
comment on column app.knowledge_base.slug is 'Short name within the organization; 2..40 of a-z 0-9 -, and no uuid.';
comment on column app.knowledge_base.name is 'Display name; 1..120 characters.';
comment on column app.knowledge_base.visibility is 'organization: all with documents.read; restricted: those it is shared with (kb_grant), who made it to begin with.';
comment on column app.knowledge_base.created_by is 'Who made it, and is its first owner (kb_grant).';
comment on column app.knowledge_base.created_at is 'When it was made.';

alter table app.knowledge_base enable row level security;
alter table app.knowledge_base force row level security;
create policy knowledge_base_select_reader on app.knowledge_base for select to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read')))
    and (visibility = 'organization' or id = any (array(select authz.granted_knowledge_bases()))));
create policy knowledge_base_insert_manager on app.knowledge_base for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('documents.manage'))) and created_by = (select authz.uid())
    and (visibility <> 'organization' or org_id = any (array(select authz.orgs_with('resources.publish')))));
create policy knowledge_base_update_manager on app.knowledge_base for update to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read'))) and (id = any (array(select authz.granted_knowledge_bases('owner')))
    or org_id = any (array(select authz.orgs_with('documents.manage')))
      and (visibility = 'organization' or id = any (array(select authz.granted_knowledge_bases())))))
  with check (org_id = any (array(select authz.orgs_with('documents.read'))) and (id = any (array(select authz.granted_knowledge_bases('owner')))
    or org_id = any (array(select authz.orgs_with('documents.manage')))
      and (visibility = 'organization' or id = any (array(select authz.granted_knowledge_bases())))));
create policy knowledge_base_delete_manager on app.knowledge_base for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read'))) and (id = any (array(select authz.granted_knowledge_bases('owner')))
    or org_id = any (array(select authz.orgs_with('documents.manage')))
      and (visibility = 'organization' or id = any (array(select authz.granted_knowledge_bases())))));
create policy knowledge_base_floor on app.knowledge_base as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy knowledge_base_denied_floor on app.knowledge_base as restrictive for all to authenticated
  using (id <> all (array(select authz.denied('knowledge_base'))))
  with check (id <> all (array(select authz.denied('knowledge_base'))));
create policy knowledge_base_select_creator_owner on app.knowledge_base for select to ringfence_owner
  using (created_by = (select authz.uid()) and org_id = any (array(select authz.org_ids())));
comment on policy knowledge_base_select_reader on app.knowledge_base is 'documents.read sees those of the organization and those shared with one.';
comment on policy knowledge_base_insert_manager on app.knowledge_base is 'documents.manage makes them, in their own name; for the whole organization only with resources.publish.';
comment on policy knowledge_base_update_manager on app.knowledge_base is 'Its owners, and documents.manage where they can read it.';
comment on policy knowledge_base_delete_manager on app.knowledge_base is 'As changing it. Its documents go first, one by one: a cascade would pass by the policy on other people''s private ones.';
comment on policy knowledge_base_floor on app.knowledge_base is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy knowledge_base_denied_floor on app.knowledge_base is 'Whatever else is allowed, never one that a rule takes from the person (F15).';
comment on policy knowledge_base_select_creator_owner on app.knowledge_base is 'authz.tg_knowledge_base_owner() sees those the person asking made and no others.';
grant select, delete on app.knowledge_base to authenticated;
grant insert (org_id, slug, name, visibility) on app.knowledge_base to authenticated;
grant update (slug, name, visibility) on app.knowledge_base to authenticated;
create trigger _060_in_scope before insert or update or delete on app.knowledge_base
  for each statement execute function authz.tg_in_scope('documents.manage');
grant select (org_id, id, created_by) on app.knowledge_base to ringfence_owner;

create function authz.tg_knowledge_base_guard() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A policy sees one row, old or new: what a change may be, only a trigger can say.
  if row_security_active('app.knowledge_base') and new.visibility = 'organization' and old.visibility <> 'organization'
    and not new.org_id = any (array(select authz.orgs_with('resources.publish')))
  then
    raise sqlstate '42501' using message = 'sharing with the whole organization takes the permission resources.publish';
  end if;
  return new;
end
$$;
comment on function authz.tg_knowledge_base_guard() is 'Trigger: opening a knowledge base to the whole organization takes resources.publish (42501).';
revoke all on function authz.tg_knowledge_base_guard() from public;
create trigger _100_guard before update on app.knowledge_base
  for each row execute function authz.tg_knowledge_base_guard();
create trigger _900_audit after insert or update or delete on app.knowledge_base
  for each row execute function authz.tg_audit();
