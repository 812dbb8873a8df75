-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

DROP FUNCTION "api"."search_documents"(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamp WITH time zone, timestamp WITH time zone);

ALTER TYPE "authz"."search_candidate" ADD ATTRIBUTE "trust" text CASCADE;

ALTER TYPE "authz"."search_document" ADD ATTRIBUTE "trust" text CASCADE;

CREATE OR REPLACE FUNCTION api.search_documents (
  org_id          uuid,
  query           text,
  query_embedding extensions.vector        DEFAULT NULL::extensions.vector,
  max_rows        integer                  DEFAULT 8,
  run_id          uuid                     DEFAULT NULL::uuid,
  knowledge_bases uuid[]                   DEFAULT NULL::uuid[],
  tags            text[]                   DEFAULT NULL::text[],
  since           timestamp with time zone DEFAULT NULL::timestamp WITH time zone,
  until           timestamp with time zone DEFAULT NULL::timestamp WITH time zone
)
  RETURNS TABLE (
    document_id       uuid,
    chunk_id          uuid,
    knowledge_base_id uuid,
    title             text,
    uri               text,
    content           text,
    start_char        integer,
    end_char          integer,
    chunk_sha256      text,
    score             double precision,
    similarity        double precision,
    retrieved_at      timestamp with time zone,
    heading           text,
    trust             text
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET statement_timeout TO '5s'
  AS $function$
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
  return query
    with candidate as materialized (
      select * from authz.search_candidates(search_documents.org_id, v_terms, query_embedding,
        row(v_bases, search_documents.tags, search_documents.since, search_documents.until)::authz.search_filter)
    ), fused as (
      select c.id, sum(1.0 / (60 + c.place))::double precision as score
      from candidate c
      group by c.id
      order by score desc, c.id limit max_rows
    )
    select c.document_id, f.id, c.knowledge_base_id, c.title, c.uri, c.content, c.start_char, c.end_char,
      encode(sha256(convert_to(c.content, 'UTF8')), 'hex'), f.score, 1 - c.distance, now(), c.heading, c.trust
    from fused f
    cross join lateral (select * from candidate c where c.id = f.id limit 1) c
    order by f.score desc, f.id;
end
$function$;

CREATE OR REPLACE FUNCTION authz.compared_chunks (
  org_id    uuid,
  terms     tsquery,
  embedding extensions.vector,
  documents authz.search_document[]
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  ROWS 100
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_nestloop TO 'off'
  SET enable_sort TO 'off'
  SET work_mem TO '16MB'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION authz.matching_chunks (
  embedding extensions.vector,
  documents authz.search_document[]
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 50
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET plan_cache_mode TO 'force_generic_plan'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION authz.nearest_chunks (
  org_id    uuid,
  embedding extensions.vector,
  documents authz.search_document[]
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  ROWS 50
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET plan_cache_mode TO 'force_generic_plan'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_sort TO 'off'
  AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION authz.search_candidates (
  org_id    uuid,
  terms     tsquery,
  embedding extensions.vector,
  wanted    authz.search_filter
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  ROWS 100
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET plan_cache_mode TO 'force_generic_plan'
  AS $function$
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
$function$;

-- By hand: comments on columns of types.
comment on column authz.search_candidate.trust is 'How far the document is trusted (F31).';
comment on column authz.search_document.trust is 'How far it is trusted.';

COMMENT ON COLUMN "app"."message"."citations" IS 'What an answer cites: document, chunk, range, hash, score, trust.';

COMMENT ON FUNCTION "api"."search_documents"(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamp with time zone, timestamp
  with time zone) IS 'Search the documents of the organization for passages that answer a question: how something works, what a text says, terms, instructions.

@audience bot
@context org_id           the organization
@context query_embedding  the query as 384 numbers; without it only words are compared
@context run_id           narrows the search to what the run''s bot is bound to
@context knowledge_bases  only in these knowledge bases; 1..100 items
@param query              the question in plain words; 1..2000 characters
@param max_rows           number of passages; 1..50
@param tags               only documents that have one of these tags; 1..20 items of 1..100 characters
@param since              only documents changed at this time or later
@param until              only documents changed before this time
@returns                  array of {document_id, chunk_id, knowledge_base_id, title, uri, content, start_char, end_char, chunk_sha256, score, similarity, retrieved_at, heading, trust: trusted or untrusted}; best first
@errors                   22004, 22023, PT404
@effect                   read';

REVOKE ALL ON FUNCTION "api"."search_documents"(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamp WITH time zone, timestamp WITH time zone) FROM PUBLIC;

GRANT EXECUTE
  ON FUNCTION "api"."search_documents"(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamp WITH time zone, timestamp WITH time zone)
  TO "authenticated";

REVOKE ALL ON FUNCTION "api"."search_documents"(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamp WITH time zone, timestamp WITH time zone) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."search_documents"(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamp WITH time zone, timestamp WITH time zone) TO "postgres";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
