-- Class:    Cache lookup as a definer, by key alone
-- Culprit:  public.cached_answer(text)
-- Command:  execute

create function public.cached_answer(cache_key text) returns text language sql stable security definer set search_path = '' as $$
  select c.response from public.llm_cache c where c.cache_key = cached_answer.cache_key order by c.created_at limit 1
$$;
grant execute on function public.cached_answer(text) to authenticated;

-- @as otto
select 1 where cached_answer('k1') is not null
