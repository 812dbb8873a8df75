-- Chunks: the passages retrieval ranks. The columns of the access rule are the document's own, held equal by the foreign
-- key, so that the policy stands in the scan of this table and needs no join (F27).
create table app.chunk (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  document_id uuid not null,
  knowledge_base_id uuid not null,
  visibility text not null,
  owner_id uuid not null,
  classification smallint not null default 1,
  acl_expires_at timestamptz not null default 'infinity',
  position integer not null constraint chunk_position_check check (position >= 0),
  heading text constraint chunk_heading_check check (char_length(heading) between 1 and 300),
  content text not null constraint chunk_content_check check (char_length(content) between 1 and 4000),
  start_char integer not null constraint chunk_start_char_check check (start_char >= 0),
  end_char integer not null,
  embedding extensions.vector(384) not null,
  terms tsvector not null generated always as (to_tsvector('pg_catalog.english', content)) stored,
  primary key (org_id, id),
  -- All zero has no direction: its distance to anything is no number.
  constraint chunk_embedding_check check (extensions.vector_norm(embedding) between 0.5 and 2),
  constraint chunk_range_check check (end_char > start_char),
  constraint chunk_document_access_fkey
    foreign key (org_id, document_id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at)
    references app.document (org_id, id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at)
    on update cascade on delete cascade,
  constraint chunk_org_id_document_id_position_key unique (org_id, document_id, position)
)
-- A passage stays in one piece with its vector: fetching each vector from another place doubles the time of an exact search.
with (toast_tuple_target = 8160);
create index chunk_org_id_knowledge_base_id_idx on app.chunk (org_id, knowledge_base_id);
-- For organizations too large to compare every passage (630_api_search.sql).
create index chunk_embedding_idx on app.chunk using hnsw (embedding extensions.vector_cosine_ops);
-- Words within an organization, so that what others write costs it nothing; without a list of pending entries for the same reason.
create index chunk_org_id_terms_idx on app.chunk using gin (org_id, terms) with (fastupdate = off);
comment on table app.chunk is 'A passage of a document, with its embedding and its search terms.';
comment on column app.chunk.org_id is 'The organization.';
comment on column app.chunk.id is 'Random identifier.';
comment on column app.chunk.document_id is 'The document.';
comment on column app.chunk.knowledge_base_id is 'The document''s knowledge base.';
comment on column app.chunk.visibility is 'The document''s visibility.';
comment on column app.chunk.owner_id is 'The document''s owner.';
comment on column app.chunk.classification is 'The document''s classification.';
comment on column app.chunk.acl_expires_at is 'The document''s.';
comment on column app.chunk.position is 'Place among the document''s chunks, from 0.';
comment on column app.chunk.heading is 'The heading it stands under, if any; 1..300 characters.';
comment on column app.chunk.content is 'The passage; 1..4000 characters.';
comment on column app.chunk.start_char is 'First character in the source text, from 0.';
comment on column app.chunk.end_char is 'One past the last character in the source text.';
comment on column app.chunk.embedding is 'Unit vector of 384 numbers (all-MiniLM-L6-v2).';
comment on column app.chunk.terms is 'English full-text terms of the passage.';

alter table app.chunk enable row level security;
alter table app.chunk force row level security;
create policy chunk_select_reader on app.chunk for select to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read')))
    and (visibility = 'organization' or owner_id = (select authz.uid())
      or document_id = any (array(select authz.granted_documents()))
      or visibility = 'knowledge_base' and knowledge_base_id = any (array(select authz.granted_knowledge_bases()))));
create policy chunk_insert_loader on app.chunk for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('documents.read')))
    and document_id in (select d.id from app.document d where d.state = 'loading' and d.owner_id = (select authz.uid())));
create policy chunk_update_nobody on app.chunk for update to authenticated using (false) with check (false);
create policy chunk_delete_nobody on app.chunk for delete to authenticated using (false);
create policy chunk_floor on app.chunk as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy chunk_classification_floor on app.chunk as restrictive for all to authenticated
  using (classification <= 1
      or classification = 2 and org_id = any (array(select authz.orgs_with('documents.read_confidential')))
      or org_id = any (array(select authz.orgs_with('documents.read_secret'))))
  with check (classification <= 1
      or classification = 2 and org_id = any (array(select authz.orgs_with('documents.read_confidential')))
      or org_id = any (array(select authz.orgs_with('documents.read_secret'))));
create policy chunk_denied_floor on app.chunk as restrictive for all to authenticated
  using (document_id <> all (array(select authz.denied('document')))
      and knowledge_base_id <> all (array(select authz.denied('knowledge_base'))))
  with check (document_id <> all (array(select authz.denied('document')))
      and knowledge_base_id <> all (array(select authz.denied('knowledge_base'))));
create policy chunk_expired_floor on app.chunk as restrictive for all to authenticated
  using (acl_expires_at > now() or owner_id = (select authz.uid()))
  with check (acl_expires_at > now() or owner_id = (select authz.uid()));
-- Every definer sees these rows, so they are never more than the person asking reads: chunk_select_reader with every floor, for one
-- organization. One condition on org_id, or the planner takes every organization for tiny and reads all of it.
create policy chunk_select_search_owner on app.chunk for select to ringfence_owner
  using (org_id = (select authz.search_org_id())
    and (visibility = 'organization' or owner_id = (select authz.uid())
      or document_id = any (array(select authz.granted_documents()))
      or visibility = 'knowledge_base' and knowledge_base_id = any (array(select authz.granted_knowledge_bases())))
    and (classification <= 1
      or classification = 2 and org_id = any (array(select authz.orgs_with('documents.read_confidential')))
      or org_id = any (array(select authz.orgs_with('documents.read_secret'))))
    and document_id <> all (array(select authz.denied('document')))
    and knowledge_base_id <> all (array(select authz.denied('knowledge_base')))
    and (acl_expires_at > now() or owner_id = (select authz.uid()))
    and terms @@ (select authz.search_terms()));
comment on policy chunk_select_reader on app.chunk is 'The same rule as document_select_reader.';
comment on policy chunk_insert_loader on app.chunk is 'Into a document one is loading oneself; a ready one is never added to.';
comment on policy chunk_update_nobody on app.chunk is 'A changed document is loaded anew.';
comment on policy chunk_delete_nobody on app.chunk is 'Chunks go with their document.';
comment on policy chunk_floor on app.chunk is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy chunk_classification_floor on app.chunk is 'Whatever else is allowed, confidential and secret only with the permission to read such (F26).';
comment on policy chunk_denied_floor on app.chunk is 'Whatever else is allowed, nothing that a rule takes from the person (F15).';
comment on policy chunk_expired_floor on app.chunk is 'Whatever else is allowed, nothing whose access was last checked at its source too long ago; who brought it in keeps it, to check again (F30).';
comment on policy chunk_select_search_owner on app.chunk is 'What the person asking may read in the organization they search, and of that only what has a word of the search.';
grant select on app.chunk to authenticated, ringfence_owner;
grant insert (org_id, document_id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at, position, heading, content,
  start_char, end_char, embedding) on app.chunk to authenticated;
create trigger _060_in_scope before insert or update or delete on app.chunk
  for each statement execute function authz.tg_in_scope('documents.manage');
