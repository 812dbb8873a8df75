-- Retrieval: dense and full-text candidates fused by reciprocal rank, under the same policies as everything else.
-- The fusion is Cormack, Clarke and Buettcher (SIGIR 2009): score = sum over lists of 1 / (60 + rank).
create function authz.search_candidates(org_id uuid, terms tsquery, embedding extensions.vector, wanted authz.search_filter)
returns setof authz.search_candidate
language plpgsql stable rows 100
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_documents authz.search_document[];
  v_passages bigint;
begin
  select array_agg(row(d.id, d.title, d.uri, d.trust)::authz.search_document), coalesce(sum(d.passages), 0) into v_documents, v_passages
  from app.document d
  where d.org_id = search_candidates.org_id and d.state = 'ready'
    and (wanted.bases is null or d.knowledge_base_id = any (wanted.bases))
    and (wanted.tags is null or d.tags && wanted.tags)
    and (wanted.since is null or coalesce(d.modified_at, d.created_at) >= wanted.since)
    and (wanted.until is null or coalesce(d.modified_at, d.created_at) < wanted.until);
  if v_passages <= authz.exact_search_limit() then
    return query select * from authz.compared_chunks(org_id, terms, embedding, v_documents);
    return;
  end if;
  perform set_config('ringfence.search_org_id', org_id::text, true), set_config('ringfence.search_terms', terms::text, true);
  return query select * from authz.matching_chunks(embedding, v_documents);
  if embedding is not null then
    return query
      with nearest as materialized (select * from authz.nearest_chunks(org_id, embedding, v_documents))
      select * from nearest where (select count(*) from nearest) = 50
      union all
      -- The index gave up: how early depends on what other organizations have, and the number of results must not (F29).
      select * from authz.compared_chunks(org_id, null, embedding, v_documents) where (select count(*) from nearest) < 50;
  end if;
end
$$;
comment on function authz.search_candidates(uuid, tsquery, extensions.vector, authz.search_filter) is 'The 50 best matching and the 50 nearest passages of those the person may read: exactly up to authz.exact_search_limit(), beyond by indexes.';
revoke all on function authz.search_candidates(uuid, tsquery, extensions.vector, authz.search_filter) from public;
grant execute on function authz.search_candidates(uuid, tsquery, extensions.vector, authz.search_filter) to authenticated;

create type authz.passage as (
  document_id uuid, chunk_id uuid, knowledge_base_id uuid, title text, uri text, content text, start_char integer, end_char integer,
  chunk_sha256 text, score double precision, similarity double precision, retrieved_at timestamptz, heading text, trust text
);
comment on type authz.passage is 'A passage that a search found, as api.search_documents() answers it.';
comment on column authz.passage.document_id is 'Its document.';
comment on column authz.passage.chunk_id is 'The chunk.';
comment on column authz.passage.knowledge_base_id is 'The knowledge base of the document.';
comment on column authz.passage.title is 'Title of the document.';
comment on column authz.passage.uri is 'Where the document came from.';
comment on column authz.passage.content is 'The text.';
comment on column authz.passage.start_char is 'First character in the text of the document.';
comment on column authz.passage.end_char is 'One past its last character there.';
comment on column authz.passage.chunk_sha256 is 'SHA-256, hexadecimal, of the text.';
comment on column authz.passage.score is 'By which the passages are in order; more is better.';
comment on column authz.passage.similarity is '1 less the distance to the question; null where only words were compared.';
comment on column authz.passage.retrieved_at is 'When the search was.';
comment on column authz.passage.heading is 'The headings above it.';
comment on column authz.passage.trust is 'trusted or untrusted, as its document.';

create function api.search_documents(
  org_id uuid, query text, query_embedding extensions.vector default null, max_rows integer default 8, run_id uuid default null,
  knowledge_bases uuid[] default null, tags text[] default null, since timestamptz default null, until timestamptz default null)
returns table (
  document_id uuid, chunk_id uuid, knowledge_base_id uuid, title text, uri text, content text, start_char integer, end_char integer,
  chunk_sha256 text, score double precision, similarity double precision, retrieved_at timestamptz, heading text, trust text)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set statement_timeout = '5s'
as $$
#variable_conflict use_column
declare
  -- A question is rarely a sentence of the text: any of its words may match, and the rank says how well. The first 32 different
  -- words count: ranking by hundreds takes seconds.
  v_terms tsquery := (
    select string_agg(w.word, ' | ' order by w.place)::tsquery
    from (select u.word, min(u.place) as place
      from unnest(string_to_array(plainto_tsquery('pg_catalog.english', query)::text, ' & ')) with ordinality u (word, place)
      group by u.word order by 2 limit 32) w);
  v_bases uuid[] := search_documents.knowledge_bases;
  v_found authz.passage[];
begin
  perform authz.require_org(search_documents.org_id);
  perform authz.require(char_length(query) between 1 and 2000, 'query: 1..2000 characters');
  perform authz.require(max_rows between 1 and 50, 'max_rows: 1..50');
  if query_embedding is not null then
    perform authz.require(extensions.vector_dims(query_embedding) = 384, 'query_embedding: 384 numbers');
    perform authz.require(extensions.vector_norm(query_embedding) > 0, 'query_embedding: not all zero');
  end if;
  if v_bases is not null then
    perform authz.require(cardinality(v_bases) between 1 and 100 and array_position(v_bases, null) is null, 'knowledge_bases: 1..100 items');
  end if;
  if search_documents.tags is not null then
    perform authz.require(cardinality(search_documents.tags) between 1 and 20
      and (select bool_and(char_length(t.tag) between 1 and 100) from unnest(search_documents.tags) t (tag)), 'tags: 1..20 items of 1..100 characters');
  end if;
  if search_documents.run_id is not null then
    -- Inside a run: what the person may read, and of that only what the bot is bound to (F13).
    v_bases := array(select b.id from unnest(authz.run_knowledge_bases(search_documents.org_id, search_documents.run_id)) b (id)
      where v_bases is null or b.id = any (v_bases));
  end if;
  v_found := array(
    with candidate as materialized (
      select * from authz.search_candidates(search_documents.org_id, v_terms, query_embedding,
        row(v_bases, search_documents.tags, search_documents.since, search_documents.until)::authz.search_filter)
    ), fused as (
      select c.id, sum(1.0 / (60 + c.place))::double precision as score
      from candidate c
      group by c.id
      order by score desc, c.id limit max_rows
    )
    select row(c.document_id, f.id, c.knowledge_base_id, c.title, c.uri, c.content, c.start_char, c.end_char,
      encode(sha256(convert_to(c.content, 'UTF8')), 'hex'), f.score, 1 - c.distance, now(), c.heading, c.trust)::authz.passage
    from fused f
    cross join lateral (select * from candidate c where c.id = f.id limit 1) c
    order by f.score desc, f.id);
  perform authz.note_reading(search_documents.org_id, 'documents.search', 'search_documents',
    array(select distinct p.document_id from unnest(v_found) p), search_documents.run_id);
  return query select p.* from unnest(v_found) p;
end
$$;
comment on function api.search_documents(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamptz, timestamptz) is $c$Search the documents of the organization for passages that answer a question: how something works, what a text says, terms, instructions.

@audience bot
@context org_id           the organization
@context query_embedding  the query as 384 numbers; without it only words are compared
@context run_id           narrows the search to what the run's bot is bound to
@context knowledge_bases  only in these knowledge bases; 1..100 items
@param query              the question in plain words; 1..2000 characters
@param max_rows           number of passages; 1..50
@param tags               only documents that have one of these tags; 1..20 items of 1..100 characters
@param since              only documents changed at this time or later
@param until              only documents changed before this time
@returns                  array of {document_id, chunk_id, knowledge_base_id, title, uri, content, start_char, end_char, chunk_sha256, score, similarity, retrieved_at, heading, trust: trusted or untrusted}; best first
@errors                   22004, 22023, PT404
@effect                   read
@changes                  nothing$c$;
revoke all on function api.search_documents(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamptz, timestamptz) from public;
grant execute on function api.search_documents(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamptz, timestamptz) to authenticated;
