-- Documents whose owner left. Who is removed and comes back is a new member: what they made before is theirs no longer (F17). What the
-- organization reads they read as everybody does; what they alone read, a rule keeps from them, which rules.manage may delete. Others'
-- private documents that were left behind documents.manage takes over, one by one and on the record.

-- Who no longer owns a document shares it no longer: 325_document_grant.sql asks who added it.
create function authz.tg_left_grant() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_document app.document;
  v_grant app.document_grant := case when tg_op = 'INSERT' then new else old end;
begin
  if row_security_active('app.document_grant') and current_user <> 'ringfence_owner' then
    select d.* into v_document from app.document d where d.org_id = v_grant.org_id and d.id = v_grant.document_id;
    if v_document.owner_id = authz.uid() and v_document.owner_left_at is not null
      and not v_grant.org_id = any (array(select authz.orgs_with('documents.manage')))
      and not v_grant.document_id = any (array(select authz.granted_documents('owner')))
      and not (v_document.visibility <> 'private' and v_document.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner'))))
      -- What was given to oneself one may always give up.
      and not (tg_op = 'DELETE' and v_grant.user_id is not distinct from authz.uid())
    then
      raise sqlstate '42501' using message = 'you left the organization since you added this document: it is not yours to share';
    end if;
  end if;
  return case when tg_op = 'INSERT' then new else old end;
end
$$;
comment on function authz.tg_left_grant() is 'Trigger: nobody shares a document, or withdraws that, by having owned it before they left (42501).';
revoke all on function authz.tg_left_grant() from public;
create trigger _110_left before insert or delete on app.document_grant
  for each row execute function authz.tg_left_grant();

create function authz.tg_owner_leaves() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('ringfence.leaving_id', old.user_id::text, true);
  update app.document d set owner_left_at = now()
  where d.org_id = old.org_id and d.owner_id = old.user_id and d.owner_left_at is null;
  perform set_config('ringfence.leaving_id', '', true);
  return old;
end
$$;
comment on function authz.tg_owner_leaves() is 'Trigger: what somebody made who leaves or is removed has no owner from then on (F17).';
revoke all on function authz.tg_owner_leaves() from public;
create trigger _510_owner_leaves before delete on app.membership
  for each row execute function authz.tg_owner_leaves();
alter function authz.tg_owner_leaves() owner to ringfence_owner;

create function authz.tg_owner_returns() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config('ringfence.leaving_id', new.user_id::text, true);
  -- What an operator's removal, or an upload at the same moment, left unmarked.
  update app.document d set owner_left_at = now()
  where d.org_id = new.org_id and d.owner_id = new.user_id and d.owner_left_at is null;
  -- Passages ask who added them: the rule stands in the way of those that the organization does not read.
  insert into app.deny_rule (org_id, user_id, document_id, reason)
    select d.org_id, d.owner_id, d.id, 'made before they left the organization: who deletes this rule lets them read it again'
    from app.document d
    where d.org_id = new.org_id and d.owner_id = new.user_id and d.owner_left_at is not null
      and (d.visibility <> 'organization' or d.acl_synced_at is not null or d.state = 'loading')
  on conflict do nothing;
  perform set_config('ringfence.leaving_id', '', true);
  return null;
end
$$;
comment on function authz.tg_owner_returns() is 'Trigger: who joins again does not get back what they alone read before they left (F17).';
revoke all on function authz.tg_owner_returns() from public;
create trigger _510_owner_returns after insert on app.membership
  for each row execute function authz.tg_owner_returns();
alter function authz.tg_owner_returns() owner to ringfence_owner;

create function authz.left_documents(org_id uuid) returns table (
  id uuid, knowledge_base_id uuid, title text, uri text, owner_id uuid, owner_left_at timestamptz)
language plpgsql stable security definer rows 100
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform set_config('ringfence.adopting_org_id', left_documents.org_id::text, true);
  return query
    select d.id, d.knowledge_base_id, d.title, d.uri, d.owner_id, d.owner_left_at from app.document d
    where d.org_id = left_documents.org_id and d.owner_left_at is not null and d.visibility = 'private' and d.state = 'ready'
    order by d.owner_left_at, d.id limit 1000;
  perform set_config('ringfence.adopting_org_id', '', true);
end
$$;
comment on function authz.left_documents(uuid) is 'The private documents that were left behind in an organization where the person asking holds documents.manage, the first thousand.';
revoke all on function authz.left_documents(uuid) from public;
grant execute on function authz.left_documents(uuid) to authenticated;
alter function authz.left_documents(uuid) owner to ringfence_owner;

create function authz.take_over_document(org_id uuid, document_id uuid) returns boolean
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_found boolean;
begin
  perform set_config('ringfence.adopting_org_id', take_over_document.org_id::text, true);
  update app.document d set owner_id = authz.uid(), owner_left_at = null
  where d.org_id = take_over_document.org_id and d.id = take_over_document.document_id and d.owner_left_at is not null
    and d.visibility = 'private' and d.state = 'ready';
  v_found := found;
  delete from app.deny_rule r
  where v_found and r.org_id = take_over_document.org_id and r.document_id = take_over_document.document_id and r.user_id = authz.uid() and r.created_by = authz.uid();
  perform set_config('ringfence.adopting_org_id', '', true);
  return v_found;
end
$$;
comment on function authz.take_over_document(uuid, uuid) is 'Make the person asking, who holds documents.manage, owner of a private document that was left behind; false when there is none such for them.';
revoke all on function authz.take_over_document(uuid, uuid) from public;
grant execute on function authz.take_over_document(uuid, uuid) to authenticated;
alter function authz.take_over_document(uuid, uuid) owner to ringfence_owner;
