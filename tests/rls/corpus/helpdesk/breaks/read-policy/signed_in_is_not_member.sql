-- Class:    "Signed in" instead of "member" (auth.uid() is not null)
-- Culprit:  public.tickets
-- Command:  select

drop policy tickets_read on public.tickets;
create policy tickets_read on public.tickets for select to authenticated using ((select auth.uid()) is not null);

-- @as otto
select * from tickets where org_id = :acme
