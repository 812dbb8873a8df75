-- Class:    Membership helper ignores status (revoked/suspended)
-- Culprit:  app_private.tenant_id()
-- Command:  execute
-- Named by: helper-ignores-status
--
-- It asks for deactivated_at and compares it the wrong way round. Only a token that still names the tenant gets as far as that.

create or replace function app_private.tenant_id() returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select u.tenant_id from public.tenant_users u
  where u.tenant_id = nullif(((select auth.jwt()) -> 'app_metadata' ->> 'tenant_id'), '')::uuid
    and u.user_id = (select auth.uid()) and (u.deactivated_at is null or u.deactivated_at <= now())
$$;

-- @as gone
select * from devices where tenant_id = :north
