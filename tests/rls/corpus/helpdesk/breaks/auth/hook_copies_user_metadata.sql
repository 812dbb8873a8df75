-- Class:    Access token hook copies user_metadata into app_metadata
-- Culprit:  public.custom_access_token_hook(jsonb)
-- Command:  state
--
-- What a person may write becomes what policies may trust.

create or replace function public.custom_access_token_hook(event jsonb) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  return jsonb_set(event, '{claims,app_metadata,role}', coalesce(event -> 'claims' -> 'user_metadata' -> 'role', '"user"'));
end
$$;

-- @seen
select 1 where public.custom_access_token_hook('{"user_id": "c1111111-0000-4000-8000-000000000002",
  "claims": {"app_metadata": {}, "user_metadata": {"role": "admin"}}}') -> 'claims' -> 'app_metadata' ->> 'role' = 'admin'
