-- Reading one's own conversations. No argument names a person.

create function api.list_conversations(org_id uuid)
returns table (id uuid, bot_id uuid, bot text, title text, messages bigint, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_conversations.org_id);
  return query
    select c.id, c.bot_id, b.slug, c.title,
      (select count(*) from app.message m where m.org_id = c.org_id and m.conversation_id = c.id), c.created_at
    from app.conversation c
    left join app.bot b on b.org_id = c.org_id and b.id = c.bot_id
    where c.org_id = list_conversations.org_id
    order by c.created_at desc, c.id
    limit 200;
end
$$;
comment on function api.list_conversations(uuid) is $c$List your conversations in an organization.

@audience app
@param org_id  the organization
@returns       array of at most 200 {id, bot_id, bot, title, messages, created_at}; newest first; bot is null once it is not shared with you
@errors        22004
@effect        read$c$;
revoke all on function api.list_conversations(uuid) from public;
grant execute on function api.list_conversations(uuid) to authenticated;

create function api.list_messages(org_id uuid, conversation_id uuid)
returns table (id uuid, run_id uuid, role text, content text, citations jsonb, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_messages.org_id);
  if not exists (select from app.conversation c where c.org_id = list_messages.org_id and c.id = list_messages.conversation_id) then
    raise sqlstate 'PT404' using message = 'no such conversation';
  end if;
  return query
    select m.id, m.run_id, m.role, m.content,
      -- A passage that its reader may no longer read is not quoted again (F28).
      coalesce((select jsonb_agg(case
          when c.value @> '{"redacted": true}' then c.value
          when authz.can_read_document(m.org_id, cited.document_id) and exists (select from app.chunk k
            where k.org_id = m.org_id and k.document_id = cited.document_id and k.id::text = c.value ->> 'chunk_id') then c.value
          else jsonb_strip_nulls(jsonb_build_object('n', c.value -> 'n', 'redacted', true)) end order by c.ordinality)
        from jsonb_array_elements(m.citations) with ordinality c
        cross join lateral (select case when pg_input_is_valid(c.value ->> 'document_id', 'uuid')
          then (c.value ->> 'document_id')::uuid end as document_id) cited), '[]'),
      m.created_at
    from app.message m
    where m.org_id = list_messages.org_id and m.conversation_id = list_messages.conversation_id
    order by m.created_at desc, m.id
    limit 200;
end
$$;
comment on function api.list_messages(uuid, uuid) is $c$List the messages of one of your conversations.

@audience app
@param org_id           the organization
@param conversation_id  the conversation
@returns                array of at most 200 {id, run_id, role, content, citations, created_at}; newest first
@errors                 22004, PT404
@effect                 read$c$;
revoke all on function api.list_messages(uuid, uuid) from public;
grant execute on function api.list_messages(uuid, uuid) to authenticated;
