-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE EXTENSION IF NOT EXISTS "btree_gin" SCHEMA "extensions";

-- By hand: a grant on a schema of Supabase's own.
GRANT USAGE ON SCHEMA "extensions" TO "ringfence_owner";

ALTER TABLE "app"."chunk"
  SET (toast_tuple_target=8160);

CREATE TYPE "authz"."search_candidate" AS (
  "id"                uuid,
  "place"             bigint,
  "distance"          double precision,
  "document_id"       uuid,
  "knowledge_base_id" uuid,
  "title"             text,
  "uri"               text,
  "content"           text,
  "start_char"        integer,
  "end_char"          integer
);

CREATE OR REPLACE FUNCTION api.search_documents (
  org_id          uuid,
  query           text,
  query_embedding extensions.vector DEFAULT NULL::extensions.vector,
  max_rows        integer           DEFAULT 8,
  run_id          uuid              DEFAULT NULL::uuid
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
    retrieved_at      timestamp with time zone
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
  v_bases uuid[];
begin
  perform authz.require_org(search_documents.org_id);
  perform authz.require(char_length(query) between 1 and 2000, 'query: 1..2000 characters');
  perform authz.require(max_rows between 1 and 50, 'max_rows: 1..50');
  if query_embedding is not null then
    perform authz.require(extensions.vector_dims(query_embedding) = 384, 'query_embedding: 384 numbers');
    perform authz.require(extensions.vector_norm(query_embedding) > 0, 'query_embedding: not all zero');
  end if;
  if search_documents.run_id is not null then
    -- Inside a run: what the person may read, and of that only what the bot is bound to (F13).
    v_bases := authz.run_knowledge_bases(search_documents.org_id, search_documents.run_id);
  end if;
  return query
    with candidate as materialized (
      select * from authz.search_candidates(search_documents.org_id, v_terms, query_embedding, v_bases)
    ), fused as (
      select c.id, sum(1.0 / (60 + c.place))::double precision as score
      from candidate c
      group by c.id
      order by score desc, c.id limit max_rows
    )
    select c.document_id, f.id, c.knowledge_base_id, c.title, c.uri, c.content, c.start_char, c.end_char,
      encode(sha256(convert_to(c.content, 'UTF8')), 'hex'), f.score, 1 - c.distance, now()
    from fused f
    cross join lateral (select * from candidate c where c.id = f.id limit 1) c
    order by f.score desc, f.id;
end
$function$;

CREATE OR REPLACE FUNCTION authz.compared_chunks (
  org_id    uuid,
  terms     tsquery,
  embedding extensions.vector,
  bases     uuid[]
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  ROWS 100
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET enable_nestloop TO 'off'
  SET work_mem TO '16MB'
  AS $function$
#variable_conflict use_column
begin
  return query
    -- One pass serves both lists. The vector stays behind in it ("offset 0"): what is joined is short.
    with readable as materialized (
      select c.*, d.title, d.uri
      from (
        select c.id, case when c.terms @@ compared_chunks.terms then ts_rank(c.terms, compared_chunks.terms, 1) end as rank,
          c.embedding operator(extensions.<=>) compared_chunks.embedding as distance,
          c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char
        from app.chunk c
        where c.org_id = compared_chunks.org_id and (bases is null or c.knowledge_base_id = any (bases))
        offset 0) c
      join app.document d on d.id = c.document_id
      where d.org_id = compared_chunks.org_id and d.state = 'ready'
    ), dense as (
      select r.* from readable r where r.distance is not null order by r.distance, r.id limit 50
    ), lexical as (
      select r.* from readable r where r.rank is not null order by r.rank desc, r.id limit 50
    )
    select r.id, row_number() over (order by r.distance, r.id), r.distance,
      r.document_id, r.knowledge_base_id, r.title, r.uri, r.content, r.start_char, r.end_char
    from dense r
    union all
    select r.id, row_number() over (order by r.rank desc, r.id), r.distance,
      r.document_id, r.knowledge_base_id, r.title, r.uri, r.content, r.start_char, r.end_char
    from lexical r;
end
$function$;

CREATE OR REPLACE FUNCTION authz.exact_search_limit()
  RETURNS integer
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  SET search_path TO 'pg_catalog', 'pg_temp'
RETURN 10000;

CREATE OR REPLACE FUNCTION authz.is_small_search (
  org_id uuid,
  bases  uuid[]
)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_most integer := authz.exact_search_limit() / 256;
begin
  -- Ids are random: one in 256 begins with 00, and counting those tells the size well enough.
  return (
    select count(*) <= v_most
    from (select from app.chunk c
      where c.org_id = is_small_search.org_id and c.id < '01000000-0000-0000-0000-000000000000'
        and (is_small_search.bases is null or c.knowledge_base_id = any (is_small_search.bases))
      limit v_most + 1) sample);
end
$function$;

CREATE OR REPLACE FUNCTION authz.matching_chunks (
  embedding extensions.vector,
  bases     uuid[]
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  SECURITY DEFINER
  ROWS 50
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  AS $function$
#variable_conflict use_column
declare
  v_terms tsquery := authz.search_terms();
begin
  return query
    select m.id, row_number() over (order by m.rank desc, m.id), m.distance,
      m.document_id, m.knowledge_base_id, d.title, d.uri, m.content, m.start_char, m.end_char
    from (
      select c.id, ts_rank(c.terms, v_terms, 1) as rank, c.embedding operator(extensions.<=>) matching_chunks.embedding as distance,
        c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char
      from app.chunk c
      -- "is true": looked up in a table of the ready documents made once, whatever number of passages the planner expects.
      where (c.document_id in (select d.id from app.document d where d.state = 'ready')) is true
        and (bases is null or c.knowledge_base_id = any (bases))
      order by 2 desc, c.id limit 50
    ) m
    cross join lateral (select d.title, d.uri from app.document d where d.id = m.document_id offset 0) d;
end
$function$;

ALTER FUNCTION "authz"."matching_chunks"(extensions.vector, uuid[]) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.nearest_chunks (
  org_id    uuid,
  embedding extensions.vector,
  bases     uuid[]
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  ROWS 50
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET jit TO 'off'
  SET enable_seqscan TO 'off'
  SET enable_bitmapscan TO 'off'
  SET enable_sort TO 'off'
  AS $function$
#variable_conflict use_column
begin
  -- The index knows no organizations: it is read on until enough of what it gives passes the policy. Not by "set" clauses of the
  -- function, which nobody but a superuser could create before the extension is loaded.
  perform set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '100', true),
    set_config('hnsw.max_scan_tuples', '20000', true);
  return query
    select n.id, row_number() over (order by n.distance, n.id), n.distance,
      n.document_id, n.knowledge_base_id, n.title, n.uri, n.content, n.start_char, n.end_char
    from (
      select c.id, c.embedding operator(extensions.<=>) nearest_chunks.embedding as distance,
        c.document_id, c.knowledge_base_id, d.title, d.uri, c.content, c.start_char, c.end_char
      from app.chunk c
      -- "offset 0": planned by itself, the document is looked up by its whole key.
      cross join lateral (
        select d.title, d.uri from app.document d
        where d.org_id = c.org_id and d.id = c.document_id and d.state = 'ready'
        offset 0) d
      where c.org_id = nearest_chunks.org_id and (bases is null or c.knowledge_base_id = any (bases))
      order by 2, c.id limit 50
    ) n;
end
$function$;

CREATE OR REPLACE FUNCTION authz.search_candidates (
  org_id    uuid,
  terms     tsquery,
  embedding extensions.vector,
  bases     uuid[]
)
  RETURNS SETOF authz.search_candidate
  LANGUAGE plpgsql
  STABLE
  ROWS 100
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if authz.is_small_search(org_id, bases) then
    return query select * from authz.compared_chunks(org_id, terms, embedding, bases);
    return;
  end if;
  perform set_config('ringfence.search_org_id', org_id::text, true), set_config('ringfence.search_terms', terms::text, true);
  return query select * from authz.matching_chunks(embedding, bases);
  if embedding is not null then
    return query
      with nearest as materialized (select * from authz.nearest_chunks(org_id, embedding, bases))
      select * from nearest where (select count(*) from nearest) = 50
      union all
      -- The index gave up: how early depends on what other organizations have, and the number of results must not (F29).
      select * from authz.compared_chunks(org_id, null, embedding, bases) where (select count(*) from nearest) < 50;
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.search_org_id()
  RETURNS uuid
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_org text := current_setting('ringfence.search_org_id', true);
begin
  if pg_input_is_valid(v_org, 'uuid') is not true then
    return null;
  end if;
  return (select o.id from authz.orgs_with('documents.read') o (id) where o.id = v_org::uuid);
end
$function$;

CREATE OR REPLACE FUNCTION authz.search_terms()
  RETURNS tsquery
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_terms text := current_setting('ringfence.search_terms', true);
begin
  return case when pg_input_is_valid(v_terms, 'tsquery') then v_terms::tsquery end;
end
$function$;

CREATE INDEX chunk_embedding_idx ON app.chunk USING hnsw (embedding extensions.vector_cosine_ops);

CREATE INDEX chunk_org_id_terms_idx ON app.chunk USING gin (org_id, terms)
  WITH (fastupdate=off);

CREATE POLICY "chunk_select_search_owner" ON "app"."chunk"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id = ( SELECT authz.search_org_id() AS search_org_id)) AND ((visibility = 'organization'::text) OR (owner_id = ( SELECT authz.uid() AS uid))) AND (terms @@ ( SELECT
    authz.search_terms() AS search_terms))));

CREATE POLICY "document_select_search_owner" ON "app"."document"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id = ( SELECT authz.search_org_id() AS search_org_id)) AND ((visibility = 'organization'::text) OR (owner_id = ( SELECT authz.uid() AS uid)))));

COMMENT ON FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, uuid[]) IS 'The 50 nearest and the 50 best matching passages of those the person may read, each one compared; equal ones by id. A null embedding or null terms leave their list out.';

COMMENT ON FUNCTION "authz"."exact_search_limit"() IS 'Up to about this many readable passages a search compares each one.';

COMMENT ON FUNCTION "authz"."is_small_search"(uuid, uuid[]) IS 'Whether the passages the person may read, in these knowledge bases or (null) in all, are few enough to compare each one.';

COMMENT ON FUNCTION "authz"."matching_chunks"(extensions.vector, uuid[]) IS 'The 50 passages that match the words of this transaction''s search best, of those the person may read in its organization; equal ones by id.';

COMMENT ON FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, uuid[]) IS 'The 50 passages nearest to the embedding, of those the person may read, by an approximate index; fewer when it gave up.';

COMMENT ON FUNCTION "authz"."search_candidates"(uuid, tsquery, extensions.vector, uuid[]) IS 'The 50 best matching and the 50 nearest passages of those the person may read: exactly up to authz.exact_search_limit(), beyond by indexes.';

COMMENT ON FUNCTION "authz"."search_org_id"() IS 'The organization being searched in this transaction, where the person may read documents; otherwise null.';

COMMENT ON FUNCTION "authz"."search_terms"() IS 'The words being searched for in this transaction, or null.';

COMMENT ON POLICY "chunk_select_search_owner" ON "app"."chunk" IS 'What the person asking may read in the organization they search, and of that only what has a word of the search.';

COMMENT ON POLICY "document_select_search_owner" ON "app"."document" IS 'What the person asking may read in the organization they search: whether it is ready, and what it is called.';

-- By hand: comments on the columns of a type.
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

COMMENT ON TYPE "authz"."search_candidate" IS 'A passage in one of the two lists that a search fuses.';

REVOKE ALL ON FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, uuid[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, uuid[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, uuid[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."compared_chunks"(uuid, tsquery, extensions.vector, uuid[]) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."exact_search_limit"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."exact_search_limit"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."exact_search_limit"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."exact_search_limit"() TO "postgres";

REVOKE ALL ON FUNCTION "authz"."is_small_search"(uuid, uuid[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."is_small_search"(uuid, uuid[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."is_small_search"(uuid, uuid[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."is_small_search"(uuid, uuid[]) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."matching_chunks"(extensions.vector, uuid[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."matching_chunks"(extensions.vector, uuid[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."matching_chunks"(extensions.vector, uuid[]) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."matching_chunks"(extensions.vector, uuid[]) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, uuid[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, uuid[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, uuid[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."nearest_chunks"(uuid, extensions.vector, uuid[]) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."search_candidates"(uuid, tsquery, extensions.vector, uuid[]) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."search_candidates"(uuid, tsquery, extensions.vector, uuid[]) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."search_candidates"(uuid, tsquery, extensions.vector, uuid[]) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."search_candidates"(uuid, tsquery, extensions.vector, uuid[]) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."search_org_id"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."search_org_id"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."search_org_id"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."search_org_id"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."search_terms"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."search_terms"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."search_terms"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."search_terms"() TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."chunk" FROM "ringfence_owner";

GRANT SELECT ON TABLE "app"."chunk" TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."document" FROM "ringfence_owner";

GRANT SELECT ON TABLE "app"."document" TO "ringfence_owner";

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
