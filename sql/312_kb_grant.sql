-- With whom a knowledge base is shared: a member, a team or (both null) everyone in the organization, and how far (F14).
create table app.kb_grant (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  knowledge_base_id uuid not null,
  user_id uuid,
  team_id uuid,
  level text not null default 'viewer' constraint kb_grant_level_check check (level in ('viewer', 'editor', 'owner')),
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint kb_grant_knowledge_base_id_fkey foreign key (org_id, knowledge_base_id) references app.knowledge_base (org_id, id) on delete cascade,
  constraint kb_grant_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade,
  constraint kb_grant_team_id_fkey foreign key (org_id, team_id) references app.team (org_id, id) on delete cascade,
  constraint kb_grant_one_principal_check check (num_nonnulls(user_id, team_id) <= 1),
  constraint kb_grant_principal_key unique nulls not distinct (org_id, knowledge_base_id, user_id, team_id)
);
comment on table app.kb_grant is 'A knowledge base shared with somebody. Without documents.read it gives nothing.';
comment on column app.kb_grant.org_id is 'The organization.';
comment on column app.kb_grant.id is 'Random identifier.';
comment on column app.kb_grant.knowledge_base_id is 'The knowledge base.';
comment on column app.kb_grant.user_id is 'One member, or null.';
comment on column app.kb_grant.team_id is 'Everyone in this team, or null. Both null: everyone in the organization.';
comment on column app.kb_grant.level is 'viewer reads its documents; editor also adds, replaces and deletes them; owner also shares, renames and deletes it.';
comment on column app.kb_grant.created_by is 'Who shared it.';
comment on column app.kb_grant.created_at is 'Since when.';

alter table app.kb_grant enable row level security;
alter table app.kb_grant force row level security;
-- A grant is seen and changed only with its knowledge base in sight: denied and restricted ones are not.
create policy kb_grant_select_concerned on app.kb_grant for select to authenticated
  using (knowledge_base_id in (select k.id from app.knowledge_base k)
    and (user_id = (select authz.uid()) or team_id = any (array(select authz.team_ids())) or num_nonnulls(user_id, team_id) = 0
      or knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner')))
      or org_id = any (array(select authz.orgs_with('documents.manage')))));
create policy kb_grant_insert_owner on app.kb_grant for insert to authenticated
  with check (created_by = (select authz.uid()) and knowledge_base_id in (select k.id from app.knowledge_base k)
    and (knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner')))
      or org_id = any (array(select authz.orgs_with('documents.manage'))))
    and (num_nonnulls(user_id, team_id) = 1 or org_id = any (array(select authz.orgs_with('resources.publish')))));
create policy kb_grant_update_nobody on app.kb_grant for update to authenticated using (false) with check (false);
create policy kb_grant_delete_owner on app.kb_grant for delete to authenticated
  using (knowledge_base_id in (select k.id from app.knowledge_base k)
    and (user_id = (select authz.uid()) or knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner')))
      or org_id = any (array(select authz.orgs_with('documents.manage')))));
create policy kb_grant_floor on app.kb_grant as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy kb_grant_select_self_owner on app.kb_grant for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids()))
    and (user_id = (select authz.uid()) or team_id = any (array(select authz.team_ids())) or num_nonnulls(user_id, team_id) = 0));
create policy kb_grant_insert_creator_owner on app.kb_grant for insert to ringfence_owner
  with check (created_by = (select authz.uid()) and user_id = (select authz.uid()) and level = 'owner'
    and knowledge_base_id in (select k.id from app.knowledge_base k where k.created_by = (select authz.uid())));
comment on policy kb_grant_select_concerned on app.kb_grant is 'One sees what is shared with oneself; its owners and documents.manage see with whom else.';
comment on policy kb_grant_insert_owner on app.kb_grant is 'Its owners and documents.manage share what they can read; with everyone only who holds resources.publish. Nobody gives more than they have: both have all.';
comment on policy kb_grant_update_nobody on app.kb_grant is 'Sharing is added and withdrawn, not edited.';
comment on policy kb_grant_delete_owner on app.kb_grant is 'Its owners and documents.manage withdraw sharing; one may give up one''s own.';
comment on policy kb_grant_floor on app.kb_grant is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy kb_grant_select_self_owner on app.kb_grant is 'authz.granted_knowledge_bases() sees the rows that apply to the person asking and no others.';
comment on policy kb_grant_insert_creator_owner on app.kb_grant is 'Only for the person asking, onto a knowledge base they made: its trigger.';
grant select, delete on app.kb_grant to authenticated;
grant insert (org_id, knowledge_base_id, user_id, team_id, level) on app.kb_grant to authenticated;
create trigger _060_in_scope before insert or update or delete on app.kb_grant
  for each statement execute function authz.tg_in_scope('documents.manage');
grant select (org_id, knowledge_base_id, user_id, team_id, level) on app.kb_grant to ringfence_owner;
grant insert (org_id, knowledge_base_id, user_id, level) on app.kb_grant to ringfence_owner;
create trigger _900_audit after insert or update or delete on app.kb_grant
  for each row execute function authz.tg_audit();

create function authz.tg_knowledge_base_owner() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A row and not a rule about created_by: it can be withdrawn, and goes with the membership. An operator's insert is nobody's.
  if new.created_by = authz.uid() then
    insert into app.kb_grant (org_id, knowledge_base_id, user_id, level) values (new.org_id, new.id, new.created_by, 'owner');
  end if;
  return null;
end
$$;
comment on function authz.tg_knowledge_base_owner() is 'Trigger: who makes a knowledge base is its first owner.';
revoke all on function authz.tg_knowledge_base_owner() from public;
create trigger _600_owner after insert on app.knowledge_base
  for each row execute function authz.tg_knowledge_base_owner();
