-- Class:    FK not tenant-composite
-- Culprit:  public.attachments
-- Command:  insert
--
-- The policy looks at the card through definer eyes, and the key no longer ties card and organization.

alter table public.attachments drop constraint attachments_card_id_org_id_fkey;
alter table public.attachments add foreign key (card_id) references public.cards (id) on delete cascade;
drop policy "authors attach" on public.attachments;
create policy "authors attach" on public.attachments for insert to authenticated
  with check (exists (select 1 from public.org_people p where p.org_id = attachments.org_id and p.person_id = (select auth.uid())));
insert into public.cards (id, org_id, board_id, title, author_id)
  select 'd0000000-0000-4000-8000-000000000003', org_id, id, 'IRON known', 'a8888888-0000-4000-8000-000000000002' from public.boards where title = 'IRON board';

-- @as jane differs
insert into attachments (org_id, card_id, file_name) values (:jade, 'd0000000-0000-4000-8000-000000000003', 'x')
-- @or
insert into attachments (org_id, card_id, file_name) values (:jade, 'd0000000-0000-4000-8000-000000000009', 'x')
