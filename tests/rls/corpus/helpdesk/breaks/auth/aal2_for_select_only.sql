-- Class:    Restrictive aal2 policy narrowed to one command
-- Culprit:  public.api_keys
-- Command:  delete
--
-- Reading asks for the second factor; adding and deleting keys does not.

drop policy api_keys_need_aal2 on public.api_keys;
create policy api_keys_need_aal2 on public.api_keys as restrictive for select to authenticated
  using ((select private.is_strong_session()));

-- @as olga
insert into api_keys (org_id, name, key_hash, last_four) values (:acme, 'mine', 'x', 'abcd')
