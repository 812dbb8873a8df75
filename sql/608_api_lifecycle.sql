-- The last pages of an organization's life: taking everything along (export) and leaving nothing (purge). F23

create function authz.organization_tables() returns table (name text, keys text[], types text[])
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select c.relname::text, k.keys, k.types
  from pg_class c
  join pg_index i on i.indrelid = c.oid and i.indisprimary
  cross join lateral (
    select array_agg(a.attname::text order by u.n), array_agg(format_type(a.atttypid, a.atttypmod) order by u.n)
    from unnest(i.indkey::smallint[]) with ordinality u (attnum, n) join pg_attribute a on a.attrelid = c.oid and a.attnum = u.attnum
    where a.attname <> 'org_id'
  ) k (keys, types)
  where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'select')
    and (c.relname = 'organization' or exists (
      select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped))
$$;
comment on function authz.organization_tables() is 'Every table of organizations that the person may read rows of, with the columns of its key but org_id, and their types: from the catalog, not from a list.';
revoke all on function authz.organization_tables() from public;
grant execute on function authz.organization_tables() to authenticated;

create function api.export_organization(org_id uuid) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set statement_timeout = '60s'
as $$
declare
  v_table record;
  v_rows bigint;
  v_tables jsonb := '{}';
  v_export app.organization_export;
begin
  perform authz.require_org(export_organization.org_id);
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  if (export_organization.org_id = any (array(select authz.orgs_with('organization.manage')))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  for v_table in select t.name from authz.organization_tables() t order by t.name loop
    execute format('select count(*) from app.%I t where t.%I = $1', v_table.name, case v_table.name when 'organization' then 'id' else 'org_id' end)
      into v_rows using export_organization.org_id;
    v_tables := v_tables || jsonb_build_object(v_table.name, v_rows);
  end loop;
  insert into app.organization_export (org_id, tables) values (export_organization.org_id, v_tables) returning * into v_export;
  return jsonb_build_object('export_id', v_export.id, 'org_id', v_export.org_id, 'requested_at', v_export.requested_at,
    'until', v_export.requested_at + authz.export_lasts(), 'tables', v_export.tables);
end
$$;
comment on function api.export_organization(uuid) is $c$Begin to take an organization along: the tables there are and how many rows of each you may read. Their rows come from export_rows.

@audience app
@param org_id  the organization; needs organization.manage and a recent second factor of your own
@returns       {export_id, org_id, requested_at, until (when export_rows stops), tables: {table: rows}}
@errors        22004, 42501, PT401, PT404
@effect        write$c$;
revoke all on function api.export_organization(uuid) from public;
grant execute on function api.export_organization(uuid) to authenticated;

create function authz.names_me(table_name text) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- A condition of names from the catalog and the inventory alone.
  select '(' || string_agg(format('t.%I = authz.uid()', a.attname), ' or ' order by a.attnum) || ')'
  from authz.personal_columns() p
  join pg_attribute a on a.attrelid = to_regclass('app.' || quote_ident(p.table_name)) and a.attname = any (p.columns)
    and a.atttypid = 'uuid'::regtype and a.attname not in ('session_id', 'auth_session_id') and not a.attisdropped
  where p.table_name = names_me.table_name
$$;
comment on function authz.names_me(text) is 'The condition by which a row t of a table names the person asking: the columns of the inventory that hold people. Null for a table without one.';
revoke all on function authz.names_me(text) from public;
grant execute on function authz.names_me(text) to authenticated;

create function authz.rows_page(org_id uuid, table_name text, mine boolean, after text[], max_rows integer) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table record;
  v_row record;
  v_rows text[] := '{}';
  v_size integer := 0;
  v_next text[];
  v_whose text := '';
begin
  select t.* into v_table from authz.organization_tables() t where t.name = rows_page.table_name;
  perform authz.require(found, 'table_name: one of the tables that the beginning of the export told');
  perform authz.require(rows_page.after is null or cardinality(rows_page.after) = cardinality(v_table.keys) and array_position(rows_page.after, null) is null,
    'after: next of the page before');
  if rows_page.mine is not false then
    v_whose := ' and ' || coalesce(authz.names_me(v_table.name), 'false');
  end if;
  -- Names and types are the catalog's; what the caller says is only ever a quoted value.
  for v_row in execute format(
    'select (to_jsonb(t) - $3)::text as line, array[%s] as place from app.%I t where t.%I = $1%s%s order by %s limit $2',
    (select string_agg(format('t.%I::text', k.name), ', ' order by k.n) from unnest(v_table.keys) with ordinality k (name, n)),
    v_table.name, case v_table.name when 'organization' then 'id' else 'org_id' end, v_whose,
    case when rows_page.after is not null then format(' and (%s) > (%s)',
      (select string_agg(format('t.%I', k.name), ', ' order by k.n) from unnest(v_table.keys) with ordinality k (name, n)),
      (select string_agg(format('%L::%s', rows_page.after[k.n], v_table.types[k.n]), ', ' order by k.n)
        from unnest(v_table.keys) with ordinality k (name, n))) else '' end,
    (select string_agg(format('t.%I', k.name), ', ' order by k.n) from unnest(v_table.keys) with ordinality k (name, n)))
    using rows_page.org_id, rows_page.max_rows + 1,
      -- What checks a secret; and for a person what is only computed from the text beside it.
      case when rows_page.mine is false then array['token_sha256', 'session_id'] else array['token_sha256', 'session_id', 'embedding', 'terms'] end
  loop
    -- A page is at most so many rows, and so large that the edge lets it through; one row always goes.
    if cardinality(v_rows) = rows_page.max_rows or cardinality(v_rows) > 0 and v_size + octet_length(v_row.line) > 400000 then
      return jsonb_build_object('table', v_table.name, 'rows', to_jsonb(v_rows), 'next', to_jsonb(v_next),
        'sha256', encode(sha256(convert_to(array_to_string(v_rows, E'\n'), 'UTF8')), 'hex'));
    end if;
    v_rows := v_rows || v_row.line;
    v_size := v_size + octet_length(v_row.line);
    v_next := v_row.place;
  end loop;
  return jsonb_build_object('table', v_table.name, 'rows', to_jsonb(v_rows), 'next', null,
    'sha256', encode(sha256(convert_to(array_to_string(v_rows, E'\n'), 'UTF8')), 'hex'));
end
$$;
comment on function authz.rows_page(uuid, text, boolean, text[], integer) is 'A page of the rows of a table of an organization that the person asking may read, or of those that name them; for the exports.';
revoke all on function authz.rows_page(uuid, text, boolean, text[], integer) from public;
grant execute on function authz.rows_page(uuid, text, boolean, text[], integer) to authenticated;

create function api.export_rows(org_id uuid, export_id uuid, table_name text, after text[] default null, max_rows integer default 500) returns jsonb
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(export_rows.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  perform authz.require_person();
  if not exists (select from app.organization_export e
    where e.org_id = export_rows.org_id and e.id = export_rows.export_id and e.requested_by = authz.uid()
      and e.requested_at > now() - authz.export_lasts())
  then
    raise sqlstate 'PT404' using message = 'no such export of yours, or it is over: begin one with export_organization';
  end if;
  return authz.rows_page(export_rows.org_id, export_rows.table_name, false, export_rows.after, max_rows);
end
$$;
comment on function api.export_rows(uuid, uuid, text, text[], integer) is $c$Give one page of one table of an export: the rows you may read, as texts of JSON, without what checks a secret.

@audience app
@param org_id      the organization
@param export_id   as export_organization gave it, within an hour
@param table_name  name of a table that export_organization told
@param after       next of the page before; leave it out for the first page
@param max_rows    number of rows; 1..1000
@returns           {table, rows: [text], next (null: that was the last page), sha256 (of the rows with a line feed between them)}; by key
@errors            22004, 22023, 42501, PT404
@effect            read$c$;
revoke all on function api.export_rows(uuid, uuid, text, text[], integer) from public;
grant execute on function api.export_rows(uuid, uuid, text, text[], integer) to authenticated;

create function api.purge_organization(org_id uuid, confirm_slug text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
set statement_timeout = '60s'
as $$
begin
  perform authz.require_org(purge_organization.org_id);
  return authz.purge(purge_organization.org_id, purge_organization.confirm_slug);
end
$$;
comment on function api.purge_organization(uuid, text) is $c$Delete an organization with everything in it, for good: members, documents, conversations, records. Export it first. Keep the receipt, which is shown this once.

@audience app
@param org_id        the organization, suspended or not; needs its built-in role owner and a recent second factor of your own
@param confirm_slug  name of an organization: its slug, typed to say that you mean it
@returns             {receipt_id, organization_id, purged_at, tables: {table: rows deleted}, total, sha256}
@errors              22004, 22023, 42501, PT401, PT404, PT423
@effect              destructive$c$;
revoke all on function api.purge_organization(uuid, text) from public;
grant execute on function api.purge_organization(uuid, text) to authenticated;
