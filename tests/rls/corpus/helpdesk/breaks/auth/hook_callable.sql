-- Class:    Access token hook callable by people
-- Culprit:  public.custom_access_token_hook(jsonb)
-- Command:  execute
--
-- With any user id in the event it tells about any person.

grant execute on function public.custom_access_token_hook(jsonb) to authenticated;

-- @as otto
select 1 where (custom_access_token_hook(jsonb_build_object('user_id', 'a1111111-0000-4000-8000-000000000003', 'claims', '{"app_metadata": {}}'::jsonb))
  -> 'claims' -> 'app_metadata' ->> 'org_count')::int = 1
