-- Class:    UPDATE by whoever is signed in
-- Culprit:  public.posts
-- Command:  update

drop policy "Authors edit" on public.posts;
create policy "Authors edit" on public.posts for update to authenticated using ((select auth.role()) = 'authenticated');

-- @as bob
update posts set body = 'defaced' where title = 'ANA post'
