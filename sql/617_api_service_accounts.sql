-- Service accounts: ordinary people to Supabase Auth, ordinary members here, joined by invitation, with an owner who answers for
-- them (F03).

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
