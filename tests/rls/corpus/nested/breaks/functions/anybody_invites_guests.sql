-- Class:    SECURITY DEFINER RPC that gives access without asking who calls
-- Culprit:  public.invite_guest(uuid,uuid)
-- Command:  execute

create or replace function public.invite_guest(board uuid, person uuid) returns void
language sql volatile security definer set search_path = '' as $$
  insert into public.board_guests (board_id, person_id) values (board, person) on conflict do nothing
$$;
alter table public.cards drop constraint cards_board_id_org_id_fkey;
update public.boards set id = 'd0000000-0000-4000-8000-000000000001' where title = 'IRON board';

-- @as jane
select invite_guest('d0000000-0000-4000-8000-000000000001', :jane)
-- @as jane
select * from boards where org_id = :iron
