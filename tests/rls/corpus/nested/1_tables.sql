-- Organizations have an owner without a membership row; projects have members of their own, who may be guests from outside. No definer
-- helper: everybody reads their own membership rows, so policies ask them in plain sub-selects. Deleted rows stay, marked.

create table public.orgs (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null default auth.uid() references auth.users (id),
  display_name text not null
);
create table public.org_people (
  org_id uuid not null references public.orgs (id) on delete cascade,
  person_id uuid not null references auth.users (id) on delete cascade,
  level int not null default 1 check (level between 1 and 3),
  primary key (org_id, person_id)
);
create table public.boards (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.orgs (id) on delete cascade,
  title text not null,
  visibility text not null default 'org' check (visibility in ('org', 'invited')),
  deleted_at timestamptz,
  unique (id, org_id)
);
create table public.board_guests (
  board_id uuid not null references public.boards (id) on delete cascade,
  person_id uuid not null references auth.users (id) on delete cascade,
  primary key (board_id, person_id)
);
create table public.cards (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  board_id uuid not null,
  title text not null,
  author_id uuid not null default auth.uid(),
  deleted_at timestamptz,
  foreign key (board_id, org_id) references public.boards (id, org_id) on delete cascade,
  unique (id, org_id)
);
create table public.attachments (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  card_id uuid not null,
  file_name text not null,
  foreign key (card_id, org_id) references public.cards (id, org_id) on delete cascade
);
create table public.org_secrets (
  org_id uuid primary key references public.orgs (id) on delete cascade,
  slack_token text
);
create table public.labels (
  org_id uuid not null references public.orgs (id) on delete cascade,
  name text not null,
  color text not null default 'grey',
  primary key (org_id, name)
);
create table public.emoji (code text primary key, picture text not null);

alter table public.orgs enable row level security;
alter table public.org_people enable row level security;
alter table public.boards enable row level security;
alter table public.board_guests enable row level security;
alter table public.cards enable row level security;
alter table public.attachments enable row level security;
alter table public.org_secrets enable row level security;
alter table public.labels enable row level security;
alter table public.emoji enable row level security;

create policy "own memberships" on public.org_people for select to authenticated using (person_id = (select auth.uid()));
create policy "leave" on public.org_people for delete to authenticated using (person_id = (select auth.uid()));
grant select, delete on public.org_people to authenticated;
create policy "own guest rows" on public.board_guests for select to authenticated using (person_id = (select auth.uid()));
grant select on public.board_guests to authenticated;

create policy "members and the owner" on public.orgs for select to authenticated
  using (owner_id = (select auth.uid()) or exists (
    select 1 from public.org_people p where p.org_id = orgs.id and p.person_id = (select auth.uid())));
create policy "owner renames" on public.orgs for update to authenticated
  using (owner_id = (select auth.uid())) with check (owner_id = (select auth.uid()));
create policy "found one" on public.orgs for insert to authenticated with check (owner_id = (select auth.uid()));
grant select on public.orgs to authenticated;
grant insert (display_name), update (display_name) on public.orgs to authenticated;

create policy "boards one may see" on public.boards for select to authenticated
  using (deleted_at is null and (
    exists (select 1 from public.orgs o where o.id = boards.org_id and o.owner_id = (select auth.uid()))
    or (visibility = 'org' and exists (
      select 1 from public.org_people p where p.org_id = boards.org_id and p.person_id = (select auth.uid())))
    or exists (select 1 from public.board_guests g where g.board_id = boards.id and g.person_id = (select auth.uid()))));
create policy "level two makes boards" on public.boards for insert to authenticated
  with check (exists (
    select 1 from public.org_people p where p.org_id = boards.org_id and p.person_id = (select auth.uid()) and p.level >= 2));
grant select on public.boards to authenticated;
grant insert (id, org_id, title, visibility) on public.boards to authenticated;

create policy "cards of visible boards" on public.cards for select to authenticated
  using (deleted_at is null and exists (select 1 from public.boards b where b.id = cards.board_id));
create policy "members write cards" on public.cards for insert to authenticated
  with check (author_id = (select auth.uid()) and exists (
    select 1 from public.org_people p where p.org_id = cards.org_id and p.person_id = (select auth.uid()))
    and exists (select 1 from public.boards b where b.id = cards.board_id and b.org_id = cards.org_id));
create policy "authors edit cards" on public.cards for update to authenticated
  using (author_id = (select auth.uid()) and exists (
    select 1 from public.org_people p where p.org_id = cards.org_id and p.person_id = (select auth.uid())))
  with check (author_id = (select auth.uid()) and exists (
    select 1 from public.org_people p where p.org_id = cards.org_id and p.person_id = (select auth.uid())));
grant select on public.cards to authenticated;
grant insert (id, org_id, board_id, title), update (title) on public.cards to authenticated;

create policy "attachments of visible cards" on public.attachments for select to authenticated
  using (exists (select 1 from public.cards c where c.id = attachments.card_id));
create policy "authors attach" on public.attachments for insert to authenticated
  with check (exists (select 1 from public.cards c where c.id = attachments.card_id and c.org_id = attachments.org_id
    and c.author_id = (select auth.uid())));
grant select, insert on public.attachments to authenticated;

create policy "members see labels" on public.labels for select to authenticated
  using (exists (select 1 from public.org_people p where p.org_id = labels.org_id and p.person_id = (select auth.uid())));
create policy "level two labels" on public.labels for all to authenticated
  using (exists (select 1 from public.org_people p where p.org_id = labels.org_id and p.person_id = (select auth.uid()) and p.level >= 2))
  with check (exists (select 1 from public.org_people p where p.org_id = labels.org_id and p.person_id = (select auth.uid()) and p.level >= 2));
grant select, insert, update (color), delete on public.labels to authenticated;

create policy "emoji for everybody" on public.emoji for select to authenticated using (true);
grant select on public.emoji to authenticated;
-- org_secrets: no policy and no grant; only the server reads it.

create view public.card_list with (security_invoker = on) as
  select c.id, c.org_id, c.title, b.title as board from public.cards c join public.boards b on b.id = c.board_id;
grant select on public.card_list to authenticated;

create function public.invite_guest(board uuid, person uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  insert into public.board_guests (board_id, person_id)
    select b.id, person from public.boards b join public.orgs o on o.id = b.org_id
    where b.id = board and b.deleted_at is null and o.owner_id = (select auth.uid())
    on conflict do nothing;
  if not found then
    raise exception 'no such board' using errcode = 'PT404';
  end if;
end
$$;
revoke execute on function public.invite_guest(uuid, uuid) from public;
grant execute on function public.invite_guest(uuid, uuid) to authenticated;
