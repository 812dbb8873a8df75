-- What deleting a document took with it (F32). The row is written by the deletion itself, whichever way it comes: through a function,
-- by a newer version taking its place, or by a statement on the table.
create table app.deletion_receipt (
  org_id uuid not null references app.organization (id) on delete cascade,
  id uuid not null default gen_random_uuid(),
  document_id uuid not null,
  knowledge_base_id uuid not null,
  sha256 text not null,
  chunks integer not null constraint deletion_receipt_chunks_check check (chunks >= 0),
  parts integer not null constraint deletion_receipt_parts_check check (parts >= 0),
  citations_redacted integer constraint deletion_receipt_citations_redacted_check check (citations_redacted >= 0),
  deleted_by uuid default authz.uid(),
  deleted_at timestamptz not null default clock_timestamp(),
  primary key (org_id, id)
);
create index deletion_receipt_org_id_deleted_at_id_idx on app.deletion_receipt (org_id, deleted_at desc, id desc);
create index deletion_receipt_org_id_document_id_idx on app.deletion_receipt (org_id, document_id);
comment on table app.deletion_receipt is 'Proof of a deletion: what there was of a document, in numbers. Holds no title, place or text.';
comment on column app.deletion_receipt.org_id is 'The organization.';
comment on column app.deletion_receipt.id is 'Random identifier.';
comment on column app.deletion_receipt.document_id is 'The document that was.';
comment on column app.deletion_receipt.knowledge_base_id is 'The knowledge base it was in.';
comment on column app.deletion_receipt.sha256 is 'SHA-256 of its source.';
comment on column app.deletion_receipt.chunks is 'Passages deleted, each with its vector and its terms.';
comment on column app.deletion_receipt.parts is 'Pieces of the original file deleted.';
comment on column app.deletion_receipt.citations_redacted is 'Citations of it in stored answers, now without its title, place and identifiers; null when an operator deleted it in the database.';
comment on column app.deletion_receipt.deleted_by is 'Who deleted it; null for an operator.';
comment on column app.deletion_receipt.deleted_at is 'When.';

alter table app.deletion_receipt enable row level security;
alter table app.deletion_receipt force row level security;
create policy deletion_receipt_select_deleter on app.deletion_receipt for select to authenticated
  using (deleted_by = (select authz.uid()) and org_id = any (array(select authz.orgs_with('documents.read')))
    or org_id = any (array(select authz.orgs_with('audit.read'))));
create policy deletion_receipt_insert_deleter on app.deletion_receipt for insert to authenticated
  with check (deleted_by = (select authz.uid()) and document_id in (select d.id from app.document d));
create policy deletion_receipt_update_nobody on app.deletion_receipt for update to authenticated using (false) with check (false);
create policy deletion_receipt_delete_nobody on app.deletion_receipt for delete to authenticated using (false);
create policy deletion_receipt_floor on app.deletion_receipt as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy deletion_receipt_select_deleter_owner on app.deletion_receipt for select to ringfence_owner
  using (deleted_by = (select authz.uid()) and org_id = any (array(select authz.org_ids())));
create policy deletion_receipt_update_deleter_owner on app.deletion_receipt for update to ringfence_owner
  using (deleted_by = (select authz.uid()) and org_id = any (array(select authz.org_ids())))
  with check (deleted_by = (select authz.uid()) and org_id = any (array(select authz.org_ids())));
comment on policy deletion_receipt_select_deleter on app.deletion_receipt is 'One sees one''s own deletions; audit.read the organization''s.';
comment on policy deletion_receipt_insert_deleter on app.deletion_receipt is 'In one''s own name, for a document one can see: the trigger, before it is gone. Not confirmed until citations_redacted is filled.';
comment on policy deletion_receipt_update_nobody on app.deletion_receipt is 'Append-only.';
comment on policy deletion_receipt_delete_nobody on app.deletion_receipt is 'Append-only.';
comment on policy deletion_receipt_floor on app.deletion_receipt is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy deletion_receipt_select_deleter_owner on app.deletion_receipt is 'The trigger that confirms it finds the receipt of the person deleting.';
comment on policy deletion_receipt_update_deleter_owner on app.deletion_receipt is 'The trigger that confirms it fills in how many citations it redacted.';
grant select on app.deletion_receipt to authenticated;
grant insert (org_id, document_id, knowledge_base_id, sha256, chunks, parts) on app.deletion_receipt to authenticated;
grant select (org_id, document_id, citations_redacted, deleted_by), update (citations_redacted) on app.deletion_receipt to ringfence_owner;

create function authz.tg_document_receipt() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  -- An erasure deletes as ringfence_owner, and counts on a receipt of its own.
  if authz.is_purging(old.org_id) or current_user = 'ringfence_owner' then
    return old;
  end if;
  insert into app.deletion_receipt (org_id, document_id, knowledge_base_id, sha256, chunks, parts)
  select old.org_id, old.id, old.knowledge_base_id, old.sha256,
    (select count(*) from app.chunk c where c.org_id = old.org_id and c.document_id = old.id),
    (select count(*) from app.document_part p where p.org_id = old.org_id and p.document_id = old.id);
  return old;
end
$$;
comment on function authz.tg_document_receipt() is 'Trigger: count what goes with a document, while it is there.';
revoke all on function authz.tg_document_receipt() from public;
create trigger _500_receipt before delete on app.document
  for each row when (old.state = 'ready') execute function authz.tg_document_receipt();

create function authz.tg_document_forget() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_cited jsonb := jsonb_build_array(jsonb_build_object('document_id', old.id));
  v_redacted integer := 0;
begin
  if authz.is_purging(old.org_id) then
    return null;
  end if;
  select coalesce(sum((select count(*) from jsonb_array_elements(m.citations) c where c.value ->> 'document_id' = old.id::text)), 0)
    into v_redacted
  from app.message m where m.org_id = old.org_id and m.citations @> v_cited;
  update app.message m set citations = (
    select jsonb_agg(case when c.value ->> 'document_id' = old.id::text
        then jsonb_strip_nulls(jsonb_build_object('n', c.value -> 'n', 'redacted', true)) else c.value end order by c.ordinality)
    from jsonb_array_elements(m.citations) with ordinality c)
  where m.org_id = old.org_id and m.citations @> v_cited;
  update app.deletion_receipt r set citations_redacted = v_redacted
  where r.org_id = old.org_id and r.document_id = old.id and r.citations_redacted is null;
  return null;
end
$$;
comment on function authz.tg_document_forget() is 'Trigger: what stored answers cite of a deleted document is redacted, whosever answers they are, and counted on its receipt (F32).';
revoke all on function authz.tg_document_forget() from public;
create trigger _510_forget after delete on app.document
  for each row when (old.state = 'ready') execute function authz.tg_document_forget();

create function authz.inherit_rules(org_id uuid, from_document uuid, to_document uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into app.deny_rule (org_id, user_id, team_id, role_id, document_id, reason)
    select r.org_id, r.user_id, r.team_id, r.role_id, inherit_rules.to_document, r.reason from app.deny_rule r
    where r.org_id = inherit_rules.org_id and r.document_id = inherit_rules.from_document
      -- Against its loader it comes at the end: until then nobody else could finish it.
      and r.user_id is distinct from authz.uid() and num_nonnulls(r.user_id, r.team_id, r.role_id) > 0
      and (r.team_id is null or r.team_id <> all (array(select authz.team_ids())))
      and (r.role_id is null or r.role_id <> all (array(select authz.role_ids())))
  on conflict do nothing;
end
$$;
comment on function authz.inherit_rules(uuid, uuid, uuid) is 'Put the rules that deny a document to others onto the version of it that the person asking is loading, from its first passage on (F15).';
revoke all on function authz.inherit_rules(uuid, uuid, uuid) from public;
grant execute on function authz.inherit_rules(uuid, uuid, uuid) to authenticated;
alter function authz.inherit_rules(uuid, uuid, uuid) owner to ringfence_owner;

create function authz.tg_document_inherit() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_next uuid;
begin
  if authz.is_purging(old.org_id) then
    return old;
  end if;
  -- The version that takes this one's place is the person's own.
  for v_next in
    select d.id from app.document d
    where d.org_id = old.org_id and d.knowledge_base_id = old.knowledge_base_id and d.uri = old.uri
      and d.owner_id = authz.uid() and d.state = 'loading'
      and (d.visibility = 'private') = (old.visibility = 'private')
  loop
    insert into app.document_grant (org_id, document_id, user_id, team_id, level)
      select g.org_id, v_next, g.user_id, g.team_id, g.level from app.document_grant g
      -- Nothing for the earlier owner: they may have lost the knowledge base, and could have shared it with themselves before.
      where g.org_id = old.org_id and g.document_id = old.id and g.user_id is distinct from old.owner_id
    on conflict do nothing;
    insert into app.deny_rule (org_id, user_id, team_id, role_id, document_id, reason)
      select r.org_id, r.user_id, r.team_id, r.role_id, v_next, r.reason from app.deny_rule r
      where r.org_id = old.org_id and r.document_id = old.id
    on conflict do nothing;
  end loop;
  return old;
end
$$;
comment on function authz.tg_document_inherit() is 'Trigger: the version that replaces a document has its grants and the rules that deny it, seen by the person replacing or not; its earlier owner has only what the knowledge base gives them.';
revoke all on function authz.tg_document_inherit() from public;
create trigger _400_inherit before delete on app.document
  for each row when (old.state = 'ready') execute function authz.tg_document_inherit();
