-- Class:    Audit trigger disabled
-- Culprit:  public.documents
-- Command:  state
--
-- Disabled for a bulk import. Every later change goes unrecorded.

alter table public.documents disable trigger documents_audit;

-- @as mia
insert into documents (org_id, title) values (:acme, 'quietly')
-- @seen
select 1 where not exists (select 1 from public.audit_log where action = 'insert documents' and actor_id = :mia)
