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
  owner_left_at timestamptz,
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
-- A new version loads beside the old one and takes its place in one statement (api.finish_document). Not unique: a place that is taken
-- would tell of a document one cannot see (R51). Of those one sees there is one ready document a place, and a private one besides.
create index document_org_id_knowledge_base_id_uri_idx on app.document (org_id, knowledge_base_id, uri);
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
comment on column app.document.owner_left_at is 'When its owner left the organization; from then on it has none, also when they are back, until somebody takes it over.';
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

-- Of 346_left_documents.sql: who leaves, and in which organization somebody takes over what was left.
create function authz.leaving_id() returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_person text := current_setting('ringfence.leaving_id', true);
begin
  return case when pg_input_is_valid(v_person, 'uuid') then v_person::uuid end;
end
$$;
comment on function authz.leaving_id() is 'Who leaves or joins in this statement; for the policies by which the triggers below find what they made.';
revoke all on function authz.leaving_id() from public;
grant execute on function authz.leaving_id() to ringfence_owner;

create function authz.adopting_org_id() returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org text := current_setting('ringfence.adopting_org_id', true);
begin
  if pg_input_is_valid(v_org, 'uuid') is not true then
    return null;
  end if;
  return (select o.id from authz.orgs_with('documents.manage') o (id) where o.id = v_org::uuid);
end
$$;
comment on function authz.adopting_org_id() is 'The organization of which left documents are looked at in this transaction, where the person holds documents.manage; otherwise null.';
revoke all on function authz.adopting_org_id() from public;
grant execute on function authz.adopting_org_id() to ringfence_owner;

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
    and (owner_id = (select authz.uid()) and owner_left_at is null
      or id = any (array(select authz.granted_documents('editor')))
      or visibility <> 'private' and knowledge_base_id = any (array(select authz.granted_knowledge_bases('editor')))
      or org_id = any (array(select authz.orgs_with('documents.manage'))) and (visibility = 'organization'
        or id = any (array(select authz.granted_documents()))
        or visibility = 'knowledge_base' and knowledge_base_id = any (array(select authz.granted_knowledge_bases())))))
  with check (org_id = any (array(select authz.orgs_with('documents.read')))
    and (owner_id = (select authz.uid()) and owner_left_at is null
      or id = any (array(select authz.granted_documents('editor')))
      or visibility <> 'private' and knowledge_base_id = any (array(select authz.granted_knowledge_bases('editor')))
      or org_id = any (array(select authz.orgs_with('documents.manage'))) and (visibility = 'organization'
        or id = any (array(select authz.granted_documents()))
        or visibility = 'knowledge_base' and knowledge_base_id = any (array(select authz.granted_knowledge_bases())))));
create policy document_delete_editor on app.document for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read')))
    and (owner_id = (select authz.uid()) and owner_left_at is null
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
-- Passages have policies of their own, so no definer finds more of their text by these: who, when and whether is all they show.
create policy document_select_leaving_owner on app.document for select to ringfence_owner
  using (owner_id = (select authz.leaving_id()) and (owner_id = (select authz.uid())
    or org_id = any (array(select authz.org_ids())) and coalesce(owner_left_at, now()) = now()));
create policy document_update_leaving_owner on app.document for update to ringfence_owner
  using (owner_id = (select authz.leaving_id()) and (owner_id = (select authz.uid()) or org_id = any (array(select authz.org_ids()))) and owner_left_at is null)
  with check (owner_id = (select authz.leaving_id()) and (owner_id = (select authz.uid()) or org_id = any (array(select authz.org_ids()))) and owner_left_at = now());
create policy document_select_adopter_owner on app.document for select to ringfence_owner
  using (org_id = (select authz.adopting_org_id())
    and (owner_id = (select authz.uid())
      or owner_left_at is not null and visibility = 'private' and state = 'ready'
        and (base_visibility = 'organization' or knowledge_base_id = any (array(select authz.granted_knowledge_bases())))
        and (classification <= 1
          or classification = 2 and org_id = any (array(select authz.orgs_with('documents.read_confidential')))
          or org_id = any (array(select authz.orgs_with('documents.read_secret'))))
        and knowledge_base_id <> all (array(select authz.denied('knowledge_base')))));
create policy document_update_adopter_owner on app.document for update to ringfence_owner
  using (org_id = (select authz.adopting_org_id()) and org_id = any (array(select authz.orgs_with('documents.manage')))
    and owner_left_at is not null and visibility = 'private' and state = 'ready')
  with check (org_id = (select authz.adopting_org_id()) and owner_left_at is null and owner_id = (select authz.uid()));
create policy document_select_erasing_owner on app.document for select to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()));
create policy document_update_erasing_owner on app.document for update to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and owner_id in (select authz.erasing_user_ids()))
  with check (org_id in (select authz.erasing_org_ids()) and owner_left_at is not null and visibility <> 'private');
create policy document_delete_erasing_owner on app.document for delete to ringfence_owner
  using (org_id in (select authz.erasing_org_ids()) and owner_id in (select authz.erasing_user_ids()) and (visibility = 'private' or state = 'loading'));
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
comment on policy document_select_leaving_owner on app.document is 'The triggers of leaving and joining find what the person made: themselves anywhere (single sign-on joins before a second factor), others in organizations of the person asking.';
comment on policy document_update_leaving_owner on app.document is 'Of those, the triggers change that their owner has left, now.';
comment on policy document_select_adopter_owner on app.document is 'documents.manage finds private documents that were left behind, in knowledge bases it reads and of classes it may read.';
comment on policy document_update_adopter_owner on app.document is 'Those it makes its own, and nobody else''s.';
comment on policy document_select_erasing_owner on app.document is 'An erasure finds what whom it is about added, also when the owner it names is somebody else already.';
comment on policy document_update_erasing_owner on app.document is 'It takes them out of what the organization reads.';
comment on policy document_delete_erasing_owner on app.document is 'It deletes what was theirs alone, and what they were still loading.';
grant select, delete on app.document to authenticated;
grant insert (org_id, knowledge_base_id, title, uri, sha256, visibility, classification, media_type, byte_size, tags, source, trust, modified_at)
  on app.document to authenticated;
grant update (title, visibility, classification, tags, trust, acl_synced_at, state) on app.document to authenticated;
-- A directory's API token sends people away, and what they made is marked: by ringfence_owner, within its policies.
create trigger _060_in_scope before insert or update or delete on app.document
  for each statement when (current_user <> 'ringfence_owner') execute function authz.tg_in_scope('documents.manage');
grant select, delete on app.document to ringfence_owner;
grant update (owner_id, owner_left_at) on app.document to ringfence_owner;
