-- Class:    Restrictive aal2 policy dropped
-- Culprit:  public.api_keys
-- Command:  select
--
-- webhooks beside it still asks for the second factor; the keys no longer do.

drop policy api_keys_need_aal2 on public.api_keys;

-- @as olga
select id, name from api_keys where org_id = :acme
