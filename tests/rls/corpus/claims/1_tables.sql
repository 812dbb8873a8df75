-- The tenant is in app_metadata, which only the server writes. The token says which tenant is meant; the database says whether the
-- person still belongs to it, on every request.

create schema app_private;
revoke all on schema app_private from public;
grant usage on schema app_private to authenticated;

create table public.tenants (
  tenant_id uuid primary key default gen_random_uuid(),
  display_name text not null,
  tier text not null default 'basic'
);
create table public.tenant_users (
  tenant_id uuid not null references public.tenants on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  is_admin boolean not null default false,
  deactivated_at timestamptz,
  primary key (tenant_id, user_id)
);
create index on public.tenant_users (user_id);

create function app_private.tenant_id() returns uuid language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select u.tenant_id from public.tenant_users u
  where u.tenant_id = nullif(((select auth.jwt()) -> 'app_metadata' ->> 'tenant_id'), '')::uuid
    and u.user_id = (select auth.uid()) and u.deactivated_at is null
$$;
create function app_private.is_tenant_admin() returns boolean language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select exists (select 1 from public.tenant_users u
    where u.tenant_id = (select app_private.tenant_id()) and u.user_id = (select auth.uid()) and u.is_admin)
$$;
revoke execute on function app_private.tenant_id(), app_private.is_tenant_admin() from public;
grant execute on function app_private.tenant_id(), app_private.is_tenant_admin() to authenticated;

create table public.sites (
  tenant_id uuid not null default app_private.tenant_id() references public.tenants on delete cascade,
  site_id uuid not null default gen_random_uuid(),
  label text not null,
  primary key (tenant_id, site_id)
);
create table public.devices (
  tenant_id uuid not null default app_private.tenant_id(),
  device_id uuid not null default gen_random_uuid(),
  site_id uuid not null,
  serial text not null,
  primary key (tenant_id, device_id),
  unique (tenant_id, serial),
  foreign key (tenant_id, site_id) references public.sites on delete cascade
);
create table public.readings (
  tenant_id uuid not null default app_private.tenant_id(),
  device_id uuid not null,
  taken_at timestamptz not null,
  value double precision not null,
  primary key (tenant_id, device_id, taken_at),
  foreign key (tenant_id, device_id) references public.devices on delete cascade
) partition by hash (tenant_id);
create table public.readings_0 partition of public.readings for values with (modulus 2, remainder 0);
create table public.readings_1 partition of public.readings for values with (modulus 2, remainder 1);
create table public.alerts (
  tenant_id uuid not null default app_private.tenant_id(),
  alert_id uuid not null default gen_random_uuid(),
  device_id uuid not null,
  message text not null,
  acknowledged_by uuid references auth.users (id),
  primary key (tenant_id, alert_id),
  foreign key (tenant_id, device_id) references public.devices on delete cascade
);
create table public.credentials (
  tenant_id uuid not null default app_private.tenant_id() references public.tenants on delete cascade,
  credential_id uuid not null default gen_random_uuid(),
  label text not null,
  secret text not null,
  primary key (tenant_id, credential_id)
);
create table public.units (code text primary key, label text not null);
create table public.change_log (
  tenant_id uuid not null,
  entry_id uuid not null default gen_random_uuid(),
  who uuid,
  what text not null,
  at timestamptz not null default now(),
  primary key (tenant_id, entry_id)
);

alter table public.tenants enable row level security;
alter table public.tenant_users enable row level security;
alter table public.sites enable row level security;
alter table public.devices enable row level security;
alter table public.readings enable row level security;
alter table public.readings_0 enable row level security;
alter table public.readings_1 enable row level security;
alter table public.alerts enable row level security;
alter table public.credentials enable row level security;
alter table public.units enable row level security;
alter table public.change_log enable row level security;
alter table public.sites force row level security;
alter table public.devices force row level security;

create policy tenants_own on public.tenants for select to authenticated using (tenant_id = (select app_private.tenant_id()));
grant select on public.tenants to authenticated;
create policy tenant_users_own on public.tenant_users for select to authenticated using (tenant_id = (select app_private.tenant_id()));
create policy tenant_users_admin on public.tenant_users for update to authenticated
  using (tenant_id = (select app_private.tenant_id()) and (select app_private.is_tenant_admin()) and user_id <> (select auth.uid()))
  with check (tenant_id = (select app_private.tenant_id()) and (select app_private.is_tenant_admin()) and user_id <> (select auth.uid()));
grant select on public.tenant_users to authenticated;
grant update (is_admin, deactivated_at) on public.tenant_users to authenticated;

create policy sites_tenant on public.sites for all to authenticated
  using (tenant_id = (select app_private.tenant_id())) with check (tenant_id = (select app_private.tenant_id()));
grant select, insert, update (label), delete on public.sites to authenticated;
create policy devices_tenant on public.devices for all to authenticated
  using (tenant_id = (select app_private.tenant_id())) with check (tenant_id = (select app_private.tenant_id()));
grant select, insert, update (serial, site_id), delete on public.devices to authenticated;
create policy readings_tenant on public.readings for select to authenticated using (tenant_id = (select app_private.tenant_id()));
create policy readings_add on public.readings for insert to authenticated with check (tenant_id = (select app_private.tenant_id()));
grant select, insert on public.readings to authenticated;
create policy alerts_tenant on public.alerts for select to authenticated using (tenant_id = (select app_private.tenant_id()));
create policy alerts_acknowledge on public.alerts for update to authenticated
  using (tenant_id = (select app_private.tenant_id()))
  with check (tenant_id = (select app_private.tenant_id()) and acknowledged_by = (select auth.uid()));
grant select, update (acknowledged_by) on public.alerts to authenticated;
create policy credentials_admin on public.credentials for select to authenticated
  using (tenant_id = (select app_private.tenant_id()) and (select app_private.is_tenant_admin()));
create policy credentials_add on public.credentials for insert to authenticated
  with check (tenant_id = (select app_private.tenant_id()) and (select app_private.is_tenant_admin()));
create policy credentials_strong on public.credentials as restrictive for all to authenticated
  using (((select auth.jwt()) ->> 'aal') = 'aal2');
grant select (tenant_id, credential_id, label), insert (label, secret) on public.credentials to authenticated;
create policy units_all on public.units for select to authenticated using (true);
grant select on public.units to authenticated;
create policy change_log_admin on public.change_log for select to authenticated
  using (tenant_id = (select app_private.tenant_id()) and (select app_private.is_tenant_admin()));
grant select on public.change_log to authenticated;

create view public.device_status with (security_invoker = true, security_barrier = true) as
  select d.tenant_id, d.device_id, d.serial, max(r.taken_at) as last_reading
  from public.devices d left join public.readings r using (tenant_id, device_id) group by d.tenant_id, d.device_id, d.serial;
grant select on public.device_status to authenticated;

create function app_private.log_change() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into public.change_log (tenant_id, who, what)
    values (case tg_op when 'DELETE' then old.tenant_id else new.tenant_id end, (select auth.uid()), tg_op || ' ' || tg_table_name);
  return null;
end
$$;
revoke execute on function app_private.log_change() from public;
create trigger log_change after insert or update or delete on public.devices for each row execute function app_private.log_change();

create function public.rotate_credential(credential uuid, new_secret text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not app_private.is_tenant_admin() or coalesce((select auth.jwt()) ->> 'aal', '') <> 'aal2' then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  update public.credentials c set secret = new_secret
    where c.tenant_id = (select app_private.tenant_id()) and c.credential_id = credential;
  if not found then
    raise exception 'no such credential' using errcode = 'PT404';
  end if;
end
$$;
revoke execute on function public.rotate_credential(uuid, text) from public;
grant execute on function public.rotate_credential(uuid, text) to authenticated;
