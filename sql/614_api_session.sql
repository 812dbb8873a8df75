-- The session one sits in.

create function api.choose_organization(org_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(choose_organization.org_id);
  perform authz.require_person();
  perform authz.keep_choice(choose_organization.org_id);
  return jsonb_build_object('org_id', choose_organization.org_id);
end
$$;
comment on function api.choose_organization(uuid) is $c$Say which of your organizations this session is for: from its next access token on it sees that one only. Refresh the token to have it now.

@audience app
@param org_id  an organization of yours
@returns       {org_id}
@errors        22004, 42501, PT404
@effect        write$c$;
revoke all on function api.choose_organization(uuid) from public;
grant execute on function api.choose_organization(uuid) to authenticated;

create function api.choose_no_organization() returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_person();
  perform authz.keep_choice(null);
  return jsonb_build_object('org_id', null);
end
$$;
comment on function api.choose_no_organization() is $c$Take back what you chose: from its next access token on this session sees all your organizations again.

@audience app
@returns  {org_id: null}
@errors   42501
@effect   write$c$;
revoke all on function api.choose_no_organization() from public;
grant execute on function api.choose_no_organization() to authenticated;
