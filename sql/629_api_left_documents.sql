-- Private documents of people who left: seen and taken over by documents.manage, nothing of them read before.

create function api.list_left_documents(org_id uuid) returns table (
  id uuid, knowledge_base_id uuid, title text, uri text, owner_id uuid, owner_left_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(list_left_documents.org_id);
  return query select l.* from authz.left_documents(list_left_documents.org_id) l;
end
$$;
comment on function api.list_left_documents(uuid) is $c$List private documents whose owner left the organization, of knowledge bases and classes you may read; needs documents.manage.

@audience app
@param org_id  the organization
@returns       array of at most 1000 {id, knowledge_base_id, title, uri, owner_id, owner_left_at}; longest left first
@errors        22004
@effect        read$c$;
revoke all on function api.list_left_documents(uuid) from public;
grant execute on function api.list_left_documents(uuid) to authenticated;

create function api.adopt_document(org_id uuid, document_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(adopt_document.org_id);
  if authz.take_over_document(adopt_document.org_id, adopt_document.document_id) is not true then
    raise sqlstate 'PT404' using message = 'no such document that was left behind, or not yours to take over';
  end if;
  return jsonb_build_object('document_id', adopt_document.document_id, 'owner_id', authz.uid());
end
$$;
comment on function api.adopt_document(uuid, uuid) is $c$Become the owner of a private document whose owner left the organization; needs documents.manage, and is in the audit trail.

@audience app
@param org_id       the organization
@param document_id  the document, as list_left_documents gives it
@returns            {document_id, owner_id: yours}
@errors             22004, PT404
@effect             write$c$;
revoke all on function api.adopt_document(uuid, uuid) from public;
grant execute on function api.adopt_document(uuid, uuid) to authenticated;
