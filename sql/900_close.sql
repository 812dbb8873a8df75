-- Handed over only here: making a trigger takes EXECUTE on its function, which the migration role has while it owns it.
alter function authz.tg_audit() owner to ringfence_owner;
alter function authz.tg_publish_version() owner to ringfence_owner;
alter function authz.tg_document_forget() owner to ringfence_owner;
alter function authz.tg_document_inherit() owner to ringfence_owner;
alter function authz.tg_knowledge_base_owner() owner to ringfence_owner;
alter function authz.tg_knowledge_base_loading() owner to ringfence_owner;
alter function authz.tg_deprovision() owner to ringfence_owner;
alter function authz.tg_membership_departure() owner to ringfence_owner;
alter function authz.tg_job_scope_over() owner to ringfence_owner;

-- The definer functions have been handed over: their owner creates nothing more.
revoke create on schema authz from ringfence_owner;

-- A running PostgREST reads the new functions and its settings.
notify pgrst, 'reload schema';
notify pgrst, 'reload config';
