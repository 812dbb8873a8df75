-- Which acts need a fresh second factor (F07), said by triggers: the table refuses, whatever function the write comes through.
--   always      organization policy: whether a second factor is required, what providers of models may do with what they are sent, what waits
--               for an approval
--   if_enrolled who belongs, with which role: asked of everybody who has a second factor, and where the organization requires one.
--               Asking it of those who have none would stop no thief of a session: with no factor yet, whoever holds it can enrol one.

create function authz.tg_step_up() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_row jsonb := case when tg_op = 'INSERT' then to_jsonb(new) else to_jsonb(old) end;
begin
  -- Where policies do not apply there is no token to look at (an operator, a restore); a founder takes the first seat as ringfence_owner.
  if row_security_active(tg_relid) and current_user <> 'ringfence_owner' then
    if tg_argv[0] = 'always'
      or authz.has_second_factor()
      or exists (select from app.organization o where o.id = (v_row ->> 'org_id')::uuid and o.require_mfa)
    then
      -- Leaving takes nothing from anybody else.
      if not coalesce(tg_table_name = 'membership' and tg_op = 'DELETE' and (v_row ->> 'user_id')::uuid = authz.uid(), false) then
        perform authz.require_step_up();
      end if;
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function authz.tg_step_up() is 'Trigger: PT401 without a fresh second factor, where one is asked for (argument always or if_enrolled).';
revoke all on function authz.tg_step_up() from public;
create trigger _110_step_up before insert or update or delete on app.membership
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _110_step_up before update of require_mfa, region, allowed_regions, zero_retention, no_training, redact, rows_to_model, external_classification,
    approve_writes, approve_by_another on app.organization
  for each row when (old.require_mfa is distinct from new.require_mfa or old.region is distinct from new.region
    or old.allowed_regions is distinct from new.allowed_regions or old.zero_retention is distinct from new.zero_retention
    or old.no_training is distinct from new.no_training or old.redact is distinct from new.redact
    or old.rows_to_model is distinct from new.rows_to_model or old.external_classification is distinct from new.external_classification
    or old.approve_writes is distinct from new.approve_writes or old.approve_by_another is distinct from new.approve_by_another)
  execute function authz.tg_step_up('always');

create function authz.second_factor_missing() returns boolean
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select not authz.is_aal2() and exists (
    select from app.membership m join app.organization o on o.id = m.org_id
    where m.user_id = (select authz.uid()) and m.status = 'active' and o.require_mfa and o.suspended_at is null
      and (not (select authz.claims() ? 'org_id') or m.org_id::text = (select authz.claims() ->> 'org_id')))
$$;
comment on function authz.second_factor_missing() is 'Whether an organization of the person is out of sight only because this session used no second factor. Says that, not which.';
revoke all on function authz.second_factor_missing() from public;
grant execute on function authz.second_factor_missing() to authenticated;
alter function authz.second_factor_missing() owner to ringfence_owner;
