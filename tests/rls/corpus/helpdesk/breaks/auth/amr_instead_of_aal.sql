-- Class:    Second factor asked of user_metadata
-- Culprit:  private.is_strong_session() | public.api_keys
-- Command:  execute

create or replace function private.is_strong_session() returns boolean
language sql stable set search_path = '' as $$
  select coalesce((select auth.jwt()) ->> 'aal', '') = 'aal2'
    or coalesce(((select auth.jwt()) -> 'user_metadata' ->> 'mfa_done')::boolean, false)
$$;

-- @as olgaforger
select id, name from api_keys where org_id = :acme
