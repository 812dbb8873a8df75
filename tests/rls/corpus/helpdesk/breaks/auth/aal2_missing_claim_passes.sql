-- Class:    aal2 helper that passes when the claim says aal1
-- Culprit:  private.is_strong_session() | public.api_keys
-- Command:  execute
--
-- `is not null` where `= 'aal2'` was meant.

create or replace function private.is_strong_session() returns boolean
language sql stable set search_path = '' as $$
  select ((select auth.jwt()) ->> 'aal') is not null
$$;

-- @as olga
select id, name from api_keys where org_id = :acme
