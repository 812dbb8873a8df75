-- Class:    View without security_invoker
-- Culprit:  public.all_posts
-- Command:  select

create view public.all_posts as select p.id, p.title, p.is_published, a.username from public.posts p join public.profiles a on a.id = p.author_id;
grant select on public.all_posts to anon, authenticated;

-- @as anon
select * from all_posts where title = 'ANA draft'
