-- Documents. The access rule of a document and of its chunks is the same expression over the same two columns; the foreign key
-- in 330_chunk.sql keeps the copies equal, so retrieval, listing and citation cannot disagree (F26).
create table app.document (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  knowledge_base_id uuid not null,
  title text not null constraint document_title_check check (char_length(title) between 1 and 300),
  uri text not null constraint document_uri_check check (char_length(uri) between 1 and 1000),
  sha256 text not null constraint document_sha256_check check (sha256 ~ '^[0-9a-f]{64}$'),
  visibility text not null default 'organization' constraint document_visibility_check check (visibility in ('organization', 'private')),
  owner_id uuid not null default authz.uid(),
  state text not null default 'loading' constraint document_state_check check (state in ('loading', 'ready')),
  created_at timestamptz not null default now(),
  primary key (org_id, id),
  constraint document_knowledge_base_id_fkey foreign key (org_id, knowledge_base_id) references app.knowledge_base (org_id, id),
  constraint document_access_key unique (org_id, id, knowledge_base_id, visibility, owner_id)
);
-- One ready document a place: a new version loads beside the old one and takes its place in one statement. A private document's
-- place is its owner's own, so that it does not tell others that it exists.
create unique index document_shared_key on app.document (org_id, knowledge_base_id, uri)
  where state = 'ready' and visibility = 'organization';
create unique index document_private_key on app.document (org_id, knowledge_base_id, owner_id, uri)
  where state = 'ready' and visibility = 'private';
create index document_loading_idx on app.document (org_id, owner_id) where state = 'loading';
comment on table app.document is 'A text of a knowledge base.';
comment on column app.document.org_id is 'The organization.';
comment on column app.document.id is 'Random identifier.';
comment on column app.document.knowledge_base_id is 'The knowledge base it is in.';
comment on column app.document.title is 'Title; 1..300 characters.';
comment on column app.document.uri is 'Where it came from; names its place in the knowledge base; 1..1000 characters.';
comment on column app.document.sha256 is 'SHA-256 of the source, hexadecimal.';
comment on column app.document.visibility is 'organization: all with documents.read; private: its owner only.';
comment on column app.document.owner_id is 'Who added it.';
comment on column app.document.state is 'loading until all chunks are in, then ready; only ready documents are found.';
comment on column app.document.created_at is 'When loading began.';

alter table app.document enable row level security;
alter table app.document force row level security;
create policy document_select_reader on app.document for select to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read')))
    and (visibility = 'organization' or owner_id = (select authz.uid())));
create policy document_insert_manager on app.document for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('documents.manage'))) and owner_id = (select authz.uid()));
create policy document_update_manager on app.document for update to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.manage')))
    and (visibility = 'organization' or owner_id = (select authz.uid())))
  with check (org_id = any (array(select authz.orgs_with('documents.manage')))
    and (visibility = 'organization' or owner_id = (select authz.uid())));
create policy document_delete_manager on app.document for delete to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.manage')))
    and (visibility = 'organization' or owner_id = (select authz.uid())));
create policy document_floor on app.document as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
-- Never more than the person asking reads: document_select_reader with document_floor, for one organization.
create policy document_select_search_owner on app.document for select to ringfence_owner
  using (org_id = (select authz.search_org_id())
    and (visibility = 'organization' or owner_id = (select authz.uid())));
comment on policy document_select_reader on app.document is 'documents.read sees shared documents; a private one is its owner''s.';
comment on policy document_insert_manager on app.document is 'documents.manage adds documents, in their own name.';
comment on policy document_update_manager on app.document is 'documents.manage changes documents they can see.';
comment on policy document_delete_manager on app.document is 'documents.manage deletes documents they can see.';
comment on policy document_floor on app.document is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy document_select_search_owner on app.document is 'What the person asking may read in the organization they search: whether it is ready, and what it is called.';
grant select, delete on app.document to authenticated;
grant select on app.document to ringfence_owner;
grant insert (org_id, knowledge_base_id, title, uri, sha256, visibility) on app.document to authenticated;
grant update (title, visibility, state) on app.document to authenticated;
create trigger _900_audit after insert or update or delete on app.document
  for each row execute function authz.tg_audit();
