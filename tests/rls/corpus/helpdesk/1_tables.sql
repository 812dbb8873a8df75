-- A help desk with agents, sold to organizations: the correct schema that every file in breaks/ breaks in one way.
-- Run as postgres. People belong to organizations through memberships; helpers in the unexposed schema private answer for policies.

create extension btree_gist with schema extensions;
create schema private;
revoke all on schema private from public;
grant usage on schema private to anon, authenticated, service_role;
alter default privileges revoke execute on functions from public;

create type public.org_role as enum ('viewer', 'member', 'admin', 'owner');
create type public.member_status as enum ('active', 'suspended');

-- ---------------------------------------------------------------------------------------------------------------------
-- Who belongs where
-- ---------------------------------------------------------------------------------------------------------------------
create table public.plans (
  id text primary key,
  title text not null,
  monthly_price numeric not null
);

create table public.organizations (
  id uuid primary key default gen_random_uuid(),
  name text not null check (length(name) between 1 and 100),
  slug text not null unique,
  plan_id text not null default 'free' references public.plans (id),
  billing_email text,
  created_at timestamptz not null default now()
);

create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  display_name text not null default '',
  avatar_path text,
  is_staff boolean not null default false
);

create table public.memberships (
  org_id uuid not null references public.organizations (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  role public.org_role not null default 'member',
  status public.member_status not null default 'active',
  created_at timestamptz not null default now(),
  primary key (org_id, user_id)
);
create index memberships_user_id_idx on public.memberships (user_id);

create function private.my_org_ids() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select m.org_id from public.memberships m where m.user_id = (select auth.uid()) and m.status = 'active'
$$;
create function private.has_org_role(org uuid, roles public.org_role[]) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select 1 from public.memberships m
    where m.org_id = org and m.user_id = (select auth.uid()) and m.status = 'active' and m.role = any (roles))
$$;
create function private.colleague_ids() returns setof uuid
language sql stable security definer set search_path = '' as $$
  select theirs.user_id from public.memberships mine join public.memberships theirs using (org_id)
  where mine.user_id = (select auth.uid()) and mine.status = 'active'
$$;
create function private.is_strong_session() returns boolean
language sql stable set search_path = '' as $$
  select coalesce((select auth.jwt()) ->> 'aal', '') = 'aal2'
$$;
grant execute on function private.my_org_ids(), private.has_org_role(uuid, public.org_role[]), private.colleague_ids(),
  private.is_strong_session() to authenticated, service_role;

alter table public.plans enable row level security;
alter table public.organizations enable row level security;
alter table public.profiles enable row level security;
alter table public.memberships enable row level security;

create policy plans_read on public.plans for select to anon, authenticated using (true);
grant select on public.plans to anon, authenticated;

create policy organizations_read on public.organizations for select to authenticated
  using (id in (select private.my_org_ids()));
create policy organizations_rename on public.organizations for update to authenticated
  using (private.has_org_role(id, '{admin,owner}')) with check (private.has_org_role(id, '{admin,owner}'));
create policy organizations_close on public.organizations for delete to authenticated
  using (private.has_org_role(id, '{owner}'));
create policy organizations_close_needs_aal2 on public.organizations as restrictive for delete to authenticated
  using ((select private.is_strong_session()));
grant select, delete on public.organizations to authenticated;
grant update (name, billing_email) on public.organizations to authenticated;

create policy profiles_read on public.profiles for select to authenticated
  using (id = (select auth.uid()) or id in (select private.colleague_ids()));
create policy profiles_edit on public.profiles for update to authenticated
  using (id = (select auth.uid())) with check (id = (select auth.uid()));
grant select on public.profiles to authenticated;
grant update (display_name, avatar_path) on public.profiles to authenticated;

create policy memberships_read on public.memberships for select to authenticated
  using (org_id in (select private.my_org_ids()));
create policy memberships_manage on public.memberships for update to authenticated
  using (private.has_org_role(org_id, '{owner}') and user_id <> (select auth.uid()))
  with check (private.has_org_role(org_id, '{owner}') and user_id <> (select auth.uid()));
create policy memberships_leave_or_remove on public.memberships for delete to authenticated
  using ((user_id = (select auth.uid()) and role <> 'owner') or (private.has_org_role(org_id, '{owner}') and user_id <> (select auth.uid())));
grant select, delete on public.memberships to authenticated;
grant update (role, status) on public.memberships to authenticated;

create table public.invitations (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  email text not null,
  role public.org_role not null default 'member' check (role <> 'owner'),
  token_hash text not null,
  invited_by uuid not null default auth.uid() references auth.users (id),
  expires_at timestamptz not null default now() + interval '7 days',
  accepted_at timestamptz,
  unique (org_id, email)
);
alter table public.invitations enable row level security;
create policy invitations_read on public.invitations for select to authenticated
  using (private.has_org_role(org_id, '{admin,owner}'));
create policy invitations_send on public.invitations for insert to authenticated
  with check (private.has_org_role(org_id, '{admin,owner}') and invited_by = (select auth.uid()));
create policy invitations_withdraw on public.invitations for delete to authenticated
  using (private.has_org_role(org_id, '{admin,owner}'));
grant select (id, org_id, email, role, invited_by, expires_at, accepted_at), delete on public.invitations to authenticated;
grant insert (org_id, email, role, token_hash) on public.invitations to authenticated;

-- ---------------------------------------------------------------------------------------------------------------------
-- Desk
-- ---------------------------------------------------------------------------------------------------------------------
create table public.projects (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  name text not null,
  created_by uuid not null default auth.uid(),
  created_at timestamptz not null default now(),
  unique (org_id, name),
  unique (org_id, id)
);
create table public.documents (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  project_id uuid,
  title text not null,
  body text not null default '',
  status text not null default 'draft' check (status in ('draft', 'published')),
  created_by uuid not null default auth.uid(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (org_id, id),
  foreign key (org_id, project_id) references public.projects (org_id, id) on delete cascade
);
create table public.document_chunks (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  document_id uuid not null,
  position int not null,
  content text not null,
  embedding extensions.vector(3),
  unique (org_id, document_id, position),
  foreign key (org_id, document_id) references public.documents (org_id, id) on delete cascade
);
create index document_chunks_embedding_idx on public.document_chunks using hnsw (embedding extensions.vector_cosine_ops);
create table public.customers (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  email text not null,
  full_name text not null default '',
  unique (org_id, email),
  unique (org_id, id)
);
create table public.tickets (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  customer_id uuid not null,
  number int not null,
  subject text not null,
  priority text not null default 'normal',
  created_by uuid not null default auth.uid(),
  created_at timestamptz not null default now(),
  unique (org_id, number),
  unique (org_id, id),
  foreign key (org_id, customer_id) references public.customers (org_id, id) on delete cascade
);
-- Reaches its organization through the ticket.
create table public.ticket_comments (
  id uuid primary key default gen_random_uuid(),
  ticket_id uuid not null references public.tickets (id) on delete cascade,
  author_id uuid not null default auth.uid(),
  body text not null,
  created_at timestamptz not null default now()
);
create table public.canned_replies (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  shortcut text not null,
  body text not null,
  created_by uuid not null default auth.uid(),
  unique (org_id, shortcut)
);
create table public.maintenance_windows (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  resource text not null,
  during tstzrange not null,
  constraint maintenance_windows_no_overlap
    exclude using gist (org_id with operator(pg_catalog.=), resource with operator(pg_catalog.=), during with operator(pg_catalog.&&))
);

alter table public.projects enable row level security;
alter table public.documents enable row level security;
alter table public.document_chunks enable row level security;
alter table public.customers enable row level security;
alter table public.tickets enable row level security;
alter table public.ticket_comments enable row level security;
alter table public.canned_replies enable row level security;
alter table public.maintenance_windows enable row level security;

create policy projects_read on public.projects for select to authenticated using (org_id in (select private.my_org_ids()));
create policy projects_add on public.projects for insert to authenticated
  with check (private.has_org_role(org_id, '{admin,owner}') and created_by = (select auth.uid()));
create policy projects_edit on public.projects for update to authenticated
  using (private.has_org_role(org_id, '{admin,owner}')) with check (private.has_org_role(org_id, '{admin,owner}'));
create policy projects_remove on public.projects for delete to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
grant select, insert, update, delete on public.projects to authenticated;

create policy documents_read on public.documents for select to authenticated using (org_id in (select private.my_org_ids()));
create policy documents_add on public.documents for insert to authenticated
  with check (private.has_org_role(org_id, '{member,admin,owner}') and created_by = (select auth.uid()));
create policy documents_edit on public.documents for update to authenticated
  using (private.has_org_role(org_id, '{member,admin,owner}')) with check (private.has_org_role(org_id, '{member,admin,owner}'));
create policy documents_remove on public.documents for delete to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
-- Whatever acts for a person through OAuth (an agent, an MCP client) deletes nothing.
create policy documents_remove_not_by_client on public.documents as restrictive for delete to authenticated
  using (((select auth.jwt()) ->> 'client_id') is null);
grant select, insert, update, delete on public.documents to authenticated;

create policy document_chunks_read on public.document_chunks for select to authenticated using (org_id in (select private.my_org_ids()));
grant select on public.document_chunks to authenticated;

create policy customers_read on public.customers for select to authenticated using (org_id in (select private.my_org_ids()));
create policy customers_write on public.customers for insert to authenticated
  with check (private.has_org_role(org_id, '{member,admin,owner}'));
create policy customers_edit on public.customers for update to authenticated
  using (private.has_org_role(org_id, '{member,admin,owner}')) with check (private.has_org_role(org_id, '{member,admin,owner}'));
create policy customers_remove on public.customers for delete to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
grant select, insert, update, delete on public.customers to authenticated;

create policy tickets_read on public.tickets for select to authenticated using (org_id in (select private.my_org_ids()));
create policy tickets_add on public.tickets for insert to authenticated
  with check (private.has_org_role(org_id, '{member,admin,owner}') and created_by = (select auth.uid()));
create policy tickets_edit on public.tickets for update to authenticated
  using (private.has_org_role(org_id, '{member,admin,owner}')) with check (private.has_org_role(org_id, '{member,admin,owner}'));
create policy tickets_remove on public.tickets for delete to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
grant select, insert, update, delete on public.tickets to authenticated;

create policy ticket_comments_read on public.ticket_comments for select to authenticated
  using (exists (select 1 from public.tickets t where t.id = ticket_comments.ticket_id and t.org_id in (select private.my_org_ids())));
create policy ticket_comments_add on public.ticket_comments for insert to authenticated
  with check (author_id = (select auth.uid()) and exists (
    select 1 from public.tickets t where t.id = ticket_comments.ticket_id and private.has_org_role(t.org_id, '{member,admin,owner}')));
create policy ticket_comments_remove on public.ticket_comments for delete to authenticated
  using (author_id = (select auth.uid()) and exists (
    select 1 from public.tickets t where t.id = ticket_comments.ticket_id and private.has_org_role(t.org_id, '{member,admin,owner}')));
grant select, insert, delete on public.ticket_comments to authenticated;

create policy canned_replies_read on public.canned_replies for select to authenticated using (org_id in (select private.my_org_ids()));
create policy canned_replies_add on public.canned_replies for insert to authenticated
  with check (private.has_org_role(org_id, '{member,admin,owner}') and created_by = (select auth.uid()));
create policy canned_replies_edit on public.canned_replies for update to authenticated
  using (private.has_org_role(org_id, '{member,admin,owner}')) with check (private.has_org_role(org_id, '{member,admin,owner}'));
create policy canned_replies_remove on public.canned_replies for delete to authenticated
  using (private.has_org_role(org_id, '{member,admin,owner}'));
grant select, insert, update, delete on public.canned_replies to authenticated;

create policy maintenance_windows_read on public.maintenance_windows for select to authenticated
  using (org_id in (select private.my_org_ids()));
create policy maintenance_windows_plan on public.maintenance_windows for insert to authenticated
  with check (private.has_org_role(org_id, '{admin,owner}'));
grant select, insert on public.maintenance_windows to authenticated;

-- ---------------------------------------------------------------------------------------------------------------------
-- Agents
-- ---------------------------------------------------------------------------------------------------------------------
create table public.agents (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  name text not null,
  model text not null default 'small',
  system_prompt text not null default '',
  created_by uuid not null default auth.uid(),
  unique (org_id, name),
  unique (org_id, id)
);
create table public.agent_tools (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  agent_id uuid not null,
  name text not null,
  endpoint text not null,
  credentials jsonb not null default '{}',
  unique (org_id, id),
  foreign key (org_id, agent_id) references public.agents (org_id, id) on delete cascade
);
create table public.agent_runs (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  agent_id uuid not null,
  started_by uuid not null default auth.uid(),
  status text not null default 'queued',
  input text not null default '',
  output text,
  created_at timestamptz not null default now(),
  unique (org_id, id),
  foreign key (org_id, agent_id) references public.agents (org_id, id) on delete cascade
);
create table public.agent_steps (
  org_id uuid not null,
  run_id uuid not null,
  position int not null,
  kind text not null,
  content text not null,
  primary key (org_id, run_id, position),
  foreign key (org_id, run_id) references public.agent_runs (org_id, id) on delete cascade
);
create table public.tool_calls (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  run_id uuid not null,
  tool_id uuid not null,
  arguments jsonb not null default '{}',
  status text not null default 'waiting' check (status in ('waiting', 'approved', 'rejected')),
  requested_by uuid not null,
  decided_by uuid,
  decided_at timestamptz,
  foreign key (org_id, run_id) references public.agent_runs (org_id, id) on delete cascade,
  foreign key (org_id, tool_id) references public.agent_tools (org_id, id) on delete cascade
);
create table public.agent_memories (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  agent_id uuid not null,
  user_id uuid not null default auth.uid(),
  content text not null,
  foreign key (org_id, agent_id) references public.agents (org_id, id) on delete cascade
);
create table public.conversations (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  user_id uuid not null default auth.uid(),
  title text not null default '',
  unique (org_id, id)
);
create table public.messages (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  conversation_id uuid not null,
  role text not null default 'user',
  content text not null,
  created_at timestamptz not null default now(),
  foreign key (org_id, conversation_id) references public.conversations (org_id, id) on delete cascade
);
create table public.llm_cache (
  org_id uuid not null references public.organizations (id) on delete cascade,
  cache_key text not null,
  response text not null,
  created_at timestamptz not null default now(),
  primary key (org_id, cache_key)
);

alter table public.agents enable row level security;
alter table public.agent_tools enable row level security;
alter table public.agent_runs enable row level security;
alter table public.agent_steps enable row level security;
alter table public.tool_calls enable row level security;
alter table public.agent_memories enable row level security;
alter table public.conversations enable row level security;
alter table public.messages enable row level security;
alter table public.llm_cache enable row level security;

create policy agents_read on public.agents for select to authenticated using (org_id in (select private.my_org_ids()));
create policy agents_add on public.agents for insert to authenticated
  with check (private.has_org_role(org_id, '{admin,owner}') and created_by = (select auth.uid()));
create policy agents_edit on public.agents for update to authenticated
  using (private.has_org_role(org_id, '{admin,owner}')) with check (private.has_org_role(org_id, '{admin,owner}'));
create policy agents_remove on public.agents for delete to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
grant select, insert, update, delete on public.agents to authenticated;

create policy agent_tools_read on public.agent_tools for select to authenticated using (org_id in (select private.my_org_ids()));
create policy agent_tools_add on public.agent_tools for insert to authenticated with check (private.has_org_role(org_id, '{admin,owner}'));
create policy agent_tools_remove on public.agent_tools for delete to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
grant select (id, org_id, agent_id, name, endpoint), delete on public.agent_tools to authenticated;
grant insert (org_id, agent_id, name, endpoint, credentials) on public.agent_tools to authenticated;

create policy agent_runs_read on public.agent_runs for select to authenticated using (org_id in (select private.my_org_ids()));
create policy agent_runs_start on public.agent_runs for insert to authenticated
  with check (private.has_org_role(org_id, '{member,admin,owner}') and started_by = (select auth.uid()));
grant select on public.agent_runs to authenticated;
grant insert (id, org_id, agent_id, input) on public.agent_runs to authenticated;

create policy agent_steps_read on public.agent_steps for select to authenticated using (org_id in (select private.my_org_ids()));
grant select on public.agent_steps to authenticated;

create policy tool_calls_read on public.tool_calls for select to authenticated using (org_id in (select private.my_org_ids()));
grant select on public.tool_calls to authenticated;

create policy agent_memories_own on public.agent_memories for all to authenticated
  using (user_id = (select auth.uid()) and org_id in (select private.my_org_ids()))
  with check (user_id = (select auth.uid()) and org_id in (select private.my_org_ids()));
grant select, insert, update, delete on public.agent_memories to authenticated;

create policy conversations_own on public.conversations for all to authenticated
  using (user_id = (select auth.uid()) and org_id in (select private.my_org_ids()))
  with check (user_id = (select auth.uid()) and org_id in (select private.my_org_ids()));
grant select, insert, update, delete on public.conversations to authenticated;

create policy messages_read on public.messages for select to authenticated
  using (exists (select 1 from public.conversations c where c.org_id = messages.org_id and c.id = messages.conversation_id
    and c.user_id = (select auth.uid()) and c.org_id in (select private.my_org_ids())));
create policy messages_write on public.messages for insert to authenticated
  with check (role = 'user' and exists (select 1 from public.conversations c where c.org_id = messages.org_id
    and c.id = messages.conversation_id and c.user_id = (select auth.uid()) and c.org_id in (select private.my_org_ids())));
grant select, insert on public.messages to authenticated;

create policy llm_cache_read on public.llm_cache for select to authenticated using (org_id in (select private.my_org_ids()));
grant select on public.llm_cache to authenticated;

-- ---------------------------------------------------------------------------------------------------------------------
-- Administration
-- ---------------------------------------------------------------------------------------------------------------------
create table public.api_keys (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  name text not null,
  key_hash text not null,
  last_four text not null,
  created_by uuid not null default auth.uid(),
  created_at timestamptz not null default now()
);
create table public.webhooks (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  url text not null,
  signing_secret text not null
);
create table public.subscriptions (
  org_id uuid primary key references public.organizations (id) on delete cascade,
  plan_id text not null references public.plans (id),
  seats int not null default 5,
  customer_ref text
);
create table public.audit_log (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  actor_id uuid,
  action text not null,
  details jsonb not null default '{}',
  created_at timestamptz not null default now()
);
create table public.notifications (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  body text not null,
  read_at timestamptz
);
create table public.shared_links (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  document_id uuid not null,
  token text not null unique default encode(sha256(gen_random_uuid()::text::bytea), 'hex'),
  expires_at timestamptz not null default now() + interval '1 day',
  foreign key (org_id, document_id) references public.documents (org_id, id) on delete cascade
);
create table public.usage_events (
  org_id uuid not null,
  occurred_at timestamptz not null default now(),
  kind text not null,
  amount int not null default 1
) partition by range (occurred_at);
create table public.usage_events_2026_h1 partition of public.usage_events for values from ('2026-01-01') to ('2026-07-01');
create table public.usage_events_2026_h2 partition of public.usage_events for values from ('2026-07-01') to ('2027-01-01');
create table private.settings (name text primary key, value text not null);
create table private.agent_jobs (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null,
  payload jsonb not null,
  locked_at timestamptz
);

alter table public.api_keys enable row level security;
alter table public.webhooks enable row level security;
alter table public.subscriptions enable row level security;
alter table public.audit_log enable row level security;
alter table public.notifications enable row level security;
alter table public.shared_links enable row level security;
alter table public.usage_events enable row level security;
alter table public.usage_events_2026_h1 enable row level security;
alter table public.usage_events_2026_h2 enable row level security;
alter table private.settings enable row level security;
alter table private.agent_jobs enable row level security;

create policy api_keys_admin on public.api_keys for select to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
create policy api_keys_add on public.api_keys for insert to authenticated
  with check (private.has_org_role(org_id, '{admin,owner}') and created_by = (select auth.uid()));
create policy api_keys_remove on public.api_keys for delete to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
create policy api_keys_need_aal2 on public.api_keys as restrictive for all to authenticated
  using ((select private.is_strong_session())) with check ((select private.is_strong_session()));
grant select (id, org_id, name, last_four, created_by, created_at), delete on public.api_keys to authenticated;
grant insert (org_id, name, key_hash, last_four) on public.api_keys to authenticated;

create policy webhooks_admin on public.webhooks for select to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
create policy webhooks_add on public.webhooks for insert to authenticated with check (private.has_org_role(org_id, '{admin,owner}'));
create policy webhooks_remove on public.webhooks for delete to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
create policy webhooks_need_aal2 on public.webhooks as restrictive for all to authenticated
  using (((select auth.jwt()) ->> 'aal') = 'aal2') with check (((select auth.jwt()) ->> 'aal') = 'aal2');
grant select (id, org_id, url), delete on public.webhooks to authenticated;
grant insert (org_id, url, signing_secret) on public.webhooks to authenticated;

create policy subscriptions_read on public.subscriptions for select to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
grant select (org_id, plan_id, seats) on public.subscriptions to authenticated;

create policy audit_log_read on public.audit_log for select to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
grant select on public.audit_log to authenticated;

create policy notifications_read on public.notifications for select to authenticated using (user_id = (select auth.uid()));
create policy notifications_mark on public.notifications for update to authenticated
  using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
grant select on public.notifications to authenticated;
grant update (read_at) on public.notifications to authenticated;

create policy shared_links_read on public.shared_links for select to authenticated using (private.has_org_role(org_id, '{member,admin,owner}'));
create policy shared_links_add on public.shared_links for insert to authenticated
  with check (private.has_org_role(org_id, '{member,admin,owner}'));
create policy shared_links_remove on public.shared_links for delete to authenticated
  using (private.has_org_role(org_id, '{member,admin,owner}'));
grant select, delete on public.shared_links to authenticated;
grant insert (org_id, document_id, expires_at) on public.shared_links to authenticated;

create policy usage_events_read on public.usage_events for select to authenticated using (private.has_org_role(org_id, '{admin,owner}'));
grant select on public.usage_events to authenticated;

-- A table and a function of an ordinary role: what it sees is what its policies say, because they are forced.
do $$
begin
  if to_regrole('desk_owner') is null then
    create role desk_owner nologin;
  end if;
  grant desk_owner to postgres with set true, inherit true;
end
$$;
grant usage, create on schema public to desk_owner;
grant usage on schema private to desk_owner;
grant usage on schema auth to desk_owner;
grant execute on function private.my_org_ids() to desk_owner;
grant references on public.organizations to desk_owner;
grant select on public.organizations to desk_owner;
create table public.survey_answers (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references public.organizations (id) on delete cascade,
  score int not null check (score between 1 and 5),
  remark text not null default ''
);
alter table public.survey_answers owner to desk_owner;
alter table public.survey_answers enable row level security;
alter table public.survey_answers force row level security;
create policy survey_answers_read on public.survey_answers for select to authenticated, desk_owner
  using (org_id in (select private.my_org_ids()));
grant select on public.survey_answers to authenticated;
create function public.survey_remarks() returns table (org_id uuid, score int, remark text)
language sql stable security definer set search_path = '' as $$
  select a.org_id, a.score, a.remark from public.survey_answers a
$$;
alter function public.survey_remarks() owner to desk_owner;
revoke create on schema public from desk_owner;
revoke execute on function public.survey_remarks() from public;
grant execute on function public.survey_remarks() to authenticated;
