-- Class:    TRUNCATE granted (GRANT ALL)
-- Culprit:  public.llm_cache
-- Command:  truncate
--
-- Row security does not apply to TRUNCATE.

grant all on public.llm_cache to authenticated;

-- @as otto
truncate llm_cache
-- @seen
select 1 where not exists (select 1 from public.llm_cache)
