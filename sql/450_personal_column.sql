-- The inventory of what names a person or was written by one (F68): every column, what an erasure does with it, and why where it stays.
-- A test fails on a column of the schema that is in neither this list nor its own list of what names nobody. Each table is one of
--   deleted     the row goes, by the erasure itself or with what it hangs on
--   anonymised  the row stays and names nobody any more
--   retained    stays as it is, for the reason given
create function authz.personal_columns() returns table (table_name text, columns text[], on_erasure text, reason text)
language sql immutable parallel safe rows 60
set search_path = pg_catalog, pg_temp
as $$
  values
    ('membership', '{user_id,email,service_owner_id}'::text[], 'deleted', 'goes when the person leaves, which is part of the erasure'),
    ('team_member', '{user_id}', 'deleted', 'goes with the membership'),
    ('member_activity', '{user_id}', 'deleted', 'goes with the membership'),
    ('session_choice', '{user_id,session_id}', 'deleted', 'goes with the membership'),
    ('sso_member', '{user_id}', 'deleted', 'goes with the membership'),
    ('bot_runner', '{user_id}', 'deleted', 'what was shared with the person goes with the membership'),
    ('kb_grant', '{user_id}', 'deleted', 'as that'),
    ('document_grant', '{user_id}', 'deleted', 'as that'),
    ('deny_rule', '{user_id}', 'deleted', 'rules about the person go with the membership'),
    ('conversation', '{user_id,title}', 'deleted', 'the person''s own, with all that was said'),
    ('message', '{user_id,content,citations}', 'deleted', 'goes with the conversation'),
    ('run', '{user_id,on_behalf_of,question_sha256,answer_sha256,client_id,request_id}', 'deleted', 'goes with the conversation'),
    ('run_step', '{user_id,arguments_sha256,sources}', 'deleted', 'goes with the run'),
    ('model_call', '{user_id}', 'deleted', 'goes with the run'),
    ('approval', '{user_id,on_behalf_of,arguments,arguments_sha256}', 'deleted', 'goes with the run'),
    ('approval', '{decided_by}', 'retained', 'an opaque identifier: who said yes or no'),
    ('analytics_job', '{user_id,question,sql,drafted_sql,ran_sql,sql_sha256,ran_sha256,session}', 'deleted', 'what the person asked of data'),
    ('analytics_result', '{user_id,rows,columns,chart,sha256,error_message}', 'deleted', 'goes with the job'),
    ('analytics_result_grant', '{user_id,created_by}', 'deleted', 'goes with the result, and with the membership of whom it was shared with'),
    ('data_source_grant', '{user_id}', 'deleted', 'what was shared with the person goes with the membership'),
    ('job_scope', '{claims}', 'retained', 'lives no longer than its transaction'),
    ('data_source', '{created_by,name,slug,description}', 'retained', 'the organization''s own; who made it is an opaque identifier'),
    ('metric', '{created_by,name,description,sql,tests}', 'retained', 'as that'),
    ('column_meaning', '{meaning}', 'retained', 'the organization''s own'),
    ('accepted_query', '{created_by,question,sql}', 'retained', 'handed over to the organization as an example; withdraw it to delete it'),
    ('uploaded_table', '{created_by,name,columns}', 'retained', 'the organization''s own; who brought it is an opaque identifier'),
    ('uploaded_row', '{data}', 'retained', 'data that the organization keeps of its own account: delete the table to delete it'),
    ('support_ticket', '{user_id,subject,body}', 'deleted', 'what the person asked for help with'),
    ('document', '{owner_id}', 'anonymised', 'private and unfinished documents are deleted with their passages and files; of the others a random identifier takes the owner''s place'),
    ('document', '{title,uri,tags}', 'retained', 'a document that the organization reads is the organization''s; private ones are deleted'),
    ('chunk', '{owner_id}', 'anonymised', 'follows the document'),
    ('chunk', '{heading,content,embedding,terms}', 'retained', 'follows the document'),
    ('document_part', '{owner_id}', 'anonymised', 'follows the document'),
    ('document_part', '{content}', 'retained', 'follows the document'),
    ('api_token', '{name}', 'anonymised', 'every token is revoked and its name blotted out; the row stays, or its session would be an ordinary one'),
    ('api_token', '{user_id,session_id}', 'retained', 'an opaque identifier: without the row a revoked session would open again'),
    ('invitation', '{email}', 'anonymised', 'of the invitation that the person accepted'),
    ('invitation', '{accepted_by,created_by}', 'retained', 'an opaque identifier: who let whom in'),
    ('customer_order', '{user_id,items}', 'retained', 'books of account are kept as long as the law says; GDPR 17(3)(b), CCPA 1798.105(d)(8)'),
    ('audit_event', '{actor_id,on_behalf_of,object_id,client_id,auth_session_id,request_id,arguments_sha256,object_sha256}', 'retained', 'the trail holds identifiers, names of acts and digests, no content; changing it would break its proof; GDPR 17(3)(b) and (e)'),
    ('departure', '{user_id,ended_by}', 'retained', 'an opaque identifier: whoever was sent away comes back only by invitation'),
    ('usage_entry', '{actor_id}', 'retained', 'an opaque identifier beside a number: what was used is billed'),
    ('deletion_receipt', '{deleted_by}', 'retained', 'proof of a deletion; an opaque identifier'),
    ('organization_export', '{requested_by}', 'retained', 'proof of who took the organization along; an opaque identifier'),
    ('erasure', '{user_id,requested_by}', 'retained', 'proof of this erasure; an opaque identifier'),
    ('legal_hold', '{user_id,created_by,released_by,reason}', 'retained', 'proof of what was held, and why'),
    ('secret', '{user_id,ciphertext,wrapped_key}', 'deleted', 'the person''s own credentials go with the membership'),
    ('secret', '{created_by}', 'retained', 'an opaque identifier: who sealed a secret of the organization'),
    ('retention_rule', '{set_by}', 'retained', 'an opaque identifier: who said how long'),
    ('organization', '{created_by,name,slug}', 'retained', 'the organization''s own; its founder is an opaque identifier'),
    ('team', '{created_by,name,slug}', 'retained', 'the organization''s own'),
    ('role', '{name}', 'retained', 'the organization''s own'),
    ('bot', '{created_by,name,slug,instructions}', 'retained', 'the organization''s own; who made it is an opaque identifier'),
    ('bot_version', '{created_by,name,instructions}', 'retained', 'as that: records of runs name it'),
    ('knowledge_base', '{created_by,name,slug}', 'retained', 'the organization''s own; who made it is an opaque identifier'),
    ('kb_grant', '{created_by}', 'retained', 'an opaque identifier: who shared it'),
    ('document_grant', '{created_by}', 'retained', 'as that'),
    ('deny_rule', '{created_by,reason}', 'retained', 'an opaque identifier: who made the rule, and the organization''s reason for it'),
    ('sso_group', '{created_by,name}', 'retained', 'an opaque identifier: who said so; the group is the identity provider''s')
$$;
comment on function authz.personal_columns() is 'The inventory: which columns name a person or hold what one wrote, what an erasure does with them (deleted, anonymised, retained), and why.';
revoke all on function authz.personal_columns() from public;
grant execute on function authz.personal_columns() to authenticated, ringfence_owner;
