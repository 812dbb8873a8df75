-- Class:    Granted WITH GRANT OPTION
-- Culprit:  public.documents
-- Command:  state
--
-- A signed-in client grants the table to anon.

grant select on public.documents to authenticated with grant option;

-- @as otto
grant select on public.documents to anon;
select 1 where has_table_privilege('anon', 'public.documents', 'select')
