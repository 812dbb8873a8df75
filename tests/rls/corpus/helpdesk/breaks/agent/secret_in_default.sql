-- Class:    Secret in a column default
-- Culprit:  public.agent_tools
-- Command:  state
--
-- pg_attrdef is readable by every role.

alter table public.agent_tools alter column credentials set default '{"key": "sk-proj-4f9c2b7e1d8a6035c9e2f1b7"}';

-- @as anon
select 1 from pg_catalog.pg_attrdef where pg_get_expr(adbin, adrelid) like '%sk-proj-4f9c%'
