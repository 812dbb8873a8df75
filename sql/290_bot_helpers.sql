-- Which bots the person may use, and how far: read at every statement, so that what is withdrawn is gone on the next one (F14, F17).
-- The bodies name tables of later files, so they are checked when first called instead of now.
set check_function_bodies = off;

create function authz.shared_bots(level text) returns setof uuid
language sql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
  select r.bot_id from app.bot_runner r
  where r.org_id = any (array(select authz.orgs_with('bots.run'))) and r.level = any (authz.levels_from(shared_bots.level))
    -- What one may do to a bot as its editor or owner, an API token may with bots.manage only (F08).
    and (shared_bots.level = 'viewer' or (select authz.in_scope(array['bots.manage'])))
$$;
comment on function authz.shared_bots(text) is 'The bots shared with the signed-in person at this level or above: with them, a team or role of theirs, or everyone. Without bots.run, none.';
revoke all on function authz.shared_bots(text) from public;
grant execute on function authz.shared_bots(text) to authenticated;
alter function authz.shared_bots(text) owner to ringfence_owner;

create function authz.runnable_bots() returns setof uuid
language sql stable rows 10
set search_path = pg_catalog, pg_temp
as $$
  -- Managing a bot is not running it: bots.manage shows more bots than one may run.
  select b.id from app.bot b
  where b.id = any (array(select authz.shared_bots('viewer'))) and b.archived_at is null
    and not (b.id = any (array(select authz.denied('bot'))))
$$;
comment on function authz.runnable_bots() is 'The bots the signed-in person may run now: shared with them, in use, and taken from them by no rule.';
revoke all on function authz.runnable_bots() from public;
grant execute on function authz.runnable_bots() to authenticated;

reset check_function_bodies;
