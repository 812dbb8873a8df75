-- Class:    USING (true) where only published rows are for all
-- Culprit:  public.posts
-- Command:  select

drop policy "Published posts are for everyone" on public.posts;
create policy "Published posts are for everyone" on public.posts for select to anon, authenticated using (true);

-- @as anon
select * from posts where title = 'ANA draft'
