-- Whether the requester of a job may still run it: asked whenever one is begun (F44).

create function authz.person_is_well() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
begin atomic
  -- Parsed now, as in authz.session_is_live(): the owner needs no USAGE on Supabase Auth's schema.
  select exists (
    select from auth.users u
    where u.id = (select authz.uid()) and u.deleted_at is null and (u.banned_until is null or u.banned_until <= now())
      and not coalesce(u.is_anonymous, false));
end;
comment on function authz.person_is_well() is 'Whether the person asking is there still, and neither deleted, banned nor anonymous: what is left of authz.session_is_live() when a session may be over.';
revoke all on function authz.person_is_well() from public;
grant execute on function authz.person_is_well() to ringfence_owner;
alter function authz.person_is_well() owner to ringfence_owner;

create function authz.job_objection(job app.analytics_job) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return case
    when not authz.person_is_well() then 'person'
    when not job.org_id = any (array(select authz.org_ids())) then 'membership'
    when not job.org_id = any (array(select authz.orgs_with('analytics.run'))) then 'permission'
    when not job.data_source_id = any (array(select authz.granted_data_sources('viewer'))) then 'source'
    when job.bot_id is not null and not exists (
      select from app.bot b
      where b.org_id = job.org_id and b.id = job.bot_id and b.archived_at is null and b.id = any (array(select authz.shared_bots('viewer')))
        and not (b.id = any (array(select authz.denied('bot'))))
        and exists (select from app.bot_binding t where t.org_id = b.org_id and t.bot_id = b.id and t.tool = 'ask_data')
        and exists (select from app.bot_binding t where t.org_id = b.org_id and t.bot_id = b.id and t.data_source_id = job.data_source_id)
        and not exists (select from authz.denied_tools() d where d.org_id = b.org_id and d.tool = 'ask_data')) then 'bot'
    end;
end
$$;
comment on function authz.job_objection(app.analytics_job) is 'Why the requester of the job begun in this transaction may no longer run it: person, membership, permission, source or bot; null when nothing speaks against it (F44).';
revoke all on function authz.job_objection(app.analytics_job) from public;
grant execute on function authz.job_objection(app.analytics_job) to ringfence_owner;

