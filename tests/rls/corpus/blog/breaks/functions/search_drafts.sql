-- Class:    Invoker function turned into a definer
-- Culprit:  public.search_posts(text)
-- Command:  execute
--
-- And the condition on is_published taken out "since RLS does that".

create or replace function public.search_posts(query text) returns setof public.posts
language sql stable security definer set search_path = '' as $$
  select p.* from public.posts p where p.title ilike '%' || query || '%' limit 20
$$;

-- @as anon
select * from search_posts('draft')
