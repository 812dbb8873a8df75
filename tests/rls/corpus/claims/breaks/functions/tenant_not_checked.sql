-- Class:    Tenant from the JWT app_metadata only (stale claim)
-- Culprit:  app_private.tenant_id() | public.devices
-- Command:  execute
--
-- Simpler and faster, and who was deactivated works on until the token ends.

create or replace function app_private.tenant_id() returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select nullif(((select auth.jwt()) -> 'app_metadata' ->> 'tenant_id'), '')::uuid
$$;

-- @as gone
select * from devices where tenant_id = :north
