-- Accepting a question with the SQL that answered it, as an example for who asks the same source later (F48).

create function api.accept_analytics_query(org_id uuid, job_id uuid, question text default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_job app.analytics_job;
  v_question text;
  v_sql text;
  v_id uuid;
begin
  perform authz.require_org(accept_analytics_query.org_id);
  select j.* into v_job from app.analytics_job j
  where j.org_id = accept_analytics_query.org_id and j.id = accept_analytics_query.job_id and j.user_id = authz.uid() and j.status = 'succeeded';
  if not found then
    raise sqlstate 'PT404' using message = 'no such job of yours that succeeded';
  end if;
  v_question := coalesce(accept_analytics_query.question, v_job.question);
  perform authz.require(v_question is not null, 'question: the job was asked in SQL, so say what it answers');
  perform authz.require(char_length(v_question) between 1 and 400, 'question: 1..400 characters');
  -- What ran names what the guard put in the place of relations; an example names the relations.
  v_sql := coalesce(v_job.drafted_sql, v_job.sql);
  perform authz.require(char_length(v_sql) <= 2000, 'job_id: its SQL was not kept, or has more than 2000 characters');
  perform authz.lock_name(v_job.org_id, 'example ' || v_job.data_source_id);
  -- The same question again takes the place of the one before.
  delete from app.accepted_query q where q.org_id = v_job.org_id and q.data_source_id = v_job.data_source_id and q.question = v_question;
  insert into app.accepted_query (org_id, data_source_id, question, sql)
  values (v_job.org_id, v_job.data_source_id, v_question, v_sql)
  returning id into v_id;
  return jsonb_build_object('id', v_id, 'question', v_question, 'sql', v_sql);
end
$$;
comment on function api.accept_analytics_query(uuid, uuid, text) is $c$Accept what one of your jobs was answered with as an example: whoever asks this source in words has the question and the SQL shown to the model, and may read them. Needs level editor or analytics.manage.

@audience app
@param org_id    the organization
@param job_id    a job of yours that succeeded; its SQL has at most 2000 characters
@param question  what it answers, in words; 1..400 characters; null: as it was asked
@returns         {id, question, sql}
@errors          22004, 22023, 23514, 42501, PT404
@effect          write$c$;
revoke all on function api.accept_analytics_query(uuid, uuid, text) from public;
grant execute on function api.accept_analytics_query(uuid, uuid, text) to authenticated;

create function api.withdraw_accepted_query(org_id uuid, query_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(withdraw_accepted_query.org_id);
  delete from app.accepted_query q where q.org_id = withdraw_accepted_query.org_id and q.id = withdraw_accepted_query.query_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such example, or not yours to withdraw';
  end if;
  return jsonb_build_object('id', withdraw_accepted_query.query_id);
end
$$;
comment on function api.withdraw_accepted_query(uuid, uuid) is $c$Withdraw an example: it is shown to no model from the next question on. Needs level editor on its source or analytics.manage.

@audience app
@param org_id    the organization
@param query_id  the example
@returns         {id}
@errors          22004, 42501, PT404
@effect          write$c$;
revoke all on function api.withdraw_accepted_query(uuid, uuid) from public;
grant execute on function api.withdraw_accepted_query(uuid, uuid) to authenticated;

create function api.list_accepted_queries(org_id uuid, source text)
returns table (id uuid, question text, sql text, created_by uuid, created_at timestamptz)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(list_accepted_queries.org_id, list_accepted_queries.source);
begin
  return query
    select q.id, q.question, q.sql, q.created_by, q.created_at
    from app.accepted_query q where q.org_id = v_source.org_id and q.data_source_id = v_source.id
    order by q.created_at desc, q.id
    limit 1000;
end
$$;
comment on function api.list_accepted_queries(uuid, text) is $c$List the examples of a data source; the first 8 are shown to the model that writes SQL for a question.

@audience app
@param org_id  the organization
@param source  slug or id
@returns       array of {id, question, sql, created_by, created_at}, at most 1000; newest first
@errors        22004, PT404, PT409
@effect        read$c$;
revoke all on function api.list_accepted_queries(uuid, text) from public;
grant execute on function api.list_accepted_queries(uuid, text) to authenticated;
