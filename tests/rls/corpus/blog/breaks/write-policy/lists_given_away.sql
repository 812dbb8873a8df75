-- Class:    UPDATE moves a row to another person
-- Culprit:  public.todo_lists
-- Command:  update

drop policy "Owners" on public.todo_lists;
create policy "Owners" on public.todo_lists for all to authenticated using ((select auth.uid()) = owner_id) with check (true);

-- @as bob
insert into todo_lists (owner_id, title) values (:ana, 'planted list')
