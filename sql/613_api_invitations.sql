-- Invitations: made by members.manage, accepted by the person they are for.

create function authz.new_invitation_token() returns text
language sql volatile
set search_path = pg_catalog, pg_temp
as $$
  -- Three random identifiers carry 366 random bits; their digest is 32 bytes with nothing left of the fixed ones.
  select 'rfi_' || translate(rtrim(encode(sha256(
    uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'), '='), '+/', '-_')
$$;
comment on function authz.new_invitation_token() is 'A new secret: rfi_ and 32 random bytes in base64url.';
revoke all on function authz.new_invitation_token() from public;
grant execute on function authz.new_invitation_token() to authenticated;

create function api.create_invitation(
  org_id uuid, email text, role text, expires_in_hours integer default 168, service boolean default false)
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_email text := lower(btrim(create_invitation.email));
  v_token text := authz.new_invitation_token();
  v_sha256 text := encode(sha256(convert_to(v_token, 'UTF8')), 'hex');
begin
  perform authz.require_org(create_invitation.org_id);
  perform authz.require(char_length(v_email) between 3 and 254 and v_email ~ '^[^[:space:]@]+@[^[:space:]@]+$', 'email: an address of 3..254 characters');
  perform authz.require(create_invitation.expires_in_hours between 1 and 720, 'expires_in_hours: 1..720');
  perform authz.lock_organization(create_invitation.org_id);
  -- Told to those only who see the members: without that right nothing is found here.
  if exists (select from app.invitation i join app.membership m on m.org_id = i.org_id and m.user_id = i.accepted_by
    where i.org_id = create_invitation.org_id and i.email = v_email)
  then
    raise sqlstate 'PT409' using message = 'already a member';
  end if;
  perform authz.require(create_invitation.service is not null, 'service: true or false');
  insert into app.invitation (org_id, email, role_id, service, token_sha256, expires_at)
  values (create_invitation.org_id, v_email, authz.role_named(create_invitation.org_id, create_invitation.role),
    create_invitation.service, v_sha256,
    now() + make_interval(hours => create_invitation.expires_in_hours));
  return (
    select jsonb_build_object('id', i.id, 'email', i.email, 'role', create_invitation.role, 'token', v_token, 'expires_at', i.expires_at)
    from app.invitation i where i.org_id = create_invitation.org_id and i.token_sha256 = v_sha256);
end
$$;
comment on function api.create_invitation(uuid, text, text, integer, boolean) is $c$Invite somebody by e-mail address, with a role whose permissions you hold yourself; hand them the token, which is shown this once.

@audience app
@param org_id            the organization; needs members.manage
@param email             address of the account that may accept; 3..254 characters
@param role              name of a role of the organization
@param expires_in_hours  how long it can be accepted; 1..720
@param service           true: for an account that no person uses, sign it up like one; you answer for it, and it may nothing you may not
@returns                 {id, email, role, token, expires_at}
@errors                  22004, 22023, 42501, PT401, PT404, PT409, PT429
@effect                  write$c$;
revoke all on function api.create_invitation(uuid, text, text, integer, boolean) from public;
grant execute on function api.create_invitation(uuid, text, text, integer, boolean) to authenticated;

create function api.list_invitations(org_id uuid) returns table (
  id uuid, email text, role text, state text, created_by uuid, created_at timestamptz, expires_at timestamptz, accepted_by uuid)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_invitations.org_id);
  return query
    select i.id, i.email, r.name,
      case when i.accepted_at is not null then 'accepted' when i.revoked_at is not null then 'revoked' when i.expires_at <= now() then 'expired' else 'open' end,
      i.created_by, i.created_at, i.expires_at, i.accepted_by
    from app.invitation i join app.role r on r.org_id = i.org_id and r.id = i.role_id
    where i.org_id = list_invitations.org_id
    order by i.created_at desc, i.id
    limit 1000;
end
$$;
comment on function api.list_invitations(uuid) is $c$List the invitations of an organization, the newest thousand; needs members.manage.

@audience app
@param org_id  the organization
@returns       array of {id, email, role, state (open, accepted, revoked, expired), created_by, created_at, expires_at, accepted_by}; newest first
@errors        22004
@effect        read$c$;
revoke all on function api.list_invitations(uuid) from public;
grant execute on function api.list_invitations(uuid) to authenticated;

create function api.revoke_invitation(org_id uuid, invitation_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(revoke_invitation.org_id);
  perform authz.lock_organization(revoke_invitation.org_id);
  update app.invitation i set revoked_at = now()
  where i.org_id = revoke_invitation.org_id and i.id = revoke_invitation.invitation_id and i.accepted_at is null and i.revoked_at is null;
  if not found then
    raise sqlstate 'PT404' using message = 'no such open invitation, or not yours to revoke';
  end if;
  return jsonb_build_object('id', revoke_invitation.invitation_id);
end
$$;
comment on function api.revoke_invitation(uuid, uuid) is $c$Revoke an invitation that was not accepted yet.

@audience app
@param org_id         the organization; needs members.manage
@param invitation_id  the invitation
@returns              {id}
@errors               22004, 42501, PT401, PT404
@effect               write$c$;
revoke all on function api.revoke_invitation(uuid, uuid) from public;
grant execute on function api.revoke_invitation(uuid, uuid) to authenticated;

create function api.accept_invitation(token text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_joined jsonb;
begin
  perform authz.require(char_length(accept_invitation.token) between 1 and 200, 'token: 1..200 characters');
  v_joined := authz.join_by_invitation(accept_invitation.token);
  return (
    select jsonb_build_object('org_id', o.id, 'slug', o.slug, 'name', o.name, 'role', r.name)
    from app.organization o join app.role r on r.org_id = o.id and r.id = (v_joined ->> 'role_id')::uuid
    where o.id = (v_joined ->> 'org_id')::uuid);
end
$$;
comment on function api.accept_invitation(text) is $c$Join the organization that invited you, signed in with the confirmed e-mail address it invited.

@audience app
@param token  as the invitation gave it; 1..200 characters
@returns      {org_id, slug, name, role}
@errors       22023, 42501, PT401, PT404, PT409
@effect       write$c$;
revoke all on function api.accept_invitation(text) from public;
grant execute on function api.accept_invitation(text) to authenticated;
