-- Class:    New table shipped without RLS
-- Culprit:  public.meeting_notes
-- Command:  select
--
-- A migration adds a table, grants it so that the interface works, and forgets the rest.

create table public.meeting_notes (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  body text not null
);
grant select, insert, update, delete on public.meeting_notes to authenticated;
insert into public.meeting_notes (org_id, body) select id, name || ' notes' from public.organizations;

-- @as gina
select * from meeting_notes where org_id = :acme
