-- The rights of the person: what is kept about people, and its erasure (F68); and legal holds, which come before it (F72).

create function api.list_personal_data() returns table (table_name text, columns text[], on_erasure text, reason text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p.table_name, p.columns, p.on_erasure, p.reason from authz.personal_columns() p order by p.on_erasure, p.table_name, p.columns
$$;
comment on function api.list_personal_data() is $c$List which columns of which tables name a person or hold what one wrote, and what an erasure does with them.

@audience app
@returns  array of {table_name, columns, on_erasure (deleted, anonymised, retained), reason}
@effect   read$c$;
revoke all on function api.list_personal_data() from public;
grant execute on function api.list_personal_data() to authenticated;

create function authz.erasure_receipt(org_id uuid, id uuid) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('erasure_id', e.id, 'org_id', e.org_id, 'user_id', e.user_id, 'erased_at', e.erased_at,
    'deleted', e.deleted, 'anonymised', e.anonymised,
    'retained', (select jsonb_agg(jsonb_build_object('table', p.table_name, 'columns', p.columns, 'reason', p.reason) order by p.table_name, p.columns)
      from authz.personal_columns() p where p.on_erasure = 'retained'))
  from app.erasure e where e.org_id = erasure_receipt.org_id and e.id = erasure_receipt.id
$$;
comment on function authz.erasure_receipt(uuid, uuid) is 'What an erasure one may see deleted, anonymised and retained, and why.';
revoke all on function authz.erasure_receipt(uuid, uuid) from public;
grant execute on function authz.erasure_receipt(uuid, uuid) to authenticated;

create function api.erase_me(org_id uuid, confirm_slug text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set statement_timeout = '60s'
as $$
declare
  v_slug text;
  v_id uuid;
  v_receipt jsonb;
begin
  perform authz.require_org(erase_me.org_id);
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  perform authz.lock_organization(erase_me.org_id);
  select o.slug into v_slug from app.organization o where o.id = erase_me.org_id;
  if v_slug is null then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  if erase_me.confirm_slug is distinct from v_slug then
    raise sqlstate '22023' using message = 'confirm_slug: the slug of the organization, to say that you mean it';
  end if;
  insert into app.erasure (org_id, user_id) values (erase_me.org_id, authz.uid()) returning id into v_id;
  v_receipt := authz.erasure_receipt(erase_me.org_id, v_id);
  delete from app.membership m where m.org_id = erase_me.org_id and m.user_id = authz.uid();
  return v_receipt;
end
$$;
comment on function api.erase_me(uuid, text) is $c$Erase what an organization holds about you and leave it, for good: conversations, tickets and private documents; export it first. Keep the receipt, which is shown this once.

@audience app
@param org_id        the organization; needs a recent second factor of your own
@param confirm_slug  name of an organization: its slug, typed to say that you mean it
@returns             {erasure_id, org_id, user_id, erased_at, deleted: {table: rows}, anonymised: {table: rows}, retained: [{table, columns, reason}]}
@errors              22004, 22023, 42501, PT401, PT404, PT409, PT423
@effect              destructive$c$;
revoke all on function api.erase_me(uuid, text) from public;
grant execute on function api.erase_me(uuid, text) to authenticated;

create function api.erase_member(org_id uuid, user_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set statement_timeout = '60s'
as $$
#variable_conflict use_column
declare
  v_was_member boolean;
  v_id uuid;
  v_receipt jsonb;
begin
  perform authz.require_org(erase_member.org_id);
  perform authz.require_step_up();
  if (erase_member.org_id = any (array(select authz.orgs_with('members.manage')))
    and erase_member.org_id = any (array(select authz.orgs_with('members.read')))) is not true
  then
    raise sqlstate '42501' using message = 'erasing what is held about somebody takes members.manage and members.read';
  end if;
  perform authz.require(erase_member.user_id <> authz.uid(), 'user_id: somebody else; for yourself there is erase_me');
  perform authz.lock_organization(erase_member.org_id);
  -- Within what the guard of memberships lets one take.
  delete from app.membership m where m.org_id = erase_member.org_id and m.user_id = erase_member.user_id;
  v_was_member := found;
  insert into app.erasure (org_id, user_id) values (erase_member.org_id, erase_member.user_id) returning id into v_id;
  v_receipt := authz.erasure_receipt(erase_member.org_id, v_id);
  -- Asked again it says so again; of whom nothing was ever here, nothing is kept either.
  if not v_was_member and v_receipt -> 'deleted' = '{}' and v_receipt -> 'anonymised' = '{}'
    and not exists (select from app.departure d where d.org_id = erase_member.org_id and d.user_id = erase_member.user_id)
  then
    raise sqlstate 'PT404' using message = 'nothing is held about such a person, or it is not yours to erase';
  end if;
  return v_receipt;
end
$$;
comment on function api.erase_member(uuid, uuid) is $c$Erase what the organization holds about a member or former member, ending the membership, for good: conversations, tickets and private documents.

@audience app
@param org_id   the organization; needs members.manage, members.read and a recent second factor of your own
@param user_id  the person; for yourself there is erase_me
@returns        {erasure_id, org_id, user_id, erased_at, deleted: {table: rows}, anonymised: {table: rows}, retained: [{table, columns, reason}]}
@errors         22004, 22023, 42501, PT401, PT404, PT409, PT423
@effect         destructive$c$;
revoke all on function api.erase_member(uuid, uuid) from public;
grant execute on function api.erase_member(uuid, uuid) to authenticated;

create function api.set_legal_hold(org_id uuid, reason text, user_id uuid default null, conversation_id uuid default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(set_legal_hold.org_id);
  perform authz.require_step_up();
  perform authz.require(char_length(set_legal_hold.reason) between 1 and 300, 'reason: 1..300 characters');
  perform authz.require(num_nonnulls(set_legal_hold.user_id, set_legal_hold.conversation_id) <= 1, 'name a person, or a conversation, or neither for the whole organization');
  insert into app.legal_hold (org_id, user_id, conversation_id, reason)
  values (set_legal_hold.org_id, set_legal_hold.user_id, set_legal_hold.conversation_id, set_legal_hold.reason) returning id into v_id;
  return jsonb_build_object('hold_id', v_id);
end
$$;
comment on function api.set_legal_hold(uuid, text, uuid, uuid) is $c$Keep a person's data, a conversation, or everything of the organization from being erased, purged or deleted by retention, until the hold is released.

@audience app
@param org_id           the organization; needs organization.manage and a recent second factor of your own
@param reason           why; 1..300 characters
@param user_id          the person whose data is held, a member or not; or leave it out
@param conversation_id  the conversation, or leave it out; without both everything is held
@returns                {hold_id}
@errors                 22004, 22023, 42501, PT401
@effect                 write$c$;
revoke all on function api.set_legal_hold(uuid, text, uuid, uuid) from public;
grant execute on function api.set_legal_hold(uuid, text, uuid, uuid) to authenticated;

create function api.release_legal_hold(org_id uuid, hold_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(release_legal_hold.org_id);
  perform authz.require_step_up();
  update app.legal_hold h set released_by = authz.uid(), released_at = now()
  where h.org_id = release_legal_hold.org_id and h.id = release_legal_hold.hold_id and h.released_at is null;
  if not found then
    raise sqlstate 'PT404' using message = 'no such hold that holds, or not yours to release';
  end if;
  return jsonb_build_object('hold_id', release_legal_hold.hold_id);
end
$$;
comment on function api.release_legal_hold(uuid, uuid) is $c$Release a legal hold; it stays on the record.

@audience app
@param org_id   the organization; needs organization.manage and a recent second factor of your own
@param hold_id  the hold
@returns        {hold_id}
@errors         22004, 42501, PT401, PT404
@effect         write$c$;
revoke all on function api.release_legal_hold(uuid, uuid) from public;
grant execute on function api.release_legal_hold(uuid, uuid) to authenticated;

create function api.list_legal_holds(org_id uuid) returns table (
  id uuid, user_id uuid, conversation_id uuid, reason text, created_by uuid, created_at timestamptz, released_by uuid, released_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_legal_holds.org_id);
  return query
    select h.id, h.user_id, h.conversation_id, h.reason, h.created_by, h.created_at, h.released_by, h.released_at
    from app.legal_hold h where h.org_id = list_legal_holds.org_id
    order by h.created_at desc, h.id limit 1000;
end
$$;
comment on function api.list_legal_holds(uuid) is $c$List the legal holds of an organization, released ones too.

@audience app
@param org_id  the organization; needs organization.manage or audit.read
@returns       array of {id, user_id, conversation_id, reason, created_by, created_at, released_by, released_at}; newest first, at most 1000
@errors        22004
@effect        read$c$;
revoke all on function api.list_legal_holds(uuid) from public;
grant execute on function api.list_legal_holds(uuid) to authenticated;
