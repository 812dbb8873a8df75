-- Class:    Tenant rows readable without signing in
-- Culprit:  public.organizations
-- Command:  select
--
-- For the sign-in page, which shows an organization's name.

create policy organizations_public on public.organizations for select to anon using (true);
grant select on public.organizations to anon;

-- @as anon
select * from organizations where id = :acme
