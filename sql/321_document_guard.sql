-- What changes of a document may be, and what goes with them.

create function authz.tg_document_guard() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_manages boolean;
  v_owns boolean;
begin
  -- Also when a foreign key carries a change of the knowledge base or of the organization here.
  if tg_op = 'INSERT' then
    new.base_visibility := coalesce((select k.visibility from app.knowledge_base k where k.org_id = new.org_id and k.id = new.knowledge_base_id),
      'organization');
  end if;
  if new.visibility <> 'private' then
    new.visibility := case new.base_visibility when 'restricted' then 'knowledge_base' else 'organization' end;
  end if;
  if new.acl_synced_at is not null and new.acl_max_age_hours is null then
    new.acl_max_age_hours := (select o.acl_max_age_hours from app.organization o where o.id = new.org_id);
  end if;
  new.acl_expires_at := coalesce(new.acl_synced_at + make_interval(hours => new.acl_max_age_hours), 'infinity');
  if tg_op = 'UPDATE' and new.state <> old.state then
    new.passages := (select count(*) from app.chunk c where c.org_id = new.org_id and c.document_id = new.id);
  end if;
  -- What a change may be; where policies do not apply (an operator, a foreign key) there is nobody to ask, and ringfence_owner
  -- changes only whose it is (346_left_documents.sql).
  if not row_security_active('app.document') or current_user = 'ringfence_owner' then
    return new;
  end if;
  v_manages := new.org_id = any (array(select authz.orgs_with('documents.manage')));
  if new.trust = 'trusted' and (tg_op = 'INSERT' or old.trust <> 'trusted') and not v_manages then
    raise sqlstate '42501' using message = 'only documents.manage calls a document trusted';
  end if;
  if tg_op = 'UPDATE' then
    v_owns := v_manages or old.owner_id = authz.uid() and old.owner_left_at is null or old.id = any (array(select authz.granted_documents('owner')))
      or old.visibility <> 'private' and old.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner')));
    if (new.visibility <> old.visibility or new.classification < old.classification or new.acl_synced_at is distinct from old.acl_synced_at)
      and not v_owns
    then
      raise sqlstate '42501' using message = 'who reads a document is for its owners to change';
    end if;
    if new.acl_synced_at is distinct from old.acl_synced_at then
      perform authz.require(new.acl_synced_at >= coalesce(old.acl_synced_at, '-infinity') and new.acl_synced_at <= clock_timestamp(),
        'synced_at: not in the future, and not before the last time');
    end if;
    perform authz.require(new.state = old.state or new.state = 'ready', 'a document that is ready is not loaded again');
    -- Loading takes its time, and a private document is there for long: what was allowed at the beginning must still be when it is published.
    if (new.visibility <> 'private' and old.visibility = 'private' or new.state <> old.state)
      and not new.knowledge_base_id = any (array(select authz.granted_knowledge_bases('editor')))
      and not (v_manages and (new.visibility <> 'organization' or new.org_id = any (array(select authz.orgs_with('resources.publish'))))
        and exists (select from app.knowledge_base k where k.org_id = new.org_id and k.id = new.knowledge_base_id))
    then
      raise sqlstate '42501' using message = 'publishing in this knowledge base takes level editor, or documents.manage and resources.publish';
    end if;
  end if;
  return new;
end
$$;
comment on function authz.tg_document_guard() is 'Trigger: visibility follows the knowledge base, the expiry its two sources; and who reads a document, or trusts it, is changed only by those who may (42501).';
revoke all on function authz.tg_document_guard() from public;
create trigger _100_guard before insert or update on app.document
  for each row execute function authz.tg_document_guard();
create trigger _900_audit after insert or delete on app.document
  for each row execute function authz.tg_audit();
-- That somebody left is one event, however many documents they made.
create trigger _910_audit after update on app.document
  for each row when (old.owner_left_at is not distinct from new.owner_left_at or old.owner_id <> new.owner_id)
  execute function authz.tg_audit();

create function authz.tg_knowledge_base_loading() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Its loader alone sees it, so nobody else could make room for the knowledge base to go.
  delete from app.document d where d.org_id = old.org_id and d.knowledge_base_id = old.id and d.state = 'loading';
  return old;
end
$$;
comment on function authz.tg_knowledge_base_loading() is 'Trigger: what is still loading into a knowledge base goes with it, whoever loads it.';
revoke all on function authz.tg_knowledge_base_loading() from public;
create trigger _300_loading before delete on app.knowledge_base
  for each row execute function authz.tg_knowledge_base_loading();

create function authz.can_read_document(org_id uuid, document_id uuid) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- Row security answers.
  select exists (select from app.document d where d.org_id = can_read_document.org_id and d.id = can_read_document.document_id)
$$;
comment on function authz.can_read_document(uuid, uuid) is 'Whether the signed-in person may read the document now: the one answer for preview, download and citation, the same policies as retrieval''s (F33).';
revoke all on function authz.can_read_document(uuid, uuid) from public;
grant execute on function authz.can_read_document(uuid, uuid) to authenticated;
