-- What an organization holds about the person asking, for them to take along (F67): what the inventory of 450_personal_column.sql lists, as
-- far as row security shows it to them.

create function authz.acts_on_me(org_id uuid) returns jsonb
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  -- When and what, and as which role: who it was is data about them.
  select coalesce(jsonb_agg(jsonb_build_object('at', e.at, 'action', e.action, 'by_role', e.actor_role, 'changed', e.changed, 'outcome', e.outcome) order by e.at), '[]')
  from (
    select a.at, a.action, a.actor_role, a.changed, a.outcome from app.audit_event a
    where a.org_id = acts_on_me.org_id and a.object_id = authz.uid()::text and a.actor_id is distinct from authz.uid()
    order by a.at desc limit 1000) e
$$;
comment on function authz.acts_on_me(uuid) is 'What others did to the membership of the person asking, from the audit trail, without who: the newest 1000.';
revoke all on function authz.acts_on_me(uuid) from public;
grant execute on function authz.acts_on_me(uuid) to authenticated;
alter function authz.acts_on_me(uuid) owner to ringfence_owner;

create function api.export_me(org_id uuid, table_name text default null, after text[] default null, max_rows integer default 500) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
set statement_timeout = '60s'
as $$
declare
  v_name text;
  v_rows bigint;
  v_tables jsonb := '{}';
begin
  perform authz.require_org(export_me.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  if (export_me.org_id = any (array(select authz.org_ids()))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  if export_me.table_name is not null then
    return authz.rows_page(export_me.org_id, export_me.table_name, true, export_me.after, max_rows);
  end if;
  for v_name in select t.name from authz.organization_tables() t where authz.names_me(t.name) is not null order by t.name loop
    execute format('select count(*) from app.%I t where t.%I = $1 and %s', v_name, case v_name when 'organization' then 'id' else 'org_id' end, authz.names_me(v_name))
      into v_rows using export_me.org_id;
    v_tables := v_tables || jsonb_build_object(v_name, v_rows);
  end loop;
  return jsonb_build_object('org_id', export_me.org_id, 'user_id', authz.uid(), 'email', authz.verified_email(), 'at', now(), 'tables', v_tables,
    'by_others', authz.acts_on_me(export_me.org_id));
end
$$;
comment on function api.export_me(uuid, text, text[], integer) is $c$Give what an organization holds about you: first the tables with the number of rows, then their rows page by page, without what checks a secret.

@audience app
@param org_id      the organization; needs a recent second factor of your own
@param table_name  name of a table that the first answer told; leave it out for the first answer
@param after       next of the page before; leave it out for the first page
@param max_rows    number of rows; 1..1000
@returns           {org_id, user_id, email, at, tables: {table: rows}, by_others: [{at, action, by_role, changed, outcome}]: what others did to your membership}; with table_name {table, rows: [text], next (null: that was the last page), sha256 (of the rows with a line feed between them)}
@errors            22004, 22023, 42501, PT401, PT404
@effect            read$c$;
revoke all on function api.export_me(uuid, text, text[], integer) from public;
grant execute on function api.export_me(uuid, text, text[], integer) to authenticated;
