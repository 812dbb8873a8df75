-- API tokens: made by the edge, which seals them, in the name of the person; listed and revoked here.

create function api.check_api_token(org_id uuid, name text, permissions text[], expires_in integer) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(check_api_token.org_id);
  perform authz.require(char_length(name) between 1 and 80, 'name: 1..80 characters');
  perform authz.require_token_wish(check_api_token.org_id, check_api_token.permissions, now() + make_interval(secs => check_api_token.expires_in));
  -- Whoever has a second factor uses it in the session they sit in as well: the token''s session, opened with it, would end a weaker one.
  if authz.has_second_factor() and not authz.is_aal2() then
    perform authz.require_step_up();
  end if;
  return jsonb_build_object('email', coalesce(authz.claims() ->> 'email', ''), 'code_needed', authz.has_second_factor());
end
$$;
comment on function api.check_api_token(uuid, text, text[], integer) is $c$Tell whether you may make such an API token; POST /v1/tokens of the edge then makes it.

@audience app
@param org_id       the organization the token is for
@param name         what to call it; 1..80 characters
@param permissions  names from the registry that you hold yourself and that are not for people alone; 1..100
@param expires_in   how long it lasts; 60..31622400 seconds
@returns            {email, code_needed}: whose password, and whether a code of an authenticator app too, POST /v1/tokens needs
@errors             22004, 22023, 42501, PT401, PT429
@effect             read$c$;
revoke all on function api.check_api_token(uuid, text, text[], integer) from public;
grant execute on function api.check_api_token(uuid, text, text[], integer) to authenticated;

create function api.create_api_token(
  org_id uuid, name text, permissions text[], expires_in integer, session_id uuid, token_sha256 text, prefix text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_made app.api_token;
begin
  perform authz.require_org(create_api_token.org_id);
  perform authz.require(char_length(name) between 1 and 80, 'name: 1..80 characters');
  perform authz.require(create_api_token.session_id is not null, 'session_id: the session behind the token');
  perform authz.require(token_sha256 ~ '^[0-9a-f]{64}$', 'token_sha256: 64 hexadecimal digits');
  perform authz.require(prefix ~ '^rft_[A-Za-z0-9_-]{8}$', 'prefix: the first 12 characters of the token');
  perform authz.require(expires_in between 60 and 31622400, 'expires_in: 60..31622400 seconds');
  perform authz.require(cardinality(create_api_token.permissions) between 1 and 100, 'permissions: 1..100 names');
  insert into app.api_token (org_id, session_id, name, prefix, token_sha256, permissions, expires_at)
  values (create_api_token.org_id, create_api_token.session_id, create_api_token.name, create_api_token.prefix, create_api_token.token_sha256,
    array(select distinct p.name from unnest(create_api_token.permissions) p (name) order by p.name),
    now() + make_interval(secs => create_api_token.expires_in))
  returning * into v_made;
  return jsonb_build_object('id', v_made.id, 'org_id', v_made.org_id, 'name', v_made.name, 'prefix', v_made.prefix,
    'permissions', v_made.permissions, 'with_second_factor', v_made.with_second_factor, 'created_at', v_made.created_at,
    'expires_at', v_made.expires_at);
exception
  when unique_violation then raise sqlstate 'PT409' using message = 'that session has an API token already';
end
$$;
comment on function api.create_api_token(uuid, text, text[], integer, uuid, text, text) is $c$Record an API token; for the edge, which opens the session behind it with your password. Use POST /v1/tokens.

@audience app
@param org_id        the organization, the only one the token reaches
@param name          what to call it; 1..80 characters
@param permissions   names from the registry that you hold yourself and that are not for people alone; 1..100
@param expires_in    how long it lasts; 60..31622400 seconds
@param session_id    a session of yours, opened within five minutes for this, with every factor you have
@param token_sha256  SHA-256 of the token, hexadecimal; 64..64 characters
@param prefix        the beginning of the token; 12..12 characters
@returns             {id, org_id, name, prefix, permissions, with_second_factor, created_at, expires_at}
@errors              22004, 22023, 42501, PT401, PT404, PT409, PT429
@effect              write$c$;
revoke all on function api.create_api_token(uuid, text, text[], integer, uuid, text, text) from public;
grant execute on function api.create_api_token(uuid, text, text[], integer, uuid, text, text) to authenticated;

create function api.list_api_tokens(org_id uuid) returns table (
  id uuid, user_id uuid, name text, prefix text, permissions text[], with_second_factor boolean,
  created_at timestamptz, expires_at timestamptz, last_used_at timestamptz, revoked_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_api_tokens.org_id);
  return query
    select t.id, t.user_id, t.name, t.prefix, t.permissions, t.with_second_factor, t.created_at, t.expires_at, t.last_used_at, t.revoked_at
    from app.api_token t
    where t.org_id = list_api_tokens.org_id
    order by t.created_at desc, t.id
    limit 1000;
end
$$;
comment on function api.list_api_tokens(uuid) is $c$List your API tokens in an organization; with members.manage, everybody's. At most 1000.

@audience app
@param org_id  the organization
@returns       array of {id, user_id, name, prefix, permissions, with_second_factor, created_at, expires_at, last_used_at, revoked_at}; newest first
@errors        22004
@effect        read$c$;
revoke all on function api.list_api_tokens(uuid) from public;
grant execute on function api.list_api_tokens(uuid) to authenticated;

create function api.revoke_api_token(org_id uuid, token_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_revoked timestamptz;
begin
  perform authz.require_org(revoke_api_token.org_id);
  perform authz.require_person();
  update app.api_token t set revoked_at = now()
  where t.org_id = revoke_api_token.org_id and t.id = revoke_api_token.token_id
  returning t.revoked_at into v_revoked;
  if not found then
    raise sqlstate 'PT404' using message = 'no such API token, or not yours to revoke';
  end if;
  return jsonb_build_object('id', revoke_api_token.token_id, 'revoked_at', v_revoked);
end
$$;
comment on function api.revoke_api_token(uuid, uuid) is $c$Revoke an API token of yours or, with members.manage, of anybody; it is refused from the next request on.

@audience app
@param org_id    the organization
@param token_id  the token's id, as list_api_tokens gives it
@returns         {id, revoked_at}
@errors          22004, 42501, PT404
@effect          destructive$c$;
revoke all on function api.revoke_api_token(uuid, uuid) from public;
grant execute on function api.revoke_api_token(uuid, uuid) to authenticated;

create function api.touch_api_token(token_sha256 text) returns boolean
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require(token_sha256 ~ '^[0-9a-f]{64}$', 'token_sha256: 64 hexadecimal digits');
  return authz.note_token_use(touch_api_token.token_sha256);
end
$$;
comment on function api.touch_api_token(text) is $c$Note the use of the API token whose session this is; for the edge, when it exchanges one.

@audience app
@param token_sha256  SHA-256 of the token, hexadecimal; 64..64 characters
@returns             true; false when this is not the session of that token or the token is over
@errors              22023
@effect              write$c$;
revoke all on function api.touch_api_token(text) from public;
grant execute on function api.touch_api_token(text) to authenticated;
