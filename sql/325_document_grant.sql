-- With whom a document is shared beyond its visibility: a member, a team or (both null) everyone in the organization (F14, F26).
create table app.document_grant (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  document_id uuid not null,
  user_id uuid,
  team_id uuid,
  level text not null default 'viewer' constraint document_grant_level_check check (level in ('viewer', 'editor', 'owner')),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint document_grant_document_id_fkey foreign key (org_id, document_id) references app.document (org_id, id) on delete cascade,
  constraint document_grant_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade,
  constraint document_grant_team_id_fkey foreign key (org_id, team_id) references app.team (org_id, id) on delete cascade,
  constraint document_grant_one_principal_check check (num_nonnulls(user_id, team_id) <= 1),
  constraint document_grant_principal_key unique nulls not distinct (org_id, document_id, user_id, team_id)
);
comment on table app.document_grant is 'A document shared with somebody. Without documents.read, or against its classification or a rule, it gives nothing.';
comment on column app.document_grant.org_id is 'The organization.';
comment on column app.document_grant.id is 'Random identifier.';
comment on column app.document_grant.document_id is 'The document.';
comment on column app.document_grant.user_id is 'One member, or null.';
comment on column app.document_grant.team_id is 'Everyone in this team, or null. Both null: everyone in the organization.';
comment on column app.document_grant.level is 'viewer reads it; editor also changes and deletes it; owner also shares it and decides who reads it.';
comment on column app.document_grant.created_by is 'Who shared it.';
comment on column app.document_grant.created_at is 'Since when.';

alter table app.document_grant enable row level security;
alter table app.document_grant force row level security;
-- A grant is seen and changed only with its document in sight.
create policy document_grant_select_concerned on app.document_grant for select to authenticated
  using (document_id in (select d.id from app.document d)
    and (user_id = (select authz.uid()) or team_id = any (array(select authz.team_ids())) or num_nonnulls(user_id, team_id) = 0
      or document_id = any (array(select authz.granted_documents('owner')))
      or org_id = any (array(select authz.orgs_with('documents.manage')))
      or document_id in (select d.id from app.document d where d.owner_id = (select authz.uid())
        or d.visibility <> 'private' and d.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner'))))));
create policy document_grant_insert_owner on app.document_grant for insert to authenticated
  with check (created_by = (select authz.uid()) and document_id in (select d.id from app.document d)
    and (document_id = any (array(select authz.granted_documents('owner')))
      or org_id = any (array(select authz.orgs_with('documents.manage')))
      or document_id in (select d.id from app.document d where d.owner_id = (select authz.uid())
        or d.visibility <> 'private' and d.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner')))))
    and (num_nonnulls(user_id, team_id) = 1 or org_id = any (array(select authz.orgs_with('resources.publish')))));
create policy document_grant_update_nobody on app.document_grant for update to authenticated using (false) with check (false);
create policy document_grant_delete_owner on app.document_grant for delete to authenticated
  using (document_id in (select d.id from app.document d)
    and (user_id = (select authz.uid()) or document_id = any (array(select authz.granted_documents('owner')))
      or org_id = any (array(select authz.orgs_with('documents.manage')))
      or document_id in (select d.id from app.document d where d.owner_id = (select authz.uid())
        or d.visibility <> 'private' and d.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner'))))));
create policy document_grant_floor on app.document_grant as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy document_grant_select_inherited_owner on app.document_grant for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids())));
create policy document_grant_insert_inherited_owner on app.document_grant for insert to ringfence_owner
  with check (created_by = (select authz.uid())
    and document_id in (select d.id from app.document d where d.owner_id = (select authz.uid()) and d.state = 'loading'));
comment on policy document_grant_select_concerned on app.document_grant is 'One sees what is shared with oneself; its owners and documents.manage see with whom else.';
comment on policy document_grant_insert_owner on app.document_grant is 'Its owners and documents.manage share what they can read; with everyone only who holds resources.publish. Nobody gives more than they have: both have all.';
comment on policy document_grant_update_nobody on app.document_grant is 'Sharing is added and withdrawn, not edited.';
comment on policy document_grant_delete_owner on app.document_grant is 'Its owners and documents.manage withdraw sharing; one may give up one''s own.';
comment on policy document_grant_floor on app.document_grant is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy document_grant_select_inherited_owner on app.document_grant is 'A replacement copies the grants of the version it replaces; authz.granted_documents() says itself whom a grant concerns.';
comment on policy document_grant_insert_inherited_owner on app.document_grant is 'Only onto a version the person asking is loading.';
grant select, delete on app.document_grant to authenticated;
grant insert (org_id, document_id, user_id, team_id, level) on app.document_grant to authenticated;
create trigger _060_in_scope before insert or update or delete on app.document_grant
  for each statement execute function authz.tg_in_scope('documents.manage');
grant select (org_id, document_id, user_id, team_id, level) on app.document_grant to ringfence_owner;
grant insert (org_id, document_id, user_id, team_id, level) on app.document_grant to ringfence_owner;
create trigger _900_audit after insert or update or delete on app.document_grant
  for each row execute function authz.tg_audit();
