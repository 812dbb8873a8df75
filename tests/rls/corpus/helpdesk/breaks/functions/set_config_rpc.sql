-- Class:    set_config reachable as an RPC
-- Culprit:  public.set_setting(text,text)
-- Command:  execute

create function public.set_setting(name text, value text) returns text language sql volatile set search_path = '' as $$
  select pg_catalog.set_config(name, value, true)
$$;
grant execute on function public.set_setting(text, text) to authenticated;

-- @as otto
select set_setting('request.jwt.claims', '{"sub": "a1111111-0000-4000-8000-000000000003", "role": "authenticated"}');
select * from documents where org_id = :acme
