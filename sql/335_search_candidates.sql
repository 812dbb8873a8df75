-- The candidates a search ranks: by meaning and by words, from few passages by comparing each one, from many by indexes. All of
-- them pass the policies of app.document and app.chunk in the scans themselves (F27); none is taken away afterwards. The documents are
-- read once for everything: what is ready and wanted, how many passages that makes, what to call it. Each look at a table costs the
-- helpers of its policies, which is most of what row security costs a search.
create type authz.search_candidate as (
  id uuid, place bigint, distance double precision, document_id uuid, knowledge_base_id uuid, title text, uri text, content text,
  start_char integer, end_char integer, heading text, trust text
);
comment on type authz.search_candidate is 'A passage in one of the two lists that a search fuses.';
comment on column authz.search_candidate.id is 'The chunk.';
comment on column authz.search_candidate.place is 'Place in its list, from 1.';
comment on column authz.search_candidate.distance is 'Cosine distance to the question; null without an embedding.';
comment on column authz.search_candidate.document_id is 'Its document.';
comment on column authz.search_candidate.knowledge_base_id is 'The document''s knowledge base.';
comment on column authz.search_candidate.title is 'The document''s title.';
comment on column authz.search_candidate.uri is 'Where the document came from.';
comment on column authz.search_candidate.content is 'The passage.';
comment on column authz.search_candidate.start_char is 'First character in the source text, from 0.';
comment on column authz.search_candidate.end_char is 'One past the last character in the source text.';
comment on column authz.search_candidate.heading is 'The headings the passage stands under, or null.';
comment on column authz.search_candidate.trust is 'How far the document is trusted (F31).';

create type authz.search_document as (
  id uuid, title text, uri text, trust text
);
comment on type authz.search_document is 'A document whose passages a search looks at.';
comment on column authz.search_document.id is 'The document.';
comment on column authz.search_document.title is 'Its title.';
comment on column authz.search_document.uri is 'Where it came from.';
comment on column authz.search_document.trust is 'How far it is trusted.';

create type authz.search_filter as (
  bases uuid[], tags text[], since timestamptz, until timestamptz
);
comment on type authz.search_filter is 'What a search is narrowed to; null does not narrow.';
comment on column authz.search_filter.bases is 'Knowledge bases.';
comment on column authz.search_filter.tags is 'The document has one of these tags.';
comment on column authz.search_filter.since is 'The document was changed at this time or later; added, where nobody knows when it was changed.';
comment on column authz.search_filter.until is 'The document was changed before this time.';

create function authz.exact_search_limit() returns integer
language sql immutable parallel safe
set search_path = pg_catalog, pg_temp
return 10000;
comment on function authz.exact_search_limit() is 'Up to about this many readable passages a search compares each one.';
revoke all on function authz.exact_search_limit() from public;
grant execute on function authz.exact_search_limit() to authenticated;

create function authz.compared_chunks(org_id uuid, terms tsquery, embedding extensions.vector, documents authz.search_document[])
returns setof authz.search_candidate
language plpgsql stable rows 100
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
-- One plan is kept for organizations of every size, and a nested loop would be right for the smallest only. With sorting closed too, the
-- order wanted below leaves the index that reads these documents alone: under the policies the planner takes every index on org_id for
-- equally good, and by another one it would read all passages of the organization.
set enable_nestloop = off
set enable_sort = off
set work_mem = '16MB'
as $$
#variable_conflict use_column
declare
  v_documents uuid[] := array(select d.id from unnest(documents) d);
begin
  return query
    -- One pass serves both lists. The vector stays behind in it.
    with readable as materialized (
      select c.id, case when c.terms @@ compared_chunks.terms then ts_rank(c.terms, compared_chunks.terms, 1) end as rank,
        c.embedding operator(extensions.<=>) compared_chunks.embedding as distance,
        c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char, c.heading
      from app.chunk c
      where c.org_id = compared_chunks.org_id and c.document_id = any (v_documents)
      order by c.document_id
    ), dense as (
      select r.* from readable r where r.distance is not null order by r.distance, r.id limit 50
    ), lexical as (
      select r.* from readable r where r.rank is not null order by r.rank desc, r.id limit 50
    ), listed as (
      select row_number() over (order by r.distance, r.id) as place, r.* from dense r
      union all
      select row_number() over (order by r.rank desc, r.id), r.* from lexical r
    )
    select l.id, l.place, l.distance, l.document_id, l.knowledge_base_id, d.title, d.uri, l.content, l.start_char, l.end_char, l.heading, d.trust
    from listed l join unnest(documents) d on d.id = l.document_id;
end
$$;
comment on function authz.compared_chunks(uuid, tsquery, extensions.vector, authz.search_document[]) is 'The 50 nearest and the 50 best matching passages of these documents that the person may read, each one compared; equal ones by id. A null embedding or null terms leave their list out.';
revoke all on function authz.compared_chunks(uuid, tsquery, extensions.vector, authz.search_document[]) from public;
grant execute on function authz.compared_chunks(uuid, tsquery, extensions.vector, authz.search_document[]) to authenticated;

create function authz.nearest_chunks(org_id uuid, embedding extensions.vector, documents authz.search_document[])
returns setof authz.search_candidate
language plpgsql stable rows 50
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
-- What reads every passage is closed, so that the kept plan is the one by the index for every organization.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
#variable_conflict use_column
begin
  -- The index knows no organizations: it is read on until enough of what it gives passes the policy. Not by "set" clauses of the
  -- function, which nobody but a superuser could create before the extension is loaded. 300: where a question's ten nearest are of
  -- many topics, 100 finds nine of ten and 200 no more than 0.96 (`make bench`).
  perform set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '300', true),
    set_config('hnsw.max_scan_tuples', '20000', true);
  return query
    select n.id, row_number() over (order by n.distance, n.id), n.distance,
      n.document_id, n.knowledge_base_id, d.title, d.uri, n.content, n.start_char, n.end_char, n.heading, d.trust
    from (
      select c.id, c.embedding operator(extensions.<=>) nearest_chunks.embedding as distance,
        c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char, c.heading
      from app.chunk c
      -- "is true": looked up in a table of the documents made once, beside the order that the index gives.
      where c.org_id = nearest_chunks.org_id and (c.document_id in (select d.id from unnest(documents) d)) is true
      order by 2, c.id limit 50
    ) n
    join unnest(documents) d on d.id = n.document_id;
end
$$;
comment on function authz.nearest_chunks(uuid, extensions.vector, authz.search_document[]) is 'The 50 passages of these documents nearest to the embedding, of those the person may read, by an approximate index; fewer when it gave up.';
revoke all on function authz.nearest_chunks(uuid, extensions.vector, authz.search_document[]) from public;
grant execute on function authz.nearest_chunks(uuid, extensions.vector, authz.search_document[]) to authenticated;

-- The organization and the words are those of 315_search_scope.sql: the policy written for the owner of this function holds them.
create function authz.matching_chunks(embedding extensions.vector, documents authz.search_document[])
returns setof authz.search_candidate
language plpgsql stable security definer rows 50
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_terms tsquery := authz.search_terms();
begin
  return query
    select m.id, row_number() over (order by m.rank desc, m.id), m.distance,
      m.document_id, m.knowledge_base_id, d.title, d.uri, m.content, m.start_char, m.end_char, m.heading, d.trust
    from (
      select c.id, ts_rank(c.terms, v_terms, 1) as rank, c.embedding operator(extensions.<=>) matching_chunks.embedding as distance,
        c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char, c.heading
      from app.chunk c
      -- "is true": looked up in a table of the documents made once, whatever number of passages the planner expects.
      where (c.document_id in (select d.id from unnest(documents) d)) is true
      order by 2 desc, c.id limit 50
    ) m
    join unnest(documents) d on d.id = m.document_id;
end
$$;
comment on function authz.matching_chunks(extensions.vector, authz.search_document[]) is 'The 50 passages of these documents that match the words of this transaction''s search best, of those the person may read in its organization; equal ones by id.';
revoke all on function authz.matching_chunks(extensions.vector, authz.search_document[]) from public;
grant execute on function authz.matching_chunks(extensions.vector, authz.search_document[]) to authenticated;
alter function authz.matching_chunks(extensions.vector, authz.search_document[]) owner to ringfence_owner;
