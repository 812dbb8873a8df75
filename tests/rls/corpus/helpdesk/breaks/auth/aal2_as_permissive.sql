-- Class:    aal2 policy created as permissive
-- Culprit:  public.api_keys
-- Command:  select

drop policy api_keys_need_aal2 on public.api_keys;
create policy api_keys_need_aal2 on public.api_keys for all to authenticated
  using ((select private.is_strong_session())) with check ((select private.is_strong_session()));

-- @as otto2
select id, name from api_keys where org_id = :acme
