-- What a Supabase project has besides the roles and the schemas extensions and auth, which edge_proxy/local makes.
-- Run by the superuser supabase_admin in an empty database. Names, columns, owners and grants are those of a hosted project,
-- as far as a client can tell the difference.

do $$
begin
  if to_regrole('supabase_storage_admin') is null then
    create role supabase_storage_admin nologin noinherit createrole;
    create role supabase_realtime_admin nologin noinherit;
    -- Stand-in for supautils.policy_grants: postgres writes policies on storage.objects and realtime.messages.
    grant supabase_storage_admin, supabase_realtime_admin to postgres with inherit true, set false;
  end if;
end
$$;

revoke create on schema public from public;
grant usage on schema public to postgres, anon, authenticated, service_role;

-- ---------------------------------------------------------------------------------------------------------------------
-- storage
-- ---------------------------------------------------------------------------------------------------------------------
create schema storage authorization supabase_storage_admin;
grant usage on schema storage to postgres, anon, authenticated, service_role;
set role supabase_storage_admin;
create table storage.buckets (
  id text primary key,
  name text not null,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  public boolean default false,
  avif_autodetection boolean default false,
  file_size_limit bigint,
  allowed_mime_types text[],
  owner_id text
);
create unique index bname on storage.buckets (name);
create table storage.objects (
  id uuid primary key default gen_random_uuid(),
  bucket_id text references storage.buckets (id),
  name text,
  owner uuid,
  created_at timestamptz default now(),
  updated_at timestamptz default now(),
  last_accessed_at timestamptz default now(),
  metadata jsonb,
  path_tokens text[] generated always as (string_to_array(name, '/')) stored,
  version text,
  owner_id text,
  user_metadata jsonb
);
create unique index bucketid_objname on storage.objects (bucket_id, name);
create index name_prefix_search on storage.objects (name text_pattern_ops);
alter table storage.buckets enable row level security;
alter table storage.objects enable row level security;
grant all on storage.buckets, storage.objects to anon, authenticated, service_role, postgres;

create function storage.foldername(name text) returns text[] language plpgsql immutable as $$
declare
  _parts text[];
begin
  select string_to_array(name, '/') into _parts;
  return _parts[1 : array_length(_parts, 1) - 1];
end
$$;
create function storage.filename(name text) returns text language plpgsql immutable as $$
declare
  _parts text[];
begin
  select string_to_array(name, '/') into _parts;
  return _parts[array_length(_parts, 1)];
end
$$;
create function storage.extension(name text) returns text language plpgsql immutable as $$
begin
  return reverse(split_part(reverse(storage.filename(name)), '.', 1));
end
$$;
reset role;

-- ---------------------------------------------------------------------------------------------------------------------
-- realtime
-- ---------------------------------------------------------------------------------------------------------------------
create schema realtime;
grant usage on schema realtime to postgres, anon, authenticated, service_role;
create table realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  id uuid not null default gen_random_uuid(),
  primary key (id, inserted_at)
) partition by range (inserted_at);
create table realtime.messages_2026 partition of realtime.messages for values from ('2026-01-01') to ('2027-01-01');
alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to postgres, anon, authenticated, service_role;
create function realtime.topic() returns text language sql stable
return nullif(current_setting('realtime.topic', true), '')::text;
create function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
language plpgsql as $$
begin
  insert into realtime.messages (payload, event, topic, private, extension) values (payload, event, topic, private, 'broadcast');
exception when others then
  raise warning 'ErrorSendingBroadcastMessage: %', sqlerrm;
end
$$;
grant usage on schema realtime to supabase_realtime_admin;

create publication supabase_realtime;
alter publication supabase_realtime owner to postgres;

-- ---------------------------------------------------------------------------------------------------------------------
-- vault: the real one encrypts; what matters here is who may read
-- ---------------------------------------------------------------------------------------------------------------------
create schema vault;
grant usage on schema vault to postgres with grant option;
create table vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text unique,
  description text not null default '',
  secret text not null,
  created_at timestamptz not null default now()
);
create view vault.decrypted_secrets as select id, name, description, secret, secret as decrypted_secret, created_at from vault.secrets;
revoke all on vault.secrets, vault.decrypted_secrets from public;
grant select, insert, delete on vault.secrets to postgres with grant option;
grant select on vault.decrypted_secrets to postgres with grant option;

create schema graphql_public;
grant usage on schema graphql_public to postgres, anon, authenticated, service_role;
