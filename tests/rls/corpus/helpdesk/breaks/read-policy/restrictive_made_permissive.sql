-- Class:    Restrictive policy recreated as permissive
-- Culprit:  public.webhooks
-- Command:  select
--
-- The second factor was asked of admins; now whoever has a second factor reads all of them.

drop policy webhooks_need_aal2 on public.webhooks;
create policy webhooks_need_aal2 on public.webhooks for all to authenticated
  using (((select auth.jwt()) ->> 'aal') = 'aal2') with check (((select auth.jwt()) ->> 'aal') = 'aal2');

-- @as otto2
select id, org_id, url from webhooks where org_id = :acme
