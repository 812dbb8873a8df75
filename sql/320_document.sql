-- Documents. The rule of who reads a document stands here, in document_select_reader and the restrictive policies, over columns that its
-- chunks and file parts carry too: 330_chunk.sql and 332_document_part.sql repeat it word for word, a test holds them equal, and a
-- foreign key keeps the copies of the columns equal. So retrieval, listing, preview, download and citation cannot disagree (F26, F33).
create table app.document (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  knowledge_base_id uuid not null,
  base_visibility text not null default 'organization',
  title text not null constraint document_title_check check (char_length(title) between 1 and 300),
  uri text not null constraint document_uri_check check (char_length(uri) between 1 and 1000),
  sha256 text not null constraint document_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
  visibility text not null default 'organization'
    constraint document_visibility_check check (visibility in ('organization', 'knowledge_base', 'private')),
  classification smallint not null default 1 constraint document_classification_check check (classification between 0 and 3),
  owner_id uuid not null default authz.uid(),
  state text not null default 'loading' constraint document_state_check check (state in ('loading', 'ready')),
  media_type text not null default 'text/plain' constraint document_media_type_check
    check (media_type ~ '^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$'),
  byte_size bigint constraint document_byte_size_check check (byte_size between 0 and 104857600),
  passages integer not null default 0 constraint document_passages_check check (passages >= 0),
  tags text[] not null default '{}' constraint document_tags_check
    check (cardinality(tags) <= 20 and array_position(tags, null) is null and char_length(array_to_string(tags, '')) <= 1000),
  source text not null default 'upload' constraint document_source_check check (source ~ '^[a-z][a-z0-9_-]{0,39}$'),
  trust text not null default 'untrusted' constraint document_trust_check check (trust in ('trusted', 'untrusted')),
  acl_synced_at timestamptz,
  acl_max_age_hours integer,
  acl_expires_at timestamptz not null default 'infinity',
  modified_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint document_knowledge_base_id_fkey foreign key (org_id, knowledge_base_id, base_visibility)
    references app.knowledge_base (org_id, id, visibility) on update cascade,
  constraint document_acl_max_age_hours_fkey foreign key (org_id, acl_max_age_hours)
    references app.organization (id, acl_max_age_hours) on update cascade on delete cascade,
  constraint document_base_visibility_check check (visibility = 'private'
    or visibility = case base_visibility when 'restricted' then 'knowledge_base' else 'organization' end),
  constraint document_acl_check check ((acl_synced_at is null) = (acl_max_age_hours is null)),
  constraint document_access_key unique (org_id, id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at)
);
-- One ready document a place: a new version loads beside the old one and takes its place in one statement. A private document's
-- place is its owner's own, so that it does not tell others that it exists.
create unique index document_shared_key on app.document (org_id, knowledge_base_id, uri)
  where state = 'ready' and visibility <> 'private';
create unique index document_private_key on app.document (org_id, knowledge_base_id, owner_id, uri)
  where state = 'ready' and visibility = 'private';
create index document_loading_idx on app.document (org_id, owner_id) where state = 'loading';
create index document_acl_max_age_hours_idx on app.document (org_id, acl_max_age_hours) where acl_max_age_hours is not null;
comment on table app.document is 'A text of a knowledge base.';
comment on column app.document.org_id is 'The organization.';
comment on column app.document.id is 'Random identifier.';
comment on column app.document.knowledge_base_id is 'The knowledge base it is in.';
comment on column app.document.base_visibility is 'The knowledge base''s visibility, held equal by the foreign key: narrowing the base narrows its documents in the same statement.';
comment on column app.document.title is 'Title; 1..300 characters.';
comment on column app.document.uri is 'Where it came from; names its place in the knowledge base; 1..1000 characters.';
comment on column app.document.sha256 is 'SHA-256 of the source, hexadecimal.';
comment on column app.document.visibility is 'organization: all with documents.read; knowledge_base: the readers of its restricted knowledge base; private: its owner; and in each case those it is shared with (document_grant).';
comment on column app.document.classification is '0 public, 1 internal, 2 confidential, 3 secret; from 2 on no grant suffices without the permission to read such.';
comment on column app.document.owner_id is 'Who added it.';
comment on column app.document.state is 'loading until all chunks are in, then ready; only ready documents are found.';
comment on column app.document.media_type is 'Media type of the source.';
comment on column app.document.byte_size is 'Bytes of the source, if known.';
comment on column app.document.passages is 'How many chunks it has since it is ready: what tells a search whether to compare each one. No more than that hangs on it.';
comment on column app.document.tags is 'At most 20 words to filter by, 1000 characters in all.';
comment on column app.document.source is 'What brought it in: upload, api, or the name of a connector.';
comment on column app.document.trust is 'trusted only where documents.manage says so; text of an untrusted document is labelled when a model reads it (F31).';
comment on column app.document.acl_synced_at is 'When its access was last checked at its source; null where there is none to check.';
comment on column app.document.acl_max_age_hours is 'The organization''s, held equal by the foreign key; null where there is no source to check.';
comment on column app.document.acl_expires_at is 'acl_synced_at and acl_max_age_hours together: from then on nobody reads it but its owner, until it is checked again (F30).';
comment on column app.document.modified_at is 'When the source was last changed, if known.';
comment on column app.document.created_at is 'When loading began.';

alter table app.document enable row level security;
alter table app.document force row level security;
create policy document_select_reader on app.document for select to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read')))
    and (visibility = 'organization' or owner_id = (select authz.uid())
      or id = any (array(select authz.granted_documents()))
      or visibility = 'knowledge_base' and knowledge_base_id = any (array(select authz.granted_knowledge_bases()))));
create policy document_insert_editor on app.document for insert to authenticated
  with check (owner_id = (select authz.uid()) and org_id = any (array(select authz.orgs_with('documents.read')))
    and (knowledge_base_id = any (array(select authz.granted_knowledge_bases('editor')))
      or org_id = any (array(select authz.orgs_with('documents.manage'))) and knowledge_base_id in (select k.id from app.knowledge_base k)
        and (visibility <> 'organization' or org_id = any (array(select authz.orgs_with('resources.publish'))))));
create policy document_update_editor on app.document for update to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read')))
    and (owner_id = (select authz.uid())
      or id = any (array(select authz.granted_documents('editor')))
      or visibility <> 'private' and knowledge_base_id = any (array(select authz.granted_knowledge_bases('editor')))
      or org_id = any (array(select authz.orgs_with('documents.manage'))) and (visibility = 'organization'
        or id = any (array(select authz.granted_documents()))
        or visibility = 'knowledge_base' and knowledge_base_id = any (array(select authz.granted_knowledge_bases())))))
  with check (org_id = any (array(select authz.orgs_with('documents.read')))
    and (owner_id = (select authz.uid())
      or id = any (array(select authz.granted_documents('editor')))
      or visibility <> 'private' and knowledge_base_id = any (array(select authz.granted_knowledge_bases('editor')))
      or org_id = any (array(select authz.orgs_with('documents.manage'))) and (visibility = 'organization'
        or id = any (array(select authz.granted_documents()))
        or visibility = 'knowledge_base' and knowledge_base_id = any (array(select authz.granted_knowledge_bases())))));
create policy document_delete_editor on app.document for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read')))
    and (owner_id = (select authz.uid())
      or id = any (array(select authz.granted_documents('editor')))
      or visibility <> 'private' and knowledge_base_id = any (array(select authz.granted_knowledge_bases('editor')))
      or org_id = any (array(select authz.orgs_with('documents.manage'))) and (visibility = 'organization'
        or id = any (array(select authz.granted_documents()))
        or visibility = 'knowledge_base' and knowledge_base_id = any (array(select authz.granted_knowledge_bases())))));
create policy document_floor on app.document as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy document_classification_floor on app.document as restrictive for all to authenticated
  using (classification <= 1
      or classification = 2 and org_id = any (array(select authz.orgs_with('documents.read_confidential')))
      or org_id = any (array(select authz.orgs_with('documents.read_secret'))))
  with check (classification <= 1
      or classification = 2 and org_id = any (array(select authz.orgs_with('documents.read_confidential')))
      or org_id = any (array(select authz.orgs_with('documents.read_secret'))));
create policy document_denied_floor on app.document as restrictive for all to authenticated
  using (id <> all (array(select authz.denied('document')))
      and knowledge_base_id <> all (array(select authz.denied('knowledge_base'))))
  with check (id <> all (array(select authz.denied('document')))
      and knowledge_base_id <> all (array(select authz.denied('knowledge_base'))));
create policy document_expired_floor on app.document as restrictive for all to authenticated
  using (acl_expires_at > now() or owner_id = (select authz.uid()))
  with check (acl_expires_at > now() or owner_id = (select authz.uid()));
-- Grants and rules of the version it replaces come to it when it takes that one's place: until then it is the loader's own.
create policy document_loading_floor on app.document as restrictive for all to authenticated
  using (state = 'ready' or owner_id = (select authz.uid()))
  with check (state = 'ready' or owner_id = (select authz.uid()));
create policy document_select_loading_owner on app.document for select to ringfence_owner
  using (state = 'loading' and org_id = any (array(select authz.org_ids())));
create policy document_delete_loading_owner on app.document for delete to ringfence_owner
  using (state = 'loading' and org_id = any (array(select authz.org_ids())));
comment on policy document_select_reader on app.document is 'documents.read sees the organization''s, one''s own, those shared with one, and those of a restricted knowledge base one may read.';
comment on policy document_insert_editor on app.document is 'Editors of the knowledge base add documents, in their own name; so does documents.manage where it can read the base, for the whole organization with resources.publish.';
comment on policy document_update_editor on app.document is 'Its owner, editors of it or (unless it is private) of its knowledge base, and documents.manage where it can read it.';
comment on policy document_delete_editor on app.document is 'As changing it.';
comment on policy document_floor on app.document is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy document_classification_floor on app.document is 'Whatever else is allowed, confidential and secret only with the permission to read such (F26).';
comment on policy document_denied_floor on app.document is 'Whatever else is allowed, nothing that a rule takes from the person (F15).';
comment on policy document_expired_floor on app.document is 'Whatever else is allowed, nothing whose access was last checked at its source too long ago; who brought it in keeps it, to check again (F30).';
comment on policy document_loading_floor on app.document is 'Whatever else is allowed, what is still loading is seen and changed only by who loads it (F15).';
comment on policy document_select_loading_owner on app.document is 'A replacement finds the version that takes the old one''s place (the person''s own, it says itself); a knowledge base those that go with it.';
comment on policy document_delete_loading_owner on app.document is 'What is still loading goes with its knowledge base, whoever loads it.';
grant select, delete on app.document to authenticated;
grant insert (org_id, knowledge_base_id, title, uri, sha256, visibility, classification, media_type, byte_size, tags, source, trust, modified_at)
  on app.document to authenticated;
grant update (title, visibility, classification, tags, trust, acl_synced_at, state) on app.document to authenticated;
create trigger _060_in_scope before insert or update or delete on app.document
  for each statement execute function authz.tg_in_scope('documents.manage');
grant select, delete on app.document to ringfence_owner;

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
  -- What a change may be; where policies do not apply (an operator, a foreign key) there is nobody to ask.
  if not row_security_active('app.document') then
    return new;
  end if;
  v_manages := new.org_id = any (array(select authz.orgs_with('documents.manage')));
  if new.trust = 'trusted' and (tg_op = 'INSERT' or old.trust <> 'trusted') and not v_manages then
    raise sqlstate '42501' using message = 'only documents.manage calls a document trusted';
  end if;
  if tg_op = 'UPDATE' then
    v_owns := v_manages or old.owner_id = authz.uid() or old.id = any (array(select authz.granted_documents('owner')))
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
create trigger _900_audit after insert or update or delete on app.document
  for each row execute function authz.tg_audit();

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
