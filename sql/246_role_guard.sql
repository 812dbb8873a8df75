-- Who may change what a role carries (F12): whoever makes or changes a role holds everything it has and everything they add to it.
-- Roles, like members, are changed in line (R46): the guard looks again after its turn has come.

create function authz.tg_role_guard() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_row jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
  v_org uuid := (v_row ->> 'org_id')::uuid;
  v_role uuid := coalesce(v_row ->> 'role_id', v_row ->> 'id')::uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended(v_org::text, 0));
  -- Where policies do not apply (an operator, a foreign key at work) or the founder gets the built-in roles, there is nobody to bound.
  if row_security_active(tg_relid) and current_user <> 'ringfence_owner' then
    if current_setting('transaction_isolation') <> 'read committed' then
      raise sqlstate '25001' using message = 'roles are changed in a transaction of isolation level read committed';
    end if;
    if (v_org = any (array(select authz.orgs_with('roles.manage')))) is not true then
      raise sqlstate '42501' using message = 'changing roles needs roles.manage';
    end if;
    if exists (select from app.role r where r.org_id = v_org and r.id = v_role and r.built_in) then
      raise sqlstate '42501' using message = 'built-in roles stay as they are: make a role of your own';
    end if;
    if exists (
      select from (
        select p.permission from app.role_permission p where p.org_id = v_org and p.role_id = v_role
        union all
        select v_row ->> 'permission' where v_row ? 'permission'
      ) carried
      where not v_org = any (array(select authz.orgs_with(carried.permission))))
    then
      raise sqlstate '42501' using message = 'you can change only roles whose permissions you hold yourself, and add only those';
    end if;
    if tg_op = 'INSERT' and tg_table_name = 'role' and (select count(*) from app.role r where r.org_id = v_org and not r.built_in) >= 100 then
      raise sqlstate 'PT429' using message = 'an organization has at most 100 roles of its own';
    end if;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end
$$;
comment on function authz.tg_role_guard() is 'Trigger: nobody makes, changes or deletes a role beyond their own permissions, nor a built-in one (42501); at most 100 roles (PT429).';
revoke all on function authz.tg_role_guard() from public;
create trigger _100_guard before insert or update or delete on app.role
  for each row execute function authz.tg_role_guard();
create trigger _100_guard before insert or update or delete on app.role_permission
  for each row execute function authz.tg_role_guard();
create trigger _110_step_up before insert or update or delete on app.role
  for each row execute function authz.tg_step_up('if_enrolled');
create trigger _110_step_up before insert or update or delete on app.role_permission
  for each row execute function authz.tg_step_up('if_enrolled');
-- The roles every organization starts with are part of its founding, which is recorded.
create trigger _900_audit before delete on app.role
  for each row execute function authz.tg_audit();
-- What it carries is recorded with app.role_permission.
create trigger _905_audit before update on app.role
  for each row when (old.org_id <> new.org_id or old.id <> new.id or old.name <> new.name or old.built_in <> new.built_in)
  execute function authz.tg_audit();
create trigger _910_audit after insert on app.role
  for each row when (not new.built_in) execute function authz.tg_audit();
create trigger _900_audit before update or delete on app.role_permission
  for each row execute function authz.tg_audit();
create trigger _910_audit after insert on app.role_permission
  for each row when (current_user <> 'ringfence_owner') execute function authz.tg_audit();
