-- Two organizations with a row of each in every table. What belongs to acme says ACME, so a leak is seen in any text.
do $$
declare
  v_person record;
  v_org record;
  v_doc uuid; v_agent uuid; v_run uuid; v_tool uuid; v_customer uuid; v_ticket uuid; v_conversation uuid; v_project uuid;
begin
  insert into public.plans values ('free', 'Free', 0), ('pro', 'Pro', 49);
  insert into private.settings values ('openai_key', 'SECRET-PLATFORM-KEY');
  insert into public.organizations (id, name, slug, plan_id, billing_email) values
    ('aaaaaaaa-0000-4000-8000-000000000001', 'ACME', 'acme', 'free', 'billing@acme.test'),
    ('bbbbbbbb-0000-4000-8000-000000000001', 'GLOBEX', 'globex', 'pro', 'billing@globex.test');
  for v_person in
    select * from (values
      ('a1111111-0000-4000-8000-000000000001'::uuid, 'olga@acme.test', 'acme', 'owner', 'active'),
      ('a1111111-0000-4000-8000-000000000002', 'adam@acme.test', 'acme', 'admin', 'active'),
      ('a1111111-0000-4000-8000-000000000003', 'mia@acme.test', 'acme', 'member', 'active'),
      ('a1111111-0000-4000-8000-000000000004', 'vera@acme.test', 'acme', 'viewer', 'active'),
      ('a1111111-0000-4000-8000-000000000005', 'rex@acme.test', 'acme', 'admin', 'suspended'),
      ('b1111111-0000-4000-8000-000000000001', 'gina@globex.test', 'globex', 'owner', 'active'),
      ('b1111111-0000-4000-8000-000000000002', 'gus@globex.test', 'globex', 'member', 'active'),
      ('c1111111-0000-4000-8000-000000000001', 'bo@free.test', 'globex', 'admin', 'active'),
      ('c1111111-0000-4000-8000-000000000002', 'otto@free.test', null, null, null),
      ('c1111111-0000-4000-8000-000000000003', null, null, null, null)) as p (id, email, org, role, status)
  loop
    insert into auth.users (id, aud, role, email, email_confirmed_at, raw_user_meta_data, is_anonymous)
      values (v_person.id, 'authenticated', 'authenticated', v_person.email, now(), '{}', v_person.email is null);
    if v_person.org is not null then
      insert into public.memberships (org_id, user_id, role, status)
        select id, v_person.id, v_person.role::public.org_role, v_person.status::public.member_status
        from public.organizations where slug = v_person.org;
    end if;
    insert into public.notifications (user_id, body) values (v_person.id, coalesce(upper(v_person.org), 'NOBODY') || ' hello ' || v_person.id);
  end loop;
  insert into public.memberships (org_id, user_id, role)
    values ('aaaaaaaa-0000-4000-8000-000000000001', 'c1111111-0000-4000-8000-000000000001', 'viewer');

  for v_org in
    select o.id, o.name, m.user_id as owner,
      (select x.user_id from public.memberships x where x.org_id = o.id and x.role = 'member') as member
    from public.organizations o join public.memberships m on m.org_id = o.id and m.role = 'owner'
  loop
    insert into public.invitations (org_id, email, token_hash, invited_by)
      values (v_org.id, 'new@' || lower(v_org.name) || '.test', encode(sha256(convert_to('token of ' || v_org.name, 'UTF8')), 'hex'), v_org.owner);
    insert into public.projects (org_id, name, created_by) values (v_org.id, v_org.name || ' project', v_org.owner) returning id into v_project;
    insert into public.documents (org_id, project_id, title, body, status, created_by)
      values (v_org.id, v_project, v_org.name || ' plan', v_org.name || ' secret body', 'published', v_org.owner);
    insert into public.documents (org_id, project_id, title, body, created_by)
      values (v_org.id, v_project, v_org.name || ' draft', v_org.name || ' second body', v_org.member) returning id into v_doc;
    insert into public.document_chunks (org_id, document_id, position, content, embedding)
      values (v_org.id, v_doc, 0, v_org.name || ' passage', '[1,0,0]');
    insert into public.customers (org_id, email, full_name)
      values (v_org.id, 'buyer@' || lower(v_org.name) || '.test', v_org.name || ' buyer') returning id into v_customer;
    insert into public.tickets (org_id, customer_id, number, subject, created_by)
      values (v_org.id, v_customer, 1, v_org.name || ' ticket', v_org.member) returning id into v_ticket;
    insert into public.ticket_comments (ticket_id, author_id, body) values (v_ticket, v_org.member, v_org.name || ' comment');
    insert into public.canned_replies (org_id, shortcut, body, created_by) values (v_org.id, 'hi ' || v_org.name, v_org.name || ' reply', v_org.member);
    insert into public.maintenance_windows (org_id, resource, during)
      values (v_org.id, v_org.name || ' database', '[2026-12-01 10:00+00,2026-12-01 12:00+00)');
    insert into public.agents (org_id, name, system_prompt, created_by)
      values (v_org.id, 'Helper', v_org.name || ' prompt', v_org.owner) returning id into v_agent;
    insert into public.agent_tools (org_id, agent_id, name, endpoint, credentials)
      values (v_org.id, v_agent, 'crm', 'https://crm.test', jsonb_build_object('key', v_org.name || ' credential')) returning id into v_tool;
    insert into public.agent_runs (org_id, agent_id, started_by, status, input, output)
      values (v_org.id, v_agent, v_org.member, 'done', v_org.name || ' question', v_org.name || ' answer') returning id into v_run;
    insert into public.agent_steps values (v_org.id, v_run, 1, 'thought', v_org.name || ' step');
    insert into public.tool_calls (org_id, run_id, tool_id, arguments, requested_by)
      values (v_org.id, v_run, v_tool, jsonb_build_object('for', v_org.name), v_org.member);
    insert into public.tool_calls (org_id, run_id, tool_id, arguments, requested_by)
      values (v_org.id, v_run, v_tool, jsonb_build_object('for', v_org.name, 'by', 'owner'), v_org.owner);
    insert into public.agent_memories (org_id, agent_id, user_id, content) values (v_org.id, v_agent, v_org.owner, v_org.name || ' memory');
    insert into public.conversations (org_id, user_id, title)
      values (v_org.id, v_org.owner, v_org.name || ' talk') returning id into v_conversation;
    insert into public.messages (org_id, conversation_id, content) values (v_org.id, v_conversation, v_org.name || ' message');
    insert into public.llm_cache (org_id, cache_key, response) values (v_org.id, 'k1', v_org.name || ' cached answer');
    insert into public.api_keys (org_id, name, key_hash, last_four, created_by)
      values (v_org.id, v_org.name || ' key', v_org.name || ' hash', 'abcd', v_org.owner);
    insert into public.webhooks (org_id, url, signing_secret) values (v_org.id, 'https://hook.test/' || v_org.name, v_org.name || ' signing secret');
    insert into public.subscriptions (org_id, plan_id, customer_ref) values (v_org.id, 'free', v_org.name || ' ref');
    insert into public.shared_links (org_id, document_id) values (v_org.id, v_doc);
    insert into public.usage_events (org_id, occurred_at, kind, amount)
      values (v_org.id, '2026-03-01', v_org.name || ' tokens', 10), (v_org.id, '2026-09-01', v_org.name || ' tokens', 20);
    insert into private.agent_jobs (org_id, payload) values (v_org.id, jsonb_build_object('prompt', v_org.name || ' job'));
    insert into storage.objects (bucket_id, name, owner_id) values
      ('org-files', v_org.id || '/contract.pdf', v_org.owner), ('run-artifacts', v_org.id || '/' || v_run || '/out.txt', v_org.owner),
      ('avatars', v_org.owner || '/me.png', v_org.owner);
    insert into realtime.messages (topic, extension, payload, event, private, inserted_at)
      values ('org:' || v_org.id, 'broadcast', jsonb_build_object('text', v_org.name || ' broadcast'), 'run', true, '2026-11-01');
  end loop;
end
$$;
set role desk_owner;
alter table public.survey_answers no force row level security;
insert into public.survey_answers (org_id, score, remark) values
  ('aaaaaaaa-0000-4000-8000-000000000001', 2, 'ACME remark'), ('bbbbbbbb-0000-4000-8000-000000000001', 5, 'GLOBEX remark');
alter table public.survey_answers force row level security;
reset role;
