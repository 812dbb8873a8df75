-- What can be called, and by whom: the one catalog the edge, the agent and the docs read. The comment of a function is its schema:
--   first line   what it does                 @param NAME    meaning; bounds      @context NAME  supplied by the run, never by a model
--   @audience    bot (may be bound to a bot; apps may call it too) or app         @returns, @errors, @effect read|write|destructive
--   @changes     nothing: what it writes is the run's own work, read by nobody but its person, so that no call of it waits for an approval

create function authz.is_tool(name text) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select exists (
    select from pg_proc p
    where p.pronamespace = 'api'::regnamespace and p.proname = is_tool.name
      and obj_description(p.oid, 'pg_proc') ~ '(^|\n)@audience +bot\M')
$$;
comment on function authz.is_tool(text) is 'Whether schema api has a function of this name that may be bound to bots.';
revoke all on function authz.is_tool(text) from public;
grant execute on function authz.is_tool(text) to authenticated;

create function api.tool_catalog() returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'name', p.proname,
    'comment', obj_description(p.oid, 'pg_proc'),
    'volatility', case p.provolatile when 'v' then 'volatile' else 'stable' end,
    'returns', pg_get_function_result(p.oid),
    'arguments', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'name', p.proargnames[a.n], 'type', format_type(a.type, null), 'required', a.n <= p.pronargs - p.pronargdefaults)
        order by a.n), '[]')
      from unnest(p.proargtypes) with ordinality a (type, n))
  ) order by p.proname), '[]')
  from pg_proc p
  where p.pronamespace = 'api'::regnamespace and has_function_privilege(p.oid, 'execute')
$$;
comment on function api.tool_catalog() is $c$List the functions you may call, with their arguments and descriptions.

@audience app
@returns  array of {name, comment, volatility, returns, arguments: [{name, type, required}]}; by name
@effect   read$c$;
revoke all on function api.tool_catalog() from public;
grant execute on function api.tool_catalog() to authenticated;

create function api.whoami() returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object(
    'user_id', authz.uid(),
    'email', authz.claims() ->> 'email',
    'aal', case when authz.is_aal2() then 'aal2' else 'aal1' end,
    'second_factor_missing', authz.second_factor_missing(),
    'organizations', coalesce((
      select jsonb_agg(jsonb_build_object('id', o.id, 'slug', o.slug, 'name', o.name, 'role', r.name,
        -- Those this session may use: an API token has fewer than the role, an OAuth client too.
        'permissions', (select coalesce(jsonb_agg(p.permission order by p.permission), '[]') from app.role_permission p
          where p.org_id = m.org_id and p.role_id = m.role_id and m.org_id = any (array(select authz.orgs_with(p.permission))))) order by o.slug, o.id)
      from app.membership m
      join app.organization o on o.id = m.org_id
      join app.role r on r.org_id = m.org_id and r.id = m.role_id
      where m.user_id = authz.uid()), '[]'))
$$;
comment on function api.whoami() is $c$Tell who you are, and your organizations with your role and, of its permissions, those this session may use.

@audience app
@returns  {user_id, email, aal, second_factor_missing (true: sign in with it to see more), organizations: [{id, slug, name, role, permissions}]}
@effect   read$c$;
revoke all on function api.whoami() from public;
grant execute on function api.whoami() to authenticated;
