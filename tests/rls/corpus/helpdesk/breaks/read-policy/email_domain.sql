-- Class:    Tenant from the domain of the e-mail address
-- Culprit:  public.organizations
-- Command:  select
--
-- Anybody may sign up with any address and read before it is confirmed; large providers' domains are shared by strangers.

create policy organizations_read_domain on public.organizations for select to authenticated
  using (split_part(billing_email, '@', 2) = split_part((select auth.jwt()) ->> 'email', '@', 2));

-- @as squatter
select * from organizations where id = :acme
