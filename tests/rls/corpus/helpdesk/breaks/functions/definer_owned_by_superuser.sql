-- Class:    Definer owned by a superuser runs what its caller gives
-- Culprit:  public.count_rows(text)
-- Command:  execute
--
-- The argument is a table's name: of any table, in any schema.

-- @patch as supabase_admin
create function public.count_rows(table_name text) returns json language plpgsql stable security definer set search_path = '' as $$
declare
  v_result json;
begin
  execute format('select json_agg(t) from %s t', table_name) into v_result;
  return v_result;
end
$$;
grant execute on function public.count_rows(text) to authenticated;

-- @as otto
select 1 where count_rows('private.settings')::text like '%SECRET%'
