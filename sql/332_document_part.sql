-- File parts: the bytes of the original file, in pieces as they came over HTTP. Access as for the document's chunks: its own columns,
-- held equal by the foreign key, under the same policies, so that a download shows nobody what retrieval would not (F33).
create table app.document_part (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  document_id uuid not null,
  knowledge_base_id uuid not null,
  visibility text not null,
  owner_id uuid not null,
  classification smallint not null default 1,
  acl_expires_at timestamptz not null default 'infinity',
  position integer not null constraint document_part_position_check check (position between 0 and 999),
  content bytea not null constraint document_part_content_check check (octet_length(content) between 1 and 180000),
  primary key (org_id, id),
  constraint document_part_document_access_fkey
    foreign key (org_id, document_id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at)
    references app.document (org_id, id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at)
    on update cascade on delete cascade,
  constraint document_part_org_id_document_id_position_key unique (org_id, document_id, position)
);
comment on table app.document_part is 'A piece of a document''s original file.';
comment on column app.document_part.org_id is 'The organization.';
comment on column app.document_part.id is 'Random identifier.';
comment on column app.document_part.document_id is 'The document.';
comment on column app.document_part.knowledge_base_id is 'The document''s knowledge base.';
comment on column app.document_part.visibility is 'The document''s visibility.';
comment on column app.document_part.owner_id is 'The document''s owner.';
comment on column app.document_part.classification is 'The document''s classification.';
comment on column app.document_part.acl_expires_at is 'The document''s.';
comment on column app.document_part.position is 'Place in the file, from 0.';
comment on column app.document_part.content is 'The bytes; at most 180000.';

create function authz.loading_elsewhere() returns setof uuid
language plpgsql stable security definer rows 1
set search_path = pg_catalog, pg_temp
as $$
declare
  v_me uuid := authz.uid();
begin
  -- The policy bounds it to the person's organizations, document_loading_idx to the few that are loading.
  return query select d.id from app.document d where d.state = 'loading' and d.owner_id <> v_me;
end
$$;
comment on function authz.loading_elsewhere() is 'The documents that others in the person''s organizations are loading now. For restrictive policies.';
revoke all on function authz.loading_elsewhere() from public;
grant execute on function authz.loading_elsewhere() to authenticated;
alter function authz.loading_elsewhere() owner to ringfence_owner;

alter table app.document_part enable row level security;
alter table app.document_part force row level security;
create policy document_part_select_reader on app.document_part for select to authenticated
  using (org_id = any (array(select authz.orgs_with('documents.read')))
    and (visibility = 'organization' or owner_id = (select authz.uid())
      or document_id = any (array(select authz.granted_documents()))
      or visibility = 'knowledge_base' and knowledge_base_id = any (array(select authz.granted_knowledge_bases()))));
create policy document_part_insert_loader on app.document_part for insert to authenticated
  with check (org_id = any (array(select authz.orgs_with('documents.read')))
    and document_id in (select d.id from app.document d where d.state = 'loading' and d.owner_id = (select authz.uid())));
create policy document_part_update_nobody on app.document_part for update to authenticated using (false) with check (false);
create policy document_part_delete_nobody on app.document_part for delete to authenticated using (false);
create policy document_part_floor on app.document_part as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy document_part_classification_floor on app.document_part as restrictive for all to authenticated
  using (classification <= 1
      or classification = 2 and org_id = any (array(select authz.orgs_with('documents.read_confidential')))
      or org_id = any (array(select authz.orgs_with('documents.read_secret'))))
  with check (classification <= 1
      or classification = 2 and org_id = any (array(select authz.orgs_with('documents.read_confidential')))
      or org_id = any (array(select authz.orgs_with('documents.read_secret'))));
create policy document_part_denied_floor on app.document_part as restrictive for all to authenticated
  using (document_id <> all (array(select authz.denied('document')))
      and knowledge_base_id <> all (array(select authz.denied('knowledge_base'))))
  with check (document_id <> all (array(select authz.denied('document')))
      and knowledge_base_id <> all (array(select authz.denied('knowledge_base'))));
create policy document_part_expired_floor on app.document_part as restrictive for all to authenticated
  using (acl_expires_at > now() or owner_id = (select authz.uid()))
  with check (acl_expires_at > now() or owner_id = (select authz.uid()));
create policy document_part_loading_floor on app.document_part as restrictive for select to authenticated
  using (document_id <> all (array(select authz.loading_elsewhere())));
comment on policy document_part_select_reader on app.document_part is 'The same rule as document_select_reader.';
comment on policy document_part_insert_loader on app.document_part is 'Into a document one is loading oneself; a ready one is never added to.';
comment on policy document_part_update_nobody on app.document_part is 'A changed file is loaded anew.';
comment on policy document_part_delete_nobody on app.document_part is 'Parts go with their document.';
comment on policy document_part_floor on app.document_part is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy document_part_classification_floor on app.document_part is 'Whatever else is allowed, confidential and secret only with the permission to read such (F26).';
comment on policy document_part_denied_floor on app.document_part is 'Whatever else is allowed, nothing that a rule takes from the person (F15).';
comment on policy document_part_expired_floor on app.document_part is 'Whatever else is allowed, nothing whose access was last checked at its source too long ago; who brought it in keeps it, to check again (F30).';
comment on policy document_part_loading_floor on app.document_part is 'Whatever else is allowed, nothing of what somebody else is still loading: rules and grants of the version before come to it at its end (F15).';
grant select on app.document_part to authenticated;
grant insert (org_id, document_id, knowledge_base_id, visibility, owner_id, classification, acl_expires_at, position, content)
  on app.document_part to authenticated;
create trigger _060_in_scope before insert or update or delete on app.document_part
  for each statement execute function authz.tg_in_scope('documents.manage');
