-- What an organization asks of its members' sign-in.

create function api.set_mfa_policy(org_id uuid, required boolean) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(set_mfa_policy.org_id);
  perform authz.require(set_mfa_policy.required is not null, 'required: true or false');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  update app.organization o set require_mfa = set_mfa_policy.required where o.id = set_mfa_policy.org_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  return jsonb_build_object('org_id', set_mfa_policy.org_id, 'require_mfa', set_mfa_policy.required);
end
$$;
comment on function api.set_mfa_policy(uuid, boolean) is $c$Say whether an organization can be seen only by members who signed in with a second factor; works on their next request.

@audience app
@param org_id    the organization; needs organization.manage and a recent second factor of your own
@param required  true or false
@returns         {org_id, require_mfa}
@errors          22004, 22023, 42501, PT401, PT404
@effect          write$c$;
revoke all on function api.set_mfa_policy(uuid, boolean) from public;
grant execute on function api.set_mfa_policy(uuid, boolean) to authenticated;
