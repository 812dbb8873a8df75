-- Class:    Column grant widened (secret column)
-- Culprit:  public.api_keys
-- Command:  select

grant select (key_hash) on public.api_keys to authenticated;

-- @as olga2
select key_hash from api_keys where org_id = :acme
