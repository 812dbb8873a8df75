-- Secrets of connectors and providers, sealed before they come here and opened after they leave (F73).

create function api.put_secret(
  org_id uuid, secret_id uuid, purpose text, name text, ciphertext text, wrapped_key text, key_id text, own boolean default false) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_user uuid := case when put_secret.own then authz.uid() end;
begin
  perform authz.require_org(put_secret.org_id);
  perform authz.require(put_secret.secret_id is not null, 'secret_id: a random identifier, that the boxes are bound to');
  perform authz.require(put_secret.purpose in ('connector', 'provider'), 'purpose: connector or provider');
  perform authz.require(put_secret.name ~ '^[a-z0-9][a-z0-9-]{1,39}$', 'name: 2..40 of a-z 0-9 -');
  perform authz.require(put_secret.key_id ~ '^[a-z0-9][a-z0-9-]{0,31}$', 'key_id: 1..32 of a-z 0-9 -');
  perform authz.require(put_secret.ciphertext ~ '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$' and char_length(put_secret.ciphertext) between 40 and 10960,
    'ciphertext: base64; 40..10960 characters');
  perform authz.require(put_secret.wrapped_key ~ '^[A-Za-z0-9+/]{80}$', 'wrapped_key: base64; 80..80 characters');
  if put_secret.own is null or not put_secret.own and (put_secret.org_id = any (array(select authz.orgs_with('organization.manage')))) is not true then
    raise sqlstate '42501' using message = 'a secret of the organization takes organization.manage';
  end if;
  update app.secret s set ciphertext = decode(put_secret.ciphertext, 'base64'), wrapped_key = decode(put_secret.wrapped_key, 'base64'),
    key_id = put_secret.key_id, set_at = now(), wrapped_at = now()
  where s.org_id = put_secret.org_id and s.id = put_secret.secret_id and s.purpose = put_secret.purpose and s.name = put_secret.name
    and s.user_id is not distinct from v_user;
  if not found then
    -- Another of this name is replaced: what was sealed for its row would not open in this one.
    delete from app.secret s where s.org_id = put_secret.org_id and s.purpose = put_secret.purpose and s.name = put_secret.name and s.user_id is not distinct from v_user;
    insert into app.secret (org_id, id, user_id, purpose, name, ciphertext, wrapped_key, key_id)
    values (put_secret.org_id, put_secret.secret_id, v_user, put_secret.purpose, put_secret.name,
      decode(put_secret.ciphertext, 'base64'), decode(put_secret.wrapped_key, 'base64'), put_secret.key_id);
  end if;
  return jsonb_build_object('secret_id', put_secret.secret_id, 'name', put_secret.name);
end
$$;
comment on function api.put_secret(uuid, uuid, text, text, text, text, text, boolean) is $c$Keep a secret of a connector or provider, sealed for its row; another of the same name is replaced.

@audience app
@param org_id       the organization
@param secret_id    random identifier of the row, that both boxes are bound to
@param purpose      connector or provider
@param name         what it is for; 2..40 of a-z 0-9 -
@param ciphertext   nonce and box of the secret, base64; 40..10960 characters
@param wrapped_key  nonce and box of its key, base64; 80..80 characters
@param key_id       which key of the operator wraps it; 1..32 of a-z 0-9 -
@param own          true: for yourself alone; false: for the organization, with organization.manage
@returns            {secret_id, name}
@errors             22004, 22023, 23505, 42501, PT401
@effect             write$c$;
revoke all on function api.put_secret(uuid, uuid, text, text, text, text, text, boolean) from public;
grant execute on function api.put_secret(uuid, uuid, text, text, text, text, text, boolean) to authenticated;

create function api.read_sealed_secret(org_id uuid, purpose text, name text) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_secret app.secret;
begin
  perform authz.require_org(read_sealed_secret.org_id);
  -- One's own comes before the organization's (F37).
  select s.* into v_secret from app.secret s
  where s.org_id = read_sealed_secret.org_id and s.purpose = read_sealed_secret.purpose and s.name = read_sealed_secret.name
  order by s.user_id is null limit 1;
  if not found then
    raise sqlstate 'PT404' using message = 'no such secret: connect it first';
  end if;
  return jsonb_build_object('secret_id', v_secret.id, 'own', v_secret.user_id is not null, 'ciphertext', translate(encode(v_secret.ciphertext, 'base64'), E'\n', ''),
    'wrapped_key', translate(encode(v_secret.wrapped_key, 'base64'), E'\n', ''), 'key_id', v_secret.key_id);
end
$$;
comment on function api.read_sealed_secret(uuid, text, text) is $c$Give a secret as it is kept, sealed: your own of that name, or else the organization's. Only the operator's key opens it.

@audience app
@param org_id   the organization
@param purpose  connector or provider
@param name     name of a secret
@returns        {secret_id, own, ciphertext (base64), wrapped_key (base64), key_id}
@errors         22004, PT404
@effect         read$c$;
revoke all on function api.read_sealed_secret(uuid, text, text) from public;
grant execute on function api.read_sealed_secret(uuid, text, text) to authenticated;

create function api.list_secrets(org_id uuid) returns table (id uuid, purpose text, name text, own boolean, key_id text, set_at timestamptz, wrapped_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_secrets.org_id);
  return query
    select s.id, s.purpose, s.name, s.user_id is not null, s.key_id, s.set_at, s.wrapped_at
    from app.secret s where s.org_id = list_secrets.org_id
    order by s.purpose, s.name, s.user_id limit 1000;
end
$$;
comment on function api.list_secrets(uuid) is $c$List the organization's secrets and your own, without what is sealed.

@audience app
@param org_id  the organization
@returns       array of {id, purpose, name, own, key_id, set_at, wrapped_at}; at most 1000
@errors        22004
@effect        read$c$;
revoke all on function api.list_secrets(uuid) from public;
grant execute on function api.list_secrets(uuid) to authenticated;

create function api.delete_secret(org_id uuid, secret_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(delete_secret.org_id);
  delete from app.secret s where s.org_id = delete_secret.org_id and s.id = delete_secret.secret_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such secret, or not yours to delete';
  end if;
  return jsonb_build_object('secret_id', delete_secret.secret_id);
end
$$;
comment on function api.delete_secret(uuid, uuid) is $c$Delete a secret: your own, or with organization.manage the organization's.

@audience app
@param org_id     the organization
@param secret_id  the secret
@returns          {secret_id}
@errors           22004, 42501, PT401, PT404
@effect           destructive$c$;
revoke all on function api.delete_secret(uuid, uuid) from public;
grant execute on function api.delete_secret(uuid, uuid) to authenticated;
