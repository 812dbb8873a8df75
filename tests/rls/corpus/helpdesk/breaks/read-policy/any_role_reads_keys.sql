-- Class:    Role check dropped from a read policy
-- Culprit:  public.api_keys
-- Command:  select
--
-- Admins only, until a viewer could not open the settings page.

drop policy api_keys_admin on public.api_keys;
create policy api_keys_admin on public.api_keys for select to authenticated using (org_id in (select private.my_org_ids()));

-- @as vera2
select id, name from api_keys where org_id = :acme
