-- Budgets of an organization (F75).

create function api.set_budget(org_id uuid, period text, max_tokens bigint default null, max_cost bigint default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(set_budget.org_id);
  perform authz.require(set_budget.period in ('day', 'month'), 'period: day or month');
  perform authz.require_person();
  if (set_budget.org_id = any (array(select authz.orgs_with('organization.manage')))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  if num_nonnulls(set_budget.max_tokens, set_budget.max_cost) = 0 then
    delete from app.budget b where b.org_id = set_budget.org_id and b.period = set_budget.period;
  else
    update app.budget b set max_tokens = set_budget.max_tokens, max_cost = set_budget.max_cost
    where b.org_id = set_budget.org_id and b.period = set_budget.period;
    if not found then
      insert into app.budget (org_id, period, max_tokens, max_cost)
      values (set_budget.org_id, set_budget.period, set_budget.max_tokens, set_budget.max_cost);
    end if;
  end if;
  return jsonb_build_object('org_id', set_budget.org_id, 'period', set_budget.period, 'max_tokens', set_budget.max_tokens, 'max_cost', set_budget.max_cost);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'somebody set this budget at the same moment: look, and try again';
end
$$;
comment on function api.set_budget(uuid, text, bigint, bigint) is $c$Limit what an organization's model calls take in a day or a month; what was used before is not counted. Without a number the limit is lifted.

@audience app
@param org_id      the organization; needs organization.manage
@param period      day or month
@param max_tokens  tokens sent and received together; 0..1000000000000
@param max_cost    millionths of the currency the operator counts prices in; 0..1000000000000
@returns           {org_id, period, max_tokens, max_cost}
@errors            22004, 22023, 23514, 42501, PT401, PT404, PT409
@effect            write$c$;
revoke all on function api.set_budget(uuid, text, bigint, bigint) from public;
grant execute on function api.set_budget(uuid, text, bigint, bigint) to authenticated;

create function api.list_budgets(org_id uuid) returns table (period text, max_tokens bigint, max_cost bigint, used_tokens bigint, used_cost bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_budgets.org_id);
  return query
    select b.period, b.max_tokens, b.max_cost, case when v.current then b.used_tokens else 0 end, case when v.current then b.used_cost else 0 end
    from app.budget b cross join lateral (select b.starts_on = authz.period_start(b.period) as current) v
    where b.org_id = list_budgets.org_id order by b.period;
end
$$;
comment on function api.list_budgets(uuid) is $c$List the budgets of an organization with what is used of them, reservations included.

@audience app
@param org_id  the organization; needs usage.read
@returns       array of {period, max_tokens, max_cost, used_tokens, used_cost}
@errors        22004
@effect        read$c$;
revoke all on function api.list_budgets(uuid) from public;
grant execute on function api.list_budgets(uuid) to authenticated;
