-- Roles. They belong to the whole cluster, so each is made only where it is missing; everything else in sql/ is plain DDL.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'ringfence_owner') then
    create role ringfence_owner nologin nobypassrls noinherit;
  end if;
  -- The two log-ins for background work are members of nothing. Their passwords are set by whoever deploys them.
  if not exists (select from pg_catalog.pg_roles where rolname = 'ringfence_worker') then
    create role ringfence_worker login nobypassrls noinherit;
  end if;
  if not exists (select from pg_catalog.pg_roles where rolname = 'ringfence_analyst') then
    create role ringfence_analyst login nobypassrls noinherit;
  end if;
end
$$;

-- The migration role may hand functions over to the owner role, but does not act with its rights.
grant ringfence_owner to current_user with set true, inherit false;

comment on role ringfence_owner is 'Owns the SECURITY DEFINER functions listed in sql/DEFINERS.md; has no login, no BYPASSRLS, and meets policies like anyone else.';
comment on role ringfence_worker is 'Logs in to run background jobs as the owner of the job; a member of no role, without BYPASSRLS.';
comment on role ringfence_analyst is 'Logs in to run model-written SQL as the owner of the job, read-only; a member of no role, without BYPASSRLS.';
