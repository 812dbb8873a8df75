-- What is in the context of a run (F39), read by the database from what its steps returned, and only ever more of it.

create function authz.single_calls_taint() returns text[]
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select distinct t.label
    from app.run r cross join unnest(r.taint) t (label)
    where r.org_id = any (array(select authz.org_ids())) and r.user_id = authz.uid() and r.started_at > now() - authz.run_lasts()
      and authz.is_tool_conversation(r.org_id, r.conversation_id)
    order by t.label);
end
$$;
comment on function authz.single_calls_taint() is 'What single tool calls of authz.uid() brought in, in whatever organization: who makes them keeps what they returned where no run sees it, so it counts for as long as a run may last (F39).';
revoke all on function authz.single_calls_taint() from public;
grant execute on function authz.single_calls_taint() to authenticated;

create function authz.tg_run_taint() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if authz.is_tool_conversation(new.org_id, new.conversation_id) then
    new.taint := authz.single_calls_taint();
  else
    new.taint := array(
      select distinct t.label
      from app.run r cross join unnest(r.taint) t (label)
      where r.org_id = new.org_id and r.conversation_id = new.conversation_id and r.user_id = new.user_id
      order by t.label);
  end if;
  return new;
end
$$;
comment on function authz.tg_run_taint() is 'Trigger: a run begins with what the runs before it in its conversation had in their context, whatever its insert says (F39).';
revoke all on function authz.tg_run_taint() from public;
create trigger _200_taint before insert on app.run
  for each row execute function authz.tg_run_taint();

create function authz.tg_step_taint() returns trigger
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if new.kind = 'tool' and new.outcome = 'ok' and (new.row_count > 0 or new.sources <> '[]') then
    new.taint := array['private'] || case
      when 'untrusted' = any (new.taint)
        -- A passage is as trusted as its document is now, whatever was said of it.
        or exists (select from jsonb_array_elements(new.sources) s
          where s.value ? 'chunk_id' and not exists (select from app.document d
            where d.org_id = new.org_id and d.trust = 'trusted'
              and d.id = case when pg_input_is_valid(s.value ->> 'document_id', 'uuid') then (s.value ->> 'document_id')::uuid end))
      then array['untrusted'] else '{}' end
      -- As classified as its document is now; one that is not to be seen counts as secret.
      || array(
        select distinct case when d.classification = 2 then 'confidential' else 'secret' end
        from jsonb_array_elements(new.sources) s
        cross join lateral (select coalesce(s.value ->> 'document_id', s.value ->> 'id') as id) named
        left join app.document d on d.org_id = new.org_id and d.id = case when pg_input_is_valid(named.id, 'uuid') then named.id::uuid end
        where coalesce(d.classification >= 2, s.value ? 'chunk_id')
        order by 1);
  else
    new.taint := null;
  end if;
  return new;
end
$$;
comment on function authz.tg_step_taint() is 'Trigger: what a tool returned is private, and untrusted where a row or the document of a passage is not trusted, and as classified as the documents (F15, F31, F39).';
revoke all on function authz.tg_step_taint() from public;
create trigger _200_taint before insert on app.run_step
  for each row execute function authz.tg_step_taint();

create function authz.tg_taint_run() returns trigger
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update app.run r set taint = array(select distinct t.label from unnest(r.taint || new.taint) t (label) order by t.label)
  where r.org_id = new.org_id and r.id = new.run_id and not new.taint <@ r.taint;
  return null;
end
$$;
comment on function authz.tg_taint_run() is 'Trigger: what a step brought in is in the context of its run from then on (F39).';
revoke all on function authz.tg_taint_run() from public;
create trigger _600_taint after insert on app.run_step
  for each row when (new.taint is not null) execute function authz.tg_taint_run();
alter function authz.tg_taint_run() owner to ringfence_owner;
