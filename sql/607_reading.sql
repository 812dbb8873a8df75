-- Reading documents outside a run leaves its record too (F61): inside one the call is the record. What reads and writes nothing but its own record
-- is volatile, says `@effect read` and `@changes nothing`, and cannot run where it could not be recorded.

create function authz.note_reading(org_id uuid, action text, target text, documents uuid[], run_id uuid default null) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
begin
  perform authz.require(note_reading.action in ('documents.search', 'document.read'), 'action: documents.search or document.read');
  -- In an organization that is not theirs nothing was read, and nothing is written.
  if (note_reading.org_id = any (array(select authz.org_ids()))) is not true then
    return;
  end if;
  -- api.call_tool() sets it for the call it is about to record. No route sets a setting; with SQL one would need no function to read.
  if current_setting('ringfence.recorded_run', true) = note_reading.run_id::text then
    return;
  end if;
  select r.id, r.bot_id, r.bot_version into v_run from app.run r
  where r.org_id = note_reading.org_id and r.id = note_reading.run_id and r.user_id = authz.uid();
  perform authz.record_event(
    org_id => note_reading.org_id, action => note_reading.action, target => note_reading.target,
    object_id => case when note_reading.action = 'document.read' then note_reading.documents[1]::text end,
    run_id => v_run.id, bot_id => v_run.bot_id, bot_version => v_run.bot_version,
    documents => case when note_reading.action = 'documents.search' then note_reading.documents end);
end
$$;
comment on function authz.note_reading(uuid, text, text, uuid[], uuid) is 'Record that authz.uid() searched documents or read one, in an organization of theirs; not where a call of a tool in a run records it.';
revoke all on function authz.note_reading(uuid, text, text, uuid[], uuid) from public;
grant execute on function authz.note_reading(uuid, text, text, uuid[], uuid) to authenticated;
alter function authz.note_reading(uuid, text, text, uuid[], uuid) owner to ringfence_owner;
