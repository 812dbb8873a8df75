-- Class:    coalesce(claim, column) tautology
-- Culprit:  public.tickets
-- Command:  select
--
-- Without the claim the row is compared with itself.

drop policy tickets_read on public.tickets;
create policy tickets_read on public.tickets for select to authenticated
  using (org_id = coalesce(((select auth.jwt()) -> 'app_metadata' ->> 'org_id')::uuid, org_id));

-- @as otto
select * from tickets where org_id = :acme
