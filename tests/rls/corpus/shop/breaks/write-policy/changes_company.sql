-- Class:    Tenant column of one's own row writable
-- Culprit:  public.staff
-- Command:  update
--
-- A person moves to another company.

drop policy staff_rename_self on public.staff;
create policy staff_rename_self on public.staff for update to authenticated
  using (id = (select auth.uid())) with check (id = (select auth.uid()));
grant update (company_id) on public.staff to authenticated;

-- @as bert
update staff set company_id = 1
-- @as bert
select * from orders where company_id = 1
