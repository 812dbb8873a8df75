-- Class:    exec_sql as invoker: set role and set_config from inside
-- Culprit:  public.run_query(text)
-- Command:  execute
--
-- Invoker, so policies hold for the query. But the text may call set_config, and then the policies are asked about somebody else.

create function public.run_query(query text) returns json language plpgsql volatile security invoker set search_path = '' as $$
declare
  v_result json;
begin
  execute 'select json_agg(t) from (' || query || ') t' into v_result;
  return v_result;
end
$$;
grant execute on function public.run_query(text) to authenticated;

-- @as otto
select run_query('select set_config(''request.jwt.claims'', ''{"sub":"a1111111-0000-4000-8000-000000000003","role":"authenticated"}'', true)');
select 1 where run_query('select * from public.documents')::text like '%ACME%'
