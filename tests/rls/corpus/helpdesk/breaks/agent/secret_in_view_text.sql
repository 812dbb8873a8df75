-- Class:    Secret in the text of a view
-- Culprit:  public.model_endpoints
-- Command:  state

create view public.model_endpoints with (security_invoker = on) as
  select a.org_id, a.name, 'https://api.test/?key=' || 'sk_live_51H8sK2eZvKYlo2C0aBcDeFg' as url from public.agents a;

-- @as anon
select 1 from pg_catalog.pg_views where definition like '%sk_live_51H8%'
