-- Views, functions and triggers. Definers say why they are: each checks its caller against memberships itself.

create view public.organization_overview with (security_invoker = on) as
  select o.id, o.name, o.plan_id,
    (select count(*) from public.tickets t where t.org_id = o.id) as tickets,
    (select count(*) from public.agents a where a.org_id = o.id) as agents
  from public.organizations o;
create view public.ticket_queue with (security_invoker = true) as
  select t.org_id, t.id, t.number, t.subject, t.priority, c.email as customer
  from public.tickets t join public.customers c on c.org_id = t.org_id and c.id = t.customer_id;
grant select on public.organization_overview, public.ticket_queue to authenticated;

-- Definer: the caller has no membership yet.
create function public.create_organization(name text, slug text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_org uuid;
begin
  if (select auth.uid()) is null or coalesce(((select auth.jwt()) ->> 'is_anonymous')::boolean, false) then
    raise exception 'sign in first' using errcode = '42501';
  end if;
  insert into public.organizations (name, slug) values (create_organization.name, create_organization.slug) returning id into v_org;
  insert into public.memberships (org_id, user_id, role) values (v_org, (select auth.uid()), 'owner');
  insert into public.subscriptions (org_id, plan_id) values (v_org, 'free');
  return v_org;
end
$$;

-- Definer: an invited person cannot read the invitation. The address must be confirmed and be the invited one.
create function public.accept_invitation(token text) returns uuid
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_invitation public.invitations;
begin
  update public.invitations i set accepted_at = now()
    from auth.users u
    where i.token_hash = encode(sha256(convert_to(accept_invitation.token, 'UTF8')), 'hex')
      and i.accepted_at is null and i.expires_at > now()
      and u.id = (select auth.uid()) and u.email_confirmed_at is not null and lower(u.email) = lower(i.email)
    returning i.* into v_invitation;
  if v_invitation.id is null then
    raise exception 'no such invitation' using errcode = 'PT404';
  end if;
  insert into public.memberships (org_id, user_id, role) values (v_invitation.org_id, (select auth.uid()), v_invitation.role)
    on conflict (org_id, user_id) do nothing;
  return v_invitation.org_id;
end
$$;

-- Definer: members may not write tool_calls at all, admins decide here. Nobody decides what they asked for.
create function public.decide_tool_call(call_id uuid, approve boolean) returns text
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_status text;
begin
  update public.tool_calls c
    set status = case when decide_tool_call.approve then 'approved' else 'rejected' end, decided_by = (select auth.uid()), decided_at = now()
    where c.id = decide_tool_call.call_id and c.status = 'waiting' and c.requested_by <> (select auth.uid())
      and private.has_org_role(c.org_id, '{admin,owner}')
    returning c.status into v_status;
  if v_status is null then
    raise exception 'no such tool call' using errcode = 'PT404';
  end if;
  return v_status;
end
$$;

create function public.match_chunks(query_embedding extensions.vector, match_count int default 5, in_org uuid default null)
returns table (id uuid, org_id uuid, content text, similarity double precision)
language sql stable security invoker set search_path = pg_catalog, extensions, pg_temp as $$
  select c.id, c.org_id, c.content, 1 - (c.embedding <=> match_chunks.query_embedding)
  from public.document_chunks c
  where match_chunks.in_org is null or c.org_id = match_chunks.in_org
  order by c.embedding <=> match_chunks.query_embedding
  limit least(match_chunks.match_count, 20)
$$;

create function public.search_documents(query text, in_org uuid default null) returns setof public.documents
language sql stable security invoker set search_path = '' as $$
  select d.* from public.documents d
  where (search_documents.in_org is null or d.org_id = search_documents.in_org)
    and (d.title ilike '%' || search_documents.query || '%' or d.body ilike '%' || search_documents.query || '%')
  limit 50
$$;

create function public.cached_answer(org uuid, cache_key text) returns text
language sql stable security invoker set search_path = '' as $$
  select c.response from public.llm_cache c where c.org_id = cached_answer.org and c.cache_key = cached_answer.cache_key
$$;

-- Definer: whoever holds the random token of a link may read that one document, signed in or not.
create function public.shared_document(token text) returns table (title text, body text)
language sql stable security definer set search_path = '' as $$
  select d.title, d.body from public.shared_links l join public.documents d on d.org_id = l.org_id and d.id = l.document_id
  where l.token = shared_document.token and l.expires_at > now()
$$;

-- Definer: counts over tables whose rows a viewer need not read.
create function public.usage_summary(org uuid) returns table (kind text, amount bigint)
language sql stable security definer set search_path = '' as $$
  select e.kind, sum(e.amount) from public.usage_events e
  where e.org_id = usage_summary.org and private.has_org_role(usage_summary.org, '{viewer,member,admin,owner}')
  group by e.kind
$$;

-- Definer: the owner's export.
create function public.export_customers(org uuid) returns setof public.customers
language plpgsql stable security definer set search_path = '' as $$
begin
  if not private.has_org_role(export_customers.org, '{owner}') or not private.is_strong_session() then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  return query select c.* from public.customers c where c.org_id = export_customers.org;
end
$$;

-- Definer: a batch of deletes is one audited action.
create function public.purge_memories(org uuid) returns int
language plpgsql volatile security definer set search_path = '' as $$
declare
  v_count int;
begin
  if not private.has_org_role(purge_memories.org, '{admin,owner}') then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  delete from public.agent_memories m where m.org_id = purge_memories.org;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

create function public.my_organizations() returns table (org_id uuid, name text, role public.org_role)
language sql stable security definer set search_path = '' as $$
  select o.id, o.name, m.role from public.memberships m join public.organizations o on o.id = m.org_id
  where m.user_id = (select auth.uid()) and m.status = 'active'
$$;

-- The workers' queue: service_role only.
create function public.claim_agent_job() returns private.agent_jobs
language sql volatile security definer set search_path = '' as $$
  update private.agent_jobs set locked_at = now()
  where id = (select id from private.agent_jobs where locked_at is null limit 1 for update skip locked)
  returning *
$$;

-- Auth's hook: what the token says for the interface to show; nothing is decided by it.
create function public.custom_access_token_hook(event jsonb) returns jsonb
language plpgsql stable security definer set search_path = '' as $$
begin
  return jsonb_set(event, '{claims,app_metadata,org_count}', to_jsonb((
    select count(*) from public.memberships m where m.user_id = (event ->> 'user_id')::uuid and m.status = 'active')));
end
$$;

-- Runs before every request: a banned person's token is worth nothing although it has not expired.
create function private.check_request() returns void
language plpgsql stable security definer set search_path = '' as $$
begin
  if exists (select 1 from auth.users u where u.id = (select auth.uid()) and u.banned_until > now()) then
    raise exception 'banned' using errcode = 'PT401';
  end if;
end
$$;

create function private.handle_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, display_name) values (new.id, coalesce(left(new.raw_user_meta_data ->> 'full_name', 100), ''));
  return new;
end
$$;
create trigger on_auth_user_created after insert on auth.users for each row execute function private.handle_new_user();

create function private.write_audit() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  v_row jsonb := to_jsonb(coalesce(new, old));
begin
  insert into public.audit_log (org_id, actor_id, action, details)
    values ((v_row ->> 'org_id')::uuid, (select auth.uid()), lower(tg_op) || ' ' || tg_table_name, jsonb_build_object('id', v_row ->> 'id'));
  return null;
end
$$;
create trigger documents_audit after insert or update or delete on public.documents for each row execute function private.write_audit();
create trigger agents_audit after insert or update or delete on public.agents for each row execute function private.write_audit();
create trigger memberships_audit after insert or update or delete on public.memberships for each row execute function private.write_audit();

-- The organization and the author of a row do not change.
create function private.keep_tenant() returns trigger
language plpgsql set search_path = '' as $$
begin
  if new.org_id is distinct from old.org_id then
    raise exception 'a row stays in its organization' using errcode = '42501';
  end if;
  return new;
end
$$;
create trigger tickets_keep_tenant before update on public.tickets for each row execute function private.keep_tenant();

revoke execute on all functions in schema public, private from public;
grant execute on function public.create_organization(text, text), public.accept_invitation(text), public.decide_tool_call(uuid, boolean),
  public.match_chunks(extensions.vector, int, uuid), public.search_documents(text, uuid), public.cached_answer(uuid, text),
  public.usage_summary(uuid), public.export_customers(uuid), public.purge_memories(uuid), public.my_organizations(),
  public.survey_remarks() to authenticated;
grant execute on function public.shared_document(text) to anon, authenticated;
grant execute on function public.claim_agent_job() to service_role;
grant execute on function public.custom_access_token_hook(jsonb) to supabase_auth_admin;
grant execute on function private.handle_new_user() to supabase_auth_admin;
grant usage on schema private to supabase_auth_admin;
grant execute on function private.check_request() to anon, authenticated, service_role;
