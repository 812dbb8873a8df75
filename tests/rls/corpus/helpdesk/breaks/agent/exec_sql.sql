-- Class:    exec_sql: the agent's SQL tool as a definer
-- Culprit:  public.exec_sql(text)
-- Command:  execute
--
-- Whatever the model writes, and whatever a document told the model to write.

create function public.exec_sql(query text) returns json language plpgsql volatile security definer set search_path = '' as $$
declare
  v_result json;
begin
  execute 'select json_agg(t) from (' || query || ') t' into v_result;
  return v_result;
end
$$;
grant execute on function public.exec_sql(text) to authenticated;

-- @as otto
select 1 where exec_sql('select * from public.documents')::text like '%ACME secret%'
