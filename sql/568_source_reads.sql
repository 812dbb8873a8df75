-- What a session reads beneath the views of schema source. A job keeps it, so that what it found is read later by no session that sees less (F53).

create function authz.source_reads(relations text[]) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_object_agg(s.org_id, s.reads) from (
    select r.org_id, bit_or(r.bit) as reads from (
      select o.id as org_id, 0::bigint as bit from authz.org_ids() o (id)
      union all
      -- Everybody's rows: as the policies for ringfence_analyst ask.
      select o.id, authz.permission_bit(p.permission)
      from (values ('orders', 'orders.read'), ('tickets', 'tickets.read'), ('usage', 'usage.read')) p (relation, permission), authz.orgs_with(p.permission) o (id)
      where p.relation = any (source_reads.relations)
      union all
      -- One's own, which every session sees but that of an API token made for something else: as their floors ask. The first name stands for it.
      select o.id, authz.permission_bit(p.scope[1])
      from (values ('orders', array['orders.place', 'orders.read']), ('tickets', array['tickets.create', 'tickets.read', 'tickets.manage']),
        ('conversations', array['bots.run'])) p (relation, scope), authz.org_ids() o (id)
      where p.relation = any (source_reads.relations) and authz.in_scope(p.scope)) r
    group by r.org_id) s
$$;
comment on function authz.source_reads(text[]) is 'Which rows of these relations the session sees now, by organization, as bits of permissions (authz.permission_bit): of orders.read, tickets.read and usage.read everybody''s, of orders.place, tickets.create and bots.run one''s own.';
revoke all on function authz.source_reads(text[]) from public;
grant execute on function authz.source_reads(text[]) to authenticated, ringfence_owner;
