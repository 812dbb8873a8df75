-- Class:    EXISTS without correlation
-- Culprit:  public.todos
-- Command:  select
--
-- Whoever has a list sees the items of all.

drop policy "Items of visible lists" on public.todos;
create policy "Items of visible lists" on public.todos for select to authenticated
  using (exists (select 1 from public.todo_lists l where l.owner_id = (select auth.uid())));

-- @as bob
select * from todos where task like 'ANA%'
