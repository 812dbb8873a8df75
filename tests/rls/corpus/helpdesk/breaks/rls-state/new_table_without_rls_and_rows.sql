-- Class:    New table shipped without RLS
-- Culprit:  public.meeting_notes
-- Command:  insert
--
-- As before, but nobody has used the table yet: a test that counts foreign rows finds none.

create table public.meeting_notes (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  body text not null
);
grant select, insert on public.meeting_notes to authenticated;

-- @as gina
insert into meeting_notes (org_id, body) values (:acme, 'planted')
