-- Class:    Restrictive policy that does not bind the role
-- Culprit:  public.api_keys
-- Command:  select
--
-- TO anon: it stands there, is restrictive, asks for aal2, and binds nobody who can read the table.

drop policy api_keys_need_aal2 on public.api_keys;
create policy api_keys_need_aal2 on public.api_keys as restrictive for all to anon
  using ((select private.is_strong_session())) with check ((select private.is_strong_session()));

-- @as olga
select id, name from api_keys where org_id = :acme
