-- Written by hand: `ringfence db migration` would drop and remake every policy that calls a helper, where replacing the helper does.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;
set local check_function_bodies = off;

-- The permission helpers keep their plans.

create or replace function authz.claims() returns jsonb
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_text text := current_setting('request.jwt.claims', true);
  v_claims jsonb;
begin
  -- session_user cannot be changed by SQL: a worker or analyst session never takes its identity from a setting.
  if session_user in ('ringfence_worker', 'ringfence_analyst') or pg_input_is_valid(v_text, 'jsonb') is not true then
    return '{}';
  end if;
  v_claims := v_text;
  return case when jsonb_typeof(v_claims) = 'object' then v_claims else '{}' end;
end
$$;

create or replace function authz.uid() returns uuid
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  -- auth.uid() prefers the legacy setting request.jwt.claim.sub, which would make identity forgeable (R37).
  v_sub text := authz.claims() ->> 'sub';
begin
  return case when pg_input_is_valid(v_sub, 'uuid') then v_sub::uuid end;
end
$$;

create or replace function authz.is_aal2() returns boolean
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
begin
  return coalesce(authz.claims() ->> 'aal' = 'aal2', false);
end
$$;

create or replace function authz.session_id() returns uuid
language plpgsql stable parallel safe
set search_path = pg_catalog, pg_temp
as $$
declare
  v_session text := authz.claims() ->> 'session_id';
begin
  return case when pg_input_is_valid(v_session, 'uuid') then v_session::uuid end;
end
$$;

create or replace function authz.joined_org_ids() returns setof uuid
language plpgsql stable rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query select m.org_id from app.membership m where m.user_id = (select authz.uid());
end
$$;

create or replace function authz.org_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_claims jsonb := authz.claims();
  v_me uuid := authz.uid();
  v_aal2 boolean := authz.is_aal2();
  v_token app.api_token;
begin
  -- Somebody anonymous belongs nowhere (R43).
  if v_me is null or v_claims -> 'is_anonymous' = 'true' then
    return;
  end if;
  select t.* into v_token from app.api_token t where t.session_id = (select authz.session_id()) and t.user_id = v_me;
  return query
    select m.org_id from app.membership m
    where m.user_id = v_me and m.status = 'active'
      -- A token made for one organization sees that one only; a claim can narrow, never widen. Malformed narrows to nothing.
      and (not v_claims ? 'org_id' or m.org_id::text = v_claims ->> 'org_id')
      -- A suspended organization does not exist; nor, to a token without a second factor, one that requires it (F06, R42): here, so
      -- everywhere. The first condition is that of organization_out_of_sight_idx, which holds few.
      and not exists (select from app.organization o
        where o.id = m.org_id and (o.suspended_at is not null or o.require_mfa) and (o.suspended_at is not null or not v_aal2))
      -- A service account goes with its owner (F03).
      and m.service_owner_status is distinct from 'suspended'
      -- The session of an API token reaches one organization, while the token lives and by the membership it was made in (F08).
      and (v_token.id is null
        or m.org_id = v_token.org_id and v_token.revoked_at is null and v_token.expires_at > now() and m.created_at <= v_token.created_at);
end
$$;

create or replace function authz.orgs_with(permission text) returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_me uuid := authz.uid();
  v_orgs uuid[] := array(select authz.org_ids());
begin
  -- What acts for a person gets less than the person: an OAuth client nothing personal, an API token what it was made for (F08, R44).
  if authz.claims() ? 'client_id' and authz.is_personal(orgs_with.permission) then
    return;
  end if;
  return query
    select m.org_id from app.membership m
    join app.role_permission p on p.org_id = m.org_id and p.role_id = m.role_id
    where m.user_id = v_me
      and p.permission = orgs_with.permission
      and m.org_id = any (v_orgs)
      and coalesce((select orgs_with.permission = any (t.permissions) from app.api_token t
        where t.session_id = (select authz.session_id()) and t.user_id = v_me), true);
end
$$;

create or replace function authz.role_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select m.role_id from app.membership m
    where m.user_id = (select authz.uid()) and m.org_id = any (array(select authz.org_ids()));
end
$$;

create or replace function authz.team_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select t.team_id from app.team_member t
    where t.user_id = (select authz.uid()) and t.org_id = any (array(select authz.org_ids()));
end
$$;

create or replace function authz.managed_team_ids() returns setof uuid
language plpgsql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select t.team_id from app.team_member t
    where t.user_id = (select authz.uid()) and t.manager and t.org_id = any (array(select authz.org_ids()));
end
$$;

create or replace function authz.denied(kind text) returns setof uuid
language plpgsql stable security definer rows 1
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select d.id
    from app.deny_rule r, lateral (select case denied.kind
      when 'knowledge_base' then r.knowledge_base_id when 'document' then r.document_id when 'bot' then r.bot_id end as id) d
    where d.id is not null
      -- The policy shows the owner role more than this: what a replacing document inherits.
      and (r.user_id = (select authz.uid()) or r.team_id = any (array(select authz.team_ids())) or r.role_id = any (array(select authz.role_ids()))
        or num_nonnulls(r.user_id, r.team_id, r.role_id) = 0);
end
$$;

alter policy role_permission_select_owner on app.role_permission
  using (org_id in (select authz.joined_org_ids()));


-- A tool takes lists.
create or replace function authz.tool_statement(tool text, arguments jsonb, context jsonb) returns text
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_function pg_proc;
  v_comment text;
  v_argument record;
  v_allowed text[] := '{}';
  v_list text[] := '{}';
  v_source text;
begin
  select p.* into strict v_function from pg_proc p where p.pronamespace = 'api'::regnamespace and p.proname = tool_statement.tool;
  v_comment := obj_description(v_function.oid, 'pg_proc');
  for v_argument in
    select v_function.proargnames[a.n] as name, format_type(a.type, null) as type,
      a.n <= v_function.pronargs - v_function.pronargdefaults as required,
      v_comment ~ ('(^|\n)@context +' || v_function.proargnames[a.n] || '\M') as context
    from unnest(v_function.proargtypes) with ordinality a (type, n)
  loop
    if not v_argument.context then
      v_allowed := v_allowed || v_argument.name;
    end if;
    v_source := case when v_argument.context then '$2' else '$1' end;
    if coalesce(case when v_argument.context then context else arguments end -> v_argument.name, 'null') <> 'null' then
      v_list := v_list || case
        when v_argument.type like '%[]' then
          format('%I => array(select jsonb_array_elements_text(%s -> %L))::%s', v_argument.name, v_source, v_argument.name, v_argument.type)
        else
          format('%I => (%s %s %L)::%s', v_argument.name, v_source,
            case when v_argument.type in ('json', 'jsonb') then '->' else '->>' end, v_argument.name, v_argument.type) end;
    elsif v_argument.required then
      raise sqlstate '22023' using message = format('%s: required', v_argument.name);
    end if;
  end loop;
  perform authz.require(not exists (select from jsonb_object_keys(arguments) k (name) where k.name <> all (v_allowed)),
    'arguments: a name this tool does not have');
  -- Every identifier comes from the catalog; values go in as parameters.
  return format('select coalesce(jsonb_agg(to_jsonb(t)), ''[]'') from api.%I(%s) t', v_function.proname, array_to_string(v_list, ', '));
end
$$;


-- Searches are narrowed by knowledge base, tag and time, and give headings.
drop function api.search_documents(uuid, text, extensions.vector, integer, uuid);
drop function authz.search_candidates(uuid, tsquery, extensions.vector, uuid[]);
drop function authz.matching_chunks(extensions.vector, uuid[]);
drop function authz.nearest_chunks(uuid, extensions.vector, uuid[]);
drop function authz.compared_chunks(uuid, tsquery, extensions.vector, uuid[]);
drop function authz.is_small_search(uuid, uuid[]);
alter type authz.search_candidate add attribute heading text;

comment on column authz.search_candidate.heading is 'The headings the passage stands under, or null.';

create type authz.search_filter as (
  bases uuid[], tags text[], since timestamptz, until timestamptz
);
comment on type authz.search_filter is 'What a search is narrowed to; null does not narrow.';
comment on column authz.search_filter.bases is 'Knowledge bases.';
comment on column authz.search_filter.tags is 'The document has one of these tags.';
comment on column authz.search_filter.since is 'The document was changed at this time or later; added, where nobody knows when it was changed.';
comment on column authz.search_filter.until is 'The document was changed before this time.';


create function authz.is_small_search(org_id uuid, wanted authz.search_filter) returns boolean
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_most integer := authz.exact_search_limit() / 256;
begin
  -- Ids are random: one in 256 begins with 00, and counting those tells the size well enough.
  return (
    select count(*) <= v_most
    from (select from app.chunk c
      where c.org_id = is_small_search.org_id and c.id < '01000000-0000-0000-0000-000000000000'
        and (wanted.bases is null or c.knowledge_base_id = any (wanted.bases))
      limit v_most + 1) sample);
end
$$;
comment on function authz.is_small_search(uuid, authz.search_filter) is 'Whether the passages the person may read, in the knowledge bases wanted, are few enough to compare each one.';
revoke all on function authz.is_small_search(uuid, authz.search_filter) from public;
grant execute on function authz.is_small_search(uuid, authz.search_filter) to authenticated;

create function authz.compared_chunks(org_id uuid, terms tsquery, embedding extensions.vector, wanted authz.search_filter)
returns setof authz.search_candidate
language plpgsql stable rows 100
set search_path = pg_catalog, pg_temp
set jit = off
-- One plan is kept for organizations of every size, and a nested loop would be right for the smallest only.
set enable_nestloop = off
set work_mem = '16MB'
as $$
#variable_conflict use_column
begin
  return query
    -- One pass serves both lists. The vector stays behind in it ("offset 0"): what is joined is short.
    with readable as materialized (
      select c.*, d.title, d.uri
      from (
        select c.id, case when c.terms @@ compared_chunks.terms then ts_rank(c.terms, compared_chunks.terms, 1) end as rank,
          c.embedding operator(extensions.<=>) compared_chunks.embedding as distance,
          c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char, c.heading
        from app.chunk c
        where c.org_id = compared_chunks.org_id and (wanted.bases is null or c.knowledge_base_id = any (wanted.bases))
        offset 0) c
      join app.document d on d.id = c.document_id
      where d.org_id = compared_chunks.org_id and d.state = 'ready'
        and (wanted.tags is null or d.tags && wanted.tags)
        and (wanted.since is null or coalesce(d.modified_at, d.created_at) >= wanted.since)
        and (wanted.until is null or coalesce(d.modified_at, d.created_at) < wanted.until)
    ), dense as (
      select r.* from readable r where r.distance is not null order by r.distance, r.id limit 50
    ), lexical as (
      select r.* from readable r where r.rank is not null order by r.rank desc, r.id limit 50
    )
    select r.id, row_number() over (order by r.distance, r.id), r.distance,
      r.document_id, r.knowledge_base_id, r.title, r.uri, r.content, r.start_char, r.end_char, r.heading
    from dense r
    union all
    select r.id, row_number() over (order by r.rank desc, r.id), r.distance,
      r.document_id, r.knowledge_base_id, r.title, r.uri, r.content, r.start_char, r.end_char, r.heading
    from lexical r;
end
$$;
comment on function authz.compared_chunks(uuid, tsquery, extensions.vector, authz.search_filter) is 'The 50 nearest and the 50 best matching passages of those the person may read, each one compared; equal ones by id. A null embedding or null terms leave their list out.';
revoke all on function authz.compared_chunks(uuid, tsquery, extensions.vector, authz.search_filter) from public;
grant execute on function authz.compared_chunks(uuid, tsquery, extensions.vector, authz.search_filter) to authenticated;

create function authz.nearest_chunks(org_id uuid, embedding extensions.vector, wanted authz.search_filter) returns setof authz.search_candidate
language plpgsql stable rows 50
set search_path = pg_catalog, pg_temp
set jit = off
-- What reads every passage is closed, so that the kept plan is the one by the index for every organization.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_sort = off
as $$
#variable_conflict use_column
begin
  -- The index knows no organizations: it is read on until enough of what it gives passes the policy. Not by "set" clauses of the
  -- function, which nobody but a superuser could create before the extension is loaded.
  perform set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '100', true),
    set_config('hnsw.max_scan_tuples', '20000', true);
  return query
    select n.id, row_number() over (order by n.distance, n.id), n.distance,
      n.document_id, n.knowledge_base_id, n.title, n.uri, n.content, n.start_char, n.end_char, n.heading
    from (
      select c.id, c.embedding operator(extensions.<=>) nearest_chunks.embedding as distance,
        c.document_id, c.knowledge_base_id, d.title, d.uri, c.content, c.start_char, c.end_char, c.heading
      from app.chunk c
      -- "offset 0": planned by itself, the document is looked up by its whole key.
      cross join lateral (
        select d.title, d.uri from app.document d
        where d.org_id = c.org_id and d.id = c.document_id and d.state = 'ready'
          and (wanted.tags is null or d.tags && wanted.tags)
          and (wanted.since is null or coalesce(d.modified_at, d.created_at) >= wanted.since)
          and (wanted.until is null or coalesce(d.modified_at, d.created_at) < wanted.until)
        offset 0) d
      where c.org_id = nearest_chunks.org_id and (wanted.bases is null or c.knowledge_base_id = any (wanted.bases))
      order by 2, c.id limit 50
    ) n;
end
$$;
comment on function authz.nearest_chunks(uuid, extensions.vector, authz.search_filter) is 'The 50 passages nearest to the embedding, of those the person may read, by an approximate index; fewer when it gave up.';
revoke all on function authz.nearest_chunks(uuid, extensions.vector, authz.search_filter) from public;
grant execute on function authz.nearest_chunks(uuid, extensions.vector, authz.search_filter) to authenticated;

-- The organization and the words are those of 315_search_scope.sql: the policies written for the owner of this function hold them.
create function authz.matching_chunks(embedding extensions.vector, wanted authz.search_filter)
returns setof authz.search_candidate
language plpgsql stable security definer rows 50
set search_path = pg_catalog, pg_temp
set jit = off
as $$
#variable_conflict use_column
declare
  v_org uuid := authz.search_org_id();
  v_terms tsquery := authz.search_terms();
begin
  return query
    select m.id, row_number() over (order by m.rank desc, m.id), m.distance,
      m.document_id, m.knowledge_base_id, d.title, d.uri, m.content, m.start_char, m.end_char, m.heading
    from (
      select c.id, ts_rank(c.terms, v_terms, 1) as rank, c.embedding operator(extensions.<=>) matching_chunks.embedding as distance,
        c.document_id, c.knowledge_base_id, c.content, c.start_char, c.end_char, c.heading
      from app.chunk c
      -- "is true": looked up in a table of the ready documents made once, whatever number of passages the planner expects.
      where (c.document_id in (select d.id from app.document d where d.org_id = v_org and d.state = 'ready'
          and (wanted.tags is null or d.tags && wanted.tags)
          and (wanted.since is null or coalesce(d.modified_at, d.created_at) >= wanted.since)
          and (wanted.until is null or coalesce(d.modified_at, d.created_at) < wanted.until))) is true
        and (wanted.bases is null or c.knowledge_base_id = any (wanted.bases))
      order by 2 desc, c.id limit 50
    ) m
    cross join lateral (select d.title, d.uri from app.document d where d.org_id = v_org and d.id = m.document_id offset 0) d;
end
$$;
comment on function authz.matching_chunks(extensions.vector, authz.search_filter) is 'The 50 passages that match the words of this transaction''s search best, of those the person may read in its organization; equal ones by id.';
revoke all on function authz.matching_chunks(extensions.vector, authz.search_filter) from public;
grant execute on function authz.matching_chunks(extensions.vector, authz.search_filter) to authenticated;
alter function authz.matching_chunks(extensions.vector, authz.search_filter) owner to ringfence_owner;

create function authz.search_candidates(org_id uuid, terms tsquery, embedding extensions.vector, wanted authz.search_filter)
returns setof authz.search_candidate
language plpgsql stable rows 100
set search_path = pg_catalog, pg_temp
as $$
begin
  if authz.is_small_search(org_id, wanted) then
    return query select * from authz.compared_chunks(org_id, terms, embedding, wanted);
    return;
  end if;
  perform set_config('ringfence.search_org_id', org_id::text, true), set_config('ringfence.search_terms', terms::text, true);
  return query select * from authz.matching_chunks(embedding, wanted);
  if embedding is not null then
    return query
      with nearest as materialized (select * from authz.nearest_chunks(org_id, embedding, wanted))
      select * from nearest where (select count(*) from nearest) = 50
      union all
      -- The index gave up: how early depends on what other organizations have, and the number of results must not (F29).
      select * from authz.compared_chunks(org_id, null, embedding, wanted) where (select count(*) from nearest) < 50;
  end if;
end
$$;
comment on function authz.search_candidates(uuid, tsquery, extensions.vector, authz.search_filter) is 'The 50 best matching and the 50 nearest passages of those the person may read: exactly up to authz.exact_search_limit(), beyond by indexes.';
revoke all on function authz.search_candidates(uuid, tsquery, extensions.vector, authz.search_filter) from public;
grant execute on function authz.search_candidates(uuid, tsquery, extensions.vector, authz.search_filter) to authenticated;

create function api.search_documents(
  org_id uuid, query text, query_embedding extensions.vector default null, max_rows integer default 8, run_id uuid default null,
  knowledge_bases uuid[] default null, tags text[] default null, since timestamptz default null, until timestamptz default null)
returns table (
  document_id uuid, chunk_id uuid, knowledge_base_id uuid, title text, uri text, content text, start_char integer, end_char integer,
  chunk_sha256 text, score double precision, similarity double precision, retrieved_at timestamptz, heading text)
language plpgsql stable
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
      encode(sha256(convert_to(c.content, 'UTF8')), 'hex'), f.score, 1 - c.distance, now(), c.heading
    from fused f
    cross join lateral (select * from candidate c where c.id = f.id limit 1) c
    order by f.score desc, f.id;
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
@returns                  array of {document_id, chunk_id, knowledge_base_id, title, uri, content, start_char, end_char, chunk_sha256, score, similarity, retrieved_at, heading}; best first
@errors                   22004, 22023, PT404
@effect                   read$c$;
revoke all on function api.search_documents(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamptz, timestamptz) from public;
grant execute on function api.search_documents(uuid, text, extensions.vector, integer, uuid, uuid[], text[], timestamptz, timestamptz) to authenticated;


revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
