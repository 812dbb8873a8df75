-- What things mean in a data source: metrics, by version, and columns (F55).

create function api.create_metric(org_id uuid, source text, name text, description text, sql text, retired boolean default false, tests text[] default '{}')
returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(create_metric.org_id, create_metric.source);
  v_metric app.metric;
begin
  perform authz.lock_name(v_source.org_id, 'metric ' || v_source.id || ' ' || create_metric.name);
  insert into app.metric (org_id, data_source_id, name, version, description, sql, retired, tests)
  values (v_source.org_id, v_source.id, create_metric.name, 1 + coalesce((
      select max(m.version) from app.metric m where m.org_id = v_source.org_id and m.data_source_id = v_source.id and m.name = create_metric.name), 0),
    create_metric.description, create_metric.sql, coalesce(create_metric.retired, false), coalesce(create_metric.tests, '{}'))
  returning * into v_metric;
  return jsonb_build_object('id', v_metric.id, 'version', v_metric.version, 'sha256', v_metric.sha256);
end
$$;
comment on function api.create_metric(uuid, text, text, text, text, boolean, text[]) is $c$Say how something is counted, as a new version of the metric of that name. Who writes SQL, people and models, is told to use it. Needs level editor or analytics.manage.

@audience app
@param org_id       the organization
@param source       slug or id
@param name         2..60 of a-z 0-9 _
@param description  what it says; 1..500 characters
@param sql          an expression or a SELECT over the relations of the source; 1..4000 characters
@param retired      true: from this version on it is not to be used any more
@param tests        SELECTs that give no row as long as it counts what it says; at most 10, of 10000 characters together. `ringfence metric test` asks them
@returns            {id, version, sha256}
@errors             22004, 23502, 23514, 42501, PT404, PT409
@effect             write$c$;
revoke all on function api.create_metric(uuid, text, text, text, text, boolean, text[]) from public;
grant execute on function api.create_metric(uuid, text, text, text, text, boolean, text[]) to authenticated;

create function api.set_column_meaning(org_id uuid, source text, relation text, column_name text, meaning text) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  v_source app.data_source := authz.data_source_named(set_column_meaning.org_id, set_column_meaning.source);
begin
  perform authz.lock_name(v_source.org_id, 'meaning ' || v_source.id);
  update app.column_meaning m set meaning = set_column_meaning.meaning
  where m.org_id = v_source.org_id and m.data_source_id = v_source.id and m.relation = set_column_meaning.relation and m.column_name = set_column_meaning.column_name;
  if not found then
    insert into app.column_meaning (org_id, data_source_id, relation, column_name, meaning)
    values (v_source.org_id, v_source.id, set_column_meaning.relation, set_column_meaning.column_name, set_column_meaning.meaning);
  end if;
  return jsonb_build_object('relation', set_column_meaning.relation, 'column_name', set_column_meaning.column_name);
end
$$;
comment on function api.set_column_meaning(uuid, text, text, text, text) is $c$Say what a column of a data source means in your organization. Needs level editor or analytics.manage.

@audience app
@param org_id       the organization
@param source       slug or id
@param relation     name of a relation or uploaded table; 1..63 of a-z 0-9 _
@param column_name  name of its column; 1..63 of a-z 0-9 _
@param meaning      1..500 characters
@returns            {relation, column_name}
@errors             22004, 23502, 23514, 42501, PT404, PT409
@effect             write$c$;
revoke all on function api.set_column_meaning(uuid, text, text, text, text) from public;
grant execute on function api.set_column_meaning(uuid, text, text, text, text) to authenticated;
