-- Class:    RLS disabled on a table that had no policy
-- Culprit:  public.org_secrets
-- Command:  select
--
-- No policy means no rows; "it returns nothing" was repaired this way.

alter table public.org_secrets disable row level security;
grant select on public.org_secrets to authenticated;

-- @as jane
select slack_token from org_secrets where org_id = :iron
