-- How the worker runs SQL inside a job: through a cursor, which holds one statement that returns rows and nothing else.

create function authz.open_query(query text) returns text
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_cursor refcursor := 'job_result';
begin
  -- As a parameter: pg_stat_activity shows every analyst what other analysts run, and there stands this call.
  open v_cursor no scroll for execute open_query.query;
  return v_cursor;
end
$$;
comment on function authz.open_query(text) is 'Open the cursor job_result for one statement that returns rows, as whoever calls; PostgreSQL refuses several.';
revoke all on function authz.open_query(text) from public;
grant execute on function authz.open_query(text) to ringfence_analyst;

create function authz.fetch_rows(max_rows integer, max_bytes integer) returns table (line text, more boolean)
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_cursor refcursor := 'job_result';
  v_row record;
  v_rows integer := 0;
  v_bytes bigint := 0;
begin
  loop
    fetch v_cursor into v_row;
    exit when not found;
    -- Measured here, so that nothing larger is ever sent: first as it is kept, which costs nothing, then as text.
    v_rows := v_rows + 1;
    line := case when v_rows <= fetch_rows.max_rows and pg_column_size(v_row) <= fetch_rows.max_bytes then (
      -- A list, not an object: two columns may have one name.
      select coalesce(json_agg(c.value), '[]')::text from json_each(row_to_json(v_row)) c) end;
    v_bytes := v_bytes + octet_length(line);
    if line is null or v_bytes > fetch_rows.max_bytes then
      line := null;
      more := true;
      return next;
      return;
    end if;
    more := false;
    return next;
  end loop;
end
$$;
comment on function authz.fetch_rows(integer, integer) is 'The rows of the cursor job_result as JSON lists, no more than so many rows and bytes; a last line of null says that there were more.';
revoke all on function authz.fetch_rows(integer, integer) from public;
grant execute on function authz.fetch_rows(integer, integer) to ringfence_analyst;
