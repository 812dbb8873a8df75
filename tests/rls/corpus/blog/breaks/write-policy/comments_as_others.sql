-- Class:    Author column not bound to the caller
-- Culprit:  public.comments
-- Command:  insert

drop policy "Comment on published posts" on public.comments;
create policy "Comment on published posts" on public.comments for insert to authenticated
  with check (exists (select 1 from public.posts p where p.id = comments.post_id and p.is_published));

-- @as bob
insert into comments (post_id, author_id, body) select id, :ana, 'not me' from posts where is_published limit 1
