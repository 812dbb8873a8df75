-- How long an organization keeps what (F72).

create function api.set_retention(org_id uuid, class text, days integer default null) returns jsonb
language plpgsql volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform authz.require_org(set_retention.org_id);
  perform authz.require_step_up();
  perform authz.require(set_retention.class in ('conversations', 'tickets', 'usage'), 'class: conversations, tickets or usage');
  perform authz.require(set_retention.days is null or set_retention.days between 1 and 36500, 'days: 1..36500, or none to keep it');
  if (set_retention.org_id = any (array(select authz.orgs_with('organization.manage')))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  delete from app.retention_rule r where r.org_id = set_retention.org_id and r.class = set_retention.class and set_retention.days is null;
  update app.retention_rule r set days = set_retention.days where r.org_id = set_retention.org_id and r.class = set_retention.class;
  if not found and set_retention.days is not null then
    insert into app.retention_rule (org_id, class, days) values (set_retention.org_id, set_retention.class, set_retention.days);
  end if;
  return jsonb_build_object('class', set_retention.class, 'days', set_retention.days);
end
$$;
comment on function api.set_retention(uuid, text, integer) is $c$Say how long an organization keeps a class of data; the job deletes what is older, unless a legal hold keeps it.

@audience app
@param org_id  the organization; needs organization.manage and a recent second factor of your own
@param class   conversations, tickets or usage
@param days    days since the last run of a conversation, since a ticket that is closed was opened, since a day of usage; 1..36500; leave it out to keep it as long as there is the organization
@returns       {class, days}
@errors        22004, 22023, 42501, PT401, PT404
@effect        write$c$;
revoke all on function api.set_retention(uuid, text, integer) from public;
grant execute on function api.set_retention(uuid, text, integer) to authenticated;

create function api.list_retention(org_id uuid) returns table (class text, days integer, set_by uuid, set_at timestamptz, last_deleted_at timestamptz, last_deleted jsonb)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
  perform authz.require_org(list_retention.org_id);
  return query
    select r.class, r.days, r.set_by, r.set_at, d.deleted_at, d.deleted
    from app.retention_rule r
    left join lateral (select p.deleted_at, p.deleted from app.retention_receipt p where p.org_id = r.org_id and p.class = r.class
      order by p.deleted_at desc limit 1) d on true
    where r.org_id = list_retention.org_id
    order by r.class;
end
$$;
comment on function api.list_retention(uuid) is $c$List how long an organization keeps what, and what was deleted last because its time was over.

@audience app
@param org_id  the organization; needs organization.manage or audit.read
@returns       array of {class, days, set_by, set_at, last_deleted_at, last_deleted: {table: rows}}
@errors        22004
@effect        read$c$;
revoke all on function api.list_retention(uuid) from public;
grant execute on function api.list_retention(uuid) to authenticated;
