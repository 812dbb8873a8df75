-- Knowledge bases: making, opening and restricting, listing, deleting.

create function api.create_knowledge_base(org_id uuid, slug text, name text, visibility text default 'organization') returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id uuid;
begin
  perform authz.require_org(create_knowledge_base.org_id);
  perform authz.lock_name(create_knowledge_base.org_id, 'knowledge base ' || create_knowledge_base.slug);
  -- Only of one that the person sees is told that it is there; whoever sees both names them by id.
  if exists (select from app.knowledge_base k where k.org_id = create_knowledge_base.org_id and k.slug = create_knowledge_base.slug) then
    raise sqlstate 'PT409' using message = 'the organization has a knowledge base of that slug';
  end if;
  insert into app.knowledge_base (org_id, slug, name, visibility)
  values (create_knowledge_base.org_id, create_knowledge_base.slug, create_knowledge_base.name, create_knowledge_base.visibility);
  -- Not "returning": a restricted one is seen with its first grant, which comes right after it.
  select k.id into v_id from app.knowledge_base k where k.org_id = create_knowledge_base.org_id and k.slug = create_knowledge_base.slug;
  return jsonb_build_object('id', v_id);
end
$$;
comment on function api.create_knowledge_base(uuid, text, text, text) is $c$Create a knowledge base, for the organization or restricted to those you share it with.

@audience app
@param org_id      the organization
@param slug        short name; 2..40 of a-z, 0-9 and -, no uuid
@param name        display name; 1..120 characters
@param visibility  organization or restricted
@returns           {id}
@errors            22004, 23514, 42501, PT409
@effect            write$c$;
revoke all on function api.create_knowledge_base(uuid, text, text, text) from public;
grant execute on function api.create_knowledge_base(uuid, text, text, text) to authenticated;

create function api.set_knowledge_base_visibility(org_id uuid, knowledge_base_id uuid, visibility text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(set_knowledge_base_visibility.org_id);
  perform authz.require(set_knowledge_base_visibility.visibility in ('organization', 'restricted'), 'visibility: organization or restricted');
  update app.knowledge_base k set visibility = set_knowledge_base_visibility.visibility
  where k.org_id = set_knowledge_base_visibility.org_id and k.id = set_knowledge_base_visibility.knowledge_base_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such knowledge base of yours to change';
  end if;
  return jsonb_build_object('id', set_knowledge_base_visibility.knowledge_base_id, 'visibility', set_knowledge_base_visibility.visibility);
end
$$;
comment on function api.set_knowledge_base_visibility(uuid, uuid, text) is $c$Open a knowledge base to the organization, or restrict it to those it is shared with; its documents follow at once.

@audience app
@param org_id             the organization
@param knowledge_base_id  the knowledge base
@param visibility         organization or restricted
@returns                  {id, visibility}
@errors                   22004, 22023, 42501, PT404
@effect                   write$c$;
revoke all on function api.set_knowledge_base_visibility(uuid, uuid, text) from public;
grant execute on function api.set_knowledge_base_visibility(uuid, uuid, text) to authenticated;

create function api.list_knowledge_bases(org_id uuid)
returns table (id uuid, slug text, name text, visibility text, documents bigint, chunks bigint)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_knowledge_bases.org_id);
  return query
    select k.id, k.slug, k.name, k.visibility,
      (select count(*) from app.document d where d.org_id = k.org_id and d.knowledge_base_id = k.id and d.state = 'ready'),
      (select count(*) from app.chunk c join app.document d on d.org_id = c.org_id and d.id = c.document_id
        where c.org_id = k.org_id and c.knowledge_base_id = k.id and d.state = 'ready')
    from app.knowledge_base k
    where k.org_id = list_knowledge_bases.org_id
    order by k.slug;
end
$$;
comment on function api.list_knowledge_bases(uuid) is $c$List the knowledge bases you may read, counting the documents and chunks you may read.

@audience app
@param org_id  the organization
@returns       array of {id, slug, name, visibility, documents, chunks}; by slug
@errors        22004
@effect        read$c$;
revoke all on function api.list_knowledge_bases(uuid) from public;
grant execute on function api.list_knowledge_bases(uuid) to authenticated;

create function api.delete_knowledge_base(org_id uuid, knowledge_base_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_documents uuid[];
  v_deleted jsonb;
begin
  perform authz.require_org(delete_knowledge_base.org_id);
  -- Locked for update: the policy for changing it is asked, too.
  perform from app.knowledge_base k
  where k.org_id = delete_knowledge_base.org_id and k.id = delete_knowledge_base.knowledge_base_id for update;
  if not found then
    raise sqlstate 'PT404' using message = 'no such knowledge base of yours to change';
  end if;
  begin
    with gone as (
      delete from app.document d
      where d.org_id = delete_knowledge_base.org_id and d.knowledge_base_id = delete_knowledge_base.knowledge_base_id returning d.id
    )
    select coalesce(array_agg(g.id), '{}') into v_documents from gone g;
    delete from app.knowledge_base k
    where k.org_id = delete_knowledge_base.org_id and k.id = delete_knowledge_base.knowledge_base_id;
  exception when foreign_key_violation then
    raise sqlstate 'PT409' using message = 'the knowledge base holds documents that are not yours to delete: nothing was deleted';
  end;
  select jsonb_build_object('documents', count(*), 'chunks', coalesce(sum(r.chunks), 0), 'parts', coalesce(sum(r.parts), 0),
      'citations_redacted', coalesce(sum(r.citations_redacted), 0)) into v_deleted
  from app.deletion_receipt r where r.org_id = delete_knowledge_base.org_id and r.document_id = any (v_documents);
  return jsonb_build_object('knowledge_base_id', delete_knowledge_base.knowledge_base_id) || v_deleted;
end
$$;
comment on function api.delete_knowledge_base(uuid, uuid) is $c$Delete a knowledge base with all its documents, or, if one of these is not yours to delete, nothing.

@audience app
@param org_id             the organization
@param knowledge_base_id  the knowledge base
@returns                  {knowledge_base_id, documents, chunks, parts, citations_redacted}
@errors                   22004, 42501, PT404, PT409
@effect                   destructive$c$;
revoke all on function api.delete_knowledge_base(uuid, uuid) from public;
grant execute on function api.delete_knowledge_base(uuid, uuid) to authenticated;
