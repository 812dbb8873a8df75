-- Class:    Nullable tenant column + "org_id is null or" branch
-- Culprit:  public.agents
-- Command:  select
--
-- "Agents without an organization are templates": a row that loses its organization is everybody's.

alter table public.agents alter column org_id drop not null;
drop policy agents_read on public.agents;
create policy agents_read on public.agents for select to authenticated
  using (org_id is null or org_id in (select private.my_org_ids()));
drop policy agents_edit on public.agents;
create policy agents_edit on public.agents for update to authenticated
  using (private.has_org_role(org_id, '{admin,owner}')) with check (org_id is null or private.has_org_role(org_id, '{admin,owner}'));
alter table public.audit_log alter column org_id drop not null;
insert into public.agents (org_id, name, system_prompt, created_by)
  values (null, 'Leaked', 'ACME prompt of a row that lost its organization', 'a1111111-0000-4000-8000-000000000001');

-- @as otto
select * from agents where system_prompt like 'ACME%'
