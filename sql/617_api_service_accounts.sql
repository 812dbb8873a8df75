-- Service accounts: ordinary people to Supabase Auth, ordinary members here, with an owner who answers for them (F03).

create function api.add_service_account(org_id uuid, user_id uuid, role text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(add_service_account.org_id);
  perform authz.require(add_service_account.user_id is not null, 'user_id: name the account');
  insert into app.membership (org_id, user_id, role_id, service_owner_id)
  values (add_service_account.org_id, add_service_account.user_id,
    authz.role_named(add_service_account.org_id, add_service_account.role), authz.uid());
  return jsonb_build_object('user_id', add_service_account.user_id, 'role', add_service_account.role, 'owner_id', authz.uid());
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'already a member';
  when foreign_key_violation then raise sqlstate 'PT404' using message = 'no such account';
  when check_violation then raise sqlstate '22023' using message = 'user_id: an account of its own, not yours';
end
$$;
comment on function api.add_service_account(uuid, uuid, text) is $c$Add an account that no person uses, with a role whose permissions you hold yourself. You answer for it: it is a member as long as you are one.

@audience app
@param org_id   the organization
@param user_id  the account, as known to Supabase Auth: sign it up like a person, with a password you keep for it
@param role     name of a role of the organization
@returns        {user_id, role, owner_id}
@errors         22004, 22023, 42501, PT401, PT404, PT409
@effect         write$c$;
revoke all on function api.add_service_account(uuid, uuid, text) from public;
grant execute on function api.add_service_account(uuid, uuid, text) to authenticated;

create function api.list_service_accounts(org_id uuid) returns table (user_id uuid, role text, owner_id uuid, active boolean, since timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_service_accounts.org_id);
  return query
    select m.user_id, r.name, m.service_owner_id, m.status = 'active' and m.service_owner_status = 'active', m.created_at
    from app.membership m join app.role r on r.org_id = m.org_id and r.id = m.role_id
    where m.org_id = list_service_accounts.org_id and m.service_owner_id is not null
    order by m.created_at, m.user_id;
end
$$;
comment on function api.list_service_accounts(uuid) is $c$List the service accounts of an organization and who answers for each; needs members.read.

@audience app
@param org_id  the organization
@returns       array of {user_id, role, owner_id, active, since}; oldest first
@errors        22004
@effect        read$c$;
revoke all on function api.list_service_accounts(uuid) from public;
grant execute on function api.list_service_accounts(uuid) to authenticated;
