-- Whether an organization is being purged in this very transaction (F23): what goes with it keeps no record of its own going.
-- The bodies name a table of a later file, so they are checked when first called instead of now.
set check_function_bodies = off;

create function authz.purging_org_ids() returns setof uuid
language sql stable rows 1
set search_path = pg_catalog, pg_temp
as $$
  select r.organization_id from authz.purge_receipt r where r.purged_in = pg_current_xact_id_if_assigned()
$$;
comment on function authz.purging_org_ids() is 'The organizations that this transaction purges; for the policies by which authz.purge() does.';
revoke all on function authz.purging_org_ids() from public;
grant execute on function authz.purging_org_ids() to ringfence_owner;

create function authz.is_purging(org_id uuid) returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select exists (select from authz.purge_receipt r
    where r.organization_id = is_purging.org_id and r.purged_in = pg_current_xact_id_if_assigned())
$$;
comment on function authz.is_purging(uuid) is 'Whether this transaction purges that organization; for the triggers on what goes with it.';
revoke all on function authz.is_purging(uuid) from public;
grant execute on function authz.is_purging(uuid) to authenticated, ringfence_owner;
alter function authz.is_purging(uuid) owner to ringfence_owner;

reset check_function_bodies;
