-- Class:    Tenant helper reads user_metadata
-- Culprit:  app_private.tenant_id() | public.devices
-- Command:  execute

create or replace function app_private.tenant_id() returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select nullif(((select auth.jwt()) -> 'user_metadata' ->> 'tenant_id'), '')::uuid
$$;

-- @as forger
select * from devices where tenant_id = :north
