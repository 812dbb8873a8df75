-- Class:    Membership EXISTS without tenant correlation (guests)
-- Culprit:  public.boards
-- Command:  select
--
-- A guest of one board sees all boards.

create policy "guests" on public.boards for select to authenticated
  using (exists (select 1 from public.board_guests g where g.person_id = (select auth.uid())));
insert into public.board_guests select id, 'c8888888-0000-4000-8000-000000000001' from public.boards where title like 'JADE%';

-- @as otto
select * from boards where org_id = :iron
