-- What was shared with the person, read at every statement: a withdrawn grant and a left team count on the next request (F14, F17).
-- The bodies name tables of later files, so they are checked when first called instead of now.
set check_function_bodies = off;

create function authz.granted_knowledge_bases(level text default 'viewer') returns setof uuid
language sql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
  select g.knowledge_base_id from app.kb_grant g
  where g.level = any (authz.levels_from(granted_knowledge_bases.level))
$$;
comment on function authz.granted_knowledge_bases(text) is 'The knowledge bases that are shared at this level or above with the signed-in person, a team of theirs or everyone; who makes one has level owner.';
revoke all on function authz.granted_knowledge_bases(text) from public;
grant execute on function authz.granted_knowledge_bases(text) to authenticated, ringfence_owner;
alter function authz.granted_knowledge_bases(text) owner to ringfence_owner;

create function authz.granted_documents(level text default 'viewer') returns setof uuid
language sql stable security definer rows 10
set search_path = pg_catalog, pg_temp
as $$
  select g.document_id from app.document_grant g
  where g.level = any (authz.levels_from(granted_documents.level))
    -- The policy shows the owner role more than this: what a replacement inherits.
    and (g.user_id = (select authz.uid()) or g.team_id = any (array(select authz.team_ids())) or num_nonnulls(g.user_id, g.team_id) = 0)
$$;
comment on function authz.granted_documents(text) is 'The documents that are shared at this level or above with the signed-in person, a team of theirs or everyone; their own are not among them.';
revoke all on function authz.granted_documents(text) from public;
grant execute on function authz.granted_documents(text) to authenticated, ringfence_owner;
alter function authz.granted_documents(text) owner to ringfence_owner;

reset check_function_bodies;
