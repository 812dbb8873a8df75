-- A small correct schema with names no vocabulary knows well: studios, their crew, notes, remarks, door keys, a catalogue for everybody.
create schema inner_room;
create table public.studio (id uuid primary key default gen_random_uuid(), title text not null, plan text not null default 'free' check (plan in ('free', 'paid')),
  pages bigint not null default 1000000000000 check (pages between 0 and 1000000000000));
create table public.crew (
  studio uuid not null references public.studio (id) on delete cascade,
  person uuid not null references auth.users (id) on delete cascade,
  rank text not null default 'member' check (rank in ('owner', 'member')),
  state text not null default 'active' check (state in ('active', 'left')),
  primary key (studio, person)
);
create table public.note (
  id uuid primary key default gen_random_uuid(),
  studio uuid not null references public.studio (id) on delete cascade,
  writer uuid not null default auth.uid() references auth.users (id),
  body text not null,
  unique (studio, id)
);
create table public.remark (
  id uuid primary key default gen_random_uuid(),
  studio uuid not null references public.studio (id) on delete cascade,
  note uuid not null,
  body text not null,
  constraint remark_note_fk foreign key (studio, note) references public.note (studio, id) on delete cascade
);
-- An order, carried out as it is written: the note is gone, and its remarks with it. What is left of a remark names both.
create table public.pyre (
  id uuid primary key default gen_random_uuid(),
  studio uuid not null references public.studio (id) on delete cascade,
  note uuid,
  constraint pyre_note_fk foreign key (studio, note) references public.note (studio, id) on delete set null (note)
);
create table public.ash (
  id uuid primary key default gen_random_uuid(),
  studio uuid not null references public.studio (id) on delete cascade,
  pyre uuid not null references public.pyre (id) on delete cascade,
  remark uuid not null references public.remark (id) on delete cascade
);
create function inner_room.burn() returns trigger language plpgsql set search_path = '' as $$
begin delete from public.note n where n.studio = new.studio and n.id = new.note; return null; end $$;
create trigger burn after insert on public.pyre for each row execute function inner_room.burn();
create table public.door_key (id uuid primary key default gen_random_uuid(), studio uuid not null references public.studio (id), label text, secret text not null);
create table public.paper_size (code text primary key, width int, price bigint check (price = 1000000000000));

create function inner_room.studios() returns setof uuid language sql stable security definer set search_path = ''
  as 'select studio from public.crew where person = auth.uid() and state = ''active''';
revoke all on function inner_room.studios() from public;
grant usage on schema inner_room to authenticated;
grant execute on function inner_room.studios() to authenticated;

alter table public.studio enable row level security;
alter table public.crew enable row level security;
alter table public.note enable row level security;
alter table public.remark enable row level security;
alter table public.pyre enable row level security;
alter table public.ash enable row level security;
alter table public.door_key enable row level security;
alter table public.paper_size enable row level security;
create policy studio_read on public.studio for select to authenticated using (id in (select inner_room.studios()));
create policy crew_read on public.crew for select to authenticated using (studio in (select inner_room.studios()));
create policy note_read on public.note for select to authenticated using (studio in (select inner_room.studios()));
create policy note_add on public.note for insert to authenticated with check (studio in (select inner_room.studios()) and writer = (select auth.uid()));
create policy note_edit on public.note for update to authenticated using (studio in (select inner_room.studios())) with check (studio in (select inner_room.studios()));
create policy note_remove on public.note for delete to authenticated using (studio in (select inner_room.studios()) and writer = (select auth.uid()));
create policy pyre_read on public.pyre for select to authenticated using (studio in (select inner_room.studios()));
create policy ash_read on public.ash for select to authenticated using (studio in (select inner_room.studios()));
create policy remark_all on public.remark for all to authenticated using (studio in (select inner_room.studios())) with check (studio in (select inner_room.studios()));
create policy door_key_read on public.door_key for select to authenticated using (studio in (select inner_room.studios()));
create policy paper_size_read on public.paper_size for select using (true);
grant select on public.studio, public.crew, public.note, public.remark, public.pyre, public.ash to authenticated;
grant insert (studio, writer, body), update (body), delete on public.note to authenticated;
grant insert (studio, note, body), delete on public.remark to authenticated;
grant select (id, studio, label) on public.door_key to authenticated;
grant select on public.paper_size to anon, authenticated;

create function public.count_notes(studio uuid) returns bigint language sql stable set search_path = '' as 'select count(*) from public.note n where n.studio = count_notes.studio';
-- What is made of its argument alone differs for every argument, and tells nothing.
create function public.fingerprint(note_id uuid) returns text language sql immutable set search_path = '' as 'select pg_catalog.md5(note_id::text)';
