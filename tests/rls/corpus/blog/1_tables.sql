-- People who own rows: a public blog with drafts, private lists that may be shared with one other person, and lookup tables for all.
-- There is no organization. Everything sits in public; the only helper is needed because two policies would ask each other.

create schema hidden;
grant usage on schema hidden to authenticated;

create table public.countries (code char(2) primary key, name text not null);
create table public.tags (id int generated always as identity primary key, label text not null unique);
create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  username text not null unique check (username ~ '^[a-z0-9_]{3,30}$'),
  bio text not null default '',
  website text
);
comment on table public.profiles is 'Public pages of people: everybody may read all of it.';
create table public.posts (
  id uuid primary key default gen_random_uuid(),
  author_id uuid not null default auth.uid() references public.profiles (id) on delete cascade,
  title text not null,
  body text not null default '',
  is_published boolean not null default false,
  created_at timestamptz not null default now()
);
create table public.post_tags (
  post_id uuid not null references public.posts (id) on delete cascade,
  tag_id int not null references public.tags (id),
  primary key (post_id, tag_id)
);
create table public.comments (
  id uuid primary key default gen_random_uuid(),
  post_id uuid not null references public.posts (id) on delete cascade,
  author_id uuid not null default auth.uid() references public.profiles (id) on delete cascade,
  body text not null
);
create table public.follows (
  follower_id uuid not null default auth.uid() references public.profiles (id) on delete cascade,
  followed_id uuid not null references public.profiles (id) on delete cascade,
  primary key (follower_id, followed_id)
);
create table public.todo_lists (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  title text not null
);
create table public.list_shares (
  list_id uuid not null references public.todo_lists (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  can_edit boolean not null default false,
  primary key (list_id, user_id)
);
create table public.todos (
  id uuid primary key default gen_random_uuid(),
  list_id uuid not null references public.todo_lists (id) on delete cascade,
  task text not null check (char_length(task) > 3),
  is_complete boolean not null default false
);
create table public.private_settings (
  user_id uuid primary key default auth.uid() references auth.users (id) on delete cascade,
  theme text not null default 'light',
  phone text
);

create function hidden.owns_list(list uuid) returns boolean language sql stable security definer set search_path = '' as $$
  select exists (select 1 from public.todo_lists l where l.id = list and l.owner_id = (select auth.uid()))
$$;
revoke execute on function hidden.owns_list(uuid) from public;
grant execute on function hidden.owns_list(uuid) to authenticated;

alter table public.countries enable row level security;
alter table public.tags enable row level security;
alter table public.profiles enable row level security;
alter table public.posts enable row level security;
alter table public.post_tags enable row level security;
alter table public.comments enable row level security;
alter table public.follows enable row level security;
alter table public.todo_lists enable row level security;
alter table public.list_shares enable row level security;
alter table public.todos enable row level security;
alter table public.private_settings enable row level security;

create policy "Countries are for everyone" on public.countries for select to anon, authenticated using (true);
create policy "Tags are for everyone" on public.tags for select to anon, authenticated using (true);
grant select on public.countries, public.tags to anon, authenticated;

create policy "Public profiles are viewable by everyone" on public.profiles for select to anon, authenticated using (true);
create policy "Users can insert their own profile" on public.profiles for insert to authenticated with check ((select auth.uid()) = id);
create policy "Users can update own profile" on public.profiles for update to authenticated
  using ((select auth.uid()) = id) with check ((select auth.uid()) = id);
grant select on public.profiles to anon, authenticated;
grant insert, update on public.profiles to authenticated;

create policy "Published posts are for everyone" on public.posts for select to anon, authenticated using (is_published);
create policy "Authors see their drafts" on public.posts for select to authenticated using ((select auth.uid()) = author_id);
create policy "Authors write" on public.posts for insert to authenticated with check ((select auth.uid()) = author_id);
create policy "Authors edit" on public.posts for update to authenticated
  using ((select auth.uid()) = author_id) with check ((select auth.uid()) = author_id);
create policy "Authors delete" on public.posts for delete to authenticated using ((select auth.uid()) = author_id);
grant select on public.posts to anon, authenticated;
grant insert, update, delete on public.posts to authenticated;

create policy "Tags of visible posts" on public.post_tags for select to anon, authenticated
  using (exists (select 1 from public.posts p where p.id = post_tags.post_id));
create policy "Authors tag" on public.post_tags for insert to authenticated
  with check (exists (select 1 from public.posts p where p.id = post_tags.post_id and p.author_id = (select auth.uid())));
create policy "Authors untag" on public.post_tags for delete to authenticated
  using (exists (select 1 from public.posts p where p.id = post_tags.post_id and p.author_id = (select auth.uid())));
grant select on public.post_tags to anon, authenticated;
grant insert, delete on public.post_tags to authenticated;

create policy "Comments of visible posts" on public.comments for select to anon, authenticated
  using (exists (select 1 from public.posts p where p.id = comments.post_id));
create policy "Comment on published posts" on public.comments for insert to authenticated
  with check ((select auth.uid()) = author_id and exists (select 1 from public.posts p where p.id = comments.post_id and p.is_published));
create policy "Delete own comments" on public.comments for delete to authenticated using ((select auth.uid()) = author_id);
grant select on public.comments to anon, authenticated;
grant insert, delete on public.comments to authenticated;

create policy "See own follows" on public.follows for select to authenticated
  using ((select auth.uid()) = follower_id or (select auth.uid()) = followed_id);
create policy "Follow" on public.follows for insert to authenticated with check ((select auth.uid()) = follower_id);
create policy "Unfollow" on public.follows for delete to authenticated using ((select auth.uid()) = follower_id);
grant select, insert, delete on public.follows to authenticated;

create policy "Owners" on public.todo_lists for all to authenticated
  using ((select auth.uid()) = owner_id) with check ((select auth.uid()) = owner_id);
create policy "Shared with me" on public.todo_lists for select to authenticated
  using (exists (select 1 from public.list_shares s where s.list_id = todo_lists.id and s.user_id = (select auth.uid())));
grant select, insert, update, delete on public.todo_lists to authenticated;

create policy "Owner shares" on public.list_shares for all to authenticated
  using (hidden.owns_list(list_id)) with check (hidden.owns_list(list_id));
create policy "See own shares" on public.list_shares for select to authenticated using ((select auth.uid()) = user_id);
grant select, insert, delete on public.list_shares to authenticated;

create policy "Items of visible lists" on public.todos for select to authenticated
  using (exists (select 1 from public.todo_lists l where l.id = todos.list_id));
create policy "Items of my lists" on public.todos for all to authenticated
  using (hidden.owns_list(list_id)) with check (hidden.owns_list(list_id));
create policy "Editors tick off" on public.todos for update to authenticated
  using (exists (select 1 from public.list_shares s where s.list_id = todos.list_id and s.user_id = (select auth.uid()) and s.can_edit))
  with check (exists (select 1 from public.list_shares s where s.list_id = todos.list_id and s.user_id = (select auth.uid()) and s.can_edit));
grant select, insert, update, delete on public.todos to authenticated;

create policy "Own settings" on public.private_settings for all to authenticated
  using ((select auth.uid()) = user_id) with check ((select auth.uid()) = user_id);
grant select, insert, update on public.private_settings to authenticated;

create view public.latest_posts with (security_invoker = true) as
  select p.id, p.title, a.username, p.created_at from public.posts p join public.profiles a on a.id = p.author_id
  where p.is_published order by p.created_at desc limit 50;
grant select on public.latest_posts to anon, authenticated;

create function public.search_posts(query text) returns setof public.posts
language sql stable security invoker set search_path = '' as $$
  select p.* from public.posts p where p.is_published and p.title ilike '%' || query || '%' limit 20
$$;

insert into storage.buckets (id, name, public) values ('covers', 'covers', true), ('private', 'private', false);
create policy "Upload own covers" on storage.objects for insert to authenticated
  with check (bucket_id = 'covers' and (storage.foldername(name))[1] = (select auth.uid()::text));
create policy "Own private files" on storage.objects for all to authenticated
  using (bucket_id = 'private' and (storage.foldername(name))[1] = (select auth.uid()::text))
  with check (bucket_id = 'private' and (storage.foldername(name))[1] = (select auth.uid()::text));

alter publication supabase_realtime add table public.comments;
