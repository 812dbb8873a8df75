-- Class:    security_invoker switched off
-- Culprit:  public.organization_overview
-- Command:  select

alter view public.organization_overview set (security_invoker = false);

-- @as gina
select * from organization_overview where id = :acme
