-- How much of everything an organization uses.

create function api.organization_usage(org_id uuid, days integer default 30) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(organization_usage.org_id);
  perform authz.require(organization_usage.days between 1 and 3660, 'days: 1..3660');
  if (organization_usage.org_id = any (array(select authz.orgs_with('usage.read')))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization, or its usage is not yours to read';
  end if;
  return (
    select jsonb_object_agg(m.measure, coalesce((
      select sum(u.amount) from app.usage_entry u
      where u.org_id = organization_usage.org_id and u.measure = m.measure and (not m.flows or u.on_day > current_date - organization_usage.days)), 0))
    from (values ('members', false), ('teams', false), ('bots', false), ('knowledge_bases', false), ('documents', false), ('passages', false),
      ('characters', false), ('runs', true), ('model_calls', true), ('input_tokens', true), ('output_tokens', true)) m (measure, flows));
end
$$;
comment on function api.organization_usage(uuid, integer) is $c$Tell how much an organization has, and how much it ran in the last days; true totals, whatever of it you may see.

@audience app
@param org_id  the organization; needs usage.read
@param days    how many days back runs, model calls and tokens are counted, today included; 1..3660
@returns       {members, teams, bots, knowledge_bases, documents, passages, characters, runs, model_calls, input_tokens, output_tokens}
@errors        22004, 22023, PT404
@effect        read$c$;
revoke all on function api.organization_usage(uuid, integer) from public;
grant execute on function api.organization_usage(uuid, integer) to authenticated;
