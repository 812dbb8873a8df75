-- Class:    Definer over pg_stat_activity
-- Culprit:  public.running_queries()
-- Command:  execute
--
-- The texts of other people's statements, with what is in them.

-- @patch as supabase_admin
create function public.running_queries() returns table (pid int, query text)
language sql stable security definer set search_path = '' as $$ select a.pid, a.query from pg_catalog.pg_stat_activity a $$;
grant execute on function public.running_queries() to authenticated;

-- @seen
select 'ACME in a statement'
-- @as otto
select * from running_queries() where query like '%ACME in a%'
