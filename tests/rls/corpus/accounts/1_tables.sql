-- Team and personal accounts, as the SaaS starter kits have them: roles are rows with a rank, helpers are callable functions in public.
-- An old project: whatever is created in public would be granted to the API roles, so the first thing is to take that back.

alter default privileges in schema public revoke all on tables from anon, authenticated;
alter default privileges in schema public revoke all on functions from public, anon, authenticated;
alter default privileges revoke execute on functions from public;
alter default privileges in schema public revoke all on sequences from anon, authenticated;

create schema kit;
grant usage on schema kit to authenticated, service_role;

create table public.roles (
  name varchar(50) primary key,
  rank int not null unique check (rank > 0)
);
create type public.account_permission as enum ('members.manage', 'billing.manage', 'settings.manage', 'invites.manage');
create table public.role_permissions (
  role varchar(50) not null references public.roles (name) on delete cascade,
  permission public.account_permission not null,
  primary key (role, permission)
);
create table public.accounts (
  id uuid primary key default gen_random_uuid(),
  primary_owner_user_id uuid not null default auth.uid() references auth.users (id) on delete cascade,
  name varchar(255) not null,
  slug text unique,
  is_personal_account boolean not null default false,
  picture_url varchar(1000),
  created_at timestamptz not null default now()
);
create table public.accounts_memberships (
  user_id uuid not null references auth.users (id) on delete cascade,
  account_id uuid not null references public.accounts (id) on delete cascade,
  account_role varchar(50) not null references public.roles (name),
  created_at timestamptz not null default now(),
  primary key (user_id, account_id)
);
create index accounts_memberships_account_id_idx on public.accounts_memberships (account_id);

create function public.has_role_on_account(account_id uuid, account_role varchar(50) default null) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1 from public.accounts_memberships membership
    where membership.user_id = (select auth.uid()) and membership.account_id = has_role_on_account.account_id
      and (membership.account_role = has_role_on_account.account_role or has_role_on_account.account_role is null))
$$;
create function public.has_permission(account_id uuid, permission_name public.account_permission) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1 from public.accounts_memberships m join public.role_permissions p on p.role = m.account_role
    where m.user_id = (select auth.uid()) and m.account_id = has_permission.account_id and p.permission = has_permission.permission_name)
$$;
create function public.is_account_owner(account_id uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select 1 from public.accounts a where a.id = is_account_owner.account_id and a.primary_owner_user_id = (select auth.uid()))
$$;
create function kit.shares_account_with(person uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1 from public.accounts_memberships mine join public.accounts_memberships theirs on theirs.account_id = mine.account_id
    where mine.user_id = (select auth.uid()) and theirs.user_id = shares_account_with.person)
$$;
revoke execute on function public.has_role_on_account(uuid, varchar), public.has_permission(uuid, public.account_permission),
  public.is_account_owner(uuid), kit.shares_account_with(uuid) from public, anon;
grant execute on function public.has_role_on_account(uuid, varchar), public.has_permission(uuid, public.account_permission),
  public.is_account_owner(uuid), kit.shares_account_with(uuid) to authenticated, service_role;

alter table public.roles enable row level security;
alter table public.role_permissions enable row level security;
alter table public.accounts enable row level security;
alter table public.accounts_memberships enable row level security;
grant select on public.roles, public.role_permissions to authenticated;
grant select, insert, update, delete on public.roles, public.role_permissions, public.accounts, public.accounts_memberships to service_role;
create policy roles_read on public.roles for select to authenticated using (true);
create policy role_permissions_read on public.role_permissions for select to authenticated using (true);

grant select on public.accounts to authenticated;
grant update (name, picture_url) on public.accounts to authenticated;
create policy accounts_read on public.accounts for select to authenticated
  using (primary_owner_user_id = (select auth.uid()) or public.has_role_on_account(id));
create policy accounts_update on public.accounts for update to authenticated
  using (primary_owner_user_id = (select auth.uid()) or public.has_permission(id, 'settings.manage'))
  with check (primary_owner_user_id = (select auth.uid()) or public.has_permission(id, 'settings.manage'));

grant select, delete on public.accounts_memberships to authenticated;
create policy accounts_memberships_read on public.accounts_memberships for select to authenticated
  using (user_id = (select auth.uid()) or public.has_role_on_account(account_id));
create policy accounts_memberships_delete on public.accounts_memberships for delete to authenticated
  using (user_id = (select auth.uid()) or (public.has_permission(account_id, 'members.manage') and not exists (
    select 1 from public.accounts a where a.id = accounts_memberships.account_id and a.primary_owner_user_id = accounts_memberships.user_id)));

create table public.invitations (
  id bigint generated always as identity primary key,
  account_id uuid not null references public.accounts (id) on delete cascade,
  email varchar(255) not null,
  role varchar(50) not null references public.roles (name),
  invite_token varchar(255) not null unique default encode(sha256(gen_random_uuid()::text::bytea), 'hex'),
  invited_by uuid not null default auth.uid() references auth.users (id) on delete cascade,
  expires_at timestamptz not null default now() + interval '7 days',
  unique (account_id, email)
);
alter table public.invitations enable row level security;
grant select (id, account_id, email, role, invited_by, expires_at), delete on public.invitations to authenticated;
grant insert (account_id, email, role) on public.invitations to authenticated;
create policy invitations_read on public.invitations for select to authenticated using (public.has_permission(account_id, 'invites.manage'));
create policy invitations_create on public.invitations for insert to authenticated
  with check (public.has_permission(account_id, 'invites.manage') and role <> 'owner' and invited_by = (select auth.uid()));
create policy invitations_delete on public.invitations for delete to authenticated
  using (public.has_permission(account_id, 'invites.manage'));

create function public.accept_invitation(token text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_invitation public.invitations;
begin
  delete from public.invitations i using auth.users u
    where i.invite_token = accept_invitation.token and i.expires_at > now() and u.id = (select auth.uid()) and u.email = i.email
      and u.email_confirmed_at is not null
    returning i.* into v_invitation;
  if not found then
    raise exception 'Invalid or expired invitation token';
  end if;
  insert into public.accounts_memberships (user_id, account_id, account_role)
    values ((select auth.uid()), v_invitation.account_id, v_invitation.role);
  return v_invitation.account_id;
end
$$;
revoke execute on function public.accept_invitation(text) from public, anon;
grant execute on function public.accept_invitation(text) to authenticated;

create function public.create_team_account(account_name text) returns public.accounts
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_account public.accounts;
begin
  if (select auth.uid()) is null then
    raise exception 'sign in first' using errcode = '42501';
  end if;
  insert into public.accounts (name, primary_owner_user_id) values (account_name, (select auth.uid())) returning * into v_account;
  insert into public.accounts_memberships (user_id, account_id, account_role) values ((select auth.uid()), v_account.id, 'owner');
  return v_account;
end
$$;
revoke execute on function public.create_team_account(text) from public, anon;
grant execute on function public.create_team_account(text) to authenticated;

create table public.subscriptions (
  id text primary key,
  account_id uuid not null references public.accounts (id) on delete cascade,
  status text not null,
  period_ends_at timestamptz
);
create table public.subscription_items (
  id text primary key,
  subscription_id text not null references public.subscriptions (id) on delete cascade,
  product_id text not null,
  quantity int not null default 1
);
create table public.account_notifications (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references public.accounts (id) on delete cascade,
  body text not null,
  dismissed boolean not null default false
);
create table public.tasks (
  id uuid primary key default gen_random_uuid(),
  account_id uuid not null references public.accounts (id) on delete cascade,
  title text not null,
  done boolean not null default false,
  created_by uuid not null default auth.uid()
);
create table public.nonces (
  id uuid primary key default gen_random_uuid(),
  user_id uuid references auth.users (id) on delete cascade,
  client_token text not null
);
alter table public.subscriptions enable row level security;
alter table public.subscription_items enable row level security;
alter table public.account_notifications enable row level security;
alter table public.tasks enable row level security;
alter table public.nonces enable row level security;
grant select on public.subscriptions, public.subscription_items, public.account_notifications to authenticated;
grant update (dismissed) on public.account_notifications to authenticated;
grant select, insert, update, delete on public.tasks to authenticated;
create policy subscriptions_read on public.subscriptions for select to authenticated
  using (public.has_role_on_account(account_id));
create policy subscription_items_read on public.subscription_items for select to authenticated
  using (exists (select 1 from public.subscriptions s where s.id = subscription_items.subscription_id and public.has_role_on_account(s.account_id)));
create policy account_notifications_read on public.account_notifications for select to authenticated
  using (public.has_role_on_account(account_id));
create policy account_notifications_dismiss on public.account_notifications for update to authenticated
  using (public.has_role_on_account(account_id)) with check (public.has_role_on_account(account_id));
create policy tasks_read on public.tasks for select to authenticated using (public.has_role_on_account(account_id));
create policy tasks_insert on public.tasks for insert to authenticated
  with check (public.has_role_on_account(account_id) and created_by = (select auth.uid()));
create policy tasks_update on public.tasks for update to authenticated
  using (public.has_role_on_account(account_id)) with check (public.has_role_on_account(account_id));
create policy tasks_delete on public.tasks for delete to authenticated
  using (public.has_role_on_account(account_id) and (created_by = (select auth.uid()) or public.has_permission(account_id, 'settings.manage')));

-- What the account switcher shows.
create view public.user_account_workspace with (security_invoker = true) as
  select a.id, a.name, a.picture_url, m.account_role
  from public.accounts a join public.accounts_memberships m on m.account_id = a.id and m.user_id = (select auth.uid());
grant select on public.user_account_workspace to authenticated;

insert into storage.buckets (id, name, public) values ('account_image', 'account_image', true);
create policy account_image_write on storage.objects for insert to authenticated
  with check (bucket_id = 'account_image' and ((storage.foldername(name))[1] = (select auth.uid())::text
    or public.has_permission(((storage.foldername(name))[1])::uuid, 'settings.manage')));

create function kit.new_user_created_setup() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.accounts (primary_owner_user_id, name, is_personal_account)
    values (new.id, coalesce(new.raw_user_meta_data ->> 'name', split_part(new.email, '@', 1), ''), true);
  return new;
end
$$;
create trigger on_auth_user_created after insert on auth.users for each row execute function kit.new_user_created_setup();
revoke execute on function kit.new_user_created_setup() from public;
grant execute on function kit.new_user_created_setup() to supabase_auth_admin;
grant usage on schema kit to supabase_auth_admin;

insert into public.roles values ('owner', 1), ('member', 2);
insert into public.role_permissions values ('owner', 'members.manage'), ('owner', 'billing.manage'), ('owner', 'settings.manage'),
  ('owner', 'invites.manage'), ('member', 'invites.manage');
