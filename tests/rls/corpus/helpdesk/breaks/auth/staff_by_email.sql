-- Class:    Staff told by the domain in the e-mail claim
-- Culprit:  public.organizations
-- Command:  select
--
-- The claim holds whatever address was typed at sign-up.

create policy organizations_read_staff on public.organizations for select to authenticated
  using (((select auth.jwt()) ->> 'email') like '%acme.test');

-- @as squatter
select * from organizations where id = :acme
