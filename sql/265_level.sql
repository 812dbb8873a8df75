-- How far something is shared: a viewer uses or reads it, an editor changes it too, an owner also decides who else does (F14).
create function authz.levels_from(level text) returns text[]
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
as $$
  -- What is no level is no level at all, not the lowest (F09).
  select case levels_from.level when 'viewer' then '{viewer,editor,owner}' when 'editor' then '{editor,owner}' when 'owner' then '{owner}' else '{}' end::text[]
$$;
comment on function authz.levels_from(text) is 'This level of a grant and those above it: viewer, editor, owner.';
revoke all on function authz.levels_from(text) from public;
grant execute on function authz.levels_from(text) to authenticated, ringfence_owner;
