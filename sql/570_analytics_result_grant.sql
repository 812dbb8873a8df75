-- With whom somebody shared what their job found: a member, a team, or (both null) everyone who may ask questions at all.
create table app.analytics_result_grant (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  job_id uuid not null,
  user_id uuid,
  team_id uuid,
  created_by uuid not null default authz.uid(),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint analytics_result_grant_job_id_fkey foreign key (org_id, job_id) references app.analytics_result (org_id, job_id) on delete cascade,
  constraint analytics_result_grant_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade,
  constraint analytics_result_grant_team_id_fkey foreign key (org_id, team_id) references app.team (org_id, id) on delete cascade,
  constraint analytics_result_grant_one_principal_check check (num_nonnulls(user_id, team_id) <= 1),
  constraint analytics_result_grant_principal_key unique nulls not distinct (org_id, job_id, user_id, team_id)
);
comment on table app.analytics_result_grant is 'A result shared with somebody: that one result, not the source it came from.';
comment on column app.analytics_result_grant.org_id is 'The organization.';
comment on column app.analytics_result_grant.id is 'Random identifier.';
comment on column app.analytics_result_grant.job_id is 'The job whose result it is.';
comment on column app.analytics_result_grant.user_id is 'One member, or null.';
comment on column app.analytics_result_grant.team_id is 'Everyone in this team, or null. Both null: everyone in the organization.';
comment on column app.analytics_result_grant.created_by is 'Who shared it: the requester of the job.';
comment on column app.analytics_result_grant.created_at is 'Since when.';

alter table app.analytics_result_grant enable row level security;
alter table app.analytics_result_grant force row level security;
create policy analytics_result_grant_select_requester on app.analytics_result_grant for select to authenticated
  using (created_by = (select authz.uid()));
create policy analytics_result_grant_insert_requester on app.analytics_result_grant for insert to authenticated
  with check (created_by = (select authz.uid())
    and job_id = any (array(select r.job_id from app.analytics_result r where r.user_id = (select authz.uid())))
    and (num_nonnulls(user_id, team_id) = 1 or org_id = any (array(select authz.orgs_with('resources.publish')))));
create policy analytics_result_grant_update_nobody on app.analytics_result_grant for update to authenticated using (false) with check (false);
create policy analytics_result_grant_delete_requester on app.analytics_result_grant for delete to authenticated
  using (created_by = (select authz.uid()));
create policy analytics_result_grant_floor on app.analytics_result_grant as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy analytics_result_grant_scope_floor on app.analytics_result_grant as restrictive for all to authenticated
  using ((select authz.in_scope(array['analytics.run'])))
  with check ((select authz.in_scope(array['analytics.run'])));
create policy analytics_result_grant_select_self_owner on app.analytics_result_grant for select to ringfence_owner
  using (org_id = any (array(select authz.org_ids()))
    and (user_id = (select authz.uid()) or team_id = any (array(select authz.team_ids())) or num_nonnulls(user_id, team_id) = 0));
comment on policy analytics_result_grant_select_requester on app.analytics_result_grant is 'Who shared a result sees with whom.';
comment on policy analytics_result_grant_insert_requester on app.analytics_result_grant is 'One shares what one''s own job found and one may read, with people and teams; with everyone only who holds resources.publish.';
comment on policy analytics_result_grant_update_nobody on app.analytics_result_grant is 'Sharing is added and withdrawn, not edited.';
comment on policy analytics_result_grant_delete_requester on app.analytics_result_grant is 'Who shared it withdraws it.';
comment on policy analytics_result_grant_floor on app.analytics_result_grant is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy analytics_result_grant_scope_floor on app.analytics_result_grant is 'An API token reaches one''s own rows only with a permission for them; every other session passes.';
comment on policy analytics_result_grant_select_self_owner on app.analytics_result_grant is 'authz.shared_results() sees the rows that apply to the person asking and no others.';
grant select, delete on app.analytics_result_grant to authenticated;
grant insert (org_id, job_id, user_id, team_id) on app.analytics_result_grant to authenticated;
grant select (org_id, job_id, user_id, team_id) on app.analytics_result_grant to ringfence_owner;
create trigger _900_audit after insert or delete on app.analytics_result_grant
  for each row execute function authz.tg_audit();
